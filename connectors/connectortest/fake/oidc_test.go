package fake

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func newOIDC(t *testing.T, c *clock, change func(*Options)) *OIDC {
	t.Helper()
	o := options(c)
	o.OIDC.Algorithm = "ES256"
	o.SignInAs = "ada"
	if change != nil {
		change(&o)
	}
	f := NewOIDC(o)
	serve(t, f.Provider)
	return f
}

// oidcCode is the first half of a sign-in.
func oidcCode(t *testing.T, f *OIDC, b *http.Client, overrides ...string) string {
	t.Helper()
	return get(t, b, f.at("/authorize?"+authRequest("openid profile email groups offline_access", overrides...).Encode())).location(t).Get("code")
}

func TestOIDCCodeFlow(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newOIDC(t, c, func(o *Options) { o.OIDC.ResponseIssuer = true })
	b := browser(t)
	doc := get(t, b, f.at("/.well-known/openid-configuration")).json(t)
	if doc["issuer"] != f.URL() || doc["authorization_response_iss_parameter_supported"] != true {
		t.Errorf("discovery: %v", doc)
	}

	back := get(t, b, doc["authorization_endpoint"].(string)+"?"+authRequest("openid profile email groups offline_access", "acr_values", "urn:x:2 urn:x:1").Encode()).location(t)
	if back.Get("state") != "st-1" || back.Get("iss") != f.URL() {
		t.Errorf("callback: %v", back)
	}
	tokens := post(t, b, doc["token_endpoint"].(string), codeRequest(back.Get("code"))).json(t)
	claims := verify(t, get(t, b, doc["jwks_uri"].(string)).body, tokens["id_token"])
	for name, want := range map[string]any{
		"iss": f.URL(), "sub": "3f6c1d52-ada", "aud": clientID, "nonce": "n-1", "acr": "urn:x:2",
		"email": "ada@corp.example", "email_verified": true, "name": "Ada Winter",
		"iat": float64(c.Now().Unix()), "exp": float64(c.Now().Add(time.Hour).Unix()), "auth_time": float64(c.Now().Unix()),
		"at_hash": leftHash(tokens["access_token"].(string)),
	} {
		if claims[name] != want {
			t.Errorf("claim %s is %v, want %v", name, claims[name], want)
		}
	}
	info := get(t, b, doc["userinfo_endpoint"].(string), "Authorization", "Bearer "+tokens["access_token"].(string)).json(t)
	if info["sub"] != claims["sub"] || len(info["groups"].([]any)) != 2 {
		t.Errorf("userinfo: %v", info)
	}
	refreshed := post(t, b, f.at("/token"), refreshRequest(tokens["refresh_token"].(string))).json(t)
	again := verify(t, get(t, b, f.at("/jwks")).body, refreshed["id_token"])
	if _, has := again["nonce"]; has || again["sub"] != claims["sub"] || refreshed["refresh_token"] != nil {
		t.Errorf("refresh: %v, ID token %v", refreshed, again)
	}
}

func TestOIDCAuthorizeRefusals(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	pages := []struct {
		name      string
		overrides []string
	}{
		{"an unknown client gets a page", []string{"client_id", "nobody"}},
		{"a missing client gets a page", []string{"client_id", ""}},
		{"a redirect URI is compared byte for byte", []string{"redirect_uri", callback + "/"}},
		{"a missing redirect URI gets a page", []string{"redirect_uri", ""}},
	}
	for _, row := range pages {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			res := get(t, browser(t), f.at("/authorize?"+authRequest("openid", row.overrides...).Encode()))
			if res.StatusCode != http.StatusBadRequest || res.Header.Get("Location") != "" {
				t.Errorf("got %d to %q", res.StatusCode, res.Header.Get("Location"))
			}
		})
	}
	redirects := []struct {
		name      string
		overrides []string
		want      string
	}{
		{"only response_type=code is served", []string{"response_type", "token"}, "unsupported_response_type"},
		{"an unknown prompt is refused", []string{"prompt", "maybe"}, "invalid_request"},
		{"prompt=none stands alone", []string{"prompt", "none login"}, "invalid_request"},
		{"max_age is a number", []string{"max_age", "-1"}, "invalid_request"},
		{"plain PKCE is refused", []string{"code_challenge_method", "plain"}, "invalid_request"},
		{"a method without a challenge is refused", []string{"code_challenge", ""}, "invalid_request"},
		{"a short challenge is refused", []string{"code_challenge", "abc"}, "invalid_request"},
		{"an unknown response mode is refused", []string{"response_mode", "web_message"}, "invalid_request"},
		{"request objects are not supported", []string{"request", "e30.e30."}, "request_not_supported"},
		{"prompt=none without a session needs a login", []string{"prompt", "none"}, "login_required"},
	}
	for _, row := range redirects {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			back := get(t, browser(t), f.at("/authorize?"+authRequest("openid", row.overrides...).Encode())).location(t)
			if back.Get("error") != row.want || back.Get("state") != "st-1" || back.Has("code") {
				t.Errorf("got %v", back)
			}
		})
	}
	t.Run("a repeated parameter gets a page", func(t *testing.T) {
		t.Parallel()
		res := get(t, browser(t), f.at("/authorize?"+authRequest("openid").Encode()+"&scope=openid"))
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("got %d", res.StatusCode)
		}
	})
}

func TestOIDCTokenRefusals(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name      string
		overrides []string
		status    int
		want      string
	}{
		{"a wrong secret is refused", []string{"client_secret", "wrong"}, 401, "invalid_client"},
		{"a missing secret is refused", []string{"client_secret", ""}, 401, "invalid_client"},
		{"an unknown client is refused", []string{"client_id", "nobody"}, 401, "invalid_client"},
		{"an unknown grant type is refused", []string{"grant_type", "password"}, 400, "unsupported_grant_type"},
		{"a code is needed", []string{"code", ""}, 400, "invalid_request"},
		{"an unknown code is refused", []string{"code", "made-up"}, 400, "invalid_grant"},
		{"the redirect URI must be the same", []string{"redirect_uri", callback + "?x"}, 400, "invalid_grant"},
		{"a missing redirect URI is refused", []string{"redirect_uri", ""}, 400, "invalid_grant"},
		{"a wrong verifier is refused", []string{"code_verifier", strings.Repeat("a", 43)}, 400, "invalid_grant"},
		{"a missing verifier is refused", []string{"code_verifier", ""}, 400, "invalid_grant"},
	}
	f := newOIDC(t, newClock(), nil)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := browser(t)
			code := oidcCode(t, f, b)
			res := post(t, b, f.at("/token"), codeRequest(code, row.overrides...))
			if res.StatusCode != row.status || res.json(t)["error"] != row.want {
				t.Errorf("got %d %s", res.StatusCode, res.body)
			}
			if ok := post(t, b, f.at("/token"), codeRequest(code)); ok.StatusCode != http.StatusOK {
				t.Errorf("a refused request spent the code: %s", ok.body)
			}
		})
	}
}

func TestOIDCCodeIsSpentOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newOIDC(t, c, nil)
	b := browser(t)
	code := oidcCode(t, f, b)
	tokens := post(t, b, f.at("/token"), codeRequest(code)).json(t)
	if res := post(t, b, f.at("/token"), codeRequest(code)); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("second use: %s", res.body)
	}
	if res := get(t, b, f.at("/userinfo"), "Authorization", "Bearer "+tokens["access_token"].(string)); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("tokens of a replayed code still work: %d", res.StatusCode)
	}
	late := oidcCode(t, f, b)
	c.Advance(oidcCodeLife)
	if res := post(t, b, f.at("/token"), codeRequest(late)); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("expired code: %s", res.body)
	}
}

func TestOIDCBasicCredentialsAreFormEncoded(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	form := codeRequest(oidcCode(t, f, b), "client_id", "", "client_secret", "")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.at("/token"), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(clientSecret))
	if res := do(t, b, req); res.StatusCode != http.StatusOK {
		t.Errorf("got %d %s", res.StatusCode, res.body)
	}
}

func TestOIDCRotationEndsTheGrantOnReuse(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), func(o *Options) { o.OIDC.RotateRefreshTokens = true })
	b := browser(t)
	first := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b))).json(t)["refresh_token"].(string)
	second := post(t, b, f.at("/token"), refreshRequest(first)).json(t)["refresh_token"].(string)
	if first == second {
		t.Fatal("not rotated")
	}
	for _, spent := range []string{first, second} {
		if res := post(t, b, f.at("/token"), refreshRequest(spent)); res.json(t)["error"] != "invalid_grant" {
			t.Errorf("got %s", res.body)
		}
	}
}

func TestOIDCScopeNarrows(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	token := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b))).json(t)["refresh_token"].(string)
	if got := post(t, b, f.at("/token"), refreshRequest(token, "scope", "openid")).json(t)["scope"]; got != "openid" {
		t.Errorf("narrowed to %v", got)
	}
	if got := post(t, b, f.at("/token"), refreshRequest(token, "scope", "openid admin")).json(t)["error"]; got != "invalid_scope" {
		t.Errorf("widened: %v", got)
	}
}
