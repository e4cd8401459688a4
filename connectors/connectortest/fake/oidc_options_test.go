package fake

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestTokenResponseMisbehaviours(t *testing.T) {
	t.Parallel()
	rows := []struct {
		m     Misbehaviour
		wrong func(doc map[string]any, body string) bool
	}{
		{TokenWithoutIDToken, func(d map[string]any, _ string) bool { return d["id_token"] == nil && d["access_token"] != nil }},
		{TokenWithoutAccess, func(d map[string]any, _ string) bool { return d["access_token"] == nil && d["id_token"] != nil }},
		{TokenWrongType, func(d map[string]any, _ string) bool { return d["token_type"] != "Bearer" }},
		{TokenReducedScope, func(d map[string]any, _ string) bool { return d["scope"] == "openid" }},
		{TokenDuplicates, func(_ map[string]any, body string) bool { return strings.Count(body, `"id_token":`) == 2 }},
		{CodeAlreadyRedeemed, func(d map[string]any, _ string) bool { return d["error"] == "invalid_grant" }},
	}
	f := newOIDC(t, newClock(), nil)
	for _, row := range rows {
		b := browser(t)
		code := oidcCode(t, f, b)
		f.MisbehaveOnce(row.m)
		if res := post(t, b, f.at("/token"), codeRequest(code)); !row.wrong(res.json(t), res.body) {
			t.Errorf("%s: %s", row.m, res.body)
		}
	}
}

func TestARefreshMayAnswerForSomebodyElse(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	f.MisbehaveOnce(RefreshGivesSomebody)
	tokens := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b))).json(t)
	keys := get(t, b, f.at("/jwks")).body
	if sub := verify(t, keys, tokens["id_token"])["sub"]; sub != "3f6c1d52-ada" {
		t.Errorf("the code grant answers for %v", sub)
	}
	refreshed := post(t, b, f.at("/token"), refreshRequest(tokens["refresh_token"].(string))).json(t)
	if sub := verify(t, keys, refreshed["id_token"])["sub"]; sub != "somebody-else" {
		t.Errorf("the refresh answers for %v", sub)
	}
}

func TestRevocationEndsTheGrant(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	tokens := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b))).json(t)
	form := url.Values{"token": {tokens["refresh_token"].(string)}, "client_id": {clientID}, "client_secret": {"wrong"}}
	if res := post(t, b, f.at("/revoke"), form); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("wrong secret: %d", res.StatusCode)
	}
	form.Set("client_secret", clientSecret)
	if res := post(t, b, f.at("/revoke"), form); res.StatusCode != http.StatusOK {
		t.Errorf("got %d", res.StatusCode)
	}
	if res := post(t, b, f.at("/token"), refreshRequest(tokens["refresh_token"].(string))); res.StatusCode != http.StatusBadRequest {
		t.Errorf("refresh: %d", res.StatusCode)
	}
	if res := get(t, b, f.at("/userinfo"), "Authorization", "Bearer "+tokens["access_token"].(string)); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", res.StatusCode)
	}
	form.Set("token", "unknown") // RFC 7009 §2.2: no error
	if res := post(t, b, f.at("/revoke"), form); res.StatusCode != http.StatusOK {
		t.Errorf("unknown token: %d", res.StatusCode)
	}
}

func TestLogoutReturnsToRegisteredURIsOnly(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), func(o *Options) { o.SignInAs = "" })
	b := browser(t)
	back := post(t, b, f.at("/authorize"), choice(authRequest("openid"), "ada")).location(t)
	hint := post(t, b, f.at("/token"), codeRequest(back.Get("code"))).json(t)["id_token"].(string)
	q := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://evil.example/"}, "state": {"x y"}}
	if res := get(t, b, f.at("/logout?"+q.Encode())); res.StatusCode != http.StatusBadRequest {
		t.Errorf("unregistered: %d", res.StatusCode)
	}
	q.Set("post_logout_redirect_uri", "https://broker.example/bye")
	if res := get(t, b, f.at("/logout?"+q.Encode())); res.Header.Get("Location") != "https://broker.example/bye?state=x+y" {
		t.Errorf("got %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if res := get(t, b, f.at("/authorize?"+authRequest("openid").Encode())); res.StatusCode != http.StatusOK {
		t.Errorf("the session survived: %d", res.StatusCode)
	}
}

func TestResponseModes(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	res := get(t, b, f.at("/authorize?"+authRequest("openid", "response_mode", "fragment").Encode()))
	if to := res.Header.Get("Location"); !strings.HasPrefix(to, callback+"#code=") {
		t.Errorf("fragment: %q", to)
	}
	res = get(t, b, f.at("/authorize?"+authRequest("openid", "response_mode", "form_post").Encode()))
	for _, want := range []string{`action="` + callback + `"`, `name="code"`, `name="state" value="st-1"`} {
		if res.StatusCode != http.StatusOK || !strings.Contains(res.body, want) {
			t.Errorf("form_post: %d without %s", res.StatusCode, want)
		}
	}
}

func TestAProviderWithoutPKCEIgnoresIt(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), func(o *Options) { o.OIDC.NoPKCE = true })
	b := browser(t)
	if doc := get(t, b, f.at("/.well-known/openid-configuration")).json(t); doc["code_challenge_methods_supported"] != nil {
		t.Error("PKCE is advertised")
	}
	if res := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b))); res.StatusCode != http.StatusOK {
		t.Errorf("a verifier is refused: %s", res.body)
	}
}
