package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// isPage asserts that a request was answered with an error page and led nowhere.
func isPage(t *testing.T, name string, page brokertest.Page) {
	t.Helper()
	if page.AtClient || page.Status != http.StatusBadRequest || page.Header.Get("Location") != "" ||
		!strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || !strings.Contains(page.Body, "Reference") {
		t.Errorf("%s: want an error page, got %d at %s", name, page.Status, page.URL)
	}
}

// isRefusal asserts that a request was answered to the client with an error,
// state and iss, and without a code.
func isRefusal(t *testing.T, b *brokertest.Broker, name string, page brokertest.Page, code string) {
	t.Helper()
	if !page.AtClient {
		t.Errorf("%s: want %s at the client, got %d at %s", name, code, page.Status, page.URL)
		return
	}
	q := page.URL.Query()
	if q.Get("error") != code || q.Get("iss") != b.Issuer || q.Has("code") || page.Status != http.StatusSeeOther {
		t.Errorf("%s: want %s, got %d %v", name, code, page.Status, q)
	}
}

// RU-01, RU-02, AZ-01, AZ-19, I3: nobody is redirected to an address that is not
// registered, whatever else is wrong with the request.
func TestI3NoRedirectToAnUnregisteredURI(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	commits := b.Store.Commits()
	uris := []string{
		"https://wiki.example/callback/", "https://wiki.example/callback?x", "https://wiki.example/callback#", "https://wiki.example/callback#f",
		"https://wiki.example/CALLBACK", "https://wiki.example/callback/../x", "https://wiki.example/callback/..;/x",
		"https://wiki.example/callback%2f..%2fx", "https://wiki.example/%63allback", "HTTPS://Wiki.example/callback",
		"https://wiki.example:443/callback", "https://wiki.example./callback", "https://wiki.example@evil.example/callback",
		"https://a@b@evil.example/", `https://evil.example\@wiki.example/callback`, "https://wiki.example%00.evil.example/callback",
		"//wiki.example/callback", "https:wiki.example/callback", "https://wiki.example/callback%0d%0a", " https://wiki.example/callback",
		"https://wiki.example/callback ", "https://wiki.example/callback\t", "https://wіki.example/callback", "https://xn--wki-tld.example/callback",
		"https%3A%2F%2Fwiki.example%2Fcallback", "javascript:alert(1)", "http://127.0.0.1:1/callback", "https://evil.example/",
	}
	others := [][]string{{}, {"prompt", "none"}, {"scope", "nonsense"}, {"response_type", "token"}, {"response_type", ""},
		{"response_mode", "web_message"}, {"code_challenge", "short"}, {"request", "x"}}
	for _, uri := range uris {
		isPage(t, uri, b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, "redirect_uri", uri)))
	}
	for _, more := range others {
		pairs := append([]string{"redirect_uri", "https://evil.example/"}, more...)
		isPage(t, strings.Join(more, "="), b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, pairs...)))
	}
	isPage(t, "unknown client", b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, "client_id", "nobody")))
	isPage(t, "no client", b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, "client_id", "")))
	isPage(t, "no redirect_uri in an OpenID request", b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, "redirect_uri", "")))
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("refusals cost %d commits", n)
	}
	if n := len(b.Upstream.Requests()); n != 0 {
		t.Errorf("the upstream heard of %d requests", n)
	}
}

// RU-04: for a public client on loopback the port alone may differ.
func TestLoopbackRedirectsDifferInThePortAlone(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	for _, uri := range []string{"http://127.0.0.1:4711/callback", "http://127.0.0.1/callback", "http://127.0.0.1:65535/callback"} {
		if page := b.Browser(t).Get(b.AuthorizeURL(brokertest.CLI, "redirect_uri", uri)); page.Status == http.StatusBadRequest {
			t.Errorf("%s: refused", uri)
		}
	}
	for _, uri := range []string{"http://127.0.0.1:4711/callback/", "http://127.0.0.1:4711/callback?x=1", "http://u@127.0.0.1:4711/callback",
		"http://localhost:4711/callback", "http://127.0.0.2:4711/callback", "http://[::1]:4711/callback", "https://127.0.0.1:4711/callback",
		"http://127.0.0.1:99999/callback", "http://127.0.0.1:/callback", "http://127.0.0.1.evil.example:80/callback", "http://127.0.0.1:0/callback"} {
		isPage(t, uri, b.Browser(t).Get(b.AuthorizeURL(brokertest.CLI, "redirect_uri", uri)))
	}
}

// AZ-03, AZ-04, AZ-05, AZ-06, AZ-13, AZ-14: what is wrong with a request whose
// redirect URI is good goes to the client.
func TestRefusalsOfAuthorizationRequests(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	commits := b.Store.Commits()
	for _, row := range []struct {
		name   string
		client string
		pairs  []string
		want   string
	}{
		{"no response_type", brokertest.Wiki, []string{"response_type", ""}, "invalid_request"},
		{"an unknown response_type", brokertest.Wiki, []string{"response_type", "cookie"}, "unsupported_response_type"},
		{"response_type none", brokertest.Wiki, []string{"response_type", "none"}, "unsupported_response_type"},
		{"code twice in response_type", brokertest.Wiki, []string{"response_type", "code code"}, "unsupported_response_type"},
		{"response_mode web_message", brokertest.Wiki, []string{"response_mode", "web_message"}, "invalid_request"},
		{"a request object", brokertest.Wiki, []string{"request", "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"},
		{"a request_uri", brokertest.Wiki, []string{"request_uri", "https://wiki.example/request.jwt"}, "request_uri_not_supported"},
		{"registration", brokertest.Wiki, []string{"registration", "{}"}, "registration_not_supported"},
		{"no scope that exists", brokertest.Wiki, []string{"scope", "nonsense"}, "invalid_scope"},
		{"no scope", brokertest.Wiki, []string{"scope", ""}, "invalid_scope"},
		{"a public client without PKCE", brokertest.CLI, []string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		{"a client that must use PKCE without", brokertest.Shop, []string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		{"PKCE plain", brokertest.Wiki, []string{"code_challenge_method", "plain"}, "invalid_request"},
		{"PKCE without method", brokertest.Wiki, []string{"code_challenge_method", ""}, "invalid_request"},
		{"a PKCE method without challenge", brokertest.Wiki, []string{"code_challenge", ""}, "invalid_request"},
		{"a PKCE method that does not exist", brokertest.Wiki, []string{"code_challenge_method", "S257"}, "invalid_request"},
		{"a challenge that is too short", brokertest.Wiki, []string{"code_challenge", strings.Repeat("a", 42)}, "invalid_request"},
		{"a challenge that is too long", brokertest.Wiki, []string{"code_challenge", strings.Repeat("a", 129)}, "invalid_request"},
		{"prompt none with login", brokertest.Wiki, []string{"prompt", "none login"}, "invalid_request"},
		{"a negative max_age", brokertest.Wiki, []string{"max_age", "-1"}, "invalid_request"},
		{"max_age with a leading zero", brokertest.Wiki, []string{"max_age", "01"}, "invalid_request"},
		{"max_age beyond numbers", brokertest.Wiki, []string{"max_age", "1e309"}, "invalid_request"},
		{"a state beyond 2 KiB", brokertest.Wiki, []string{"state", strings.Repeat("s", 2049)}, "invalid_request"},
		{"a nonce beyond its limit", brokertest.Wiki, []string{"nonce", strings.Repeat("n", 513)}, "invalid_request"},
		{"an id_token_hint that is none", brokertest.Wiki, []string{"id_token_hint", "e30.e30.e30"}, "invalid_request"},
		{"an idp_hint nobody has", brokertest.Wiki, []string{"idp_hint", "nobody"}, "invalid_request"},
		{"prompt=none and nobody signed in", brokertest.Wiki, []string{"prompt", "none"}, "login_required"},
	} {
		isRefusal(t, b, row.name, b.Browser(t).Get(b.AuthorizeURL(row.client, row.pairs...)), row.want)
	}
	for _, name := range []string{"state", "scope", "nonce", "response_type", "prompt"} {
		u := b.AuthorizeURL(brokertest.Wiki, "prompt", "login") + "&" + name + "=again"
		isRefusal(t, b, name+" twice", b.Browser(t).Get(u), "invalid_request")
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		isPage(t, name+" twice", b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki)+"&"+name+"="+url.QueryEscape(b.AuthorizeParams(brokertest.Wiki).Get(name))))
	}
	isPage(t, "a semicolon as a separator", b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki)+";x=1"))
	for _, kind := range []string{"token", "id_token", "id_token token", "token id_token"} {
		page := b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, "response_type", kind))
		if fragment, _ := url.ParseQuery(page.URL.Fragment); !page.AtClient || fragment.Get("error") != "unauthorized_client" {
			t.Errorf("response_type %s: %d at %s", kind, page.Status, page.URL)
		}
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("refusals cost %d commits", n)
	}
}

// AZ-15: state and nonce come back byte for byte, at their limits too.
func TestStateAndNonceComeBackByteForByte(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	for _, state := range []string{"x", strings.Repeat("s", 2048), `"><script>alert(1)</script>`, "a+b c%20&d=e;f#g", "!*'();:@&=+$,/?%#[]~"} {
		answer := b.Browser(t).SignIn(brokertest.Wiki, "state", state)
		if got := answer.Get("state"); got != state {
			t.Errorf("state %q came back as %q", state, got)
		}
	}
	nonce := strings.Repeat("n", 512)
	tokens := b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki, "nonce", nonce))
	if got := brokertest.Claims(t, tokens.Text("id_token"))["nonce"]; got != nonce {
		t.Errorf("a nonce of 512 bytes came back as %q", got)
	}
	if q := b.Browser(t).SignIn(brokertest.Wiki, "state", ""); q.Has("state") {
		t.Errorf("a state was invented: %v", q)
	}
	tokens = b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki, "nonce", ""))
	if got, there := brokertest.Claims(t, tokens.Text("id_token"))["nonce"]; there {
		t.Errorf("a nonce was invented: %v", got)
	}
}

// AZ-20, DESIGN §3: other verbs, HEAD included, do nothing.
func TestOtherVerbsAreRefused(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	commits := b.Store.Commits()
	for path, methods := range map[string][]string{
		"/authorize?" + b.AuthorizeParams(brokertest.Wiki).Encode(): {"HEAD", "PUT", "DELETE", "TRACE", "OPTIONS", "PATCH"},
		"/login?flow=x":      {"HEAD", "POST", "PUT", "DELETE"},
		"/login/corp?flow=x": {"HEAD", "POST", "PUT", "DELETE"},
		"/callback/corp?x=1": {"HEAD", "POST", "PUT", "DELETE"},
		"/consent?flow=x":    {"HEAD", "PUT", "DELETE"},
		"/token":             {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"},
		"/userinfo":          {"PUT", "DELETE"},
		"/jwks":              {"POST", "PUT", "DELETE"},
	} {
		for _, method := range methods {
			request, err := http.NewRequestWithContext(t.Context(), method, b.Issuer+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-HTTP-Method-Override", "GET")
			page := b.Browser(t).Send(request)
			if page.Status != http.StatusMethodNotAllowed || page.Header.Get("Allow") == "" {
				t.Errorf("%s %s: %d, Allow %q", method, path, page.Status, page.Header.Get("Allow"))
			}
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.AuthorizeURL(brokertest.Wiki), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Purpose", "prefetch;prerender")
	browser := b.Browser(t)
	if page := browser.Send(request); page.Status != http.StatusNoContent || len(browser.Cookies()) != 0 {
		t.Errorf("a prefetch was answered with %d and %d cookies", page.Status, len(browser.Cookies()))
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("they cost %d commits", n)
	}
}
