package server_test

import (
	"net/url"
	"testing"
	"time"

	"gatehouse/connectors/connectortest/fake"
	"gatehouse/internal/brokertest"
)

// RFC 9700 §4.14.2: a spent token that comes back ends the grant, also while nobody can
// be asked about the person.
func TestTK01AReplayIsSeenThoughTheUpstreamIsSilent(t *testing.T) {
	t.Parallel()
	b := rechecking(t, "")
	spent := offline(t, b, b.Browser(t), "wiki")
	b.Upstream.Misbehave(fake.At(fake.Token, fake.Unavailable))
	b.Clock.Advance(15 * time.Minute)
	current := b.Refresh(t, "wiki", spent).Text("refresh_token")
	if current == "" {
		t.Fatal("refused within the grace")
	}
	b.Clock.Advance(2 * time.Hour)
	b.Upstream.Forget()
	isError(t, "the spent token", b.Refresh(t, "wiki", spent), 400, "invalid_grant")
	if n := b.Upstream.Calls(fake.Token); n != 0 {
		t.Errorf("%d questions for a replay", n)
	}
	b.Upstream.Behave()
	b.Clock.Advance(time.Minute)
	isError(t, "the grant of a replayed token", b.Refresh(t, "wiki", current), 400, "invalid_grant")
}

// I12: what is refused whatever the upstream says asks no question and changes nothing.
func TestI12ARefusedRefreshAsksNobody(t *testing.T) {
	t.Parallel()
	b := rechecking(t, "")
	token := offline(t, b, b.Browser(t), "wiki")
	b.Clock.Advance(15 * time.Minute)
	b.Upstream.Forget()
	commits := b.Store.Commits()
	ask := func(client string, pairs ...string) (int, string) {
		a := b.Token(t, client, with(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, pairs...))
		return a.Status, a.Error()
	}
	for name, got := range map[string]func() (int, string){
		"TK-11 an unknown resource": func() (int, string) { return ask("wiki", "resource", "https://evil.example") },
		"a wider scope":             func() (int, string) { return ask("wiki", "scope", "openid profile") },
		"another client":            func() (int, string) { return ask("shop") },
	} {
		if status, code := got(); status != 400 {
			t.Errorf("%s: %d %s", name, status, code)
		}
	}
	if n := b.Upstream.Calls(fake.Token); n != 0 || b.Store.Commits() != commits {
		t.Errorf("%d questions, %d commits", n, b.Store.Commits()-commits)
	}
	if a := b.Refresh(t, "wiki", token); a.Status != 200 {
		t.Errorf("afterwards: %v", a.Body)
	}
}

// CA-03, I12: a client that has not proved to be itself this time has nobody asked
// about a person.
func TestARefreshWithAUsedAssertionAsksNobody(t *testing.T) {
	t.Parallel()
	b, assert := signingIn(t, askingAgain(""))
	code := b.Browser(t).Get(b.AuthorizeURL("keys", "scope", "openid offline_access")).URL.Query().Get("code")
	tokens := send(t, b, "/token", with(brokertest.CodeForm("keys", code), pairsOf(assert("keys", "1", b.Issuer))...))
	refresh := []string{"grant_type", "refresh_token", "refresh_token", tokens.Text("refresh_token")}
	b.Clock.Advance(15 * time.Minute)
	used := assert("keys", "2", b.Issuer)
	if a := send(t, b, "/token", with(url.Values{"grant_type": {"client_credentials"}}, pairsOf(used)...)); a.Status != 200 {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	b.Upstream.Forget()
	commits := b.Store.Commits()
	isError(t, "a used assertion", send(t, b, "/token", with(url.Values{}, append(refresh, pairsOf(used)...)...)), 401, "invalid_client")
	if n := b.Upstream.Calls(fake.Token); n != 0 || b.Store.Commits() != commits {
		t.Errorf("%d questions, %d commits", n, b.Store.Commits()-commits)
	}
	a := send(t, b, "/token", with(url.Values{}, append(refresh, pairsOf(assert("keys", "3", b.Issuer))...)...))
	if n := b.Upstream.Calls(fake.Token); a.Status != 200 || n != 1 {
		t.Errorf("a fresh one: %d %v, %d questions", a.Status, a.Body, n)
	}
}

func pairsOf(form url.Values) []string {
	var out []string
	for name, values := range form {
		out = append(out, name, values[0])
	}
	return out
}
