package server_test

import (
	"net/http"
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
