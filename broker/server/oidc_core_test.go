package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/brokertest"
)

// idToken signs the browser in and returns the ID token's claims.
func idToken(t *testing.T, b *brokertest.Broker, browser *brokertest.Browser, client string, pairs ...string) map[string]any {
	t.Helper()
	return brokertest.Claims(t, b.Redeem(t, client, browser.Code(client, pairs...)).Text("id_token"))
}

// Core §3.1.2.1, UP-28: prompt=login asks the upstream again, auth_time moves, and
// single sign-on moves nothing.
func TestPromptLoginAuthenticatesAgain(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	first := idToken(t, b, browser, brokertest.Wiki)
	visits := b.Upstream.Calls("authorize")
	b.Clock.Advance(2 * time.Second)
	silent := idToken(t, b, browser, brokertest.Wiki, "prompt", "none")
	if silent["auth_time"] != first["auth_time"] || silent["sub"] != first["sub"] || b.Upstream.Calls("authorize") != visits {
		t.Errorf("single sign-on: %v after %v", silent, first)
	}
	again := idToken(t, b, browser, brokertest.Wiki, "prompt", "login")
	if again["auth_time"].(float64) <= first["auth_time"].(float64) || b.Upstream.Calls("authorize") == visits {
		t.Errorf("prompt=login: auth_time %v after %v", again["auth_time"], first["auth_time"])
	}
	b.Upstream.Misbehave("id token: auth_time a day ago")
	if q := browser.SignIn(brokertest.Wiki, "prompt", "login"); q.Get("error") != "login_required" {
		t.Errorf("an upstream that did not ask again: %v", q)
	}
	if q := browser.SignIn(brokertest.Wiki, "max_age", "0"); q.Get("error") != "login_required" {
		t.Errorf("max_age=0 and an upstream that did not ask again: %v", q)
	}
}

// Core §3.1.2.1: max_age.
func TestMaxAge(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	first := idToken(t, b, browser, brokertest.Wiki, "max_age", "15000")
	b.Clock.Advance(2 * time.Second)
	if second := idToken(t, b, browser, brokertest.Wiki, "max_age", "10000"); second["auth_time"] != first["auth_time"] {
		t.Errorf("within max_age somebody was asked: %v after %v", second["auth_time"], first["auth_time"])
	}
	if third := idToken(t, b, browser, brokertest.Wiki, "max_age", "1"); third["auth_time"].(float64) < first["auth_time"].(float64)+2 {
		t.Errorf("beyond max_age nobody was asked: %v after %v", third["auth_time"], first["auth_time"])
	}
}

// Core §3.1.2.1: id_token_hint names who is to be signed in.
func TestIDTokenHint(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	ada, ben := b.Browser(t), b.Browser(t)
	hint := b.Redeem(t, brokertest.Wiki, ada.Code(brokertest.Wiki)).Text("id_token")
	b.Clock.Advance(time.Hour) // an expired hint is still a hint
	if q := ada.SignIn(brokertest.Wiki, "id_token_hint", hint, "prompt", "none"); !q.Has("code") {
		t.Errorf("Ada's hint in Ada's browser: %v", q)
	}
	b.Upstream.SignInAs("ben")
	ben.Code(brokertest.Wiki)
	if q := ben.SignIn(brokertest.Wiki, "id_token_hint", hint, "prompt", "none"); q.Get("error") != "login_required" {
		t.Errorf("AZ-13: Ada's hint in Ben's browser, silently: %v", q)
	}
	if q := ben.SignIn(brokertest.Wiki, "id_token_hint", hint); q.Get("error") != "login_required" {
		t.Errorf("Ada's hint, and Ben signs in again: %v", q)
	}
	if q := ben.SignIn(brokertest.Shop, "id_token_hint", hint); q.Get("error") != "invalid_request" {
		t.Errorf("another client's hint: %v", q)
	}
}

// Core §3.1.2.4, AZ-10, AZ-12: consent is asked once, remembered for what was
// agreed to, and a decision counts once.
func TestConsent(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	page := browser.Get(b.AuthorizeURL(brokertest.Shop, "scope", "openid email"))
	for _, want := range []string{"Shop", "shop.example", "Ada Winter", "ada@corp.example"} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for name, want := range map[string]string{"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "same-origin"} {
		if !strings.Contains(page.Header.Get(name), want) {
			t.Errorf("%s: %q", name, page.Header.Get(name))
		}
	}
	if strings.Contains(page.Header.Get("Content-Security-Policy"), "form-action") {
		t.Error("form-action would keep Chromium from following the answer to the client")
	}
	form := page.Fields()
	form.Set("decision", "allow")
	commits := b.Store.Commits()
	if evil := browser.PostFrom("https://evil.example", b.Issuer+"/consent", form); evil.Status != http.StatusForbidden {
		t.Errorf("AZ-12: a form of another site: %d", evil.Status)
	}
	stranger := b.Browser(t)
	if got := stranger.Post(b.Issuer+"/consent", form); got.AtClient || got.Status != 400 {
		t.Errorf("another person's browser: %d", got.Status)
	}
	swapped := url.Values{"flow": form["flow"], "account": {"somebody-else"}, "decision": {"allow"}}
	if got := browser.Post(b.Issuer+"/consent", swapped); got.AtClient || got.Status != 400 {
		t.Errorf("a form rendered for another account: %d", got.Status)
	}
	if got := browser.Post(b.Issuer+"/consent", url.Values{"flow": form["flow"], "account": form["account"]}); got.AtClient || got.Status != 400 {
		t.Errorf("neither yes nor no: %d", got.Status)
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("refusals cost %d commits", n)
	}
	kept := browser.Cookies()
	done := browser.Post(b.Issuer+"/consent", form)
	if !done.AtClient || !done.URL.Query().Has("code") {
		t.Fatalf("allow: %d at %s", done.Status, done.URL)
	}
	if n := b.Store.Commits() - commits; n != 1 {
		t.Errorf("consent cost %d commits, want 1", n)
	}
	browser.SetCookies(kept...)
	if again := browser.Post(b.Issuer+"/consent", form); again.AtClient && again.URL.Query().Get("code") == done.URL.Query().Get("code") {
		t.Error("one decision gave one code twice")
	}
	silent := func(scope string) url.Values {
		return browser.Get(b.AuthorizeURL(brokertest.Shop, "scope", scope, "prompt", "none")).URL.Query()
	}
	if q := silent("openid email"); !q.Has("code") {
		t.Errorf("what was agreed to: %v", q)
	}
	if q := silent("openid"); !q.Has("code") {
		t.Errorf("less than was agreed to: %v", q)
	}
	if q := silent("openid email offline_access"); q.Get("error") != "consent_required" {
		t.Errorf("more than was agreed to: %v", q)
	}
	page = browser.Get(b.AuthorizeURL(brokertest.Shop, "scope", "openid groups"))
	form = page.Fields()
	form.Set("decision", "deny")
	commits = b.Store.Commits()
	if denied := browser.Post(b.Issuer+"/consent", form); denied.URL.Query().Get("error") != "access_denied" || denied.URL.Query().Get("state") != "the-state" {
		t.Errorf("deny: %s", denied.URL)
	}
	form.Set("decision", "allow")
	if late := browser.Post(b.Issuer+"/consent", form); late.AtClient {
		t.Errorf("allow after deny: %s", late.URL)
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("denying cost %d commits", n)
	}
}

// Response modes: query, fragment and form_post carry the same answer, errors too
// (Multiple Response Types §2.1, Form Post §2, RFC 9207 §2).
func TestResponseModes(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	for _, pairs := range [][]string{{}, {"prompt", "none", "max_age", "0"}} {
		want := "code"
		if len(pairs) > 0 {
			want = "error"
		}
		b.Clock.Advance(time.Second)
		fragment := browser.Get(b.AuthorizeURL(brokertest.Wiki, append(pairs, "response_mode", "fragment")...))
		values, err := url.ParseQuery(fragment.URL.Fragment)
		if err != nil || !values.Has(want) || values.Get("state") != "the-state" || values.Get("iss") != b.Issuer || fragment.URL.RawQuery != "" {
			t.Errorf("fragment: %s", fragment.URL)
		}
		page := browser.Get(b.AuthorizeURL(brokertest.Wiki, append(pairs, "response_mode", "form_post", "state", `"><script>alert(1)</script>`)...))
		fields := page.Fields()
		if page.Status != 200 || !fields.Has(want) || fields.Get("state") != `"><script>alert(1)</script>` || fields.Get("iss") != b.Issuer {
			t.Errorf("form_post: %d %v", page.Status, fields)
		}
		if strings.Contains(page.Body, "<script>alert") || !strings.Contains(page.Body, `action="https://wiki.example/callback"`) {
			t.Error("AZ-09: the form is not escaped or posts elsewhere")
		}
	}
}

// A POST to /authorize is sealed and answered with the GET that has the Lax
// cookies.
func TestAuthorizeByPost(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	browser.Code(brokertest.Wiki)
	page := browser.PostFrom("https://wiki.example", b.Issuer+"/authorize", b.AuthorizeParams(brokertest.Wiki, "prompt", "none"))
	if !page.AtClient || !page.URL.Query().Has("code") {
		t.Errorf("%d at %s", page.Status, page.URL)
	}
	isPage(t, "a POST with a bad redirect_uri", b.Browser(t).PostFrom("https://wiki.example", b.Issuer+"/authorize", b.AuthorizeParams(brokertest.Wiki, "redirect_uri", "https://evil.example/")))
	isRefusal(t, b, "a POST with an error", b.Browser(t).PostFrom("https://wiki.example", b.Issuer+"/authorize", b.AuthorizeParams(brokertest.Wiki, "response_type", "none")), "unsupported_response_type")
}

// Core §5.3, RFC 6750 §2, TK-25: userinfo by header and by form, never by URL.
func TestUserInfo(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	tokens := b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki, "scope", "openid profile email groups"))
	token := tokens.Text("access_token")
	ask := func(method, query, header string, form url.Values) brokertest.Answer {
		request, err := http.NewRequestWithContext(t.Context(), method, b.Issuer+"/userinfo"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			request.Header.Set("Authorization", header)
		}
		return b.Program(t, request, form)
	}
	for name, a := range map[string]brokertest.Answer{
		"GET":                    ask("GET", "", "Bearer "+token, nil),
		"a scheme in lower case": ask("GET", "", "bearer "+token, nil),
		"POST with the header":   ask("POST", "", "Bearer "+token, nil),
		"POST with a form":       ask("POST", "", "", url.Values{"access_token": {token}}),
	} {
		if a.Status != 200 || a.Text("sub") == "" || a.Text("name") != "Ada Winter" || a.Body["email_verified"] != true || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %v", name, a.Status, a.Body)
		}
		if groups, _ := a.Body["groups"].([]any); len(groups) != 2 || groups[0] != "corp:staff" {
			t.Errorf("%s: UP-23: groups are not namespaced: %v", name, a.Body["groups"])
		}
	}
	for name, row := range map[string]struct {
		answer brokertest.Answer
		status int
		code   string
	}{
		"in the URL":        {ask("GET", "?access_token="+token, "", nil), 400, "invalid_request"},
		"header and form":   {ask("POST", "", "Bearer "+token, url.Values{"access_token": {token}}), 400, "invalid_request"},
		"an ID token":       {ask("GET", "", "Bearer "+tokens.Text("id_token"), nil), 401, "invalid_token"},
		"cut short":         {ask("GET", "", "Bearer "+token[:len(token)-1], nil), 401, "invalid_token"},
		"another signature": {ask("GET", "", "Bearer "+token[:len(token)-8]+"AAAAAAAA", nil), 401, "invalid_token"},
		"alg none":          {ask("GET", "", "Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0."+strings.Split(token, ".")[1]+".", nil), 401, "invalid_token"},
		"not a token":       {ask("GET", "", "Bearer x", nil), 401, "invalid_token"},
	} {
		if row.answer.Status != row.status || row.answer.Error() != row.code || !strings.HasPrefix(row.answer.Header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%s: %d %v %q", name, row.answer.Status, row.answer.Body, row.answer.Header.Get("WWW-Authenticate"))
		}
	}
	if a := ask("GET", "", "", nil); a.Status != 401 || strings.Contains(a.Header.Get("WWW-Authenticate"), "error") {
		t.Errorf("RFC 6750 §3.1: no token: %d %q", a.Status, a.Header.Get("WWW-Authenticate"))
	}
	b.Clock.Advance(15 * time.Minute)
	if a := ask("GET", "", "Bearer "+token, nil); a.Status != 401 {
		t.Errorf("after its lifetime: %d", a.Status)
	}
}
