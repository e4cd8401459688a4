package fake

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func newOkta(t *testing.T, c *clock, change func(*Options)) *Okta {
	t.Helper()
	o := options(c)
	o.SignInAs = "ada"
	if change != nil {
		change(&o)
	}
	f := NewOkta(o)
	serve(t, f.Provider)
	return f
}

const oktaScopes = "openid profile email groups offline_access"

func oktaTokens(t *testing.T, f *Okta, b *http.Client, server string, overrides ...string) map[string]any {
	t.Helper()
	back := get(t, b, f.endpoint(server, "authorize")+"?"+authRequest(oktaScopes, overrides...).Encode()).location(t)
	return post(t, b, f.endpoint(server, "token"), codeRequest(back.Get("code"))).json(t)
}

func TestOktaSignInAtBothKindsOfServer(t *testing.T) {
	t.Parallel()
	for server, shape := range map[string]map[string]any{
		"": fixture(t, "okta/discovery_org.json"), "default": fixture(t, "okta/discovery_custom.json"),
	} {
		t.Run("server "+server, func(t *testing.T) {
			t.Parallel()
			f := newOkta(t, newClock(), nil)
			b := browser(t)
			doc := get(t, b, f.Issuer(server)+"/.well-known/openid-configuration?client_id="+clientID).json(t)
			sameMembers(t, shape, doc)
			if doc["issuer"] != f.Issuer(server) || !strings.Contains(doc["token_endpoint"].(string), "/oauth2/") {
				t.Errorf("issuer %v, token endpoint %v", doc["issuer"], doc["token_endpoint"])
			}
			tokens := oktaTokens(t, f, b, server)
			sameMembers(t, fixture(t, "okta/token_response.json"), tokens)
			keys := get(t, b, doc["jwks_uri"].(string))
			if keys.Header.Get("Cache-Control") != "max-age=3832304, must-revalidate" {
				t.Errorf("Cache-Control %q", keys.Header.Get("Cache-Control"))
			}
			claims := verify(t, keys.body, tokens["id_token"])
			sameMembers(t, fixture(t, "okta/id_token_thin.json"), claims)
			if claims["iss"] != f.Issuer(server) || claims["sub"] != "00u1ada0acme00000d7" || claims["nonce"] != "n-1" {
				t.Errorf("claims %v", claims)
			}
			// The ID token is thin, and the access token is a trap.
			for _, name := range []string{"email_verified", "groups", "given_name"} {
				if claims[name] != nil {
					t.Errorf("%s is in the ID token", name)
				}
			}
			access := verify(t, keys.body, tokens["access_token"])
			sameMembers(t, fixture(t, "okta/access_token_custom_as.json"), access)
			if access["sub"] != "ada@acme.example" || access["uid"] != claims["sub"] {
				t.Errorf("access token %v", access)
			}
			info := get(t, b, doc["userinfo_endpoint"].(string), "Authorization", "Bearer "+tokens["access_token"].(string)).json(t)
			sameMembers(t, fixture(t, "okta/userinfo.json"), info)
			if info["sub"] != claims["sub"] || info["email_verified"] != true || len(info["groups"].([]any)) != 3 {
				t.Errorf("userinfo %v", info)
			}
		})
	}
}

func TestOktaServersDoNotMix(t *testing.T) {
	t.Parallel()
	f := newOkta(t, newClock(), nil)
	b := browser(t)
	back := get(t, b, f.endpoint("", "authorize")+"?"+authRequest("openid").Encode()).location(t)
	if res := post(t, b, f.endpoint("default", "token"), codeRequest(back.Get("code"))); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("a code crossed over: %s", res.body)
	}
	access := oktaTokens(t, f, b, "")["access_token"].(string)
	if res := get(t, b, f.endpoint("default", "userinfo"), "Authorization", "Bearer "+access); res.StatusCode != 401 {
		t.Errorf("an access token crossed over: %d", res.StatusCode)
	}
	res := get(t, b, f.at("/oauth2/aus_nope/.well-known/openid-configuration"))
	sameMembers(t, fixture(t, "okta/error_resource_not_found.json"), res.json(t))
	if res.StatusCode != 404 || res.json(t)["errorCode"] != "E0000007" {
		t.Errorf("unknown server: %d %s", res.StatusCode, res.body)
	}
	res = get(t, b, f.at("/.well-known/openid-configuration?client_id=nobody"))
	sameMembers(t, fixture(t, "okta/error_api_shape_invalid_client.json"), res.json(t))
	if res.StatusCode != 400 {
		t.Errorf("unknown client: %d", res.StatusCode)
	}
}

func TestOktaAuthorizeRefusals(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, person string
		m            Misbehaviour
		overrides    []string
		want         string
	}{
		{"state is required", "ada", "", []string{"state", ""}, "invalid_request"},
		{"state has few characters", "ada", "", []string{"state", "a b"}, "invalid_request"},
		{"select_account is no prompt of Okta's", "ada", "", []string{"prompt", "select_account"}, "invalid_request"},
		{"an unknown scope is refused", "ada", "", []string{"scope", "openid admin"}, "invalid_scope"},
		{"a scope is needed", "ada", "", []string{"scope", ""}, "invalid_scope"},
		{"plain PKCE is refused", "ada", "", []string{"code_challenge_method", "plain"}, "invalid_request"},
		{"prompt=none without a session", "ada", "", []string{"prompt", "none"}, "login_required"},
		{"an unassigned person is denied", "eve", "", nil, "access_denied"},
		{"two factors that are not there", "chloe", "", []string{"acr_values", "urn:okta:loa:2fa:any"}, "unmet_authentication_requirements"},
		{"an unknown acr is refused", "ada", "", []string{"acr_values", "urn:x"}, "invalid_request"},
		{"no policy matches", "ada", OktaPolicyDenies, nil, "access_denied"},
		{"the scope groups is not configured", "ada", OktaNoGroupsScope, []string{"scope", "openid groups"}, "invalid_scope"},
		{"only code is served", "ada", "", []string{"response_type", "id_token"}, "unsupported_response_type"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newOkta(t, newClock(), func(o *Options) { o.SignInAs = row.person })
			f.MisbehaveOnce(row.m)
			back := get(t, browser(t), f.endpoint("default", "authorize")+"?"+authRequest("openid", row.overrides...).Encode()).location(t)
			if back.Get("error") != row.want || back.Has("code") {
				t.Errorf("got %v", back)
			}
		})
	}
	f := newOkta(t, newClock(), nil)
	for _, overrides := range [][]string{{"redirect_uri", callback + "/"}, {"client_id", "nobody"}} {
		if res := get(t, browser(t), f.endpoint("", "authorize")+"?"+authRequest("openid", overrides...).Encode()); res.StatusCode != 400 {
			t.Errorf("%v: %d", overrides, res.StatusCode)
		}
	}
}

func TestOktaACR(t *testing.T) {
	t.Parallel()
	f := newOkta(t, newClock(), nil)
	b := browser(t)
	claimsOf := func() map[string]any {
		tokens := oktaTokens(t, f, b, "", "acr_values", "urn:okta:loa:2fa:any")
		return verify(t, get(t, b, f.endpoint("", "keys")).body, tokens["id_token"])
	}
	claims := claimsOf()
	sameMembers(t, fixture(t, "okta/id_token_acr.json"), claims)
	if claims["acr"] != "urn:okta:loa:2fa:any" || len(claims["amr"].([]any)) != 3 {
		t.Errorf("claims %v", claims)
	}
	f.MisbehaveOnce(WeakerACR)
	if claims := claimsOf(); claims["acr"] != "urn:okta:loa:1fa:pwd" || len(claims["amr"].([]any)) != 1 {
		t.Errorf("weaker: %v", claims)
	}
}

func TestOktaGroups(t *testing.T) {
	t.Parallel()
	f := newOkta(t, newClock(), nil)
	info := func(person string) map[string]any {
		f.SignInAs(person)
		b := browser(t)
		tokens := oktaTokens(t, f, b, "")
		if tokens["error"] != nil {
			return tokens
		}
		return get(t, b, f.endpoint("", "userinfo"), "Authorization", "Bearer "+tokens["access_token"].(string)).json(t)
	}
	if doc := info("ben"); doc["sub"] == nil || doc["groups"] != nil {
		t.Errorf("no match: %v", doc)
	}
	if doc := info("dana"); doc["error"] != "invalid_request" {
		t.Errorf("more than a hundred: %v", doc)
	}
	f.Misbehave(OktaGroupsTruncated)
	if doc := info("dana"); len(doc["groups"].([]any)) != oktaMaxGroups {
		t.Errorf("cut off: %d", len(doc["groups"].([]any)))
	}
	f.MisbehaveOnce(OktaGroupsAbsent)
	if doc := info("ada"); doc["groups"] != nil {
		t.Errorf("absent: %v", doc)
	}
	f.MisbehaveOnce(OktaFatToken)
	b := browser(t)
	claims := verify(t, get(t, b, f.endpoint("", "keys")).body, oktaTokens(t, f, b, "")["id_token"])
	sameMembers(t, fixture(t, "okta/id_token_fat_groups.json"), claims)
}

func TestOktaTokenErrors(t *testing.T) {
	t.Parallel()
	f := newOkta(t, newClock(), nil)
	b := browser(t)
	if res := post(t, b, f.endpoint("", "token"), codeRequest("made-up")); res.StatusCode != 400 || res.json(t)["error"] != "invalid_grant" {
		t.Errorf("made-up code: %d %s", res.StatusCode, res.body)
	}
	for _, overrides := range [][]string{{"client_id", "nobody"}, {"client_secret", "wrong"}, {"client_secret", ""}} {
		if res := post(t, b, f.endpoint("", "token"), codeRequest("x", overrides...)); res.StatusCode != 401 || res.json(t)["error"] != "invalid_client" {
			t.Errorf("%v: %d %s", overrides, res.StatusCode, res.body)
		}
	}
	f.MisbehaveOnce(OktaAPIShape)
	if res := post(t, b, f.endpoint("", "token"), codeRequest("x", "client_id", "nobody")); res.StatusCode != 401 || res.json(t)["errorCode"] != "invalid_client" {
		t.Errorf("API shape: %d %s", res.StatusCode, res.body)
	}
	f.MisbehaveOnce(At(Token, TooManyRequests))
	res := post(t, b, f.endpoint("", "token"), codeRequest("x"))
	if res.StatusCode != 429 || res.json(t)["errorCode"] != "E0000047" || res.Header.Get("X-Rate-Limit-Reset") == "" {
		t.Errorf("rate limit: %d %s", res.StatusCode, res.body)
	}
}

func TestOktaCodesLiveAMinute(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newOkta(t, c, nil)
	b := browser(t)
	code := func() string {
		return get(t, b, f.endpoint("", "authorize")+"?"+authRequest("openid").Encode()).location(t).Get("code")
	}
	first, second := code(), code()
	c.Advance(59 * time.Second)
	if res := post(t, b, f.endpoint("", "token"), codeRequest(first)); res.StatusCode != 200 {
		t.Errorf("after 59 s: %s", res.body)
	}
	c.Advance(time.Second)
	if res := post(t, b, f.endpoint("", "token"), codeRequest(second)); res.StatusCode != 400 {
		t.Errorf("after 60 s: %d", res.StatusCode)
	}
}

func TestOktaRefreshTokens(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		rotate bool
		grace  time.Duration
		wait   time.Duration
		old    int // status of the token that was used before
		newest int // status of its successor afterwards
	}{
		{"a persistent token stays", false, 0, time.Hour, 200, 200},
		{"within the grace the old token works", true, 0, 30 * time.Second, 200, 200},
		{"after the grace it revokes the newest", true, 0, 31 * time.Second, 400, 400},
		{"without a grace it revokes at once", true, -1, 0, 400, 400},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			f := newOkta(t, c, func(o *Options) {
				o.Okta.RotateRefreshTokens, o.Okta.RotationGrace = row.rotate, row.grace
			})
			b := browser(t)
			old := oktaTokens(t, f, b, "")["refresh_token"].(string)
			fresh := post(t, b, f.endpoint("", "token"), refreshRequest(old)).json(t)
			newest := fresh["refresh_token"].(string)
			if (newest != old) != row.rotate {
				t.Errorf("rotated: %v", newest != old)
			}
			c.Advance(row.wait)
			if res := post(t, b, f.endpoint("", "token"), refreshRequest(old)); res.StatusCode != row.old {
				t.Errorf("the old one: %d %s", res.StatusCode, res.body)
			}
			if res := post(t, b, f.endpoint("", "token"), refreshRequest(newest)); res.StatusCode != row.newest {
				t.Errorf("the newest: %d %s", res.StatusCode, res.body)
			}
		})
	}
	c := newClock()
	f := newOkta(t, c, nil)
	b := browser(t)
	token := oktaTokens(t, f, b, "")["refresh_token"].(string)
	c.Advance(oktaRefreshIdle)
	if res := post(t, b, f.endpoint("", "token"), refreshRequest(token)); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("idle for a week: %s", res.body)
	}
	if tokens := oktaTokens(t, f, b, "", "scope", "openid"); tokens["refresh_token"] != nil {
		t.Error("a refresh token without offline_access")
	}
}

func TestOktaRevokeIntrospectLogout(t *testing.T) {
	t.Parallel()
	f := newOkta(t, newClock(), nil)
	b := browser(t)
	tokens := oktaTokens(t, f, b, "")
	form := url.Values{"token": {tokens["access_token"].(string)}, "client_id": {clientID}, "client_secret": {clientSecret}}
	if doc := post(t, b, f.endpoint("", "introspect"), form).json(t); doc["active"] != true || doc["uid"] != "00u1ada0acme00000d7" {
		t.Errorf("introspection %v", doc)
	}
	if res := post(t, b, f.endpoint("", "revoke"), form); res.StatusCode != 200 {
		t.Errorf("revoke: %d", res.StatusCode)
	}
	if doc := post(t, b, f.endpoint("", "introspect"), form).json(t); doc["active"] != false {
		t.Errorf("revoked: %v", doc)
	}
	if res := get(t, b, f.endpoint("", "logout")); res.StatusCode != 400 {
		t.Errorf("logout without a hint: %d", res.StatusCode)
	}
	q := url.Values{"id_token_hint": {tokens["id_token"].(string)}, "post_logout_redirect_uri": {"https://broker.example/bye"}, "state": {"s"}}
	if res := get(t, b, f.endpoint("", "logout")+"?"+q.Encode()); res.Header.Get("Location") != "https://broker.example/bye?state=s" {
		t.Errorf("logout: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
}
