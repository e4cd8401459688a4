package server_test

import (
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// OpenID Connect Core §4, OIDF oidcc-3rdparty-init-login-op: a sign-in may begin with
// us; the application is asked to send its own request, and nobody else decides where.
func TestAThirdPartyInitiatesASignIn(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: `  - {client_id: wiki, client_name: Wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], initiate_login_uri: "https://wiki.example/start?from=sso"}
  - {client_id: shop, client_name: Shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"]}
`})
	br := b.Browser(t)
	for query, want := range map[string]string{
		"client_id=wiki": "https://wiki.example/start?from=sso&iss=ISSUER",
		"client_id=wiki&login_hint=ada%40corp.example&target_link_uri=https%3A%2F%2Fevil.example": "https://wiki.example/start?from=sso&iss=ISSUER&login_hint=ada%40corp.example",
	} {
		page := br.Get(b.Issuer + "/login?" + query)
		want = strings.Replace(want, "ISSUER", strings.NewReplacer(":", "%3A", "/", "%2F").Replace(b.Issuer), 1)
		if !page.AtClient || page.Status != 303 || page.URL.String() != want {
			t.Errorf("%s: %d to %s, want %s", query, page.Status, page.URL, want)
		}
	}
	if page := br.Get(b.Issuer + "/login?client_id=shop"); page.Status != 200 || !strings.Contains(page.Body, `href="https://shop.example/"`) {
		t.Errorf("an application that cannot be asked: %d %s", page.Status, page.Body)
	}
	for _, query := range []string{"client_id=nobody", "client_id=", "client_id=wiki&client_id=shop"} {
		if page := br.Get(b.Issuer + "/login?" + query); page.Status != 400 || page.Header.Get("Location") != "" {
			t.Errorf("%s: %d", query, page.Status)
		}
	}
	// A flow that is lost leads back to where another can begin.
	first := b.Browser(t)
	first.Get(b.AuthorizeURL("wiki"))
	back := first.Trail[slices.IndexFunc(first.Trail, func(u string) bool { return strings.Contains(u, "/callback/") })]
	if over := b.Browser(t).Get(back); !strings.Contains(over.Body, "https://wiki.example/start?from=sso&amp;iss=") {
		t.Errorf("the page at which a sign-in ends does not lead there: %s", over.Body)
	}
}
