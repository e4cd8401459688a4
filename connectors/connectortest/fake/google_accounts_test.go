package fake

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// accountSigned signs claims as the service account, with Google's key or another.
func accountSigned(t *testing.T, claims map[string]any, place int) string {
	t.Helper()
	key, err := pool.key("RS256", place)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jws(map[string]any{"alg": "RS256", "kid": googleKeyID}, payload, signedBy(key))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestGoogleAssertions(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newGoogle(t, c, nil)
	now := c.Now().Unix()
	base := func(change func(map[string]any)) map[string]any {
		claims := map[string]any{
			"iss": GoogleServiceAccount, "sub": "admin@example.com", "scope": googleDirectoryRead, "aud": f.at("/token"), "iat": now, "exp": now + 3600,
		}
		if change != nil {
			change(claims)
		}
		return claims
	}
	set := func(name string, value any) func(map[string]any) {
		return func(claims map[string]any) { claims[name] = value }
	}
	for _, row := range []struct {
		name   string
		change func(map[string]any)
		place  int
		m      Misbehaviour
		status int
		code   string
	}{
		{"as an administrator", nil, secondKey, "", 200, ""},
		{"as itself", func(claims map[string]any) { delete(claims, "sub") }, secondKey, "", 200, ""},
		{"by another key", nil, foreignKey, "", 400, "invalid_grant"},
		{"of another account", set("iss", "other@fixture-project.iam.gserviceaccount.com"), secondKey, "", 400, "invalid_grant"},
		{"for another endpoint", set("aud", "https://oauth2.googleapis.com/token"), secondKey, "", 400, "invalid_grant"},
		{"for more than an hour", set("exp", now+3601), secondKey, "", 400, "invalid_grant"},
		{"of the past", func(claims map[string]any) { claims["iat"], claims["exp"] = now-7200, now-3600 }, secondKey, "", 400, "invalid_grant"},
		{"of the future", func(claims map[string]any) { claims["iat"], claims["exp"] = now+600, now+4000 }, secondKey, "", 400, "invalid_grant"},
		{"for no scope", set("scope", ""), secondKey, "", 400, "invalid_scope"},
		{"as nobody", set("sub", "nobody@example.com"), secondKey, "", 400, "invalid_grant"},
		{"for a scope that is not delegated", set("scope", googleCloudScope), secondKey, "", 401, "unauthorized_client"},
		{"without delegation", nil, secondKey, GoogleNoDelegation, 401, "unauthorized_client"},
	} {
		f.MisbehaveOnce(row.m)
		form := url.Values{"grant_type": {googleJWTBearer}, "assertion": {accountSigned(t, base(row.change), row.place)}}
		res := post(t, browser(t), f.at("/token"), form)
		doc := res.json(t)
		if res.StatusCode != row.status || row.code != "" && doc["error"] != row.code {
			t.Errorf("%s: %d %s", row.name, res.StatusCode, res.body)
		}
		if row.m != "" {
			sameMembers(t, fixture(t, "google/error_dwd_unauthorized_client.json"), doc)
		}
	}
	for _, r := range f.Requests() {
		if r.Form.Get("assertion") != "(secret)" {
			t.Errorf("the record keeps the assertion: %v", r.Form)
		}
	}
}

func TestGoogleKeyFile(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	content, err := GoogleKeyFile(pool, f.URL(), false)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]string
	if err := json.Unmarshal(content, &doc); err != nil || doc["type"] != "service_account" || doc["token_uri"] != f.at("/token") {
		t.Errorf("got %s (%v)", content, err)
	}
}

func TestGoogleWithoutAKey(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newGoogle(t, c, nil)
	b := browser(t)
	if res := get(t, b, f.at(googleWorkloadPath)); res.StatusCode != http.StatusForbidden {
		t.Errorf("the platform's token for anybody: %d", res.StatusCode)
	}
	own := get(t, b, f.at(googleWorkloadPath), googleWorkloadHeader, "x").json(t)["id_token"].(string)
	exchange := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "audience": {googleAudience}, "scope": {googleCloudScope}, "subject_token": {own},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
	}
	for name, code := range map[string]string{"audience": "invalid_target", "subject_token": "invalid_grant", "grant_type": "invalid_request"} {
		wrong := url.Values{}
		for k, v := range exchange {
			wrong[k] = v
		}
		wrong.Set(name, "another")
		if res := post(t, b, f.at("/v1/token"), wrong); res.StatusCode != 400 || res.json(t)["error"] != code {
			t.Errorf("another %s: %d %s", name, res.StatusCode, res.body)
		}
	}
	federated := "Bearer " + post(t, b, f.at("/v1/token"), exchange).json(t)["access_token"].(string)

	payload, err := json.Marshal(map[string]any{"iss": GoogleServiceAccount, "exp": c.Now().Add(time.Hour).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"payload": string(payload)})
	if err != nil {
		t.Fatal(err)
	}
	account := "/v1/projects/-/serviceAccounts/" + GoogleServiceAccount
	call := func(path, token, body string) reply {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.at(path), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", token)
		return do(t, b, req)
	}
	var claims googleAssertion
	if signed, _ := call(account+":signJwt", federated, string(body)).json(t)["signedJwt"].(string); !f.signedByAccount(signed, &claims) {
		t.Error("the signature is not the account's")
	}
	if doc := call(account+":generateAccessToken", federated, `{"scope":["`+googleGroupsScope+`"]}`).json(t); doc["expireTime"] != "2026-11-20T01:00:00Z" {
		t.Errorf("generateAccessToken: %v", doc)
	}
	for _, row := range []struct {
		name, path, token, body string
		status                  int
	}{
		{"no token", account + ":signJwt", "Bearer x", string(body), 401},
		{"a token for other things", account + ":signJwt", f.serviceToken("", googleGroupsScope), string(body), 403},
		{"another account", "/v1/projects/-/serviceAccounts/other@x.example:signJwt", federated, string(body), 404},
		{"a payload without an end", account + ":signJwt", federated, `{"payload":"{}"}`, 400},
		{"an unknown verb", account + ":signBlob", federated, `{}`, 400},
		{"no scope", account + ":generateAccessToken", federated, `{}`, 400},
	} {
		if res := call(row.path, row.token, row.body); res.StatusCode != row.status {
			t.Errorf("%s: %d %s", row.name, res.StatusCode, res.body)
		}
	}
}

func TestGoogleMetadataServer(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	b := browser(t)
	if res := get(t, b, f.at(googleMetadataPath+"email")); res.StatusCode != http.StatusForbidden {
		t.Errorf("without the header: %d", res.StatusCode)
	}
	if res := get(t, b, f.at(googleMetadataPath+"email"), "Metadata-Flavor", "Google"); res.body != GoogleServiceAccount || res.Header.Get("Metadata-Flavor") != "Google" {
		t.Errorf("email: %s", res.body)
	}
	token := get(t, b, f.at(googleMetadataPath+"token?scopes="+url.QueryEscape(googleGroupsScope)), "Metadata-Flavor", "Google").json(t)["access_token"].(string)
	if c, ok := f.service.find(token, f.opts.Now()); !ok || !c.account || c.scopes[0] != googleGroupsScope {
		t.Errorf("the token is for %v", c)
	}
	f.RevokeServiceTokens()
	if _, ok := f.service.find(token, f.opts.Now()); ok {
		t.Error("the token lives")
	}
	if res := get(t, b, f.at(googleMetadataPath+"identity"), "Metadata-Flavor", "Google"); res.StatusCode != http.StatusNotFound {
		t.Errorf("another question: %d", res.StatusCode)
	}
}
