package fake

import (
	"net/http"
	"strings"
	"testing"
)

func TestUserinfoMisbehaviours(t *testing.T) {
	t.Parallel()
	rows := []struct {
		m     Misbehaviour
		wrong func(doc map[string]any, body string) bool
	}{
		{UserinfoWrongSubject, func(d map[string]any, _ string) bool { return d["sub"] == "somebody-else" }},
		{UserinfoMissingSubject, func(d map[string]any, _ string) bool { return d["sub"] == nil }},
		{UserinfoNumericSubject, func(d map[string]any, _ string) bool { _, number := d["sub"].(float64); return number }},
		{UserinfoEmailVerified, func(d map[string]any, _ string) bool { return d["email_verified"] == true }},
		{UserinfoAnotherEmail, func(d map[string]any, _ string) bool { return d["email"] != "ben@corp.example" }},
		{UserinfoReservedClaims, func(d map[string]any, _ string) bool { return d["iss"] != nil && d["client_id"] != nil }},
		{UserinfoDuplicates, func(_ map[string]any, body string) bool { return strings.Count(body, `"sub":`) == 2 }},
		{UserinfoCaseShadowed, func(_ map[string]any, body string) bool { return strings.Contains(body, `"SUB":"intruder"`) }},
	}
	for _, row := range rows {
		t.Run(string(row.m), func(t *testing.T) {
			t.Parallel()
			f := newOIDC(t, newClock(), func(o *Options) { o.SignInAs = "ben" })
			b := browser(t)
			access := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b))).json(t)["access_token"].(string)
			f.MisbehaveOnce(row.m)
			if res := get(t, b, f.at("/userinfo"), "Authorization", "Bearer "+access); !row.wrong(res.json(t), res.body) {
				t.Errorf("not wrong: %s", res.body)
			}
			if res := get(t, b, f.at("/userinfo"), "Authorization", "Bearer "+access); row.wrong(res.json(t), res.body) {
				t.Errorf("still wrong: %s", res.body)
			}
		})
	}
}

func TestUserinfoNeedsALiveToken(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newOIDC(t, c, nil)
	b := browser(t)
	access := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b))).json(t)["access_token"].(string)
	for _, header := range []string{"", "Bearer made-up", "Basic " + access} {
		if res := get(t, b, f.at("/userinfo"), "Authorization", header); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q: %d", header, res.StatusCode)
		}
	}
	c.Advance(oidcAccessLife)
	if res := get(t, b, f.at("/userinfo"), "Authorization", "Bearer "+access); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("expired: %d", res.StatusCode)
	}
}

func TestThinIDTokenLeavesTheProfileToUserinfo(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), func(o *Options) { o.OIDC.ThinIDToken = true })
	b := browser(t)
	tokens := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b))).json(t)
	claims := verify(t, get(t, b, f.at("/jwks")).body, tokens["id_token"])
	info := get(t, b, f.at("/userinfo"), "Authorization", "Bearer "+tokens["access_token"].(string)).json(t)
	for _, name := range []string{"email", "email_verified", "groups", "name"} {
		if claims[name] != nil || info[name] == nil {
			t.Errorf("%s: %v in the ID token, %v at userinfo", name, claims[name], info[name])
		}
	}
}

func TestScopesDecideTheClaims(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	back := get(t, b, f.at("/authorize?"+authRequest("openid email").Encode())).location(t)
	tokens := post(t, b, f.at("/token"), codeRequest(back.Get("code"))).json(t)
	claims := verify(t, get(t, b, f.at("/jwks")).body, tokens["id_token"])
	if claims["email"] == nil || claims["name"] != nil || claims["groups"] != nil || tokens["refresh_token"] != nil {
		t.Errorf("claims %v, tokens %v", claims, tokens)
	}
	back = get(t, b, f.at("/authorize?"+authRequest("profile").Encode())).location(t)
	if tokens := post(t, b, f.at("/token"), codeRequest(back.Get("code"))).json(t); tokens["id_token"] != nil {
		t.Error("an ID token without the scope openid")
	}
}
