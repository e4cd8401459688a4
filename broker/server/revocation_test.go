package server_test

import (
	"testing"
	"time"

	"gatehouse/internal/brokertest"
)

// TK-14, RFC 7009 §2.1: a client that never got the answer to its refresh has only
// the spent token to revoke, with which it could still fetch the current one.
func TestASpentRefreshTokenIsRevokedWithItsGrant(t *testing.T) {
	t.Parallel()
	b := apis(t)
	first := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access orders.read"))
	spent := first.Text("refresh_token")
	next := b.Refresh(t, "wiki", spent)
	if next.Status != 200 {
		t.Fatalf("%v", next.Body)
	}
	commits := b.Store.Commits()
	if a := askAs(t, b, "/revoke", "shop", "token", spent); a.Status != 200 || b.Store.Commits() != commits {
		t.Errorf("TK-15 somebody else: %d, %d commits", a.Status, b.Store.Commits()-commits)
	}
	if a := askAs(t, b, "/revoke", "wiki", "token", spent); a.Status != 200 {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	isError(t, "the spent token, once more", b.Refresh(t, "wiki", spent), 400, "invalid_grant")
	isError(t, "its successor", b.Refresh(t, "wiki", next.Text("refresh_token")), 400, "invalid_grant")
	isInactive(t, "the access token", askAs(t, b, "/introspect", "orders", "token", next.Text("access_token")))
}

// TK-14: what policy refuses today it may permit tomorrow, but not what was revoked.
func TestARevokedTokenDoesNotComeBackWithTheConfiguration(t *testing.T) {
	t.Parallel()
	client := func(scope string) brokertest.Options {
		return brokertest.Options{Clients: "  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ['" + brokertest.RedirectURI("wiki") + "'], skip_consent: true, scope: '" + scope + "'}\n"}
	}
	wide := client("openid email offline_access")
	b := brokertest.New(t, wide)
	for _, kind := range []string{"access_token", "refresh_token"} {
		tokens := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid email offline_access"))
		must(t, b.Reload(t, client("openid offline_access")))
		isInactive(t, kind+" that policy refuses", askAs(t, b, "/introspect", "wiki", "token", tokens.Text(kind)))
		if a := askAs(t, b, "/revoke", "wiki", "token", tokens.Text(kind)); a.Status != 200 {
			t.Errorf("%s: %d %v", kind, a.Status, a.Body)
		}
		must(t, b.Reload(t, wide))
		isInactive(t, kind, askAs(t, b, "/introspect", "wiki", "token", tokens.Text(kind)))
		if kind == "refresh_token" {
			isError(t, kind, b.Refresh(t, "wiki", tokens.Text(kind)), 400, "invalid_grant")
		}
	}
}

// RFC 7662 §2.2: what has ended is not active, and says nothing more.
func TestAnEndedRefreshTokenIsInactive(t *testing.T) {
	t.Parallel()
	b := apis(t)
	tokens := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access"))
	answer := askAs(t, b, "/introspect", "wiki", "token", tokens.Text("refresh_token"))
	exp, _ := answer.Body["exp"].(float64)
	if answer.Body["active"] != true || exp == 0 {
		t.Fatalf("%v", answer.Body)
	}
	b.Clock.Advance(time.Unix(int64(exp), 0).Sub(b.Clock.Now()))
	isInactive(t, "at its end", askAs(t, b, "/introspect", "wiki", "token", tokens.Text("refresh_token")))
}

// A store that is down says nothing about a client's credentials: it is no
// invalid_client, upon which a client might drop them.
func TestAFaultIsNotTheAssertions(t *testing.T) {
	t.Parallel()
	b, assert := signing(t)
	must(t, b.Store.Close())
	for _, path := range []string{"/introspect", "/revoke"} {
		form := assert("keys", path, b.Issuer)
		form.Set("token", "x")
		isError(t, path, send(t, b, path, form), 500, "server_error")
	}
}

// TK-18: a token in the URL is refused also beside one in the body.
func TestTK18ATokenInTheURLIsRefused(t *testing.T) {
	t.Parallel()
	b := apis(t)
	for _, path := range []string{"/introspect", "/revoke"} {
		for _, name := range []string{"token", "client_secret", "client_assertion"} {
			isError(t, path+" "+name, askAs(t, b, path+"?"+name+"=x", "orders", "token", "x"), 400, "invalid_request")
		}
	}
}

// I11: asking about tokens has limits, per address and per client.
func TestIntrospectionAndRevocationAreLimited(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"per_address", "per_client"} {
		for _, path := range []string{"/introspect", "/revoke"} {
			b := brokertest.New(t, brokertest.Options{Config: "limits:\n  token: {" + rule + ": 2/m}\n"})
			for i := range 4 {
				a := askAs(t, b, path, "wiki", "token", "x")
				if limited := a.Status == 429; limited != (i >= 2) || limited && a.Header.Get("Retry-After") != "30" {
					t.Errorf("%s %s, request %d: %d %v", rule, path, i+1, a.Status, a.Body)
				}
			}
			if a := askAs(t, b, path, "shop", "token", "x"); (a.Status == 429) != (rule == "per_address") {
				t.Errorf("%s %s of another client: %d", rule, path, a.Status)
			}
		}
	}
}
