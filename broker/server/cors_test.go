package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// SS-09: scripts of registered origins may call the program endpoints, nobody
// else's, and never /authorize.
func TestSS09CORS(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: `  - {client_id: cli, token_endpoint_auth_method: none, redirect_uris: ["https://spa.example/callback"], skip_consent: true, web_origins: ["https://spa.example", "http://localhost:8080"]}
`})
	ask := func(method, path, origin string, header ...string) brokertest.Answer {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, b.Issuer+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		var form url.Values
		if method == http.MethodPost {
			form = url.Values{"client_id": {"cli"}}
		}
		return b.Program(t, r, form)
	}
	header := func(method, path, origin string) http.Header {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, b.Issuer+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.Header
	}
	const allow = "Access-Control-Allow-Origin"
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type"}
	for _, origin := range []string{"https://spa.example", "http://localhost:8080"} {
		for _, path := range []string{"/token", "/userinfo", "/revoke"} {
			a := ask(http.MethodOptions, path, origin, preflight...)
			if a.Status != http.StatusNoContent || a.Header.Get(allow) != origin || !strings.Contains(a.Header.Get("Access-Control-Allow-Methods"), "POST") ||
				!strings.Contains(a.Header.Get("Access-Control-Allow-Headers"), "Content-Type") || a.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("preflight of %s from %s: %d %v", path, origin, a.Status, a.Header)
			}
			a = ask(http.MethodPost, path, origin)
			if a.Header.Get(allow) != origin || a.Status < 400 || !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s from %s: %d %v", path, origin, a.Status, a.Header)
			}
		}
	}
	for _, origin := range []string{"", "null", "https://evil.example", "https://spa.example.evil.example", "https://xspa.example", "http://spa.example", "https://spa.example:8443",
		"https://spa.example/", "HTTPS://SPA.EXAMPLE", "http://localhost:8081", "*"} {
		for _, path := range []string{"/token", "/userinfo", "/revoke"} {
			if a := ask(http.MethodOptions, path, origin, preflight...); a.Header.Get(allow) != "" || a.Status == http.StatusNoContent {
				t.Errorf("preflight of %s from %q: %d %v", path, origin, a.Status, a.Header)
			}
			if a := ask(http.MethodPost, path, origin); a.Header.Get(allow) != "" {
				t.Errorf("%s from %q: %v", path, origin, a.Header)
			}
		}
	}
	for _, path := range []string{"/authorize", "/introspect", "/login", "/consent", "/logout", "/"} {
		for _, method := range []string{http.MethodOptions, http.MethodGet, http.MethodPost} {
			if h := header(method, path, "https://spa.example"); h.Get(allow) != "" {
				t.Errorf("%s %s: %v", method, path, h)
			}
		}
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/jwks"} {
		if a := ask(http.MethodGet, path, "https://anybody.example"); a.Header.Get(allow) != "*" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
}
