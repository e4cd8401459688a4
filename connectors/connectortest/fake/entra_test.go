package fake

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func newEntra(t *testing.T, c *clock, change func(*Options)) *Entra {
	t.Helper()
	o := options(c)
	o.SignInAs = "ada"
	if change != nil {
		change(&o)
	}
	f := NewEntra(o)
	serve(t, f.Provider)
	return f
}

const entraScopes = "openid profile email offline_access User.Read GroupMember.Read.All"

func entraAuthorize(t *testing.T, f *Entra, b *http.Client, tenant string, overrides ...string) reply {
	t.Helper()
	return get(t, b, f.at("/"+tenant+"/oauth2/v2.0/authorize?"+authRequest(entraScopes, overrides...).Encode()))
}

func entraTokens(t *testing.T, f *Entra, b *http.Client, tenant string, overrides ...string) map[string]any {
	t.Helper()
	code := entraAuthorize(t, f, b, tenant, overrides...).location(t).Get("code")
	return post(t, b, f.at("/"+tenant+"/oauth2/v2.0/token"), codeRequest(code)).json(t)
}

// entraClaims signs in and verifies the ID token with the keys of the endpoint.
func entraClaims(t *testing.T, f *Entra, tenant string, overrides ...string) map[string]any {
	t.Helper()
	b := browser(t)
	return verify(t, get(t, b, f.at("/"+tenant+"/discovery/v2.0/keys")).body, entraTokens(t, f, b, tenant, overrides...)["id_token"])
}

func TestEntraDiscovery(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), nil)
	rows := []struct {
		segment, issuer string
		shape           map[string]any
	}{
		{acmeTenant, "/" + acmeTenant + "/v2.0", fixture(t, "entra/discovery_tenant.json")},
		{"acme.example", "/" + acmeTenant + "/v2.0", fixture(t, "entra/discovery_tenant.json")},
		{"common", "/{tenantid}/v2.0", fixture(t, "entra/discovery_common.json")},
		{"organizations", "/{tenantid}/v2.0", fixture(t, "entra/discovery_organizations.json")},
		{"consumers", "/" + personalTenant + "/v2.0", fixture(t, "entra/discovery_consumers.json")},
	}
	for _, row := range rows {
		t.Run(row.segment, func(t *testing.T) {
			t.Parallel()
			doc := get(t, browser(t), f.at("/"+row.segment+"/v2.0/.well-known/openid-configuration")).json(t)
			sameMembers(t, row.shape, doc)
			if doc["issuer"] != f.URL()+row.issuer || doc["msgraph_host"] != hostOf(f.URL()) {
				t.Errorf("issuer %v, msgraph_host %v", doc["issuer"], doc["msgraph_host"])
			}
			if doc["code_challenge_methods_supported"] != nil || doc["revocation_endpoint"] != nil {
				t.Error("it says more than the vendor")
			}
		})
	}
	res := get(t, browser(t), f.at("/nope/v2.0/.well-known/openid-configuration"))
	sameMembers(t, fixture(t, "entra/error_90002_unknown_tenant.json"), res.json(t))
	if res.StatusCode != 400 || res.json(t)["error_codes"].([]any)[0] != float64(90002) {
		t.Errorf("unknown tenant: %d %s", res.StatusCode, res.body)
	}
}

func TestEntraSignIn(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newEntra(t, c, nil)
	b := browser(t)
	back := entraAuthorize(t, f, b, acmeTenant).location(t)
	if back.Get("session_state") == "" || len(back.Get("code")) < 500 {
		t.Errorf("callback %v", back)
	}
	tokens := post(t, b, f.at("/"+acmeTenant+"/oauth2/v2.0/token"), codeRequest(back.Get("code"))).json(t)
	sameMembers(t, fixture(t, "entra/token_response.json"), tokens)
	if tokens["scope"] != "openid profile email https://graph.microsoft.com/User.Read https://graph.microsoft.com/GroupMember.Read.All" {
		t.Errorf("scope %v", tokens["scope"])
	}
	if life := tokens["expires_in"].(float64); life < 3600 || life >= 5400 {
		t.Errorf("expires_in %v", life)
	}
	claims := verify(t, get(t, b, f.at("/"+acmeTenant+"/discovery/v2.0/keys")).body, tokens["id_token"])
	sameMembers(t, fixture(t, "entra/id_token_member.json"), claims)
	for name, want := range map[string]any{
		"iss": f.URL() + "/" + acmeTenant + "/v2.0", "tid": acmeTenant, "oid": "5b6c7d8e-4444-4f0a-8b1c-2d3e4f5a6b7c", "xms_edov": true,
		"sub": EntraSubject(clientID, f.Person("ada")), "ver": "2.0", "nonce": "n-1", "email": "ada@acme.example",
		"exp": float64(c.Now().Add(time.Hour).Unix()),
	} {
		if claims[name] != want {
			t.Errorf("%s is %v", name, claims[name])
		}
	}
	for _, name := range []string{"email_verified", "at_hash", "amr", "auth_time"} {
		if claims[name] != nil {
			t.Errorf("%s is sent", name)
		}
	}
	if len(claims["groups"].([]any)) != 2 || claims["roles"].([]any)[0] != "Approver" {
		t.Errorf("groups %v, roles %v", claims["groups"], claims["roles"])
	}
	info := get(t, b, f.at("/oidc/userinfo"), "Authorization", "Bearer "+tokens["access_token"].(string)).json(t)
	sameMembers(t, fixture(t, "entra/userinfo.json"), info)
	if info["sub"] != claims["sub"] {
		t.Errorf("userinfo %v", info)
	}
}

func TestEntraWhoMaySignInWhere(t *testing.T) {
	t.Parallel()
	rows := []struct {
		person, segment, tid string // no tid: refused
	}{
		{"ada", acmeTenant, acmeTenant}, {"ada", "acme.example", acmeTenant}, {"ada", "organizations", acmeTenant}, {"ada", "common", acmeTenant},
		{"ada", "consumers", ""}, {"ada", partnerTenant, ""},
		{"dana", acmeTenant, acmeTenant}, {"dana", "common", ""}, {"dana", "organizations", ""},
		{"eve", acmeTenant, ""}, {"eve", "organizations", partnerTenant},
		{"finn", "common", personalTenant}, {"finn", "consumers", personalTenant}, {"finn", "organizations", ""}, {"finn", acmeTenant, ""},
	}
	for _, row := range rows {
		t.Run(row.person+" at "+row.segment, func(t *testing.T) {
			t.Parallel()
			f := newEntra(t, newClock(), func(o *Options) { o.SignInAs = row.person })
			if row.tid == "" {
				res := entraAuthorize(t, f, browser(t), row.segment)
				if res.StatusCode != 400 || !strings.Contains(res.body, "AADSTS50020") {
					t.Errorf("got %d", res.StatusCode)
				}
				return
			}
			claims := entraClaims(t, f, row.segment)
			if claims["tid"] != row.tid || claims["iss"] != f.URL()+"/"+row.tid+"/v2.0" {
				t.Errorf("tid %v, iss %v", claims["tid"], claims["iss"])
			}
		})
	}
}

func TestEntraKinds(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), func(o *Options) { o.SignInAs = "dana" })
	guest := entraClaims(t, f, acmeTenant)
	sameMembers(t, fixture(t, "entra/id_token_guest.json"), guest)
	if guest["idp"] != "https://sts.windows.net/"+partnerTenant+"/" || guest["xms_edov"] != nil {
		t.Errorf("guest %v", guest)
	}
	f.SignInAs("finn")
	personal := entraClaims(t, f, "common")
	sameMembers(t, fixture(t, "entra/id_token_msa.json"), personal)
	if personal["exp"].(float64)-personal["iat"].(float64) != 86400 || personal["groups"] != nil {
		t.Errorf("personal %v", personal)
	}
	f.SignInAs("ben")
	if claims := entraClaims(t, f, acmeTenant); claims["email"] != "ben@acme.example" || claims["xms_edov"] != nil {
		t.Errorf("without evidence %v", claims)
	}
	f.Update("ben", func(p *Person) { p.Entra.NoEmail = true })
	if claims := entraClaims(t, f, acmeTenant); claims["email"] != nil {
		t.Errorf("no e-mail %v", claims)
	}
	if claims := entraClaims(t, f, acmeTenant, "scope", "openid"); claims["oid"] != nil || claims["name"] != nil || claims["sub"] == nil {
		t.Errorf("without profile %v", claims)
	}
	if claims := entraClaims(t, f, acmeTenant, "claims", `{"id_token":{"acrs":{"essential":true,"value":"c1"}}}`); claims["acrs"].([]any)[0] != "c1" {
		t.Errorf("authentication context %v", claims["acrs"])
	}
}

func TestEntraKeysAreScoped(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), nil)
	b := browser(t)
	issuers := func(segment string) (out []string) {
		for _, k := range get(t, b, f.at("/"+segment+"/discovery/v2.0/keys")).json(t)["keys"].([]any) {
			key := k.(map[string]any)
			sameMembers(t, fixture(t, "entra/jwks_common.json")["keys"].([]any)[0].(map[string]any), key)
			if key["alg"] != nil || key["kid"] != key["x5t"] {
				t.Errorf("key %v", key)
			}
			if _, err := base64.StdEncoding.DecodeString(key["x5c"].([]any)[0].(string)); err != nil {
				t.Errorf("x5c: %v", err)
			}
			out = append(out, strings.TrimPrefix(key["issuer"].(string), f.URL()))
		}
		return out
	}
	for segment, want := range map[string]string{
		"common": "/{tenantid}/v2.0 /" + personalTenant + "/v2.0", "organizations": "/{tenantid}/v2.0",
		"consumers": "/" + personalTenant + "/v2.0", acmeTenant: "/" + acmeTenant + "/v2.0",
	} {
		if got := strings.Join(issuers(segment), " "); got != want {
			t.Errorf("%s: %s", segment, got)
		}
	}
	f.Misbehave(EntraKeyOfOtherTenant)
	if _, err := tryVerify(get(t, b, f.at("/"+acmeTenant+"/discovery/v2.0/keys")).body, entraTokens(t, f, b, acmeTenant)["id_token"]); err == nil {
		t.Error("the tenant's own keys verify it")
	}
	// At common the key is there, but for another issuer.
	if claims := entraClaims(t, f, "common"); claims["tid"] != acmeTenant {
		t.Errorf("claims %v", claims)
	}
	f.Misbehave(EntraForeignKeyListed)
	if claims := entraClaims(t, f, acmeTenant); claims["tid"] != acmeTenant {
		t.Errorf("claims %v", claims)
	}
}

func TestEntraMisbehaviours(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), nil)
	rows := []struct {
		m     Misbehaviour
		wrong func(c map[string]any) bool
	}{
		{EntraTenantMismatch, func(c map[string]any) bool { return !strings.Contains(c["iss"].(string), c["tid"].(string)) }},
		{EntraTenantNotGUID, func(c map[string]any) bool {
			return c["tid"] == "elsewhere" && strings.HasSuffix(c["iss"].(string), "/elsewhere/v2.0")
		}},
		{EntraMissingTenant, func(c map[string]any) bool { return c["tid"] == nil }},
		{EntraTemplateIssuer, func(c map[string]any) bool { return strings.Contains(c["iss"].(string), "{tenantid}") }},
		{EntraV1Issuer, func(c map[string]any) bool {
			return c["iss"] == "https://sts.windows.net/"+acmeTenant+"/" && c["ver"] == "1.0"
		}},
		{EntraMissingObject, func(c map[string]any) bool { return c["oid"] == nil }},
		{EntraGroupsOverage, func(c map[string]any) bool {
			return c["groups"] == nil && strings.HasPrefix(overageEndpoint(c), "https://graph.windows.net/")
		}},
		{EntraHostileOverage, func(c map[string]any) bool {
			return c["groups"] == nil && strings.HasPrefix(overageEndpoint(c), "https://elsewhere.invalid/")
		}},
		{EntraHasGroups, func(c map[string]any) bool { return c["groups"] == nil && c["hasgroups"] == true }},
		{EntraOtherClaims, func(c map[string]any) bool {
			return c["groups"] == nil && c["_claim_names"].(map[string]any)["groups"] == nil
		}},
		{EntraOtherTenant, func(c map[string]any) bool {
			return c["tid"] == partnerTenant && strings.Contains(c["iss"].(string), partnerTenant)
		}},
		{EntraEdovText, func(c map[string]any) bool { return c["xms_edov"] == "1" }},
		{EntraEdovOne, func(c map[string]any) bool { return c["xms_edov"] == float64(1) }},
		{EntraEdovNo, func(c map[string]any) bool { return c["xms_edov"] == false }},
	}
	for _, row := range rows {
		f.MisbehaveOnce(row.m)
		if claims := entraClaims(t, f, acmeTenant); !row.wrong(claims) {
			t.Errorf("%s: %v", row.m, claims)
		}
	}
	if claims := entraClaims(t, f, acmeTenant); claims["tid"] != acmeTenant || len(claims["groups"].([]any)) != 2 {
		t.Errorf("afterwards %v", claims)
	}
	f.MisbehaveOnce(EntraNoContext)
	if claims := entraClaims(t, f, acmeTenant, "claims", `{"id_token":{"acrs":{"essential":true,"value":"c1"}}}`); claims["acrs"] != nil {
		t.Errorf("acrs %v", claims["acrs"])
	}
	f.SignInAs("chloe")
	claims := entraClaims(t, f, acmeTenant)
	sameMembers(t, fixture(t, "entra/id_token_groups_overage.json"), claims)
	if claims["groups"] != nil {
		t.Error("250 groups in the token")
	}
}

func overageEndpoint(claims map[string]any) string {
	sources, _ := claims["_claim_sources"].(map[string]any)
	source, _ := sources["src1"].(map[string]any)
	endpoint, _ := source["endpoint"].(string)
	return endpoint
}

func TestEntraLogout(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), nil)
	b := browser(t)
	at := f.at("/common/oauth2/v2.0/logout?")
	q := url.Values{"post_logout_redirect_uri": {"https://broker.example/bye"}, "state": {"s"}}
	if res := get(t, b, at+q.Encode()); res.Header.Get("Location") != "https://broker.example/bye?state=s" {
		t.Errorf("got %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	q.Set("post_logout_redirect_uri", "https://evil.example/")
	if res := get(t, b, at+q.Encode()); res.StatusCode != 200 || res.Header.Get("Location") != "" {
		t.Errorf("unregistered: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
}
