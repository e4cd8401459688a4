package server_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/connectors/connectortest/fake"
	"gatehouse/internal/brokertest"
)

// rechecking is a world whose upstream is asked again every quarter of an hour, and
// hands out a new refresh token each time.
func rechecking(t *testing.T, more string) *brokertest.Broker {
	t.Helper()
	options := askingAgain(more)
	options.Clients = `  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true}
  - {client_id: shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"], skip_consent: true, allow: {groups: ["corp:staff"]}}
`
	return brokertest.New(t, options)
}

func askingAgain(more string) brokertest.Options {
	return brokertest.Options{
		Upstream:  func(o *fake.Options) { o.OIDC.RotateRefreshTokens = true },
		Connector: ", recheck_interval: 15m, outage_grace: 1h" + more,
	}
}

func offline(t *testing.T, b *brokertest.Broker, br *brokertest.Browser, client string) string {
	t.Helper()
	a := b.Redeem(t, client, br.Code(client, "scope", "openid email groups offline_access"))
	if a.Text("refresh_token") == "" {
		t.Fatalf("no refresh token: %v", a.Body)
	}
	return a.Text("refresh_token")
}

// One question however many applications of a person refresh at once, and two
// commits for the refresh that asked (DESIGN.md §3).
func TestRecheckAsksOnce(t *testing.T) {
	t.Parallel()
	b := rechecking(t, "")
	br := b.Browser(t)
	tokens := make([]string, 64)
	for i := range tokens {
		tokens[i] = offline(t, b, br, "wiki")
	}
	b.Upstream.Forget()
	tokens[0] = b.Refresh(t, "wiki", tokens[0]).Text("refresh_token")
	if n := b.Upstream.Calls(fake.Token); n != 0 || tokens[0] == "" {
		t.Fatalf("%d questions within the interval", n)
	}
	b.Clock.Advance(15 * time.Minute)
	commits := b.Store.Commits()
	tokens[0] = b.Refresh(t, "wiki", tokens[0]).Text("refresh_token")
	if n := b.Store.Commits() - commits; n != 2 {
		t.Errorf("a refresh that asks costs %d commits", n)
	}
	for round := 2; round <= 3; round++ {
		b.Clock.Advance(15 * time.Minute)
		var wg sync.WaitGroup
		for i := range tokens {
			wg.Go(func() {
				a := b.Refresh(t, "wiki", tokens[i])
				if tokens[i] = a.Text("refresh_token"); tokens[i] == "" {
					t.Errorf("refresh %d: %v", i, a.Body)
				}
			})
		}
		wg.Wait()
		if n := b.Upstream.Calls(fake.Token); n != round {
			t.Errorf("%d questions in %d intervals", n, round)
		}
	}
}

// UP-32: who is disabled upstream is out here with the next re-check, everywhere.
func TestUP32DisabledUpstreamIsOutHere(t *testing.T) {
	t.Parallel()
	b := rechecking(t, "")
	br := b.Browser(t)
	first := b.Redeem(t, "wiki", br.Code("wiki", "scope", "openid offline_access"))
	second := offline(t, b, br, "wiki")
	b.Upstream.Disable("ada")
	first = b.Refresh(t, "wiki", first.Text("refresh_token"))
	if first.Status != 200 {
		t.Fatalf("within the interval: %v", first.Body)
	}
	b.Clock.Advance(15 * time.Minute)
	isError(t, "the re-check", b.Refresh(t, "wiki", first.Text("refresh_token")), 400, "invalid_grant")
	isError(t, "another application", b.Refresh(t, "wiki", second), 400, "invalid_grant")
	if a := b.UserInfo(t, first.Text("access_token")); a.Status != 401 {
		t.Errorf("userinfo: %d", a.Status)
	}
	if page := br.Get(b.AuthorizeURL("wiki", "prompt", "none")); page.URL.Query().Get("error") != "login_required" {
		t.Errorf("single sign-on goes on: %s", page.URL)
	}
	if !strings.Contains(b.Log.String(), "upstream_denied") {
		t.Error("no event")
	}
	b.Upstream.Enable("ada")
	b.Upstream.EndSessions()
	token := offline(t, b, b.Browser(t), "wiki")
	b.Clock.Advance(15 * time.Minute)
	if a := b.Refresh(t, "wiki", token); a.Status != 200 {
		t.Errorf("after signing in again: %v", a.Body)
	}
}

// TK-12: what the upstream says now decides, in the very refresh that asked.
func TestTK12GroupsAreThoseOfNow(t *testing.T) {
	t.Parallel()
	b := rechecking(t, "")
	b.Upstream.Update("ada", func(p *fake.Person) { p.OIDC.Groups = []string{"staff", "board"} })
	token := offline(t, b, b.Browser(t), "shop")
	b.Upstream.Update("ada", func(p *fake.Person) { p.Name, p.OIDC.Groups = "Ada King", []string{"staff"} })
	b.Clock.Advance(15 * time.Minute)
	a := b.Refresh(t, "shop", token)
	info := b.UserInfo(t, a.Text("access_token"))
	if groups, _ := info.Body["groups"].([]any); len(groups) != 1 || groups[0] != "corp:staff" {
		t.Errorf("%v", info.Body)
	}
	b.Upstream.Update("ada", func(p *fake.Person) { p.OIDC.Groups = []string{"board"} })
	b.Clock.Advance(15 * time.Minute)
	isError(t, "in none of the client's groups", b.Refresh(t, "shop", a.Text("refresh_token")), 400, "invalid_grant")
	// The answer was kept all the same: the upstream is not asked for it again, nor is its token presented twice.
	calls := b.Upstream.Calls(fake.Token)
	isError(t, "again", b.Refresh(t, "shop", a.Text("refresh_token")), 400, "invalid_grant")
	if n := b.Upstream.Calls(fake.Token) - calls; n != 0 {
		t.Errorf("%d more questions", n)
	}
}

func TestAnUpstreamThatIsDownIsBridged(t *testing.T) {
	t.Parallel()
	b := rechecking(t, "")
	token := offline(t, b, b.Browser(t), "wiki")
	b.Upstream.Misbehave(fake.At(fake.Token, fake.Unavailable))
	b.Clock.Advance(15 * time.Minute)
	a := b.Refresh(t, "wiki", token)
	if a.Status != 200 {
		t.Fatalf("within the grace: %v", a.Body)
	}
	b.Clock.Advance(time.Hour)
	refused := b.Refresh(t, "wiki", a.Text("refresh_token"))
	if refused.Status != 503 || refused.Error() != "temporarily_unavailable" || refused.Header.Get("Retry-After") == "" {
		t.Errorf("after the grace: %d %v", refused.Status, refused.Body)
	}
	b.Upstream.Behave()
	b.Clock.Advance(time.Minute)
	if a := b.Refresh(t, "wiki", a.Text("refresh_token")); a.Status != 200 {
		t.Errorf("when it is back: %d %v", a.Status, a.Body)
	}
}

// I10: nothing an upstream hands out is in the log, at any level, whatever happens.
func TestI10UpstreamTokensAreNeverLogged(t *testing.T) {
	t.Parallel()
	b := rechecking(t, "")
	var mu sync.Mutex
	secrets := map[string]bool{"upstream-secret": true}
	remember := func(answer map[string]any) {
		mu.Lock()
		defer mu.Unlock()
		for _, name := range []string{"access_token", "refresh_token", "id_token"} {
			if s, ok := answer[name].(string); ok && s != "" {
				secrets[s] = true
			}
		}
	}
	behave := func() {
		b.Upstream.Behave()
		b.Upstream.Edit(fake.Token, remember)
		b.Upstream.Edit(fake.Refresh, remember)
	}
	behave()
	token := offline(t, b, b.Browser(t), "wiki")
	for _, m := range []fake.Misbehaviour{"", fake.RefreshWithoutIDToken, fake.RefreshGivesSomebody, fake.At(fake.Token, fake.ServerError), fake.At(fake.Token, fake.TruncatedBody)} {
		behave()
		if m != "" {
			b.Upstream.Misbehave(m)
		}
		b.Clock.Advance(15 * time.Minute)
		if a := b.Refresh(t, "wiki", token); a.Status == 200 {
			token = a.Text("refresh_token")
			continue
		}
		behave()
		b.Upstream.EndSessions()
		token = offline(t, b, b.Browser(t), "wiki")
	}
	log := b.Log.String()
	mu.Lock()
	defer mu.Unlock()
	for secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("%.12s… is in the log", secret)
		}
	}
	if len(secrets) < 10 {
		t.Errorf("looked for %d secrets only", len(secrets))
	}
}
