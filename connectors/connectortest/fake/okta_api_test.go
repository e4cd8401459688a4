package fake

import (
	"crypto"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	oktaAPIToken   = "00fixture-api-token"
	oktaServiceApp = "0oa1service0app"
	adaGroups      = "/api/v1/users/00u1ada0acme00000d7/groups"
)

func (r reply) rows(t *testing.T) []map[string]any {
	t.Helper()
	var rows []map[string]any
	if err := json.Unmarshal([]byte(r.body), &rows); err != nil {
		t.Fatalf("status %d: %v in %.300q", r.StatusCode, err, r.body)
	}
	return rows
}

func (r reply) next() string {
	for _, line := range r.Header.Values("Link") {
		if target, rel, _ := strings.Cut(line, ">"); strings.Contains(rel, `rel="next"`) {
			return strings.TrimPrefix(target, "<")
		}
	}
	return ""
}

// oktaWithAPI is an org with an API token and a service app.
func oktaWithAPI(t *testing.T, c *clock, change func(*Options)) (*Okta, crypto.Signer) {
	t.Helper()
	key, err := pool.key("RS256", foreignKey)
	if err != nil {
		t.Fatal(err)
	}
	return newOkta(t, c, func(o *Options) {
		o.Clients = append(o.Clients, Client{ID: oktaServiceApp, Secret: clientSecret, AssertionKeys: []crypto.PublicKey{key.Public()}})
		o.Okta.APITokens = []string{oktaAPIToken}
		o.Okta.ServiceScopes = map[string][]string{oktaServiceApp: {"okta.users.read", "okta.apps.read"}}
		if change != nil {
			change(o)
		}
	}), key
}

func TestOktaUserGroups(t *testing.T) {
	t.Parallel()
	f, _ := oktaWithAPI(t, newClock(), nil)
	f.Update("ada", func(p *Person) { p.Okta.AppGroups = []string{"Domain Users"} })
	b := browser(t)
	rows := get(t, b, f.at(adaGroups), "Authorization", "SSWS "+oktaAPIToken).rows(t)
	content, err := os.ReadFile("testdata/okta/api_user_groups.json")
	if err != nil {
		t.Fatal(err)
	}
	var shape []map[string]any
	if err := json.Unmarshal(content, &shape); err != nil {
		t.Fatal(err)
	}
	sameMembers(t, shape[1], rows[1])
	var kinds, names []string
	for _, row := range rows {
		kinds = append(kinds, row["type"].(string))
		names = append(names, row["profile"].(map[string]any)["name"].(string))
	}
	if !slices.Equal(kinds, []string{"BUILT_IN", "OKTA_GROUP", "OKTA_GROUP", "APP_GROUP"}) || names[3] != "Domain Users" {
		t.Errorf("got %q, %q", kinds, names)
	}
	if me := get(t, b, f.at("/api/v1/users/me/groups"), "Authorization", "SSWS "+oktaAPIToken).rows(t); len(me) != 2 {
		t.Errorf("the token's own groups: %v", me)
	}
	for address, want := range map[string]string{"/api/v1/users/00unobody/groups": "404 E0000007", adaGroups: "401 E0000011"} {
		token := "SSWS " + oktaAPIToken
		if address == adaGroups {
			token = "SSWS another"
		}
		res := get(t, b, f.at(address), "Authorization", token)
		if got := res.Status[:3] + " " + res.json(t)["errorCode"].(string); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func TestOktaPagesOfGroups(t *testing.T) {
	t.Parallel()
	f, _ := oktaWithAPI(t, newClock(), func(o *Options) { o.Okta.GroupPage = 50 })
	b := browser(t)
	seen := map[string]bool{}
	pages := 0
	for at := f.at("/api/v1/users/00u1dana0acme0000d7/groups"); at != ""; pages++ {
		res := get(t, b, at, "Authorization", "SSWS "+oktaAPIToken)
		for _, row := range res.rows(t) {
			seen[row["profile"].(map[string]any)["name"].(string)] = true
		}
		at = res.next()
	}
	if pages != 3 || len(seen) != 120 {
		t.Errorf("got %d groups on %d pages", len(seen), pages)
	}
	for m, want := range map[Misbehaviour]string{
		OktaNextElsewhere: "https://elsewhere.invalid/api/v1/users/", OktaNextOtherPath: f.at("/api/v1/users/me/"), OktaNextIsPrevious: f.at("/api/v1/users/00u1dana"),
	} {
		f.MisbehaveOnce(m)
		if next := get(t, b, f.at("/api/v1/users/00u1dana0acme0000d7/groups"), "Authorization", "SSWS "+oktaAPIToken).next(); !strings.HasPrefix(next, want) {
			t.Errorf("%s: the next page is at %s", m, next)
		}
	}
	f.MisbehaveOnce(OktaEndlessGroups)
	if next := get(t, b, f.at(adaGroups+"?after=1000"), "Authorization", "SSWS "+oktaAPIToken).next(); next != f.at(adaGroups+"?after=1001") {
		t.Errorf("the list ends: %q", next)
	}
}

// serviceRequest asks for a token for the app itself.
func serviceRequest(t *testing.T, c *clock, key crypto.Signer, audience string, overrides ...string) url.Values {
	t.Helper()
	payload, err := marshal(map[string]any{
		"iss": oktaServiceApp, "sub": oktaServiceApp, "aud": audience, "jti": random("", 8),
		"iat": c.Now().Unix(), "exp": c.Now().Add(time.Minute).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	assertion, err := jws(map[string]any{"alg": "RS256", "typ": "JWT"}, payload, signedBy(key))
	if err != nil {
		t.Fatal(err)
	}
	v := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {oktaServiceApp}, "scope": {"okta.users.read"},
		"client_assertion_type": {assertionType}, "client_assertion": {assertion},
	}
	override(v, overrides)
	return v
}

func TestOktaServiceApps(t *testing.T) {
	t.Parallel()
	c := newClock()
	f, key := oktaWithAPI(t, c, nil)
	b := browser(t)
	at := f.endpoint("", "token")
	doc := post(t, b, at, serviceRequest(t, c, key, at)).json(t)
	access, _ := doc["access_token"].(string)
	if access == "" || doc["id_token"] != nil || doc["refresh_token"] != nil {
		t.Fatalf("got %v", doc)
	}
	if rows := get(t, b, f.at(adaGroups), "Authorization", "Bearer "+access).rows(t); len(rows) != 3 {
		t.Errorf("got %v", rows)
	}
	if res := get(t, b, f.endpoint("", "userinfo"), "Authorization", "Bearer "+access); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("an app is a person: %d", res.StatusCode)
	}
	other := post(t, b, at, serviceRequest(t, c, key, at, "scope", "okta.apps.read")).json(t)["access_token"].(string)
	if res := get(t, b, f.at(adaGroups), "Authorization", "Bearer "+other); res.StatusCode != http.StatusForbidden || res.json(t)["errorCode"] != "E0000006" {
		t.Errorf("without the scope: %s", res.Status)
	}
	person := oktaTokens(t, f, b, "")["access_token"].(string)
	if res := get(t, b, f.at(adaGroups), "Authorization", "Bearer "+person); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a person's token reads the directory: %s", res.Status)
	}
	c.Advance(oktaTokenLife)
	if res := get(t, b, f.at(adaGroups), "Authorization", "Bearer "+access); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("after an hour: %s", res.Status)
	}
	custom := f.endpoint("default", "token")
	for name, row := range map[string]struct {
		at    string
		form  url.Values
		m     Misbehaviour
		error string
	}{
		"a scope that was not granted": {at, serviceRequest(t, c, key, at, "scope", "okta.users.manage"), "", "invalid_scope"},
		"no scope":                     {at, serviceRequest(t, c, key, at, "scope", ""), "", "invalid_scope"},
		"a custom server":              {custom, serviceRequest(t, c, key, custom), "", "invalid_scope"},
		"the audience of another":      {at, serviceRequest(t, c, key, custom), "", "invalid_client"},
		"a secret": {at, serviceRequest(t, c, key, at, "client_assertion", "", "client_assertion_type", "", "client_secret", clientSecret),
			"", "invalid_client"},
		"the web application": {at, url.Values{"grant_type": {"client_credentials"}, "scope": {"okta.users.read"}, "client_id": {clientID}, "client_secret": {clientSecret}},
			"", "unauthorized_client"},
		"possession to be proven": {at, serviceRequest(t, c, key, at), OktaDPoPRequired, "invalid_dpop_proof"},
	} {
		f.MisbehaveOnce(row.m)
		if got := post(t, b, row.at, row.form).json(t)["error"]; got != row.error {
			t.Errorf("%s: got %v, want %s", name, got, row.error)
		}
		f.Behave()
	}
}

func TestOktaCustomDomain(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]struct{ atOrg, atCustom string }{
		OktaIssuerOrg:     {"org", "org"},
		OktaIssuerCustom:  {"custom", "custom"},
		OktaIssuerDynamic: {"org", "custom"},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			f := newOkta(t, newClock(), func(o *Options) { o.Okta.IssuerMode = mode })
			custom := strings.Replace(f.URL(), "127.0.0.1", "localhost", 1)
			f.SetCustomDomain(custom)
			names := map[string]string{"org": f.URL(), "custom": custom}
			b := browser(t)
			for base, name := range map[string]string{f.URL(): want.atOrg, custom: want.atCustom} {
				doc := get(t, b, base+"/.well-known/openid-configuration?client_id="+clientID).json(t)
				if doc["issuer"] != names[name] || !strings.HasPrefix(doc["token_endpoint"].(string), base+"/oauth2/v1/") {
					t.Errorf("at %s: issuer %v, token endpoint %v", base, doc["issuer"], doc["token_endpoint"])
				}
				// Without the client nobody knows its mode: the host decides.
				if doc := get(t, b, base+"/.well-known/openid-configuration").json(t); doc["issuer"] != base {
					t.Errorf("at %s without a client: issuer %v", base, doc["issuer"])
				}
				back := get(t, b, doc["authorization_endpoint"].(string)+"?"+authRequest("openid").Encode()).location(t)
				tokens := post(t, b, doc["token_endpoint"].(string), codeRequest(back.Get("code"))).json(t)
				if claims := verify(t, get(t, b, doc["jwks_uri"].(string)).body, tokens["id_token"]); claims["iss"] != names[name] {
					t.Errorf("at %s: the token's issuer is %v", base, claims["iss"])
				}
			}
		})
	}
}
