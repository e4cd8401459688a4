package demo

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/connectors/connectortest/fake"
)

func TestSigningInShowsTheTokensDecodedAndVerified(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get("/").wants(t, `href="/login">Sign in</a>`, "In two minutes", "!Signed in as")
	p := b.get("/login")
	if p.url.Path != "/" || p.url.RawQuery != "" {
		t.Errorf("ended at %s: code and state must not stay in the address", p.url)
	}
	p.wants(t, "Signed in as <bdi>Ada Winter</bdi>", "3f6c1d52-ada", `<span class="tag good">verified</span>`,
		"nonce is the one this browser was given", "belongs to the access token (at_hash)", "staff, admins", "Userinfo",
		"is about the same person as the ID token", "Refresh the tokens", "!Use the spent refresh token", "!fails:</span></span> signed")
	// Reloading repeats nothing.
	b.get("/").wants(t, "Signed in as <bdi>Ada Winter</bdi>")
	if n := b.provider.Calls(fake.Token); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

func TestTheSignInRequestIsWhatItShouldBe(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	to, err := url.Parse(b.get("/second/login?prompt=login&idp_hint=okta&client_id=evil&scope=x").header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	q := to.Query()
	for name, want := range map[string]string{
		"client_id": "payroll", "redirect_uri": b.url + "/second/callback", "response_type": "code", "code_challenge_method": "S256",
		"prompt": "login", "idp_hint": "okta", "scope": "openid profile email groups offline_access",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) < 43 {
			t.Errorf("%s is %q", name, q.Get(name))
		}
	}
	if q.Get("state") == q.Get("nonce") {
		t.Error("state and nonce are one value")
	}
}

func TestTheSecondApplicationIsAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get("/login").wants(t, `href="/second/login">Sign in to Payroll too</a>`)
	b.get("/second/").wants(t, "You are not signed in here, but you are in Wiki")
	p := b.get("/second/login")
	if p.url.Path != "/second/" {
		t.Errorf("ended at %s", p.url)
	}
	p.wants(t, "<h1>Payroll</h1>", "Signed in as", `href="/">Go to Wiki</a>`)
}

// TestACallbackThatIsNotThisBrowsers is RFC 6749 §10.12 and more: each of these
// must leave nobody signed in and ask the broker for nothing.
func TestACallbackThatIsNotThisBrowsers(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		query func(issuer, state string) string
		shows string
	}{
		{"state of nobody", func(iss, _ string) string { return "code=c&state=made-up&iss=" + url.QueryEscape(iss) }, "not one of this browser"},
		{"no state", func(iss, _ string) string { return "code=c&iss=" + url.QueryEscape(iss) }, "not one of this browser"},
		{"issuer of somebody else", func(_, state string) string { return "code=c&state=" + state + "&iss=https://evil.example" }, "came from somebody else"},
		{"no issuer although one was promised", func(_, state string) string { return "code=c&state=" + state }, "came from somebody else"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			_, state := b.beginLogin()
			b.get("/callback?"+row.query(b.provider.URL(), state)).wants(t, row.shows, "!Signed in as")
			if n := b.provider.Calls(fake.Token); n != 0 {
				t.Errorf("%d token requests", n)
			}
		})
	}
}

// beginLogin goes as far as the redirect to the provider.
func (b *bench) beginLogin() (address, state string) {
	b.t.Helper()
	follow := b.browser.CheckRedirect
	b.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { b.browser.CheckRedirect = follow }()
	to, err := url.Parse(b.get("/login").header.Get("Location"))
	if err != nil {
		b.t.Fatal(err)
	}
	return to.String(), to.Query().Get("state")
}

func TestAStateIsGoodOnceAndInItsOwnBrowser(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, state := b.beginLogin()
	answer := "/callback?code=c&iss=" + url.QueryEscape(b.provider.URL()) + "&state=" + state
	own := b.browser
	b.browser = b.newBrowser()
	b.get(answer).wants(t, "not one of this browser")
	b.browser = own
	b.get(answer).wants(t, "could not be exchanged")
	b.get(answer).wants(t, "not one of this browser")
}

// TestAnIDTokenThatDoesNotHoldSignsNobodyIn tries the application with what the
// connectors are tried with.
func TestAnIDTokenThatDoesNotHoldSignsNobodyIn(t *testing.T) {
	t.Parallel()
	for _, m := range []fake.Misbehaviour{fake.WrongNonce, fake.MissingNonce, fake.WrongAudience, fake.WrongIssuer, fake.AlgNone, fake.ForeignKey, fake.ExpiredToken, fake.EmptySubject} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.provider.Misbehave(m)
			b.get("/login").wants(t, "The ID token does not hold", "!Signed in as")
			b.get("/").wants(t, "!Signed in as")
		})
	}
}

func TestSigningInChangesTheCookie(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.beginLogin()
	home, err := url.Parse(b.url)
	if err != nil {
		t.Fatal(err)
	}
	before := b.browser.Jar.Cookies(home)
	b.get("/login").wants(t, "Signed in as")
	after := b.browser.Jar.Cookies(home)
	if len(before) != 1 || len(after) < 1 {
		t.Fatalf("cookies %v, then %v", before, after)
	}
	for _, c := range after {
		if c.Name == before[0].Name && c.Value == before[0].Value {
			t.Error("the cookie from before the sign-in is still good")
		}
	}
}

func TestErrorsAreExplained(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.provider.SignInAs("")
	b.get("/login?prompt=none").wants(t, "The broker did not sign you in", "<code>login_required</code>", "asked not to show anything")
	// It is told once.
	b.get("/").wants(t, "!login_required</code></h2>")
}

func TestErrorTextIsInertAndCut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, state := b.beginLogin()
	q := url.Values{"error": {"<b>" + strings.Repeat("e", 200)}, "error_description": {"<script>alert(1)</script>" + strings.Repeat("d", 5000)}, "state": {state}, "iss": {b.provider.URL()}}
	p := b.get("/callback?" + q.Encode())
	p.wants(t, "&lt;script&gt;", "!<script>", "!"+strings.Repeat("d", 301))
}

func TestRefreshRotatesAndASpentTokenIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get("/login")
	b.post("/refresh").wants(t, "New tokens", "the one before is spent", `<span class="tag">rotated</span>`, "Use the spent refresh token", "Signed in as")
	b.post("/replay").wants(t, "The broker refused the refresh token", "<code>invalid_grant</code>", `class="refusal">refused`, "Signed in as")
	// The family is gone: RFC 9700 §4.14.2.
	b.post("/refresh").wants(t, "The broker refused the refresh token")
	if n := b.provider.Calls(fake.Token); n != 4 {
		t.Errorf("%d token requests, want one for each of the four steps", n)
	}
}

func TestRefreshForSomebodyElseIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get("/login")
	b.provider.Edit(fake.IDToken, func(claims map[string]any) { claims["sub"] = "somebody-else" })
	b.post("/refresh").wants(t, "The broker refused the refresh token", "3f6c1d52-ada", "!somebody-else")
}

func TestUserinfoAboutSomebodyElseIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.provider.Edit(fake.Userinfo, func(doc map[string]any) { doc["sub"] = "somebody-else" })
	b.get("/login").wants(t, "Its sub is not the ID token&#39;s: refused.", "!somebody-else")
}

func TestSigningOutEndsBothSessions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get("/login")
	p := b.post("/logout")
	if p.url.Path != "/" {
		t.Errorf("ended at %s", p.url)
	}
	p.wants(t, "You are signed out", "!Signed in as")
	if n := b.provider.Calls(fake.Logout); n != 1 {
		t.Errorf("%d calls of the end-session endpoint, want 1", n)
	}
	for _, r := range b.provider.Requests() {
		if r.Path == "/logout" && (r.Query.Get("id_token_hint") != "(secret)" || r.Query.Get("post_logout_redirect_uri") != b.url+"/signed-out") {
			t.Errorf("the request was %v", r.Query)
		}
	}
}

func TestACookieFromBeforeSigningOutIsDead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get("/login").wants(t, "Signed in as")
	home, err := url.Parse(b.url)
	if err != nil {
		t.Fatal(err)
	}
	old := b.browser.Jar.Cookies(home)
	b.post("/logout")
	b.browser.Jar.SetCookies(home, old)
	b.get("/").wants(t, "!Signed in as")
}

func TestALinkToSignedOutSignsNobodyOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get("/login")
	b.get("/signed-out").wants(t, "Signed in as", "!You are signed out")
}

func TestChangesNeedAPostFromThePage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.get("/login")
	for _, path := range []string{"/refresh", "/replay", "/logout"} {
		if p := b.get(path); p.status != http.StatusMethodNotAllowed && p.status != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, p.status)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		res, err := b.browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("cross-site POST %s: %d", path, res.StatusCode)
		}
	}
	b.get("/").wants(t, "Signed in as")
}

func TestWhatBrowsersCanMakeItRememberIsBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 3 * maxPending {
		b.beginLogin()
	}
	b.site.wiki.sessions.mu.Lock()
	for _, s := range b.site.wiki.sessions.open {
		if len(s.pending) > maxPending {
			t.Errorf("%d attempts are remembered", len(s.pending))
		}
	}
	b.site.wiki.sessions.mu.Unlock()
	for range maxSessions + 20 {
		b.browser = b.newBrowser()
		b.beginLogin()
	}
	if n := len(b.site.wiki.sessions.open); n > maxSessions {
		t.Errorf("%d sessions are remembered", n)
	}
}
