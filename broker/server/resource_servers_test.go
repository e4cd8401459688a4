package server_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/internal/brokertest"
)

// apis is a world with two resource servers, a program that acts for itself, and an
// application that may use the APIs in somebody's name.
func apis(t *testing.T) *brokertest.Broker {
	t.Helper()
	client := func(id, more string) string {
		return "  - {client_id: " + id + ", client_secret: " + brokertest.Secret(id) + ", " + more + "}\n"
	}
	return brokertest.New(t, brokertest.Options{
		Clients: client("wiki", "redirect_uris: ['"+brokertest.RedirectURI("wiki")+"'], skip_consent: true, scope: 'openid email offline_access orders.read stock.read'") +
			client("shop", "redirect_uris: ['"+brokertest.RedirectURI("shop")+"'], skip_consent: true") +
			client("robot", "grant_types: [client_credentials], scope: 'orders.read orders.write'") +
			client("orders", "grant_types: []") + client("stock", "grant_types: []") +
			"  - {client_id: cli, token_endpoint_auth_method: none, redirect_uris: ['http://127.0.0.1/callback'], skip_consent: true}\n",
		Config: `resources:
  - {resource: "https://orders.example", client: orders, scopes: [orders.read, orders.write]}
  - {resource: "https://stock.example", client: stock, scopes: [stock.read]}
`})
}

// askAs asks an endpoint as a client.
func askAs(t *testing.T, b *brokertest.Broker, path, client string, pairs ...string) brokertest.Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Issuer+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	form := with(url.Values{}, pairs...)
	switch client {
	case "":
	case brokertest.CLI:
		form.Set("client_id", client)
	default:
		request.SetBasicAuth(client, brokertest.Secret(client))
	}
	return b.Program(t, request, form)
}

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// isInactive asserts RFC 7662 §2.2: exactly {"active":false}.
func isInactive(t *testing.T, name string, a brokertest.Answer) {
	t.Helper()
	if a.Status != 200 || len(a.Body) != 1 || a.Body["active"] != false || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: %d %v", name, a.Status, a.Body)
	}
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	b := apis(t)
	commits := b.Store.Commits()
	ask := func(client string, pairs ...string) brokertest.Answer {
		return askAs(t, b, "/token", client, append([]string{"grant_type", "client_credentials"}, pairs...)...)
	}
	a := ask("robot")
	claims := claimsOf(t, a.Text("access_token"))
	if a.Status != 200 || a.Text("scope") != "orders.read orders.write" || a.Text("token_type") != "Bearer" || a.Body["expires_in"] != 900.0 ||
		a.Text("refresh_token") != "" || a.Text("id_token") != "" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	if claims["sub"] != "robot" || claims["client_id"] != "robot" || claims["aud"] != "https://orders.example" || claims["grant_id"] != nil || claims["auth_time"] != nil {
		t.Errorf("%v", claims)
	}
	if a := ask("robot", "scope", "orders.read", "resource", "https://orders.example"); a.Text("scope") != "orders.read" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	isError(t, "a scope that is not registered", ask("robot", "scope", "stock.read"), 400, "invalid_scope")
	isError(t, "a scope about a person", ask("robot", "scope", "openid"), 400, "invalid_scope")
	isError(t, "offline_access", ask("robot", "scope", "orders.read offline_access"), 400, "invalid_scope")
	isError(t, "TK-11 another resource", ask("robot", "resource", "https://stock.example"), 400, "invalid_target")
	isError(t, "TK-11 an unknown resource", ask("robot", "resource", "https://evil.example"), 400, "invalid_target")
	isError(t, "a client for people", ask("wiki"), 400, "unauthorized_client")
	isError(t, "a resource server", ask("orders"), 400, "unauthorized_client")
	isError(t, "a public client", ask("cli"), 400, "unauthorized_client")
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("%d commits", n)
	}
	// TK-24: nobody's userinfo.
	if a := b.UserInfo(t, a.Text("access_token")); a.Status != 401 || a.Error() != "invalid_token" {
		t.Errorf("userinfo: %d %v", a.Status, a.Body)
	}
	// I6: turned off, its tokens are dead, and stay so when it is turned on again.
	token := a.Text("access_token")
	if a := askAs(t, b, "/introspect", "orders", "token", token); a.Body["active"] != true || a.Text("sub") != "robot" || a.Text("client_id") != "robot" {
		t.Errorf("%v", a.Body)
	}
	for _, off := range []bool{true, false} {
		if err := b.Store.SetSwitch(t.Context(), broker.ClientSwitch, "robot", off, broker.Event{}); err != nil {
			t.Fatal(err)
		}
		isInactive(t, "I6", askAs(t, b, "/introspect", "orders", "token", token))
		if off {
			isError(t, "I5: turned off", ask("robot"), 400, "unauthorized_client")
		} else if a := ask("robot"); a.Status != 200 {
			t.Errorf("turned on: %v", a.Body)
		}
	}
}

// RFC 8707 §2.2, RFC 9068 §5: a token for one API is not good at another.
func TestTokensAreForTheResourceServersTheirScopesBelongTo(t *testing.T) {
	t.Parallel()
	b := apis(t)
	first := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access orders.read stock.read"))
	aud, _ := claimsOf(t, first.Text("access_token"))["aud"].([]any)
	if !slices.Equal(aud, []any{b.Issuer, "https://orders.example", "https://stock.example"}) || first.Text("scope") != "openid offline_access orders.read stock.read" {
		t.Errorf("%v with %v", aud, first.Body)
	}
	narrow := b.Token(t, "wiki", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Text("refresh_token")}, "resource": {"https://stock.example"}})
	if claims := claimsOf(t, narrow.Text("access_token")); claims["aud"] != "https://stock.example" || claims["scope"] != "stock.read" || narrow.Text("scope") != "stock.read" {
		t.Errorf("%v of %v", claims, narrow.Body)
	}
	if a := b.UserInfo(t, narrow.Text("access_token")); a.Status != 401 {
		t.Errorf("the broker takes a token for the stock: %d", a.Status)
	}
	token := narrow.Text("refresh_token")
	commits := b.Store.Commits()
	isError(t, "TK-11 an unknown resource", b.Token(t, "wiki", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "resource": {"https://evil.example"}}), 400, "invalid_target")
	isError(t, "TK-11 one beside a good one", b.Token(t, "wiki", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "resource": {"https://stock.example", "https://evil.example"}}), 400, "invalid_target")
	if b.Store.Commits() != commits {
		t.Error("I12: a refusal was committed")
	}
	if a := b.Refresh(t, "wiki", token); a.Text("scope") != "openid offline_access orders.read stock.read" {
		t.Errorf("the next refresh is narrowed too: %v", a.Body)
	}
	// "All scopes" of a client that lists none are the broker's own.
	if a := b.Redeem(t, "shop", b.Browser(t).Code("shop", "scope", "openid orders.read")); a.Text("scope") != "openid" {
		t.Errorf("an application got an API's scope: %v", a.Body)
	}
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	b := apis(t)
	tokens := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access orders.read"))
	access, refresh := tokens.Text("access_token"), tokens.Text("refresh_token")
	claims := claimsOf(t, access)
	for _, client := range []string{"orders", "wiki"} {
		a := askAs(t, b, "/introspect", client, "token", access, "token_type_hint", "refresh_token")
		if a.Status != 200 || a.Body["active"] != true || a.Text("sub") != claims["sub"] || a.Text("client_id") != "wiki" || a.Text("scope") != "openid offline_access orders.read" ||
			a.Text("iss") != b.Issuer || a.Text("token_type") != "Bearer" || a.Body["exp"] != claims["exp"] || a.Body["iat"] != claims["iat"] || a.Body["auth_time"] != claims["auth_time"] || a.Text("jti") != claims["jti"] {
			t.Errorf("%s: %d %v", client, a.Status, a.Body)
		}
	}
	if a := askAs(t, b, "/introspect", "wiki", "token", refresh); a.Body["active"] != true || a.Text("client_id") != "wiki" || a.Text("token_type") != "" {
		t.Errorf("the client's refresh token: %v", a.Body)
	}
	// TK-16: everybody else, and everything else.
	commits := b.Store.Commits()
	isInactive(t, "an API it is not for", askAs(t, b, "/introspect", "stock", "token", access))
	isInactive(t, "another client", askAs(t, b, "/introspect", "shop", "token", access))
	isInactive(t, "a refresh token at the API", askAs(t, b, "/introspect", "orders", "token", refresh))
	isInactive(t, "an ID token", askAs(t, b, "/introspect", "wiki", "token", tokens.Text("id_token")))
	for name, token := range map[string]string{"TK-17 shortened": access[:len(access)-1], "TK-17 prolonged": access + "A", "TK-17 a refresh token in capitals": strings.ToUpper(refresh), "nonsense": "x",
		"large": strings.Repeat("x", 40<<10)} {
		isInactive(t, name, askAs(t, b, "/introspect", "wiki", "token", token))
	}
	isError(t, "nobody", askAs(t, b, "/introspect", "", "token", access), 401, "invalid_client")
	isError(t, "a public client", askAs(t, b, "/introspect", "cli", "token", access), 401, "invalid_client")
	isError(t, "no token", askAs(t, b, "/introspect", "orders"), 400, "invalid_request")
	isError(t, "TK-18 a token in the URL", askAs(t, b, "/introspect?token="+access, "orders"), 400, "invalid_request")
	if b.Store.Commits() != commits {
		t.Error("asking was committed")
	}
	if a := askAs(t, b, "/introspect", "orders"); strings.Contains(b.Log.String(), access) {
		t.Errorf("the token is in the log: %v", a.Body)
	}
	b.Clock.Advance(15 * time.Minute)
	isInactive(t, "after its end", askAs(t, b, "/introspect", "orders", "token", access))
	next := b.Refresh(t, "wiki", refresh)
	isInactive(t, "a spent refresh token", askAs(t, b, "/introspect", "wiki", "token", refresh))
	access = next.Text("access_token")
	grant, _ := claimsOf(t, access)["grant_id"].(string)
	if err := b.Store.RevokeGrant(t.Context(), grant, broker.Event{}); err != nil {
		t.Fatal(err)
	}
	isInactive(t, "of a revoked grant, at once", askAs(t, b, "/introspect", "orders", "token", access))
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	b := apis(t)
	sign := func() (access, refresh string) {
		tokens := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access orders.read"))
		return tokens.Text("access_token"), tokens.Text("refresh_token")
	}
	access, refresh := sign()
	active := func(token string) bool {
		return askAs(t, b, "/introspect", "wiki", "token", token).Body["active"] == true
	}
	revoke := func(client, token string) {
		t.Helper()
		if a := askAs(t, b, "/revoke", client, "token", token); a.Status != 200 || len(a.Body) != 0 {
			t.Errorf("%d %v", a.Status, a.Body)
		}
	}
	// TK-15: somebody else's and unknown ones are answered alike, and nothing happens.
	commits := b.Store.Commits()
	for _, client := range []string{"shop", "orders", "cli"} {
		revoke(client, access)
		revoke(client, refresh)
	}
	revoke("wiki", "nonsense")
	isError(t, "nobody", askAs(t, b, "/revoke", "", "token", access), 401, "invalid_client")
	isError(t, "no token", askAs(t, b, "/revoke", "wiki"), 400, "invalid_request")
	if b.Store.Commits() != commits || !active(access) || !active(refresh) {
		t.Error("a token was revoked by somebody else")
	}
	// One access token, and no other (RFC 7009 §2.1).
	revoke("wiki", access)
	revoke("wiki", access)
	if active(access) || b.UserInfo(t, access).Status != 401 || b.Store.Commits() != commits+1 {
		t.Errorf("the access token lives, or %d commits", b.Store.Commits()-commits)
	}
	next := b.Refresh(t, "wiki", refresh)
	if next.Status != 200 || !active(next.Text("access_token")) {
		t.Errorf("more than the one token was revoked: %v", next.Body)
	}
	// A refresh token takes its grant with it.
	revoke("wiki", next.Text("refresh_token"))
	if active(next.Text("access_token")) || b.UserInfo(t, next.Text("access_token")).Status != 401 {
		t.Error("an access token outlives its grant")
	}
	isError(t, "the revoked refresh token", b.Refresh(t, "wiki", next.Text("refresh_token")), 400, "invalid_grant")
	// A client's own.
	robot := askAs(t, b, "/token", "robot", "grant_type", "client_credentials").Text("access_token")
	revoke("robot", robot)
	isInactive(t, "a client's own token", askAs(t, b, "/introspect", "orders", "token", robot))
	// A public client's.
	mine := b.Redeem(t, "cli", b.Browser(t).Code("cli")).Text("access_token")
	revoke("cli", mine)
	if b.UserInfo(t, mine).Status != 401 {
		t.Error("a public client cannot revoke its token")
	}
}
