package fake

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func newGoogle(t *testing.T, c *clock, change func(*Options)) *Google {
	t.Helper()
	o := options(c)
	o.SignInAs = "ada"
	if change != nil {
		change(&o)
	}
	f := NewGoogle(o)
	serve(t, f.Provider)
	return f
}

func googleTokens(t *testing.T, f *Google, b *http.Client, overrides ...string) map[string]any {
	t.Helper()
	back := get(t, b, f.at("/o/oauth2/v2/auth?"+authRequest("openid email profile", overrides...).Encode())).location(t)
	return post(t, b, f.at("/token"), codeRequest(back.Get("code"))).json(t)
}

func googleClaims(t *testing.T, f *Google, b *http.Client, tokens map[string]any) map[string]any {
	t.Helper()
	return verify(t, get(t, b, f.at("/oauth2/v3/certs")).body, tokens["id_token"])
}

func TestGoogleSignIn(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	b := browser(t)
	doc := get(t, b, f.at("/.well-known/openid-configuration")).json(t)
	sameMembers(t, fixture(t, "google/discovery.json"), doc)
	back := get(t, b, doc["authorization_endpoint"].(string)+"?"+authRequest("openid email profile", "access_type", "offline").Encode()).location(t)
	if back.Get("iss") != f.URL() || !strings.HasPrefix(back.Get("code"), "4/0A") || back.Get("scope") != "openid "+googleScope+"email "+googleScope+"profile" {
		t.Errorf("callback %v", back)
	}
	tokens := post(t, b, doc["token_endpoint"].(string), codeRequest(back.Get("code"))).json(t)
	sameMembers(t, fixture(t, "google/token_response.json"), tokens)
	if tokens["scope"] != back.Get("scope") || tokens["expires_in"] != float64(3599) {
		t.Errorf("tokens %v", tokens)
	}
	keys := get(t, b, doc["jwks_uri"].(string))
	if n := len(keys.json(t)["keys"].([]any)); n != 2 {
		t.Errorf("%d keys", n)
	}
	claims := verify(t, keys.body, tokens["id_token"])
	sameMembers(t, fixture(t, "google/id_token_workspace.json"), claims, "picture")
	for name, want := range map[string]any{
		"iss": f.URL(), "azp": clientID, "aud": clientID, "sub": "108234567890123456789", "hd": "example.com",
		"email": "ada@example.com", "email_verified": true, "nonce": "n-1", "at_hash": leftHash(tokens["access_token"].(string)),
	} {
		if claims[name] != want {
			t.Errorf("%s is %v", name, claims[name])
		}
	}
	if claims["auth_time"] != nil || claims["amr"] != nil || claims["exp"].(float64)-claims["iat"].(float64) != 3600 {
		t.Errorf("claims %v", claims)
	}
	info := get(t, b, doc["userinfo_endpoint"].(string), "Authorization", "Bearer "+tokens["access_token"].(string)).json(t)
	sameMembers(t, fixture(t, "google/userinfo.json"), info, "picture")
}

func TestGooglePagesAndRedirects(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	rows := []struct {
		name      string
		overrides []string
		status    int
		code      string
	}{
		{"offline_access is no scope of Google's", []string{"scope", "openid offline_access"}, 400, "invalid_scope"},
		{"groups is no scope of Google's", []string{"scope", "openid groups"}, 400, "invalid_scope"},
		{"a scope is needed", []string{"scope", ""}, 400, "invalid_request"},
		{"there is no prompt=login", []string{"prompt", "login"}, 400, "invalid_request"},
		{"an unknown access_type is refused", []string{"access_type", "always"}, 400, "invalid_request"},
		{"an unregistered redirect URI gets a page", []string{"redirect_uri", callback + "/"}, 400, "redirect_uri_mismatch"},
		{"an unknown client gets a page", []string{"client_id", "nobody"}, 401, "invalid_client"},
		{"only code is served", []string{"response_type", "token"}, 400, "unsupported_response_type"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			res := get(t, browser(t), f.at("/o/oauth2/v2/auth?"+authRequest("openid", row.overrides...).Encode()))
			if res.StatusCode != row.status || !strings.Contains(res.body, "Error "+res.Status[:3]+": "+row.code) {
				t.Errorf("got %d %s", res.StatusCode, res.body)
			}
		})
	}
	back := get(t, browser(t), f.at("/o/oauth2/v2/auth?"+authRequest("openid", "prompt", "none").Encode())).location(t)
	if back.Get("error") != "interaction_required" {
		t.Errorf("prompt=none: %v", back)
	}
	for _, m := range []Misbehaviour{GoogleBlockedByAdmin, GoogleInternalApp} {
		f.MisbehaveOnce(m)
		if res := get(t, browser(t), f.at("/o/oauth2/v2/auth?"+authRequest("openid").Encode())); res.StatusCode < 400 || res.Header.Get("Location") != "" {
			t.Errorf("%s: %d", m, res.StatusCode)
		}
	}
}

func TestGoogleRefreshTokens(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newGoogle(t, c, nil)
	b := browser(t)
	if got := googleTokens(t, f, browser(t)); got["refresh_token"] != nil {
		t.Error("a refresh token without access_type=offline")
	}
	f.SignInAs("ben")
	tokens := googleTokens(t, f, b, "access_type", "offline")
	refresh, ok := tokens["refresh_token"].(string)
	if !ok {
		t.Fatalf("no refresh token on first consent: %v", tokens)
	}
	if again := googleTokens(t, f, b, "access_type", "offline"); again["refresh_token"] != nil {
		t.Error("a refresh token on second consent")
	}
	if again := googleTokens(t, f, b, "access_type", "offline", "prompt", "consent"); again["refresh_token"] == nil {
		t.Error("no refresh token with prompt=consent")
	}
	for range 2 { // it never changes
		fresh := post(t, b, f.at("/token"), refreshRequest(refresh)).json(t)
		sameMembers(t, fixture(t, "google/token_refresh_response.json"), fresh)
		claims := googleClaims(t, f, b, fresh)
		if fresh["refresh_token"] != nil || claims["nonce"] != nil || claims["name"] != nil || claims["email"] != "ben@mail.example" {
			t.Errorf("refreshed %v, claims %v", fresh, claims)
		}
	}
	c.Advance(googleIdle)
	if res := post(t, b, f.at("/token"), refreshRequest(refresh)); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("unused for six months: %s", res.body)
	}
}

func TestGoogleKeepsAHundredRefreshTokens(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	var tokens []string
	g := func() *grant { return &grant{person: "ada", client: f.opts.Clients[0], scopes: []string{"openid"}} }
	for range googleLiveTokens {
		tokens = append(tokens, f.newRefresh("1//0g", g(), 0, googleIdle))
	}
	b := browser(t)
	newest, ok := googleTokens(t, f, b, "access_type", "offline")["refresh_token"].(string)
	if !ok {
		t.Fatal("no refresh token")
	}
	if res := post(t, b, f.at("/token"), refreshRequest(newest)); res.StatusCode != http.StatusOK {
		t.Errorf("the newest is dropped: %s", res.body)
	}
	if res := post(t, b, f.at("/token"), refreshRequest(tokens[0])); res.StatusCode == http.StatusOK {
		t.Error("the oldest is kept")
	}
	dead := 0
	for _, value := range tokens {
		if post(t, b, f.at("/token"), refreshRequest(value)).StatusCode != http.StatusOK {
			dead++
		}
	}
	if dead != 1 {
		t.Errorf("%d tokens dropped", dead)
	}
}

func TestGoogleRevocationForgetsTheConsent(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	b := browser(t)
	tokens := googleTokens(t, f, b, "access_type", "offline")
	for i, want := range []int{200, 200, 400} {
		token := []string{tokens["access_token"].(string), tokens["refresh_token"].(string), "made-up"}[i]
		if res := post(t, b, f.at("/revoke"), url.Values{"token": {token}}); res.StatusCode != want {
			t.Errorf("revocation %d: %d", i, res.StatusCode)
		}
	}
	if res := post(t, b, f.at("/token"), refreshRequest(tokens["refresh_token"].(string))); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("refresh: %s", res.body)
	}
	if back := get(t, b, f.at("/o/oauth2/v2/auth?"+authRequest("openid", "prompt", "none").Encode())).location(t); back.Get("error") != "interaction_required" {
		t.Errorf("the consent lives: %v", back)
	}
}

func TestGoogleTokenErrors(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	rows := []struct {
		name      string
		overrides []string
		status    int
		want      string
	}{
		{"an unknown client", []string{"client_id", "nobody"}, 401, "invalid_client"},
		{"a wrong secret", []string{"client_secret", "wrong"}, 401, "invalid_client"},
		{"no secret", []string{"client_secret", ""}, 400, "invalid_request"},
		{"another redirect URI", []string{"redirect_uri", callback + "/"}, 400, "redirect_uri_mismatch"},
		{"a wrong verifier", []string{"code_verifier", "wrong"}, 400, "invalid_grant"},
		{"a made-up code", []string{"code", "4/0Ax"}, 400, "invalid_grant"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := browser(t)
			code := get(t, b, f.at("/o/oauth2/v2/auth?"+authRequest("openid").Encode())).location(t).Get("code")
			res := post(t, b, f.at("/token"), codeRequest(code, row.overrides...))
			sameMembers(t, fixture(t, "google/error_token_bad_code.json"), res.json(t))
			if res.StatusCode != row.status || res.json(t)["error"] != row.want {
				t.Errorf("got %d %s", res.StatusCode, res.body)
			}
		})
	}
}

func TestGoogleMisbehaviours(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	b := browser(t)
	for m, want := range map[Misbehaviour][2]any{
		GoogleHDMissing: {"hd", nil}, GoogleHDWrong: {"hd", "elsewhere.example"},
		GoogleLegacyIssuer: {"iss", strings.TrimPrefix(f.URL(), "http://")}, GoogleForeignBareIssuer: {"iss", "accounts.elsewhere.example"},
		GoogleVerifiedWithoutMail: {"email", nil},
	} {
		f.MisbehaveOnce(m)
		if got := googleClaims(t, f, b, googleTokens(t, f, b))[want[0].(string)]; got != want[1] {
			t.Errorf("%s: %v", m, got)
		}
	}
	if claims := googleClaims(t, f, b, googleTokens(t, f, b)); claims["hd"] != "example.com" || claims["iss"] != f.URL() {
		t.Errorf("afterwards %v", claims)
	}
}

func TestGoogleCast(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	for id, want := range map[string][2]any{"ben": {nil, true}, "chloe": {nil, true}, "dana": {"partner.example", true}, "eve": {"example.com", false}} {
		f.SignInAs(id)
		b := browser(t)
		claims := googleClaims(t, f, b, googleTokens(t, f, b))
		if claims["hd"] != want[0] || claims["email_verified"] != want[1] {
			t.Errorf("%s: %v", id, claims)
		}
	}
}
