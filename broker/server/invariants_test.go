package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/internal/brokertest"
)

// I2: every artefact is of one kind, of one client, of one account, has an end,
// and is consumed in one commit.
func TestI2EveryArtefactIsConsumedInOneCommit(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	code := b.Browser(t).Code(brokertest.Wiki, "scope", "openid offline_access")
	commits := b.Store.Commits()
	tokens := b.Redeem(t, brokertest.Wiki, code)
	if n := b.Store.Commits() - commits; n != 1 {
		t.Errorf("redeeming a code: %d commits", n)
	}
	refresh, access, id := tokens.Text("refresh_token"), tokens.Text("access_token"), tokens.Text("id_token")
	commits = b.Store.Commits()
	refreshed := b.Refresh(t, brokertest.Wiki, refresh)
	if n := b.Store.Commits() - commits; n != 1 {
		t.Errorf("a refresh: %d commits", n)
	}
	commits = b.Store.Commits()
	for name, artefact := range map[string]string{"a code": code, "an access token": access, "an ID token": id} {
		if a := b.Refresh(t, brokertest.Wiki, artefact); a.Error() != "invalid_grant" {
			t.Errorf("%s as a refresh token: %v", name, a.Body)
		}
	}
	for name, artefact := range map[string]string{"a refresh token": refresh, "an access token": access, "an ID token": id} {
		if a := b.Redeem(t, brokertest.Wiki, artefact); a.Error() != "invalid_grant" {
			t.Errorf("%s as a code: %v", name, a.Body)
		}
	}
	for name, artefact := range map[string]string{"a refresh token": refreshed.Text("refresh_token"), "a code": code, "an ID token": id} {
		if a := b.UserInfo(t, artefact); a.Status != 401 {
			t.Errorf("%s as an access token: %d", name, a.Status)
		}
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("mistaking one for another: %d commits", n)
	}
	b.Clock.Advance(720 * time.Hour)
	if a := b.Refresh(t, brokertest.Wiki, refreshed.Text("refresh_token")); a.Error() != "invalid_grant" {
		t.Errorf("a refresh token beyond its life: %v", a.Body)
	}
}

// withdrawals are the ways in which somebody is put out.
var withdrawals = map[string]func(t *testing.T, b *brokertest.Broker, account string) (undo func()){
	"the account is disabled": func(t *testing.T, b *brokertest.Broker, account string) func() {
		set := func(off bool) {
			must(t, b.Store.SetAccountDisabled(t.Context(), account, off, broker.Event{At: b.Clock.Now()}))
		}
		set(true)
		return func() { set(false) }
	},
	"the account is signed out everywhere": func(t *testing.T, b *brokertest.Broker, account string) func() {
		must(t, b.Store.EndAccount(t.Context(), account, broker.Event{At: b.Clock.Now()}))
		return func() {}
	},
	"the client is switched off": func(t *testing.T, b *brokertest.Broker, _ string) func() {
		set := func(off bool) {
			must(t, b.Store.SetSwitch(t.Context(), broker.ClientSwitch, brokertest.Shop, off, broker.Event{At: b.Clock.Now()}))
		}
		set(true)
		return func() { set(false) }
	},
	"the connector is switched off": func(t *testing.T, b *brokertest.Broker, _ string) func() {
		set := func(off bool) {
			must(t, b.Store.SetSwitch(t.Context(), broker.ConnectorSwitch, "corp", off, broker.Event{At: b.Clock.Now()}))
		}
		set(true)
		return func() { set(false) }
	},
	"the person left the group": func(t *testing.T, b *brokertest.Broker, _ string) func() {
		// The next sign-in, wherever it is for, says so.
		b.Upstream.SignInAs("dana-was-ada")
		b.Browser(t).Code(brokertest.Wiki)
		return func() {}
	},
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const groupClients = `
  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true, require_pkce: false}
  - {client_id: shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"], allow: {groups: ["corp:staff"], email_domains: [corp.example]}}
`

// I5, I6, TK-12, TK-13: whatever withdraws access withdraws it from everything
// issued before, at every way in, and undoing it revives nothing.
func TestI5EveryIssuanceIsAuthorisedOnCurrentState(t *testing.T) {
	t.Parallel()
	for name, withdraw := range withdrawals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.New(t, brokertest.Options{Clients: groupClients})
			leaver := b.Upstream.Person("ada")
			leaver.ID, leaver.OIDC.Groups = "dana-was-ada", nil
			b.Upstream.Add(leaver)
			browser := b.Browser(t)
			tokens := b.Redeem(t, brokertest.Shop, browser.Code(brokertest.Shop, "scope", "openid offline_access"))
			code := browser.Code(brokertest.Shop, "scope", "openid offline_access")
			account, _ := brokertest.Claims(t, tokens.Text("id_token"))["sub"].(string)
			refresh := tokens.Text("refresh_token")
			undo := withdraw(t, b, account)
			check := func(when string, silent bool) {
				t.Helper()
				commits := b.Store.Commits()
				if a := b.Redeem(t, brokertest.Shop, code); a.Error() != "invalid_grant" {
					t.Errorf("%s: a code in flight: %d %v", when, a.Status, a.Body)
				}
				if a := b.Refresh(t, brokertest.Shop, refresh); a.Error() != "invalid_grant" {
					t.Errorf("%s: a refresh token: %d %v", when, a.Status, a.Body)
				}
				if a := b.UserInfo(t, tokens.Text("access_token")); a.Status != 401 {
					t.Errorf("%s: an access token: %d", when, a.Status)
				}
				if !silent {
					return
				}
				if q := browser.Get(b.AuthorizeURL(brokertest.Shop, "prompt", "none")).URL.Query(); q.Has("code") {
					t.Errorf("%s: single sign-on: %v", when, q)
				}
				if n := b.Store.Commits() - commits; n != 0 {
					t.Errorf("%s: I12: refusals cost %d commits", when, n)
				}
			}
			check("withdrawn", true)
			undo()
			if name != "the person left the group" {
				// A session is not a client's: it signs in to one that is back.
				check("undone", name != "the client is switched off")
			}
		})
	}
}

// I6, TK-12: consent that is withdrawn is withdrawn from what it gave.
func TestI6WithdrawnConsentEndsWhatItGave(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	tokens := b.Redeem(t, brokertest.Shop, b.Browser(t).Code(brokertest.Shop, "scope", "openid offline_access"))
	account, _ := brokertest.Claims(t, tokens.Text("id_token"))["sub"].(string)
	must(t, b.Store.WithdrawConsent(t.Context(), account, brokertest.Shop, broker.Event{At: b.Clock.Now()}))
	if a := b.Refresh(t, brokertest.Shop, tokens.Text("refresh_token")); a.Error() != "invalid_grant" {
		t.Errorf("a refresh token: %v", a.Body)
	}
	if a := b.UserInfo(t, tokens.Text("access_token")); a.Status != 401 {
		t.Errorf("an access token: %d", a.Status)
	}
}

// The rules of a client's allow: groups and verified addresses (LK-10).
func TestAClientAdmitsOnlyWhomItAllows(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: groupClients})
	for person, admitted := range map[string]bool{"ada": true, "ben": false /* unverified */, "chloe": false /* no address */, "dana": false, "eve": false /* no group */} {
		b.Upstream.SignInAs(person)
		commits := b.Store.Commits()
		browser := b.Browser(t)
		q := browser.SignIn(brokertest.Shop)
		if q.Has("code") != admitted || !admitted && q.Get("error") != "access_denied" {
			t.Errorf("%s: %v", person, q)
		}
		if n := b.Store.Commits() - commits; !admitted && n != 0 {
			t.Errorf("%s: I12: a refusal cost %d commits", person, n)
		}
	}
}

// I7: what is derived never gains.
func TestI7DerivedTokensNeverGain(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	tokens := b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki, "scope", "openid email offline_access"))
	before := brokertest.Claims(t, tokens.Text("access_token"))
	for _, more := range []url.Values{{"scope": {"openid groups"}}, {"audience": {"https://other.example"}}, {"resource": {"https://other.example"}}} {
		more.Set("grant_type", "refresh_token")
		more.Set("refresh_token", tokens.Text("refresh_token"))
		a := b.Token(t, brokertest.Wiki, more)
		if a.Status != 200 {
			continue // refused is well
		}
		after := brokertest.Claims(t, a.Text("access_token"))
		if after["scope"] != before["scope"] || after["aud"] != before["aud"] || after["exp"].(float64)-after["iat"].(float64) > before["exp"].(float64)-before["iat"].(float64) {
			t.Errorf("%v gained: %v after %v", more, after, before)
		}
		tokens = a
	}
}

// I8, SF-01: nothing a client names is fetched.
func TestI8NothingAClientNamesIsFetched(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	t.Cleanup(inside.Close)
	b := brokertest.New(t, brokertest.Options{Clients: `
  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], client_uri: "` + inside.URL + `/home", logo_uri: "` + inside.URL + `/logo.png", policy_uri: "` + inside.URL + `/p", tos_uri: "` + inside.URL + `/t"}
`})
	browser := b.Browser(t)
	browser.Code(brokertest.Wiki)
	for _, name := range []string{"request_uri", "sector_identifier_uri", "jwks_uri", "logo_uri", "login_hint", "claims"} {
		b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, name, inside.URL+"/"+name))
	}
	b.Token(t, brokertest.Wiki, url.Values{"grant_type": {"authorization_code"}, "code": {"gc_x"}, "jwks_uri": {inside.URL}})
	if n := calls.Load(); n != 0 {
		t.Errorf("%d connections to an address that a client named", n)
	}
}

// I9, LG-04: who somebody is, where they come from and who we are is not taken
// from headers that anybody can send.
func TestI9HeadersOfStrangersSayNothing(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.AuthorizeURL(brokertest.Wiki, "prompt", "none"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Auth-Request-User", "X-Forwarded-Email"} {
		request.Header.Set(name, "ada")
	}
	request.Header.Set("X-Forwarded-For", "203.0.113.7")
	request.Header.Set("X-Forwarded-Host", "evil.example")
	request.Header.Set("Forwarded", "for=203.0.113.7;host=evil.example")
	request.Host = "evil.example"
	page := b.Browser(t).Send(request)
	u, err := url.Parse(page.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if u.Query().Get("error") != "login_required" || u.Query().Get("iss") != b.Issuer {
		t.Errorf("answered %s", u)
	}
	if log := b.Log.String(); strings.Contains(log, "203.0.113.7") || strings.Contains(log, "evil.example") {
		t.Error("the log believes a stranger's headers")
	}
}

// I10, LG-01: no secret reaches the log, at any level, from any parameter.
func TestI10NoSecretReachesTheLog(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	secrets := map[string]string{"code verifier": brokertest.Verifier, "client secret": brokertest.Secret(brokertest.Wiki), "upstream secret": "upstream-secret"}
	code := browser.Code(brokertest.Wiki, "scope", "openid offline_access", "state", "CANARY-state-0123456789abcdef")
	tokens := b.Redeem(t, brokertest.Wiki, code)
	secrets["code"], secrets["access token"], secrets["ID token"], secrets["refresh token"] = code, tokens.Text("access_token"), tokens.Text("id_token"), tokens.Text("refresh_token")
	b.Redeem(t, brokertest.Wiki, code)
	b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token"))
	for _, c := range browser.Cookies() {
		if strings.Contains(c.Name, "gatehouse-last-") && c.Value == "corp" {
			continue // the name of a connector, and no more
		}
		secrets["cookie "+c.Name] = c.Value
	}
	canary := "CANARY-" + strings.Repeat("x", 40)
	for _, name := range []string{"state", "nonce", "login_hint", "id_token_hint", "code_challenge", "claims", "request", "client_secret", "redirect_uri", "code", "access_token", "ui_locales", "unknown"} {
		b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, name, canary))
	}
	for _, name := range []string{"code", "refresh_token", "client_secret", "code_verifier", "redirect_uri", "client_assertion", "password", "scope", "unknown"} {
		b.Token(t, brokertest.Wiki, url.Values{"grant_type": {"authorization_code"}, name: {canary}})
		b.Token(t, brokertest.Wiki, url.Values{"grant_type": {"refresh_token"}, name: {canary}})
	}
	b.UserInfo(t, canary)
	browser.Get(b.Issuer + "/callback/corp?code=" + canary + "&state=" + canary + "&error=access_denied&error_description=" + canary)
	browser.Get(b.Issuer + "/logout?id_token_hint=" + canary)
	browser.Get(b.Issuer + "/consent?flow=" + canary)
	secrets["canary"] = canary
	secrets["state"] = "CANARY-state"
	log := b.Log.String()
	if !strings.Contains(log, "answered") || !strings.Contains(log, "refused") {
		t.Fatal("the log is empty: the test sees nothing")
	}
	for name, secret := range secrets {
		if at := strings.Index(log, secret); at >= 0 {
			t.Errorf("the log has the %s: …%s…", name, log[max(0, at-200):min(len(log), at+80)])
		}
	}
}

// I11, DO-01: anonymous requests leave nothing behind, however many there are.
func TestI11AnonymousRequestsWriteNothing(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	b.Browser(t).Code(brokertest.Wiki)
	commits := b.Store.Commits()
	events, _, err := b.Store.Events(t.Context(), "", 1000)
	must(t, err)
	for range 300 {
		step(t, b.Browser(t), b.AuthorizeURL(brokertest.Wiki))
	}
	stranger := b.Browser(t)
	for _, path := range []string{"/", "/login?flow=x", "/callback/corp?state=x&code=y", "/consent?flow=x", "/jwks", "/.well-known/openid-configuration", "/logout", "/userinfo", "/nothing"} {
		stranger.Get(b.Issuer + path)
	}
	b.Token(t, brokertest.Wiki, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}})
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("%d commits", n)
	}
	after, _, err := b.Store.Events(t.Context(), "", 1000)
	must(t, err)
	if len(after) != len(events) {
		t.Errorf("%d events more", len(after)-len(events))
	}
}

// The budget of DESIGN §3 in durable commits.
func TestBudgetOfCommits(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	spent := func(what string, want uint64, do func()) {
		t.Helper()
		before := b.Store.Commits()
		do()
		if n := b.Store.Commits() - before; n != want {
			t.Errorf("%s cost %d commits, want %d", what, n, want)
		}
	}
	browser := b.Browser(t)
	var tokens brokertest.Answer
	spent("a first login", 2, func() {
		tokens = b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki, "scope", "openid offline_access"))
	})
	spent("a first login with a consent page", 3, func() { b.Redeem(t, brokertest.Shop, b.Browser(t).Code(brokertest.Shop)) })
	spent("single sign-on", 2, func() { b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki)) })
	var refreshed brokertest.Answer
	spent("a refresh", 1, func() { refreshed = b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token")) })
	spent("userinfo", 0, func() { b.UserInfo(t, refreshed.Text("access_token")) })
	b.Clock.Advance(time.Minute)
	spent("a replay", 1, func() { b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token")) })
	spent("discovery and keys", 0, func() { browser.Get(b.Issuer + "/.well-known/openid-configuration"); browser.Get(b.Issuer + "/jwks") })
	spent("an anonymous request", 0, func() { step(t, b.Browser(t), b.AuthorizeURL(brokertest.Wiki)) })
}
