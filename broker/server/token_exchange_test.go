package server_test

import (
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/internal/brokertest"
)

const (
	accessTokenType = string(oauth.TokenKindAccessToken)
	idTokenType     = string(oauth.TokenKindIDToken)
	jwtType         = string(oauth.TokenKindJWT)
)

// exchanges is a world with an application, two APIs of which the first calls the
// second, and programs that may more or less with tokens of people.
func exchanges(t testing.TB) *brokertest.Broker {
	t.Helper()
	client := func(id, more string) string {
		return "  - {client_id: " + id + ", client_secret: " + brokertest.Secret(id) + ", " + more + "}\n"
	}
	const exchange = "grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange', client_credentials]"
	return brokertest.New(t, brokertest.Options{
		Clients: client("wiki", "redirect_uris: ['"+brokertest.RedirectURI("wiki")+"'], skip_consent: true, may_act: agent, token_exchange: {people: true}, scope: 'openid email offline_access orders.read orders.write stock.read', "+
			"grant_types: [authorization_code, refresh_token, 'urn:ietf:params:oauth:grant-type:token-exchange']") +
			client("orders", exchange+", token_exchange: {people: true, actors: true}, scope: 'openid email orders.read stock.read'") +
			client("stock", exchange+", token_exchange: {people: true, impersonate: true}, scope: 'stock.read'") +
			client("agent", exchange+", token_exchange: {people: true}, scope: 'orders.read stock.read'") +
			client("narrow", exchange+", token_exchange: {people: true, actors: true, impersonate: true}, allow: {groups: ['corp:nobody']}, scope: 'orders.read'") +
			client("robot", "grant_types: [client_credentials], scope: 'orders.read'"),
		Config: `limits: off
signing: {id_token: ES256, access_token: ES256}
resources:
  - {resource: "https://orders.example", client: orders, scopes: [orders.read, orders.write]}
  - {resource: "https://stock.example", client: stock, scopes: [stock.read]}
  - {resource: "https://agent.example", client: agent, scopes: [orders.read]}
  - {resource: "https://narrow.example", client: narrow, scopes: [orders.read]}
`})
}

// exchange asks for a token in exchange for one of ours.
func exchange(t *testing.T, b *brokertest.Broker, client, subject string, pairs ...string) brokertest.Answer {
	t.Helper()
	return askAs(t, b, "/token", client, append([]string{"grant_type", string(oauth.GrantTypeTokenExchange), "subject_token", subject, "subject_token_type", accessTokenType}, pairs...)...)
}

func own(t *testing.T, b *brokertest.Broker, client string) string {
	t.Helper()
	return askAs(t, b, "/token", client, "grant_type", "client_credentials").Text("access_token")
}

// RFC 8693 §1.1, §4.1: an API calls another in somebody's name, and says so.
func TestTokenExchangeDelegates(t *testing.T) {
	t.Parallel()
	b := exchanges(t)
	subject := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid email orders.read stock.read")).Text("access_token")
	commits := b.Store.Commits()
	a := exchange(t, b, "orders", subject, "actor_token", own(t, b, "orders"), "actor_token_type", accessTokenType, "resource", "https://stock.example")
	if a.Status != 200 || a.Text("issued_token_type") != accessTokenType || a.Text("token_type") != "Bearer" || a.Text("scope") != "stock.read" ||
		a.Text("refresh_token") != "" || a.Text("id_token") != "" || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	was, is := claimsOf(t, subject), claimsOf(t, a.Text("access_token"))
	act, _ := is["act"].(map[string]any)
	if is["sub"] != was["sub"] || is["client_id"] != "orders" || is["aud"] != "https://stock.example" || is["grant_id"] != was["grant_id"] || is["auth_time"] != was["auth_time"] ||
		len(act) != 1 || act["sub"] != "orders" || is["jti"] == was["jti"] || is["may_act"] != nil {
		t.Errorf("%v of %v", is, was)
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("%d commits", n)
	}
	for _, client := range []string{"stock", "orders"} {
		got := askAs(t, b, "/introspect", client, "token", a.Text("access_token"))
		if act, _ := got.Body["act"].(map[string]any); got.Body["active"] != true || got.Text("sub") != was["sub"] || got.Text("client_id") != "orders" || act["sub"] != "orders" {
			t.Errorf("%s hears %v", client, got.Body)
		}
	}
	isInactive(t, "TK-16 the application of the grant", askAs(t, b, "/introspect", "wiki", "token", a.Text("access_token")))
	// A JWT is one by either name.
	if a := exchange(t, b, "wiki", subject, "subject_token_type", jwtType, "requested_token_type", jwtType, "audience", "https://stock.example"); a.Status != 200 || a.Text("issued_token_type") != jwtType || a.Text("scope") != "stock.read" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	// The broker takes one that is for it: userinfo.
	for _, row := range []struct {
		scope string
		want  int
	}{{"openid email", 200}, {"stock.read", 401}} {
		token := exchange(t, b, "wiki", subject, "scope", row.scope).Text("access_token")
		if got := b.UserInfo(t, token); got.Status != row.want {
			t.Errorf("userinfo with %s: %d %v", row.scope, got.Status, got.Body)
		}
	}
}

// TX-01: who may exchange what, and for whom.
func TestTX01OnlyWhoMayExchangesAndOnlyForItsOwn(t *testing.T) {
	t.Parallel()
	b := exchanges(t)
	subject := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid orders.read stock.read")).Text("access_token")
	orders := []string{"actor_token", own(t, b, "orders"), "actor_token_type", accessTokenType}
	isError(t, "a client without the grant", exchange(t, b, "robot", subject), 400, "unauthorized_client")
	isError(t, "a resource nobody has", exchange(t, b, "orders", subject, append(orders, "resource", "https://evil.example")...), 400, "invalid_target")
	isError(t, "an audience nobody has", exchange(t, b, "orders", subject, append(orders, "audience", "https://evil.example")...), 400, "invalid_target")
	isError(t, "one beside a good one", exchange(t, b, "orders", subject, append(orders, "resource", "https://stock.example", "audience", "evil")...), 400, "invalid_target")
	isError(t, "a person whom the client does not take", exchange(t, b, "narrow", subject, "actor_token", own(t, b, "narrow"), "actor_token_type", accessTokenType), 400, "invalid_request")
	// I7: a token that was narrowed cannot be widened again.
	narrow := exchange(t, b, "wiki", subject, "scope", "orders.read", "resource", "https://orders.example").Text("access_token")
	if aud := claimsOf(t, narrow)["aud"]; aud != "https://orders.example" {
		t.Fatalf("%v", aud)
	}
	isError(t, "I7 another audience", exchange(t, b, "wiki", narrow, "resource", "https://agent.example"), 400, "invalid_target")
	isError(t, "I7 the broker itself", exchange(t, b, "wiki", narrow, "resource", b.Issuer), 400, "invalid_target")
	if a := exchange(t, b, "wiki", narrow); claimsOf(t, a.Text("access_token"))["aud"] != "https://orders.example" {
		t.Errorf("I7: without a resource the audience grows: %v", a.Body)
	}
}

// TX-02: what is no live access token of a person that the client has to do with.
func TestTX02WhatIsNoSubjectToken(t *testing.T) {
	t.Parallel()
	b := exchanges(t)
	sign := func(scope string) brokertest.Answer {
		return b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", scope))
	}
	tokens := sign("openid offline_access orders.read")
	access := tokens.Text("access_token")
	for name, subject := range map[string]string{"a refresh token": tokens.Text("refresh_token"), "an ID token": tokens.Text("id_token"), "a client's own token": own(t, b, "orders"), "nonsense": "x",
		"JW-01 unsigned": "eyJhbGciOiJub25lIn0.e30.", "TK-17 shortened": access[:len(access)-1], "JW-10 dots": "..........."} {
		for _, kind := range []string{accessTokenType, jwtType, idTokenType} {
			isError(t, name+" as "+kind, exchange(t, b, "orders", subject, "subject_token_type", kind), 400, "invalid_request")
		}
	}
	isError(t, "an access token as ID token", exchange(t, b, "wiki", access, "subject_token_type", idTokenType), 400, "invalid_request")
	for name, kind := range map[string]string{"as a refresh token": string(oauth.TokenKindRefreshToken), "as SAML": "urn:ietf:params:oauth:token-type:saml2", "without a type": ""} {
		isError(t, name, exchange(t, b, "wiki", access, "subject_token_type", kind), 400, "invalid_request")
	}
	isError(t, "nothing", exchange(t, b, "wiki", ""), 400, "invalid_request")
	isError(t, "foreign: it is for another API", exchange(t, b, "stock", access), 400, "invalid_request")
	if a := exchange(t, b, "wiki", access); a.Status != 200 {
		t.Fatalf("the sample: %v", a.Body)
	}
	askAs(t, b, "/revoke", "wiki", "token", access)
	isError(t, "denied by jti", exchange(t, b, "wiki", access), 400, "invalid_request")
	old := sign("openid orders.read").Text("access_token")
	b.Clock.Advance(15 * time.Minute)
	isError(t, "expired", exchange(t, b, "wiki", old), 400, "invalid_request")
	access = sign("openid orders.read").Text("access_token")
	who, _ := claimsOf(t, access)["sub"].(string)
	must(t, b.Store.SetAccountDisabled(t.Context(), who, true, broker.Event{}))
	isError(t, "of a person who is out", exchange(t, b, "wiki", access), 400, "invalid_request")
	must(t, b.Store.SetAccountDisabled(t.Context(), who, false, broker.Event{}))
	isError(t, "I6: also after they are back", exchange(t, b, "wiki", access), 400, "invalid_request")
}

// I6: what was issued in exchange dies with the grant, with the person, with the
// client that has it and with the client of the grant.
func TestExchangedTokensDieWithWhatTheyRestOn(t *testing.T) {
	t.Parallel()
	b := exchanges(t)
	issue := func() string {
		subject := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid orders.read stock.read")).Text("access_token")
		a := exchange(t, b, "orders", subject, "scope", "openid stock.read", "actor_token", own(t, b, "orders"), "actor_token_type", accessTokenType)
		token := a.Text("access_token")
		if askAs(t, b, "/introspect", "stock", "token", token).Body["active"] != true || b.UserInfo(t, token).Status != 200 {
			t.Fatalf("%v is dead from the start", a.Body)
		}
		return token
	}
	dead := func(name, token string) {
		t.Helper()
		isInactive(t, name, askAs(t, b, "/introspect", "stock", "token", token))
		if a := b.UserInfo(t, token); a.Status != 401 {
			t.Errorf("%s: userinfo answers %d", name, a.Status)
		}
	}
	token := issue()
	id, _ := claimsOf(t, token)["grant_id"].(string)
	must(t, b.Store.RevokeGrant(t.Context(), id, broker.Event{}))
	dead("the grant", token)
	token = issue()
	askAs(t, b, "/revoke", "orders", "token", token)
	dead("revoked itself", token)
	for _, client := range []string{"orders", "wiki"} {
		token = issue()
		for _, off := range []bool{true, false} {
			must(t, b.Store.SetSwitch(t.Context(), broker.ClientSwitch, client, off, broker.Event{}))
			isInactive(t, "the client "+client, askAs(t, b, "/introspect", "stock", "token", token))
			if a := b.UserInfo(t, token); a.Status != 401 {
				t.Errorf("the client %s: userinfo answers %d", client, a.Status)
			}
		}
	}
	token = issue()
	who, _ := claimsOf(t, token)["sub"].(string)
	must(t, b.Store.SetAccountDisabled(t.Context(), who, true, broker.Event{}))
	dead("the person", token)
}

// TX-04: neither delegation nor impersonation unless somebody has allowed it.
func TestTX04DelegationAndImpersonation(t *testing.T) {
	t.Parallel()
	b := exchanges(t)
	subject := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid orders.read stock.read")).Text("access_token")
	as := func(client string) []string {
		return []string{"actor_token", own(t, b, client), "actor_token_type", accessTokenType}
	}
	isError(t, "no actor, not configured", exchange(t, b, "orders", subject), 400, "invalid_request")
	if a := exchange(t, b, "stock", subject); a.Status != 200 || claimsOf(t, a.Text("access_token"))["act"] != nil {
		t.Errorf("no actor, configured: %v", a.Body)
	}
	isError(t, "an actor, not configured", exchange(t, b, "stock", subject, as("stock")...), 400, "invalid_request")
	// §4.4: the token names who may act.
	if mayAct, _ := claimsOf(t, subject)["may_act"].(map[string]any); mayAct["sub"] != "agent" || len(mayAct) != 1 {
		t.Errorf("may_act: %v", mayAct)
	}
	if a := exchange(t, b, "agent", subject, as("agent")...); a.Status != 200 {
		t.Errorf("may_act: %v", a.Body)
	}
	elsewhere := askAs(t, b, "/token", "agent", "grant_type", "client_credentials", "scope", "stock.read").Text("access_token")
	isError(t, "an actor token of and for somebody else", exchange(t, b, "orders", subject, "actor_token", elsewhere, "actor_token_type", accessTokenType), 400, "invalid_request")
	isError(t, "an actor token without a type", exchange(t, b, "orders", subject, as("orders")[:2]...), 400, "invalid_request")
	isError(t, "a type without an actor token", exchange(t, b, "stock", subject, as("stock")[2:]...), 400, "invalid_request")
	isError(t, "an actor token of another type", exchange(t, b, "orders", subject, append(as("orders")[:2], "actor_token_type", idTokenType)...), 400, "invalid_request")
	isError(t, "an actor token that is none", exchange(t, b, "orders", subject, "actor_token", "x", "actor_token_type", accessTokenType), 400, "invalid_request")
	// Unknown parameters of other servers have no effect.
	plain, odd := exchange(t, b, "wiki", subject), exchange(t, b, "wiki", subject, "requested_subject", "eve", "requested_issuer", "corp")
	if a, o := claimsOf(t, plain.Text("access_token")), claimsOf(t, odd.Text("access_token")); o["sub"] != a["sub"] || odd.Text("scope") != plain.Text("scope") {
		t.Errorf("requested_subject changes %v into %v", a, o)
	}
	// §4.1: the chain is kept, the latest outermost, and bounded.
	token, actor := subject, as("orders")
	for depth := 1; depth <= 50; depth++ {
		a := exchange(t, b, "orders", token, append(actor, "scope", "orders.read stock.read")...)
		if depth > 5 {
			isError(t, "a chain that is too long", a, 400, "invalid_request")
			break
		}
		if a.Status != 200 || depthOf(claimsOf(t, a.Text("access_token"))) != depth {
			t.Fatalf("depth %d: %d %v", depth, a.Status, a.Body)
		}
		token = a.Text("access_token")
	}
	if a := exchange(t, b, "stock", token); depthOf(claimsOf(t, a.Text("access_token"))) != 5 {
		t.Errorf("impersonation drops the chain: %v", a.Body)
	}
	isError(t, "an actor that is acted for", exchange(t, b, "orders", subject, "actor_token", token, "actor_token_type", accessTokenType), 400, "invalid_request")
}

func depthOf(claims map[string]any) int {
	act, ok := claims["act"].(map[string]any)
	if !ok {
		return 0
	}
	return 1 + depthOf(act)
}

// TX-05: no more scope, no more life, and no refresh token.
func TestTX05NothingIsGained(t *testing.T) {
	t.Parallel()
	b := exchanges(t)
	subject := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access orders.read stock.read")).Text("access_token")
	isError(t, "a scope that the token lacks", exchange(t, b, "wiki", subject, "scope", "orders.write"), 400, "invalid_scope")
	isError(t, "a scope that the client lacks", exchange(t, b, "stock", subject, "scope", "orders.read"), 400, "invalid_scope")
	isError(t, "offline_access", exchange(t, b, "wiki", subject, "scope", "orders.read offline_access"), 400, "invalid_scope")
	isError(t, "no scope that is one", exchange(t, b, "wiki", subject, "scope", "a\"b"), 400, "invalid_scope")
	for _, kind := range []string{string(oauth.TokenKindRefreshToken), idTokenType, "urn:ietf:params:oauth:token-type:saml1", "x"} {
		isError(t, "requested_token_type "+kind, exchange(t, b, "wiki", subject, "requested_token_type", kind), 400, "invalid_request")
	}
	ends := claimsOf(t, subject)["exp"]
	b.Clock.Advance(14 * time.Minute)
	a := exchange(t, b, "wiki", subject)
	if is := claimsOf(t, a.Text("access_token")); is["exp"] != ends || a.Body["expires_in"] != 60.0 || a.Text("scope") != "openid orders.read stock.read" || a.Text("refresh_token") != "" {
		t.Errorf("%v of one that ends at %v", a.Body, ends)
	}
	b.Clock.Advance(59*time.Second + 900*time.Millisecond)
	isError(t, "less than a second left", exchange(t, b, "wiki", subject), 400, "invalid_request")
	// Nor does it outlive the actor's token.
	actor := own(t, b, "orders")
	b.Clock.Advance(10 * time.Minute)
	subject = b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid orders.read stock.read")).Text("access_token")
	a = exchange(t, b, "orders", subject, "actor_token", actor, "actor_token_type", accessTokenType)
	if is, by := claimsOf(t, a.Text("access_token")), claimsOf(t, actor); is["exp"] != by["exp"] {
		t.Errorf("%v until %v, the actor's until %v", a.Body["expires_in"], is["exp"], by["exp"])
	}
}

// RFC 8693 §2.2.1: what is called a JWT is one.
func TestOpaqueTokensAreNotIssuedAsJWTs(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, pairwise(", access_token_format: opaque, token_exchange: {people: true}, grant_types: [authorization_code, '"+string(oauth.GrantTypeTokenExchange)+"']"))
	token := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid")).Text("access_token")
	isError(t, "a JWT", exchange(t, b, "wiki", token, "requested_token_type", jwtType), 400, "invalid_request")
	if a := exchange(t, b, "wiki", token); a.Status != 200 || a.Text("issued_token_type") != accessTokenType {
		t.Errorf("an access token: %d %v", a.Status, a.Body)
	}
}
