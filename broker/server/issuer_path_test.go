package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// An issuer may have a path: everything is below it but one document (RFC 8414
// §3.1), and nothing is beside it.
func TestAnIssuerWithAPath(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Path: "/sso/v1", SecondConnector: true, Clients: `
  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], post_logout_redirect_uris: ["https://wiki.example/bye"], skip_consent: true}
  - {client_id: shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"]}`})
	origin := strings.TrimSuffix(b.Issuer, "/sso/v1")

	browser := b.Browser(t)
	chooser := browser.Get(b.AuthorizeURL(brokertest.Shop))
	if chooser.Status != 200 || !strings.HasPrefix(chooser.Link("/login/other"), b.Issuer+"/login/other?flow=") {
		t.Fatalf("the chooser: %d, links %v", chooser.Status, chooser.Links())
	}
	consent := browser.Get(chooser.Link("/login/corp"))
	if !strings.HasPrefix(consent.URL.String(), b.Issuer+"/consent?flow=") || !strings.Contains(consent.Body, `action="`+b.Issuer+`/consent"`) {
		t.Fatalf("consent: %d at %s", consent.Status, consent.URL)
	}
	form := consent.Fields()
	form.Set("decision", "allow")
	done := browser.Post(b.Issuer+"/consent", form)
	if !done.AtClient || done.URL.Query().Get("iss") != b.Issuer {
		t.Fatalf("allow: %d at %s", done.Status, done.URL)
	}
	tokens := b.Redeem(t, brokertest.Shop, done.URL.Query().Get("code"))
	if iss := brokertest.Claims(t, tokens.Text("id_token"))["iss"]; iss != b.Issuer {
		t.Errorf("iss %v", iss)
	}
	if a := b.UserInfo(t, tokens.Text("access_token")); a.Status != 200 {
		t.Errorf("userinfo: %d", a.Status)
	}
	for _, c := range done.Header["Set-Cookie"] {
		if !strings.Contains(c, "; Path=/;") {
			t.Errorf("cookie %s", c)
		}
	}
	if page := browser.PostFrom("https://wiki.example", b.Issuer+"/authorize", b.AuthorizeParams(brokertest.Wiki, "prompt", "none")); !page.AtClient || !page.URL.Query().Has("code") {
		t.Errorf("by POST, with single sign-on: %d at %s", page.Status, page.URL)
	}
	hint := b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki)).Text("id_token")
	if page := browser.Get(b.Issuer + "/logout?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://wiki.example/bye"}}.Encode()); page.URL.String() != "https://wiki.example/bye" {
		t.Errorf("logout: %d at %s", page.Status, page.URL)
	}

	for at, want := range map[string]int{
		b.Issuer + "/.well-known/openid-configuration": 200, b.Issuer + "/.well-known/oauth-authorization-server": 200,
		origin + "/.well-known/oauth-authorization-server/sso/v1": 200, origin + "/.well-known/oauth-authorization-server/sso": 404,
		origin + "/.well-known/oauth-authorization-server": 404, origin + "/.well-known/openid-configuration": 404,
		b.Issuer + "/jwks": 200, origin + "/jwks": 404, origin + "/authorize": 404, origin + "/": 404, origin + "/sso/v1x/jwks": 404,
		b.Issuer + "/": 200, b.Issuer + "/nothing": 404, origin + "/sso%2Fv1/jwks": 404,
	} {
		response, err := http.Get(at)
		must(t, err)
		var document map[string]any
		if want == 200 && strings.Contains(at, ".well-known") {
			must(t, json.NewDecoder(response.Body).Decode(&document))
			for name, value := range document {
				if s, ok := value.(string); ok && name != "issuer" && !strings.HasPrefix(s, b.Issuer+"/") {
					t.Errorf("%s: %s is %s", at, name, s)
				}
			}
			if document["issuer"] != b.Issuer {
				t.Errorf("%s: issuer %v", at, document["issuer"])
			}
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", at, response.StatusCode, want)
		}
	}
	if home := b.Browser(t).Get(b.Issuer); home.Status != 200 || home.URL.Path != "/sso/v1/" {
		t.Errorf("the issuer itself: %d at %s", home.Status, home.URL)
	}
	w := httptest.NewRecorder()
	b.Server.Health().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, route := range []string{"/callback/{connector}", "/token", "/jwks", "none"} {
		if !strings.Contains(w.Body.String(), `gatehouse_http_request_duration_seconds_count{route="`+route+`"`) {
			t.Errorf("the metrics do not know the route %s", route)
		}
	}
}
