package server_test

import (
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

const logoutClients = `
  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true, post_logout_redirect_uris: ["https://wiki.example/bye?x=1"]}
  - {client_id: shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"], skip_consent: true, post_logout_redirect_uris: ["https://shop.example/bye"]}
`

// TestRPInitiatedLogout: OpenID Connect RP-Initiated Logout §2, §3 and §6.
func TestRPInitiatedLogout(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: logoutClients})
	const bye = "https://wiki.example/bye?x=1"
	signedIn := func(browser *brokertest.Browser) bool {
		return browser.Get(b.AuthorizeURL(brokertest.Wiki, "prompt", "none")).URL.Query().Has("code")
	}
	fresh := func() (*brokertest.Browser, brokertest.Answer) {
		browser := b.Browser(t)
		return browser, b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki, "scope", "openid offline_access"))
	}
	logout := func(pairs ...string) string {
		q := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return b.Issuer + "/logout?" + q.Encode()
	}

	browser, tokens := fresh()
	commits := b.Store.Commits()
	page := browser.Get(logout("id_token_hint", tokens.Text("id_token"), "post_logout_redirect_uri", bye, "state", "the state"))
	if !page.AtClient || page.URL.String() != bye+"&state=the%20state" {
		t.Errorf("with a hint: %d at %s", page.Status, page.URL)
	}
	if n := b.Store.Commits() - commits; n != 1 {
		t.Errorf("signing out cost %d commits", n)
	}
	if signedIn(browser) {
		t.Error("the session lives on")
	}
	if a := b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token")); a.Status != 200 {
		t.Errorf("the offline grant ended with the session: %v", a.Body)
	}

	// LO-06: a grant without offline_access ends with the session.
	bound := b.Browser(t)
	online := b.Redeem(t, brokertest.Wiki, bound.Code(brokertest.Wiki))
	bound.Get(logout("id_token_hint", online.Text("id_token")))
	if a := b.UserInfo(t, online.Text("access_token")); a.Status != 401 {
		t.Errorf("a grant bound to the session survives: %d", a.Status)
	}

	// LO-03: without a hint the person is asked, and a link alone does nothing.
	browser, _ = fresh()
	page = browser.Get(logout("client_id", "wiki", "post_logout_redirect_uri", bye))
	if page.AtClient || page.Status != 200 || !signedIn(browser) {
		t.Fatalf("without a hint: %d at %s", page.Status, page.URL)
	}
	form := page.Fields()
	form.Set("decision", "sign_out")
	if evil := browser.PostFrom("https://evil.example", b.Issuer+"/logout", form); evil.Status != 403 || !signedIn(browser) {
		t.Errorf("a form of another site: %d", evil.Status)
	}
	form.Set("decision", "stay")
	if stay := browser.Post(b.Issuer+"/logout", form); stay.Status != 200 || !signedIn(browser) {
		t.Errorf("stay: %d", stay.Status)
	}
	form.Set("decision", "sign_out")
	if done := browser.Post(b.Issuer+"/logout", form); done.URL.String() != bye || signedIn(browser) {
		t.Errorf("confirmed: %d at %s", done.Status, done.URL)
	}

	// LO-01, LO-02: nobody is redirected to what is not registered, and a forged or
	// foreign hint signs nobody out.
	browser, tokens = fresh()
	idToken := tokens.Text("id_token")
	parts := strings.Split(idToken, ".")
	for name, u := range map[string]string{
		"an unregistered address":       logout("id_token_hint", idToken, "post_logout_redirect_uri", "https://evil.example/"),
		"another query":                 logout("id_token_hint", idToken, "post_logout_redirect_uri", bye+"&y=2"),
		"another client's address":      logout("id_token_hint", idToken, "post_logout_redirect_uri", "https://shop.example/bye"),
		"an address and nobody's name":  logout("post_logout_redirect_uri", bye),
		"a hint of alg none":            logout("id_token_hint", "eyJhbGciOiJub25lIn0."+parts[1]+".", "post_logout_redirect_uri", bye),
		"a hint with another signature": logout("id_token_hint", parts[0]+"."+parts[1]+"."+strings.Repeat("A", len(parts[2])), "post_logout_redirect_uri", bye),
		"an access token for a hint":    logout("id_token_hint", tokens.Text("access_token"), "post_logout_redirect_uri", bye),
		"another client_id":             logout("id_token_hint", idToken, "client_id", "shop"),
		"an unknown client":             logout("client_id", "nobody"),
	} {
		page := browser.Get(u)
		if page.AtClient || page.Status != 400 || !signedIn(browser) {
			t.Errorf("%s: %d at %s", name, page.Status, page.URL)
		}
	}
	// A hint about another person's session asks this one first.
	_, other := fresh()
	if page := browser.Get(logout("id_token_hint", other.Text("id_token"), "post_logout_redirect_uri", bye)); page.AtClient || !signedIn(browser) {
		t.Errorf("another session's hint: %d at %s", page.Status, page.URL)
	}
	if page := b.Browser(t).Get(logout()); page.Status != 200 || page.AtClient {
		t.Errorf("nobody signed in: %d", page.Status)
	}
}
