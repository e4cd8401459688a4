package web

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// AZ-07: the message goes to exactly the origin of the redirect URI, and only a page
// of that origin may frame ours.
func TestAZ07AWebMessageGoesToOneOrigin(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for uri, origin := range map[string]string{
		"https://app.example/callback":          "https://app.example",
		"https://APP.example:443/callback?x=1":  "https://app.example",
		"https://app.example:8443/callback":     "https://app.example:8443",
		"http://127.0.0.1:4711/callback":        "http://127.0.0.1:4711",
		"http://localhost/callback":             "http://localhost",
		"http://[::1]:8080/callback":            "http://[::1]:8080",
		"com.example.app:/callback":             "",
		"javascript:alert(1)":                   "",
		"https://user@app.example/":             "",
		"https://a.example;frame-ancestors */x": "",
		"//app.example/callback":                "",
		"":                                      "",
	} {
		w := httptest.NewRecorder()
		p.WebMessage(w, WebMessage{URI: uri, ClientName: `</script><script>alert(1)</script>`, Fields: []Field{{"code", `c"'</script><b>`}, {"state", "s\u2028"}}})
		body, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
		if origin == "" {
			if w.Code != 400 || strings.Contains(body, "postMessage") || !strings.Contains(policy, "frame-ancestors 'none'") || w.Header().Get("X-Frame-Options") != "DENY" {
				t.Errorf("%q: %d %s", uri, w.Code, policy)
			}
			continue
		}
		if w.Code != 200 || !strings.Contains(body, `data-origin="`+origin+`"`) || !strings.Contains(policy, "frame-ancestors "+origin+";") || strings.Contains(policy, "'none'; frame-ancestors 'none'") || w.Header().Get("X-Frame-Options") != "" {
			t.Errorf("%q: %d %s", uri, w.Code, policy)
		}
		if strings.Count(body, "<script>") != 1 || strings.Count(body, "</script>") != 1 || strings.Contains(body, "<b>") || strings.Contains(body, `"*"`) || !strings.Contains(policy, "script-src 'sha256-") {
			t.Errorf("%q: %s", uri, body)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Cross-Origin-Opener-Policy") != "" {
			t.Errorf("%q: %v", uri, w.Header())
		}
	}
}
