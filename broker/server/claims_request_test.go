package server_test

import (
	"net/http"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// claimants is a world with a first-party client with minimal ID tokens, one of a
// third party, and one that may have less.
func claimants(t *testing.T) *brokertest.Broker {
	t.Helper()
	client := func(id, more string) string {
		return "  - {client_id: " + id + ", client_secret: " + brokertest.Secret(id) + ", redirect_uris: ['" + brokertest.RedirectURI(id) + "'], " + more + "}\n"
	}
	return brokertest.New(t, brokertest.Options{
		Clients: client("wiki", "skip_consent: true, id_token_claims: minimal") + client("shop", "client_name: Shop") + client("bank", "scope: 'openid email'")})
}

// lacks asserts that claims have none of the names, has that they have all.
func lacks(t *testing.T, where string, claims map[string]any, names ...string) {
	t.Helper()
	for _, name := range names {
		if v, there := claims[name]; there {
			t.Errorf("%s has %s: %v", where, name, v)
		}
	}
}

func has(t *testing.T, where string, claims map[string]any, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, there := claims[name]; !there {
			t.Errorf("%s lacks %s: %v", where, name, claims)
		}
	}
}

// OpenID Connect Core §5.5, OIDF oidcc-claims-essential: each claim comes where it was
// asked for, and nowhere else.
func TestClaimsComeWhereTheyWereAskedFor(t *testing.T) {
	t.Parallel()
	b := claimants(t)
	first := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access groups", "claims",
		`{"userinfo":{"name":{"essential":true},"nickname":null},"id_token":{"email":{"value":"somebody@else.example"},"auth_time":{"essential":true},"acr":null}}`))
	tokens := first
	for _, when := range []string{"at first", "after a refresh", "after another"} {
		id := claimsOf(t, tokens.Text("id_token"))
		has(t, when+": the ID token", id, "email", "email_verified", "auth_time")
		lacks(t, when+": the ID token", id, "name", "groups", "given_name", "nickname")
		info := b.UserInfo(t, tokens.Text("access_token"))
		has(t, when+": userinfo", info.Body, "name", "sub")
		lacks(t, when+": userinfo", info.Body, "email", "given_name", "nickname")
		if email, _ := id["email"].(string); !strings.HasPrefix(email, "ada@") {
			t.Errorf("%s: the address is %q", when, email)
		}
		tokens = b.Refresh(t, "wiki", tokens.Text("refresh_token"))
	}
	// Nobody else's request, and not the next one of the same client.
	tokens = b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid"))
	lacks(t, "without claims: the ID token", claimsOf(t, tokens.Text("id_token")), "email", "name")
	lacks(t, "without claims: userinfo", b.UserInfo(t, tokens.Text("access_token")).Body, "email", "name")
}

// A third party asks the person first, in words, and remembers the answer; without a
// person to ask it is consent_required (Core §3.1.2.6, §5.5).
func TestClaimsNeedConsent(t *testing.T) {
	t.Parallel()
	b := claimants(t)
	br := b.Browser(t)
	br.Code("shop")
	ask := func(claims string, pairs ...string) brokertest.Page {
		return br.Get(b.AuthorizeURL("shop", append([]string{"claims", claims}, pairs...)...))
	}
	const picture = `{"userinfo":{"given_name":null},"id_token":{"given_name":{"essential":true},"email_verified":null}}`
	commits := b.Store.Commits()
	isRefusal(t, b, "nobody has been asked", ask(picture, "prompt", "none"), "consent_required")
	if b.Store.Commits() != commits {
		t.Error("I12: a refusal was committed")
	}
	page := ask(picture)
	for sentence, times := range map[string]int{"Recognise you when you come back": 1, "See your first name": 1, "See whether your e-mail address has been confirmed": 1, "See your e-mail address": 0, "given_name": 0} {
		if strings.Count(page.Body, sentence) != times {
			t.Errorf("%q is not on the page %d times:\n%s", sentence, times, page.Body)
		}
	}
	form := page.Fields()
	form.Set("decision", "allow")
	page = br.Post(b.Issuer+"/consent", form)
	tokens := b.Redeem(t, "shop", page.URL.Query().Get("code"))
	id := claimsOf(t, tokens.Text("id_token"))
	has(t, "the ID token", id, "given_name", "email_verified")
	lacks(t, "the ID token", id, "email", "name")
	has(t, "userinfo", b.UserInfo(t, tokens.Text("access_token")).Body, "given_name")
	// Remembered, also where fewer are asked for; not for others, nor for the scope.
	for _, claims := range []string{picture, `{"userinfo":{"given_name":null}}`} {
		if page := ask(claims, "prompt", "none"); page.URL.Query().Get("code") == "" {
			t.Errorf("%s is not remembered: %s", claims, page.URL)
		}
	}
	isRefusal(t, b, "another claim", ask(`{"userinfo":{"family_name":null}}`, "prompt", "none"), "consent_required")
	isRefusal(t, b, "the scope it belongs to", br.Get(b.AuthorizeURL("shop", "scope", "openid profile", "prompt", "none")), "consent_required")
	// With the scope agreed to, its claims are.
	br.Code("shop", "scope", "openid profile")
	if page := ask(`{"id_token":{"family_name":null}}`, "scope", "openid profile", "prompt", "none"); page.URL.Query().Get("code") == "" {
		t.Errorf("a claim of a scope needs its own consent: %s", page.URL)
	}
}

// What a client may not have by scope it cannot have by name, and is not told so: no
// claim is an error (Core §5.5.1).
func TestClaimsStayWithinWhatAClientMayHave(t *testing.T) {
	t.Parallel()
	b := claimants(t)
	br := b.Browser(t)
	page := br.Get(b.AuthorizeURL("bank", "claims", `{"userinfo":{"groups":{"essential":true},"name":null,"email":null},"id_token":{"groups":null}}`))
	if strings.Contains(page.Body, "See your full name") || strings.Contains(page.Body, "groups and teams") || !strings.Contains(page.Body, "See your e-mail address") {
		t.Errorf("the page asks for:\n%s", page.Body)
	}
	form := page.Fields()
	form.Set("decision", "allow")
	tokens := b.Redeem(t, "bank", br.Post(b.Issuer+"/consent", form).URL.Query().Get("code"))
	lacks(t, "the ID token", claimsOf(t, tokens.Text("id_token")), "groups", "name", "email")
	info := b.UserInfo(t, tokens.Text("access_token"))
	has(t, "userinfo", info.Body, "email")
	lacks(t, "userinfo", info.Body, "groups", "name")
	for _, claims := range []string{"{", `{"id_token":{"sub":{"value":"a"},"sub":{"value":"b"}}}`, `{"userinfo":{"email":7}}`, `{"id_token":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + "}"} {
		isRefusal(t, b, "AZ-14: "+claims, br.Get(b.AuthorizeURL("bank", "claims", claims)), "invalid_request")
	}
	if page := br.Get(b.AuthorizeURL("bank", "claims", `{"userinfo":{"x":{"value":"`+strings.Repeat("x", 8<<10)+`"}}}`)); page.URL.Query().Get("error") != "invalid_request" {
		t.Errorf("AZ-14: too long: %s", page.URL)
	}
}

// I7: claims are the grant's client's; who has a token in exchange has those of its
// scopes.
func TestClaimsAreNotPassedOnInExchange(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{
		Clients: "  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ['" + brokertest.RedirectURI("wiki") + "'], skip_consent: true, scope: 'openid profile api.use'}\n" +
			"  - {client_id: api, client_secret: api-secret, grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'], scope: 'openid api.use', token_exchange: {people: true, impersonate: true}}\n",
		Config: "resources:\n  - {resource: 'https://api.example', client: api, scopes: [api.use]}\n"})
	subject := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid api.use", "claims", `{"userinfo":{"name":null}}`)).Text("access_token")
	has(t, "userinfo of the client", b.UserInfo(t, subject).Body, "name")
	a := exchange(t, b, "api", subject, "scope", "openid")
	info := b.UserInfo(t, a.Text("access_token"))
	if info.Status != http.StatusOK {
		t.Fatalf("%d %v after %v", info.Status, info.Body, a.Body)
	}
	lacks(t, "userinfo of the API", info.Body, "name")
}

// Core §3.1.2.1, OIDF oidcc-display-*, -ui-locales, -claims-locales,
// -ensure-request-with-unknown-parameter-succeeds: what is a wish, and what nobody
// knows, changes nothing.
func TestOIDFWishesAndUnknownParametersChangeNothing(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	br := b.Browser(t)
	for _, pair := range [][2]string{{"display", "page"}, {"display", "popup"}, {"display", "touch"}, {"display", "wap"}, {"display", "hologram"}, {"display", "<b>"},
		{"ui_locales", "se"}, {"ui_locales", "fr-CA fr en"}, {"ui_locales", "<b> é %20"}, {"claims_locales", "se"}, {"claims_locales", "<b>"}, {"extra", "foobar"}, {"audience", "https://api.example"}} {
		tokens := b.Redeem(t, brokertest.Wiki, br.Code(brokertest.Wiki, pair[0], pair[1]))
		if tokens.Status != http.StatusOK || tokens.Text("id_token") == "" {
			t.Errorf("%s=%s: %d %v", pair[0], pair[1], tokens.Status, tokens.Body)
		}
	}
	if strings.Contains(b.Log.String(), "foobar") {
		t.Error("what nobody knows is in the log")
	}
}
