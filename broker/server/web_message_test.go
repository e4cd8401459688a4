package server_test

import (
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

var messageData = regexp.MustCompile(`data-origin="([^"]*)" data-response="([^"]*)"`)

// message reads the page that hands an answer over.
func message(t *testing.T, page brokertest.Page) (origin string, response map[string]string) {
	t.Helper()
	found := messageData.FindStringSubmatch(string(page.Body))
	if found == nil {
		return "", nil
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(found[2])), &response); err != nil {
		t.Fatal(err)
	}
	return html.UnescapeString(found[1]), response
}

// AZ-06, AZ-07, AZ-19: web_message is for clients that are registered for it, and
// goes to the origin of the validated redirect URI.
func TestAZ07WebMessage(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: `  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true, require_pkce: false, response_modes: [query, web_message]}
  - {client_id: shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"], skip_consent: true}
`})
	br := b.Browser(t)
	page := br.Get(b.AuthorizeURL("wiki", "response_mode", "web_message", "state", `</script>"s`))
	origin, response := message(t, page)
	if page.AtClient || page.Status != 200 || origin != "https://wiki.example" || response["code"] == "" || response["state"] != `</script>"s` || response["iss"] != b.Issuer || len(response) != 3 {
		t.Fatalf("%d at %s: %q %v", page.Status, page.URL, origin, response)
	}
	if tokens := b.Redeem(t, "wiki", response["code"]); tokens.Status != 200 {
		t.Errorf("%v", tokens.Body)
	}
	// Errors travel the same way.
	_, response = message(t, b.Browser(t).Get(b.AuthorizeURL("wiki", "response_mode", "web_message", "prompt", "none")))
	if response["error"] != "login_required" || response["state"] != "the-state" || response["code"] != "" {
		t.Errorf("%v", response)
	}
	// AZ-06: not registered, and the answer to that is in the default mode.
	for client, mode := range map[string]string{"shop": "web_message", "wiki": "form_post"} {
		got := b.Browser(t).Get(b.AuthorizeURL(client, "response_mode", mode))
		if q := got.URL.Query(); !got.AtClient || q.Get("error") != "invalid_request" || q.Get("code") != "" {
			t.Errorf("%s of %s: %s", mode, client, got.URL)
		}
	}
	// AZ-19
	isPage(t, "an address that is not registered", b.Browser(t).Get(b.AuthorizeURL("wiki", "response_mode", "web_message", "redirect_uri", "https://evil.example/")))
	evil := b.Browser(t).Get(b.AuthorizeURL("wiki", "response_mode", "web_message", "redirect_uri", "https://evil.example/"))
	if strings.Contains(string(evil.Body), "postMessage") || strings.Contains(string(evil.Body), url.QueryEscape("https://evil")) {
		t.Error("a page speaks to a stranger")
	}
}
