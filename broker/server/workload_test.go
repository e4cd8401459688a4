package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/internal/brokertest"
	"gatehouse/internal/jwttest"
)

// ci is a CI system: it signs JWTs about its workloads and publishes its keys.
type ci struct {
	*httptest.Server
	key     *ecdsa.PrivateKey
	kid     atomic.Value
	down    atomic.Bool
	fetches atomic.Int32
}

func newCI(t testing.TB) *ci {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &ci{key: key}
	c.kid.Store("one")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": c.URL, "jwks_uri": c.URL + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		c.fetches.Add(1)
		if c.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: c.kid.Load().(string), Use: "sig", Key: key.Public()}}})
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

// sign makes a JWT with the claims; nil removes one.
func (c *ci) sign(t testing.TB, b *brokertest.Broker, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{"iss": c.URL, "aud": b.Issuer, "sub": "repo:acme/app:ref:refs/heads/main", "repository": "acme/app", "jti": "1",
		"iat": b.Clock.Now().Unix(), "exp": b.Clock.Now().Add(10 * time.Minute).Unix()}
	maps.Copy(claims, changes)
	for name, value := range claims {
		if value == nil {
			delete(claims, name)
		}
	}
	return jwttest.Sign(t, jwttest.Key{Algorithm: jose.ES256, ID: c.kid.Load().(string), Type: "JWT", Key: c.key}, claims)
}

// workloads is a world with one CI system: "ci" is a public client, because a job
// has no secret of ours, "deploy" one that keeps a secret.
func workloads(t *testing.T, c *ci, more string) *brokertest.Broker {
	t.Helper()
	return brokertest.New(t, workloadOptions(c, more))
}

func workloadOptions(c *ci, more string) brokertest.Options {
	const both = "grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange', 'urn:ietf:params:oauth:grant-type:jwt-bearer', client_credentials]"
	return brokertest.Options{
		Clients: `
  - {client_id: ci, token_endpoint_auth_method: none, grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange', 'urn:ietf:params:oauth:grant-type:jwt-bearer'], scope: 'orders.read orders.write'}
  - {client_id: deploy, client_secret: deploy-secret, ` + both + `, token_exchange: {actors: true}, scope: 'orders.read stock.read'}
  - {client_id: orders, client_secret: orders-secret, grant_types: []}
  - {client_id: robot, client_secret: robot-secret, grant_types: [client_credentials], scope: orders.read}
  - {client_id: other, client_secret: other-secret, ` + both + `, token_exchange: {people: true}, scope: orders.read}
  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true}
`,
		Config: fmt.Sprintf(`limits: off
signing: {id_token: ES256, access_token: ES256}
resources:
  - {resource: "https://orders.example", client: orders, scopes: [orders.read, orders.write, orders.admin]}
  - {resource: "https://mirror.example", scopes: [orders.read]}
  - {resource: "https://stock.example", scopes: [stock.read]}
external_issuers:
  - id: forge
    issuer: %q
    claims: {sub: "repo:acme/*:ref:refs/heads/main", repository: [acme/app, acme/lib]}
    clients: [ci, deploy]
    scopes: [orders.read, orders.write, orders.admin]
    resources: ["https://orders.example"]
    max_lifetime: 5m
%s  - {id: elsewhere, issuer: "https://elsewhere.example", claims: {sub: x}, clients: [other], scopes: [orders.read]}
`, c.URL, more),
	}
}

// presents has a client present a JWT under both grants; each has its own error.
func presents(t *testing.T, b *brokertest.Broker, client, raw string, pairs ...string) map[string]brokertest.Answer {
	t.Helper()
	login := []string{}
	if client == "ci" {
		login = []string{"client_id", "ci"}
		client = ""
	}
	return map[string]brokertest.Answer{
		"invalid_request": askAs(t, b, "/token", client, append(append(login, "grant_type", string(oauth.GrantTypeTokenExchange), "subject_token", raw, "subject_token_type", idTokenType), pairs...)...),
		"invalid_grant":   askAs(t, b, "/token", client, append(append(login, "grant_type", string(oauth.GrantTypeJWTBearer), "assertion", raw), pairs...)...),
	}
}

// RFC 8693 §2.1, RFC 7523 §2.1: a job of a CI system gets a token without a secret.
func TestWorkloadsGetTokens(t *testing.T) {
	t.Parallel()
	c := newCI(t)
	b := workloads(t, c, "")
	commits := b.Store.Commits()
	for refusal, a := range presents(t, b, "ci", c.sign(t, b, nil), "scope", "orders.read") {
		if a.Status != 200 || a.Text("token_type") != "Bearer" || a.Text("scope") != "orders.read" || a.Body["expires_in"] != 300.0 || a.Text("refresh_token") != "" || a.Text("id_token") != "" ||
			(a.Text("issued_token_type") == accessTokenType) != (refusal == "invalid_request") {
			t.Fatalf("%s: %d %v", refusal, a.Status, a.Body)
		}
		claims := claimsOf(t, a.Text("access_token"))
		if claims["sub"] != "forge:repo:acme/app:ref:refs/heads/main" || claims["client_id"] != "ci" || claims["aud"] != "https://orders.example" || claims["external_issuer"] != "forge" ||
			claims["grant_id"] != nil || claims["auth_time"] != nil {
			t.Errorf("%v", claims)
		}
		got := askAs(t, b, "/introspect", "orders", "token", a.Text("access_token"))
		if got.Body["active"] != true || got.Text("sub") != claims["sub"] || got.Text("client_id") != "ci" || got.Text("scope") != "orders.read" {
			t.Errorf("%v", got.Body)
		}
		if got := b.UserInfo(t, a.Text("access_token")); got.Status != 401 { // TK-24
			t.Errorf("userinfo: %d", got.Status)
		}
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("%d commits", n)
	}
	if n := c.fetches.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
	// A JWT may be called one, and somebody may act for the workload (§4.1).
	a := askAs(t, b, "/token", "deploy", "grant_type", string(oauth.GrantTypeTokenExchange), "subject_token", c.sign(t, b, nil), "subject_token_type", jwtType, "scope", "orders.read",
		"actor_token", own(t, b, "deploy"), "actor_token_type", accessTokenType)
	if act, _ := claimsOf(t, a.Text("access_token"))["act"].(map[string]any); a.Status != 200 || act["sub"] != "deploy" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	// No longer than the JWT.
	short := c.sign(t, b, map[string]any{"exp": b.Clock.Now().Add(time.Minute).Unix()})
	for _, a := range presents(t, b, "ci", short) {
		if a.Body["expires_in"] != 60.0 || a.Text("scope") != "orders.read orders.write" {
			t.Errorf("%v", a.Body)
		}
	}
	for name, row := range map[string]struct {
		pairs []string
		code  string
	}{
		"TX-05 a scope that the client lacks":    {[]string{"scope", "orders.admin"}, "invalid_scope"},
		"TX-05 a scope that the issuer lacks":    {[]string{"scope", "stock.read"}, "invalid_scope"},
		"TX-05 a scope about a person":           {[]string{"scope", "openid"}, "invalid_scope"},
		"TX-05 offline_access":                   {[]string{"scope", "offline_access"}, "invalid_scope"},
		"TX-01 a resource the issuer is not for": {[]string{"resource", "https://mirror.example"}, "invalid_target"},
		"TX-01 the broker itself":                {[]string{"resource", b.Issuer}, "invalid_target"},
	} {
		for _, client := range []string{"ci", "deploy"} {
			for _, a := range presents(t, b, client, c.sign(t, b, nil), row.pairs...) {
				isError(t, name, a, 400, row.code)
			}
		}
	}
}

// TX-02, JW-01..07: what is not believed.
func TestTX02JWTsOfWorkloadsThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	c, evil := newCI(t), newCI(t)
	b := workloads(t, c, "")
	now := b.Clock.Now()
	for name, changes := range map[string]map[string]any{
		"another issuer":                 {"iss": evil.URL},
		"JW-07 another audience":         {"aud": "https://elsewhere.example"},
		"JW-07 no audience":              {"aud": nil},
		"JW-06 no exp":                   {"exp": nil},
		"JW-06 expired":                  {"exp": now.Add(-31 * time.Second).Unix()},
		"JW-06 expired, within the skew": {"exp": now.Add(-time.Second).Unix()},
		"JW-06 good for too long":        {"exp": now.Add(25 * time.Hour).Unix()},
		"JW-06 no iat":                   {"iat": nil},
		"JW-06 issued too long ago":      {"iat": now.Add(-62 * time.Minute).Unix()},
		"JW-06 issued in the future":     {"iat": now.Add(time.Minute).Unix()},
		"JW-06 not yet":                  {"nbf": now.Add(time.Minute).Unix()},
		"no sub":                         {"sub": nil},
		"another branch":                 {"sub": "repo:acme/app:ref:refs/heads/evil"},
		"another owner":                  {"sub": "repo:evil/app:ref:refs/heads/main"},
		"a name that has the rest in it": {"sub": "repo:acme/app:environment:x:ref:refs/heads/main"},
		"another repository":             {"repository": "acme/evil"},
		"no repository":                  {"repository": nil},
		"a list of repositories":         {"repository": []string{"acme/app"}},
		"a subject that is no sub":       {"sub": "repo:acme/\u00e4pp:ref:refs/heads/main"},
	} {
		for code, a := range presents(t, b, "ci", c.sign(t, b, changes)) {
			isError(t, name, a, 400, code)
		}
	}
	forged := evil.sign(t, b, map[string]any{"iss": c.URL})
	for code, a := range presents(t, b, "ci", forged) {
		isError(t, "a signature of somebody else under the same kid", a, 400, code)
	}
	for code, a := range presents(t, b, "other", c.sign(t, b, nil)) {
		isError(t, "TX-01 a client that the issuer does not name", a, 400, code)
	}
	for _, a := range presents(t, b, "robot", c.sign(t, b, nil)) {
		isError(t, "TX-01 a client without the grants", a, 400, "unauthorized_client")
	}
	person := b.Redeem(t, "wiki", b.Browser(t).Code("wiki"))
	for name, raw := range map[string]string{"JW-05 our ID token": person.Text("id_token"), "JW-05 our access token": person.Text("access_token"), "nonsense": "x", "JW-10 dots": strings.Repeat(".", 50000), "JW-01 unsigned": "eyJhbGciOiJub25lIn0.e30."} {
		for code, a := range presents(t, b, "ci", raw) {
			isError(t, name, a, 400, code)
		}
	}
	isError(t, "no assertion", askAs(t, b, "/token", "deploy", "grant_type", string(oauth.GrantTypeJWTBearer)), 400, "invalid_request")
	isError(t, "a public client has no tokens of people", askAs(t, b, "/token", "", "client_id", "ci", "grant_type", string(oauth.GrantTypeTokenExchange), "subject_token", person.Text("access_token"), "subject_token_type", accessTokenType), 400, "unauthorized_client")
}

// I6: tokens of workloads die with the client, and with the entry of their issuer.
func TestTokensOfWorkloadsDie(t *testing.T) {
	t.Parallel()
	c := newCI(t)
	b := workloads(t, c, "")
	issue := func() string {
		return presents(t, b, "deploy", c.sign(t, b, nil), "scope", "orders.read")["invalid_grant"].Text("access_token")
	}
	active := func(token string) bool {
		return askAs(t, b, "/introspect", "orders", "token", token).Body["active"] == true
	}
	token := issue()
	if !active(token) {
		t.Fatal("dead from the start")
	}
	for _, a := range []brokertest.Answer{
		askAs(t, b, "/token", "deploy", "grant_type", string(oauth.GrantTypeTokenExchange), "subject_token", token, "subject_token_type", accessTokenType),
		askAs(t, b, "/token", "other", "grant_type", string(oauth.GrantTypeTokenExchange), "subject_token", token, "subject_token_type", accessTokenType)} {
		if a.Status != 400 || a.Text("access_token") != "" {
			t.Errorf("exchanged again: %v", a.Body)
		}
	}
	askAs(t, b, "/revoke", "deploy", "token", token)
	if active(token) {
		t.Error("revoked, and lives")
	}
	token = issue()
	for _, off := range []bool{true, false} {
		must(t, b.Store.SetSwitch(t.Context(), broker.ClientSwitch, "deploy", off, broker.Event{}))
		if active(token) {
			t.Error("I6: it outlives its client")
		}
		if off {
			for _, a := range presents(t, b, "deploy", c.sign(t, b, nil)) {
				isError(t, "I5: turned off", a, 400, "unauthorized_client")
			}
		}
	}
	token = issue()
	without := workloadOptions(c, "")
	without.Config = "resources:\n  - {resource: 'https://orders.example', client: orders, scopes: [orders.read, orders.write, orders.admin, stock.read]}\n" +
		"external_issuers:\n  - {id: elsewhere, issuer: 'https://elsewhere.example', claims: {sub: x}, clients: [ci, deploy, other], scopes: [orders.read]}\nsigning: {id_token: ES256, access_token: ES256}\nlimits: off\n"
	must(t, b.Reload(t, without))
	if active(token) {
		t.Error("it outlives the entry of its issuer")
	}
}

// A JWT that is taken once: RFC 7523 §3 (7), with one commit for it.
func TestJWTsThatAreTakenOnce(t *testing.T) {
	t.Parallel()
	c, single := newCI(t), newCI(t)
	b := workloads(t, c, fmt.Sprintf("  - {id: single, issuer: %q, once: true, claims: {repository: 'acme/**'}, clients: [deploy], scopes: [orders.read]}\n", single.URL))
	ask := func(changes map[string]any) brokertest.Answer {
		return askAs(t, b, "/token", "deploy", "grant_type", string(oauth.GrantTypeJWTBearer), "assertion", single.sign(t, b, changes))
	}
	isError(t, "without a jti", ask(map[string]any{"jti": nil}), 400, "invalid_grant")
	commits := b.Store.Commits()
	if a := ask(nil); a.Status != 200 || b.Store.Commits() != commits+1 {
		t.Errorf("%d %v, %d commits", a.Status, a.Body, b.Store.Commits()-commits)
	}
	isError(t, "again", ask(nil), 400, "invalid_grant")
	isError(t, "again in other words", ask(map[string]any{"more": true}), 400, "invalid_grant")
	if a := ask(map[string]any{"jti": "2"}); a.Status != 200 {
		t.Errorf("the next: %v", a.Body)
	}
}

// Keys are fetched when one is not known, but not all the time.
func TestKeysOfExternalIssuers(t *testing.T) {
	t.Parallel()
	c := newCI(t)
	b := workloads(t, c, "")
	ask := func(raw string) brokertest.Answer {
		return askAs(t, b, "/token", "deploy", "grant_type", string(oauth.GrantTypeJWTBearer), "assertion", raw)
	}
	c.down.Store(true)
	isError(t, "its keys cannot be had", ask(c.sign(t, b, nil)), 503, "temporarily_unavailable")
	c.down.Store(false)
	b.Clock.Advance(time.Minute)
	for range 3 {
		if a := ask(c.sign(t, b, nil)); a.Status != 200 {
			t.Fatalf("%v", a.Body)
		}
	}
	fetched := c.fetches.Load()
	c.kid.Store("two")
	b.Clock.Advance(time.Minute)
	if a := ask(c.sign(t, b, nil)); a.Status != 200 || c.fetches.Load() != fetched+1 {
		t.Errorf("rotated: %v after %d fetches", a.Body, c.fetches.Load()-fetched)
	}
	raw := c.sign(t, b, nil)
	c.kid.Store("three")
	unknown := c.sign(t, b, nil)
	c.kid.Store("two")
	for range 20 {
		isError(t, "JW-04 a kid that is not there", ask(unknown), 400, "invalid_grant")
	}
	if n := c.fetches.Load() - fetched; n > 2 {
		t.Errorf("%d fetches for one unknown kid", n)
	}
	if a := ask(raw); a.Status != 200 {
		t.Errorf("%v", a.Body)
	}
}
