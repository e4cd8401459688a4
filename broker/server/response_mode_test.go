package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// Multiple Response Type Encoding Practices §2.1: an error travels as the answer
// would have, whatever the error is about.
func TestErrorsTravelByTheModeAskedFor(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: `
  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback?x=1"], skip_consent: true}
  - {client_id: app, token_endpoint_auth_method: none, application_type: native, redirect_uris: ["httpx.example.app:/callback"], skip_consent: true}
`})
	const wiki, app = "https://wiki.example/callback?x=1", "httpx.example.app:/callback"
	for _, row := range []struct {
		name  string
		pairs []string
		more  string // appended to the query
		want  string // the redirect as far as "error", or "form"
		state bool
	}{
		{"by default", []string{"scope", "nonsense"}, "", wiki + "&error=invalid_scope", true},
		{"query", []string{"scope", "nonsense", "response_mode", "query"}, "", wiki + "&error=invalid_scope", true},
		{"fragment", []string{"scope", "nonsense", "response_mode", "fragment"}, "", wiki + "#error=invalid_scope", true},
		{"form_post", []string{"scope", "nonsense", "response_mode", "form_post"}, "", "form", true},
		{"a state that is too long, by fragment", []string{"state", strings.Repeat("s", 2049), "response_mode", "fragment"}, "", wiki + "#error=invalid_request", false},
		{"a state that is too long, by form_post", []string{"state", strings.Repeat("s", 2049), "response_mode", "form_post"}, "", "form", false},
		{"a state that comes twice, by fragment", []string{"response_mode", "fragment"}, "&state=again", wiki + "#error=invalid_request", false},
		{"a repeated parameter, by fragment", []string{"response_mode", "fragment"}, "&nonce=again", wiki + "#error=invalid_request", true},
		{"AZ-06: a mode that is not supported", []string{"response_mode", "web_message"}, "", wiki + "&error=invalid_request", true},
		{"a mode that comes twice", []string{"response_mode", "fragment"}, "&response_mode=fragment", wiki + "&error=invalid_request", true},
		{"a mode that is not supported, for a response type of the fragment", []string{"response_type", "token", "response_mode", "web_message"}, "", wiki + "#error=invalid_request", true},
		{"nobody signed in, by form_post", []string{"prompt", "none", "response_mode", "form_post"}, "", "form", true},
		{"form_post to a private scheme", []string{"client_id", "app", "redirect_uri", app, "response_mode", "form_post"}, "", app + "?error=invalid_request", true},
	} {
		pairs := append([]string{"redirect_uri", wiki}, row.pairs...)
		page := b.Browser(t).Get(b.AuthorizeURL("wiki", pairs...) + row.more)
		fields, location := page.Fields(), page.URL.String()
		if row.want == "form" {
			if page.Status != http.StatusOK || page.AtClient || !strings.Contains(page.Body, `action="`+strings.ReplaceAll(wiki, "&", "&amp;")+`"`) || !fields.Has("error") {
				t.Errorf("%s: %d at %s: %v", row.name, page.Status, page.URL, fields)
			}
		} else {
			rest, ok := strings.CutPrefix(location, row.want+"&")
			var err error
			if fields, err = url.ParseQuery(rest); err != nil || !ok || !page.AtClient {
				t.Errorf("%s: %d at %s", row.name, page.Status, page.URL)
				continue
			}
		}
		if fields.Get("iss") != b.Issuer || fields.Has("state") != row.state || row.state && fields.Get("state") != "the-state" {
			t.Errorf("%s: %v", row.name, fields)
		}
	}
}
