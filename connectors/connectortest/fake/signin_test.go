package fake

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// choice is what the page's form sends when a person is picked.
func choice(request url.Values, person string) url.Values {
	form := url.Values{personField: {person}}
	for name, values := range request {
		form[name] = values
	}
	return form
}

func askingOIDC(t *testing.T, c *clock) *OIDC {
	t.Helper()
	return newOIDC(t, c, func(o *Options) { o.SignInAs = "" })
}

func TestSignInPageOffersTheCast(t *testing.T) {
	t.Parallel()
	f := askingOIDC(t, newClock())
	res := get(t, browser(t), f.at("/authorize?"+authRequest("openid").Encode()))
	for _, want := range []string{
		"Emulated OpenID Provider", "demo only", "Gatehouse", "broker.example", `name="-cancel"`,
		`value="ada"`, `value="eve"`, "e-mail not verified", `name="state" value="st-1"`, `<html lang="en">`,
	} {
		if !strings.Contains(res.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
		"Referrer-Policy":         "same-origin", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if strings.Contains(res.body, "<script") || strings.Contains(res.body, "style=") {
		t.Error("the page has a script or an inline style")
	}
}

func TestSignInPageEscapesWhatTheRequestSays(t *testing.T) {
	t.Parallel()
	f := askingOIDC(t, newClock())
	res := get(t, browser(t), f.at("/authorize?"+authRequest("openid", "state", `"><script>alert(1)</script>`).Encode()))
	if strings.Contains(res.body, "<script>") {
		t.Error("the state is not escaped")
	}
}

func TestChoosingAPersonAnswersWithACode(t *testing.T) {
	t.Parallel()
	f := askingOIDC(t, newClock())
	b := browser(t)
	back := post(t, b, f.at("/authorize"), choice(authRequest("openid"), "ben")).location(t)
	tokens := post(t, b, f.at("/token"), codeRequest(back.Get("code"))).json(t)
	claims := verify(t, get(t, b, f.at("/jwks")).body, tokens["id_token"])
	if claims["sub"] != "9b1e07aa-ben" || back.Get("state") != "st-1" {
		t.Errorf("signed in as %v, state %q", claims["sub"], back.Get("state"))
	}
}

func TestCancelAnswersAccessDenied(t *testing.T) {
	t.Parallel()
	f := askingOIDC(t, newClock())
	form := authRequest("openid")
	form.Set(cancelField, "1")
	if back := post(t, browser(t), f.at("/authorize"), form).location(t); back.Get("error") != "access_denied" {
		t.Errorf("got %v", back)
	}
}

func TestAChoiceMadeOnAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	f := askingOIDC(t, newClock())
	res := post(t, browser(t), f.at("/authorize"), choice(authRequest("openid"), "ada"), "Sec-Fetch-Site", "cross-site")
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestAnAuthorizationRequestMayBePosted(t *testing.T) {
	t.Parallel()
	f := askingOIDC(t, newClock())
	// OIDC Core §3.1.2.1: POST is a request like GET, and comes from another site.
	res := post(t, browser(t), f.at("/authorize"), authRequest("openid"), "Sec-Fetch-Site", "cross-site")
	if res.StatusCode != http.StatusOK || !strings.Contains(res.body, `value="ada"`) {
		t.Errorf("got %d", res.StatusCode)
	}
}

// authTime signs in with the request and returns the claim.
func authTime(t *testing.T, f *OIDC, b *http.Client, back url.Values) time.Time {
	t.Helper()
	tokens := post(t, b, f.at("/token"), codeRequest(back.Get("code"))).json(t)
	claims := verify(t, get(t, b, f.at("/jwks")).body, tokens["id_token"])
	return time.Unix(int64(claims["auth_time"].(float64)), 0)
}

func TestVendorSession(t *testing.T) {
	t.Parallel()
	ask := func(overrides ...string) string { return "/authorize?" + authRequest("openid", overrides...).Encode() }
	rows := []struct {
		name      string
		overrides []string
		page      bool // the page is shown
		fresh     bool // the sign-in is a new one
	}{
		{"a second visit is silent", nil, false, false},
		{"prompt=none is silent", []string{"prompt", "none"}, false, false},
		{"prompt=login asks again and renews auth_time", []string{"prompt", "login"}, true, true},
		{"prompt=select_account asks and keeps auth_time", []string{"prompt", "select_account"}, true, false},
		{"prompt=consent asks and keeps auth_time", []string{"prompt", "consent"}, true, false},
		{"max_age that has passed asks again", []string{"max_age", "60"}, true, true},
		{"max_age that has not passed is silent", []string{"max_age", "6000"}, false, false},
		{"max_age=0 is a login", []string{"max_age", "0"}, true, true},
		{"a login_hint for the same person is silent", []string{"login_hint", "ada@corp.example"}, false, false},
		{"a login_hint for another person asks", []string{"login_hint", "ben"}, true, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			f := askingOIDC(t, c)
			b := browser(t)
			began := c.Now()
			post(t, b, f.at("/authorize"), choice(authRequest("openid"), "ada")).location(t)
			c.Advance(10 * time.Minute)
			res := get(t, b, f.at(ask(row.overrides...)))
			if page := res.StatusCode == http.StatusOK; page != row.page {
				t.Fatalf("page shown: %v", page)
			}
			if row.page {
				if !strings.Contains(res.body, "Use another account") {
					t.Error("the page does not say who is signed in")
				}
				res = post(t, b, f.at("/authorize"), choice(authRequest("openid", row.overrides...), "ada"))
			}
			want := began
			if row.fresh {
				want = c.Now()
			}
			if got := authTime(t, f, b, res.location(t)); !got.Equal(want) {
				t.Errorf("auth_time %v, want %v", got, want)
			}
		})
	}
}

func TestPromptNoneIsRefusedWhenTheSessionIsTooOld(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := askingOIDC(t, c)
	b := browser(t)
	post(t, b, f.at("/authorize"), choice(authRequest("openid"), "ada")).location(t)
	c.Advance(time.Hour)
	back := get(t, b, f.at("/authorize?"+authRequest("openid", "prompt", "none", "max_age", "60").Encode())).location(t)
	if back.Get("error") != "login_required" {
		t.Errorf("got %v", back)
	}
}

func TestSessionPageSignsOut(t *testing.T) {
	t.Parallel()
	f := askingOIDC(t, newClock())
	b := browser(t)
	post(t, b, f.at("/authorize"), choice(authRequest("openid"), "ada")).location(t)
	if res := get(t, b, f.SessionURL()); !strings.Contains(res.body, "Ada Winter") {
		t.Error("the session page does not name the person")
	}
	post(t, b, f.SessionURL(), nil)
	if res := get(t, b, f.at("/authorize?"+authRequest("openid").Encode())); res.StatusCode != http.StatusOK {
		t.Errorf("still signed in: %d", res.StatusCode)
	}
}

func TestWaysPastThePage(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		change func(*Options)
		hint   string
		want   string
	}{
		{"SignInAs names the person", func(o *Options) { o.SignInAs = "ben" }, "", "9b1e07aa-ben"},
		{"AutoApprove comes before it", func(o *Options) {
			o.SignInAs = "ben"
			o.AutoApprove = func(*http.Request) string { return "dana" }
		}, "", "00000000-dana"},
		{"TrustLoginHint takes the hint", func(o *Options) { o.SignInAs = ""; o.TrustLoginHint = true }, "ada@corp.example", "3f6c1d52-ada"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newOIDC(t, newClock(), row.change)
			b := browser(t)
			tokens := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b, "login_hint", row.hint))).json(t)
			if got := verify(t, get(t, b, f.at("/jwks")).body, tokens["id_token"])["sub"]; got != row.want {
				t.Errorf("signed in as %v", got)
			}
		})
	}
}

func TestDisabledPeopleAreOut(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	tokens := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b))).json(t)
	f.Disable("ada")
	if res := post(t, b, f.at("/token"), refreshRequest(tokens["refresh_token"].(string))); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("refresh: %s", res.body)
	}
	if res := get(t, b, f.at("/userinfo"), "Authorization", "Bearer "+tokens["access_token"].(string)); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", res.StatusCode)
	}
	if back := get(t, b, f.at("/authorize?"+authRequest("openid").Encode())).location(t); back.Get("error") != "access_denied" {
		t.Errorf("authorize: %v", back)
	}
	if back := get(t, b, f.at("/authorize?"+authRequest("openid", "prompt", "none").Encode())).location(t); back.Get("error") != "login_required" {
		t.Errorf("the session lives: %v", back)
	}
	f.Enable("ada")
	if res := post(t, b, f.at("/token"), refreshRequest(tokens["refresh_token"].(string))); res.StatusCode != http.StatusOK {
		t.Errorf("enabled again: %s", res.body)
	}
	f.RevokeTokens("ada")
	if res := post(t, b, f.at("/token"), refreshRequest(tokens["refresh_token"].(string))); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("revoked: %s", res.body)
	}
}

func TestARefusalOnTheVendorsPageLetsThePersonChooseAgain(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), func(o *Options) { o.SignInAs = "" })
	b := browser(t)
	at := f.at("/" + acmeTenant + "/oauth2/v2.0/authorize")
	res := post(t, b, at, choice(authRequest("openid"), "eve"))
	_, rest, _ := strings.Cut(res.body, `<a class="main" href="`)
	link, _, _ := strings.Cut(rest, `"`)
	if res.StatusCode != http.StatusBadRequest || !strings.HasPrefix(link, at+"?") {
		t.Fatalf("got %d, link %q", res.StatusCode, link)
	}
	if again := get(t, b, strings.ReplaceAll(link, "&amp;", "&")); again.StatusCode != http.StatusOK || !strings.Contains(again.body, `value="ada"`) {
		t.Errorf("the link leads to %d", again.StatusCode)
	}
}
