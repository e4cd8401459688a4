package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"gatehouse/broker/oauth"
	"gatehouse/internal/brokertest"
)

const fuzzClients = `
  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback", "https://wiki.example/other?x=1"], skip_consent: true, require_pkce: false}
  - {client_id: cli, token_endpoint_auth_method: none, application_type: native, redirect_uris: ["http://127.0.0.1/callback", "com.example.app:/callback"]}
`

// I3, I12: whatever the request, nobody is redirected to an address that is not
// registered, nothing is stored, and nothing of it is a fault of ours.
func FuzzAuthorize(f *testing.F) {
	b := brokertest.New(f, brokertest.Options{Clients: fuzzClients, Config: "limits: off\n"})
	for _, pairs := range [][]string{
		{}, {"redirect_uri", "https://wiki.example/other?x=1", "response_mode", "form_post"}, {"prompt", "none", "response_mode", "fragment"},
		{"client_id", "cli", "redirect_uri", "http://127.0.0.1:4711/callback"}, {"client_id", "cli", "redirect_uri", "com.example.app:/callback", "prompt", "none"},
		{"redirect_uri", "https://evil.example/"}, {"redirect_uri", `https://wiki.example\@evil.example/callback`}, {"redirect_uri", "https://wiki.example/callback#"},
		{"state", "\r\nLocation: https://evil.example"}, {"response_type", "code id_token token"}, {"max_age", "99999999999999999999"}, {"scope", "openid openid"},
		{"idp_hint", "../corp"}, {"login_hint", "\x00"}, {"acr_values", "a b"}, {"id_token_hint", "e30.e30.e30"}, {"flow", "x", "client_id", ""},
	} {
		f.Add(b.AuthorizeParams(brokertest.Wiki, pairs...).Encode())
	}
	f.Add("client_id=wiki&client_id=cli")
	f.Add("client_id=wiki;redirect_uri=x")
	f.Add("%zz")
	registered := map[bool][]string{false: {"https://wiki.example/callback", "https://wiki.example/other?x=1"}, true: {"http://127.0.0.1/callback", "com.example.app:/callback"}}
	upstream, err := url.Parse(b.Upstream.URL())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		commits := b.Store.Commits()
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := httptest.NewRequestWithContext(t.Context(), method, b.Issuer+"/authorize", strings.NewReader(query))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.RemoteAddr = "127.0.0.1:1"
			if method == http.MethodGet {
				r.URL.RawQuery = query
			}
			w := httptest.NewRecorder()
			b.Server.Handler().ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Fatalf("%s %q: %d", method, query, w.Code)
			}
			params, _ := oauth.ParseQuery(query)
			if to, ok := destination(w); ok && !toRegistered(to, registered[params.Get("client_id") == "cli"], params.Get("client_id") == "cli") &&
				!strings.HasPrefix(to, upstream.String()+"/") && !strings.HasPrefix(to, b.Issuer+"/authorize?flow=") {
				t.Fatalf("%s %q leads to %q", method, query, to)
			}
			if values := w.Header()["Location"]; len(values) > 1 || len(values) == 1 && strings.ContainsAny(values[0], "\r\n\x00 ") {
				t.Fatalf("RU-08: %s %q: Location %q", method, query, values)
			}
		}
		if b.Store.Commits() != commits {
			t.Fatalf("%q was stored", query)
		}
	})
}

// destination is where an answer sends the browser: by Location or by a form that
// is not ours.
func destination(w *httptest.ResponseRecorder) (string, bool) {
	if to := w.Header().Get("Location"); to != "" {
		return to, true
	}
	_, after, ok := strings.Cut(w.Body.String(), `<form method="post" action="`)
	if !ok {
		return "", false
	}
	action, _, _ := strings.Cut(after, `"`)
	return strings.NewReplacer("&amp;", "&", "&#43;", "+").Replace(action), true
}

// toRegistered reports whether the destination is a registered URI with nothing
// but a query or fragment added.
func toRegistered(to string, registered []string, public bool) bool {
	base, _, _ := strings.Cut(to, "#")
	base, _, _ = strings.Cut(base, "?")
	for _, uri := range registered {
		want, query, _ := strings.Cut(uri, "?")
		if query != "" && !strings.HasPrefix(to, uri) {
			continue
		}
		if base == want || oauth.MatchRedirectURI([]string{want}, base, public) {
			return true
		}
	}
	return false
}

// Whatever comes back from an upstream, in whatever browser, it signs nobody in
// unless it is the answer that was asked for.
func FuzzCallback(f *testing.F) {
	b := brokertest.New(f, brokertest.Options{Config: "limits: off\n"})
	browser := b.Browser(f)
	request, err := http.NewRequestWithContext(f.Context(), http.MethodGet, b.AuthorizeURL(brokertest.Wiki), nil)
	if err != nil {
		f.Fatal(err)
	}
	page := browser.Send(request)
	sent, err := url.Parse(page.Header.Get("Location"))
	if err != nil {
		f.Fatal(err)
	}
	state := sent.Query().Get("state")
	for _, seed := range []string{"code=x&state=" + state, "error=access_denied&state=" + state, "error=%3Cscript%3E&error_description=%0d%0a&state=" + state,
		"state=" + state, "code=x", "code=x&state=" + state[:20], "code=x&state=" + state + "A", "code=x&state=" + state + "&state=x", "iss=https://evil.example&code=x&state=" + state} {
		f.Add(seed)
	}
	cookies := browser.Cookies()
	f.Fuzz(func(t *testing.T, query string) {
		commits := b.Store.Commits()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, b.Issuer+"/callback/corp", nil)
		r.URL.RawQuery, r.RemoteAddr = query, "127.0.0.1:1"
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		b.Server.Handler().ServeHTTP(w, r)
		if w.Code < 400 || w.Code == http.StatusInternalServerError || w.Header().Get("Location") != "" {
			t.Fatalf("%q: %d to %q", query, w.Code, w.Header().Get("Location"))
		}
		if b.Store.Commits() != commits || strings.Contains(strings.Join(w.Header()["Set-Cookie"], " "), "gatehouse-session-") {
			t.Fatalf("%q signed somebody in", query)
		}
		if strings.Contains(w.Body.String(), "<script>") {
			t.Fatalf("UP-29: %q is on the page", query)
		}
	})
}
