package fake

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// aadstsOf is the error and its number.
func aadstsOf(t *testing.T, r reply) (code string, number float64) {
	t.Helper()
	doc := r.json(t)
	code, _ = doc["error"].(string)
	if numbers, ok := doc["error_codes"].([]any); ok {
		number = numbers[0].(float64)
	}
	return code, number
}

func TestEntraAuthorizeRefusals(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), nil)
	pages := map[string][]string{
		"AADSTS50011":  {"redirect_uri", callback + "/"},
		"AADSTS700016": {"client_id", "nobody"},
	}
	for want, overrides := range pages {
		if res := entraAuthorize(t, f, browser(t), acmeTenant, overrides...); res.StatusCode != 400 || !strings.Contains(res.body, want) {
			t.Errorf("%s: %d", want, res.StatusCode)
		}
	}
	rows := []struct {
		name      string
		overrides []string
		want      string
	}{
		{"prompt=none without a session", []string{"prompt", "none"}, "login_required"},
		{"an unknown prompt", []string{"prompt", "maybe"}, "invalid_request"},
		{"select_account together with a hint", []string{"prompt", "select_account", "login_hint", "ada"}, "invalid_request"},
		{"no scope", []string{"scope", ""}, "invalid_scope"},
		{"two resources", []string{"scope", "openid User.Read https://vault.azure.net/x"}, "invalid_scope"},
		{"a scope Graph does not have", []string{"scope", "openid groups"}, "invalid_client"},
		{"claims that are no JSON", []string{"claims", "{"}, "invalid_request"},
		{"only code is served", []string{"response_type", "id_token"}, "unsupported_response_type"},
	}
	for _, row := range rows {
		if back := entraAuthorize(t, f, browser(t), acmeTenant, row.overrides...).location(t); back.Get("error") != row.want {
			t.Errorf("%s: %v", row.name, back)
		}
	}
	f.MisbehaveOnce(EntraUnassigned)
	if back := entraAuthorize(t, f, browser(t), acmeTenant).location(t); back.Get("error") != "access_denied" {
		t.Errorf("unassigned: %v", back)
	}
	form := authRequest("openid")
	form.Set(cancelField, "1")
	if back := post(t, browser(t), f.at("/"+acmeTenant+"/oauth2/v2.0/authorize"), form).location(t); back.Get("error_subcode") != "cancel" {
		t.Errorf("cancelled: %v", back)
	}
}

func TestEntraTokenErrors(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), nil)
	at := f.at("/" + acmeTenant + "/oauth2/v2.0/token")
	rows := []struct {
		name      string
		overrides []string
		status    int
		code      string
		number    float64
	}{
		{"an unknown application", []string{"client_id", "nobody"}, 400, "unauthorized_client", 700016},
		{"a wrong secret", []string{"client_secret", "wrong"}, 401, "invalid_client", 7000215},
		{"no secret", []string{"client_secret", ""}, 401, "invalid_client", 7000218},
		{"another grant type", []string{"grant_type", "password"}, 400, "unsupported_grant_type", 70003},
		{"another redirect URI", []string{"redirect_uri", callback + "/"}, 400, "invalid_client", 50011},
		{"no verifier although a challenge was sent", []string{"code_verifier", ""}, 400, "invalid_grant", 501481},
		{"a made-up code", []string{"code", "x"}, 400, "invalid_grant", 9002313},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := browser(t)
			code := entraAuthorize(t, f, b, acmeTenant).location(t).Get("code")
			res := post(t, b, at, codeRequest(code, row.overrides...))
			sameMembers(t, fixture(t, "entra/error_7000215_bad_secret.json"), res.json(t))
			if code, number := aadstsOf(t, res); res.StatusCode != row.status || code != row.code || number != row.number {
				t.Errorf("got %d %s", res.StatusCode, res.body)
			}
		})
	}
}

func TestEntraCodesAreSpentOnceAndBelongToATenant(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newEntra(t, c, nil)
	b := browser(t)
	at := f.at("/" + acmeTenant + "/oauth2/v2.0/token")
	code := entraAuthorize(t, f, b, acmeTenant).location(t).Get("code")
	if res := post(t, b, f.at("/common/oauth2/v2.0/token"), codeRequest(code)); res.StatusCode != 400 {
		t.Errorf("at another endpoint: %d", res.StatusCode)
	}
	// The domain and the GUID are one tenant.
	if res := post(t, b, f.at("/acme.example/oauth2/v2.0/token"), codeRequest(code)); res.StatusCode != 200 {
		t.Errorf("by domain: %s", res.body)
	}
	if _, number := aadstsOf(t, post(t, b, at, codeRequest(code))); number != 54005 {
		t.Errorf("second use: %v", number)
	}
	late := entraAuthorize(t, f, b, acmeTenant).location(t).Get("code")
	c.Advance(entraCodeLife)
	if _, number := aadstsOf(t, post(t, b, at, codeRequest(late))); number != 70008 {
		t.Errorf("late: %v", number)
	}
}

func TestEntraPolicyErrors(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), nil)
	b := browser(t)
	rows := []struct {
		m     Misbehaviour
		shape map[string]any
		want  float64
	}{
		{EntraSecretExpired, fixture(t, "entra/error_7000222_expired_secret.json"), 7000222},
		{EntraMFARequired, fixture(t, "entra/error_50076_mfa.json"), 50076},
		{EntraAccessBlocked, fixture(t, "entra/error_53003_ca_block.json"), 53003},
		{EntraConsentMissing, fixture(t, "entra/error_65001_consent.json"), 65001},
	}
	for _, row := range rows {
		f.MisbehaveOnce(row.m)
		res := post(t, b, f.at("/common/oauth2/v2.0/token"), codeRequest("x"))
		sameMembers(t, row.shape, res.json(t))
		if _, number := aadstsOf(t, res); number != row.want {
			t.Errorf("%s: %v", row.m, number)
		}
	}
	f.MisbehaveOnce(At(Token, Unavailable))
	res := post(t, b, f.at("/common/oauth2/v2.0/token"), codeRequest("x"))
	if code, number := aadstsOf(t, res); res.StatusCode != 503 || code != "temporarily_unavailable" || number != 90033 || res.Header.Get("Retry-After") == "" {
		t.Errorf("unavailable: %d %s", res.StatusCode, res.body)
	}
}

func TestEntraRefreshTokens(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newEntra(t, c, nil)
	b := browser(t)
	at := f.at("/" + acmeTenant + "/oauth2/v2.0/token")
	first := entraTokens(t, f, b, acmeTenant)["refresh_token"].(string)
	fresh := post(t, b, at, refreshRequest(first)).json(t)
	second, _ := fresh["refresh_token"].(string)
	if second == "" || second == first {
		t.Errorf("not a new one: %q", second)
	}
	claims := verify(t, get(t, b, f.at("/"+acmeTenant+"/discovery/v2.0/keys")).body, fresh["id_token"])
	if claims["nonce"] != nil || claims["oid"] != f.Person("ada").Entra.ObjectID {
		t.Errorf("claims %v", claims)
	}
	// The old one stays valid.
	for _, token := range []string{first, second, first} {
		if res := post(t, b, at, refreshRequest(token)); res.StatusCode != http.StatusOK {
			t.Errorf("got %s", res.body)
		}
	}
	f.Disable("ada")
	if _, number := aadstsOf(t, post(t, b, at, refreshRequest(second))); number != 50057 {
		t.Errorf("disabled: %v", number)
	}
	f.Enable("ada")
	f.RevokeTokens("ada")
	res := post(t, b, at, refreshRequest(second))
	sameMembers(t, fixture(t, "entra/error_50173_grant_revoked.json"), res.json(t))
	if code, number := aadstsOf(t, res); number != 50173 || code != "invalid_grant" {
		t.Errorf("revoked: %s", res.body)
	}
	third := entraTokens(t, f, b, acmeTenant)["refresh_token"].(string)
	c.Advance(entraRefreshLife)
	if _, number := aadstsOf(t, post(t, b, at, refreshRequest(third))); number != 70008 {
		t.Errorf("after ninety days: %v", number)
	}
	if tokens := entraTokens(t, f, b, acmeTenant, "scope", "openid"); tokens["refresh_token"] != nil {
		t.Error("a refresh token without offline_access")
	}
}

func TestEntraGraphHost(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), nil)
	srv := httptest.NewServer(f.Graph())
	t.Cleanup(srv.Close)
	f.SetGraphURL(srv.URL)
	b := browser(t)
	doc := get(t, b, f.at("/common/v2.0/.well-known/openid-configuration")).json(t)
	if doc["msgraph_host"] != hostOf(srv.URL) || doc["userinfo_endpoint"] != srv.URL+"/oidc/userinfo" {
		t.Errorf("discovery %v", doc)
	}
	access := entraTokens(t, f, b, acmeTenant, "scope", "openid "+srv.URL+"/User.Read")["access_token"].(string)
	if res := get(t, b, srv.URL+"/v1.0/me", "Authorization", "Bearer "+access); res.StatusCode != 200 {
		t.Errorf("me: %d %s", res.StatusCode, res.body)
	}
}
