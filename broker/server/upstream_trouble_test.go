package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// A provider that cannot be reached when the person is on the way there: the page
// says which, and its link works once the provider is back.
func TestTheWayToAnUpstreamThatIsDownCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	const discovery = "/.well-known/openid-configuration"
	b.Upstream.Replace(discovery, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	browser := b.Browser(t)
	page := browser.Get(b.AuthorizeURL(brokertest.Wiki))
	if page.AtClient || page.Status != 503 || !strings.Contains(page.Body, "Corp") || !strings.Contains(page.Body, "Reference") {
		t.Fatalf("%d at %s: %s", page.Status, page.URL, page.Body)
	}
	b.Upstream.Replace(discovery, nil)
	b.Clock.Advance(60e9)
	again := browser.Get(page.Link("/login?flow="))
	if again.Status != 200 {
		t.Fatalf("the link to try again leads to %d at %s", again.Status, again.URL)
	}
	if done := browser.Get(again.Link("/login/corp")); !done.AtClient || done.URL.Query().Get("code") == "" {
		t.Errorf("tried again: %d at %s", done.Status, done.URL)
	}
}

// "Use another account" has the upstream ask which: silently it would answer with
// the same.
func TestAnotherAccountIsAskedFor(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{SecondConnector: true})
	browser := b.Browser(t)
	browser.Code(brokertest.Wiki, "idp_hint", "corp")
	for _, row := range []struct {
		name, from string
		want       string
	}{
		{"another account", browser.Get(b.AuthorizeURL(brokertest.Shop)).Link("/login?flow="), "select_account"},
		{"the chooser page itself", b.Issuer + "/login?flow=" + flowID(browser), ""},
		{"what is made up asks for nothing", b.Issuer + "/login?account=x&flow=" + flowID(browser), ""},
	} {
		chooser := browser.Get(row.from)
		if chooser.Status != 200 || chooser.Link("/login/other") == "" {
			t.Fatalf("%s: %d at %s", row.name, chooser.Status, chooser.URL)
		}
		away := step(t, browser, chooser.Link("/login/other"))
		u, err := url.Parse(away.Header.Get("Location"))
		must(t, err)
		if got := u.Query().Get("prompt"); got != row.want {
			t.Errorf("%s: prompt=%q", row.name, got)
		}
	}
}
