package server_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// RFC 6749 on its own: a request without openid is none of OpenID Connect's (Core
// §3.1.2.1). The one registered redirect URI may be left out (§3.1.2.3), and then
// at the token endpoint too, where another one is still refused (§4.1.3); and the
// token is not good for userinfo (RFC 6750 §3.1).
func TestAnAuthorizationWithoutOpenID(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	code := b.Browser(t).Code(brokertest.Wiki, "scope", "email", "redirect_uri", "", "nonce", "")
	isError(t, "another redirect_uri", b.Token(t, brokertest.Wiki, with(brokertest.CodeForm(brokertest.Wiki, code), "redirect_uri", "https://wiki.example/other")), 400, "invalid_grant")
	a := b.Token(t, brokertest.Wiki, with(brokertest.CodeForm(brokertest.Wiki, code), "redirect_uri", ""))
	if _, there := a.Body["id_token"]; a.Status != 200 || there || a.Text("scope") != "email" || a.Text("token_type") != "Bearer" {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	info := b.UserInfo(t, a.Text("access_token"))
	challenge := info.Header.Get("WWW-Authenticate")
	if info.Status != http.StatusForbidden || info.Error() != "insufficient_scope" || info.Text("sub") != "" || !strings.HasPrefix(challenge, "Bearer ") || !strings.Contains(challenge, `error="insufficient_scope"`) {
		t.Errorf("userinfo: %d %v %q", info.Status, info.Body, challenge)
	}
}

// RFC 6749 §3.2: what an endpoint does not know it ignores, and what has no value is
// not there. The endpoints that came later say the same by referring to it.
func TestParametersThatNobodyKnowsAreIgnored(t *testing.T) {
	t.Parallel()
	b := livingRoom(t)
	odd := []string{"x_unknown", "1", "client_name", "<script>", "audience", "https://evil.example", "sub", "root"}
	ask := func(path, client string, pairs ...string) brokertest.Answer {
		t.Helper()
		form := with(url.Values{"scope": {""}, "resource": {""}, "token_type_hint": {""}}, odd...)
		for i := 0; i+1 < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Issuer+path, nil)
		must(t, err)
		if client == brokertest.CLI {
			form.Set("client_id", client)
		} else {
			request.SetBasicAuth(client, brokertest.Secret(client))
		}
		return b.Program(t, request, form)
	}
	code := b.Browser(t).Code(brokertest.Wiki, "scope", "openid email")
	tokens := ask("/token", brokertest.Wiki, "grant_type", "authorization_code", "code", code, "redirect_uri", brokertest.RedirectURI(brokertest.Wiki), "code_verifier", brokertest.Verifier)
	if claims := claimsOf(t, tokens.Text("access_token")); tokens.Status != 200 || claims["aud"] != b.Issuer || claims["sub"] == "root" || tokens.Text("scope") != "openid email" {
		t.Errorf("/token: %d %v", tokens.Status, tokens.Body)
	}
	if a := ask("/introspect", brokertest.Wiki, "token", tokens.Text("access_token")); a.Body["active"] != true {
		t.Errorf("/introspect: %d %v", a.Status, a.Body)
	}
	if a := ask("/revoke", brokertest.Wiki, "token", tokens.Text("access_token")); a.Status != 200 || b.UserInfo(t, tokens.Text("access_token")).Status != 401 {
		t.Errorf("/revoke: %d %v", a.Status, a.Body)
	}
	if a := ask("/device_authorization", brokertest.CLI, "scope", "openid"); a.Status != 200 || a.Text("user_code") == "" {
		t.Errorf("/device_authorization: %d %v", a.Status, a.Body)
	}
}

// RFC 7009 §2.1, RFC 7662 §2.1: a hint that is wrong, or that nobody knows, does not
// keep a token from being found.
func TestTokenTypeHintsAreNoMoreThanHints(t *testing.T) {
	t.Parallel()
	b := apis(t)
	for _, hint := range []string{"access_token", "refresh_token", "urn:example:another", "<>"} {
		for _, kind := range []string{"access_token", "refresh_token"} {
			tokens := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access"))
			pairs := []string{"token", tokens.Text(kind), "token_type_hint", hint}
			if a := askAs(t, b, "/introspect", "wiki", pairs...); a.Body["active"] != true {
				t.Errorf("introspection of %s as %q: %d %v", kind, hint, a.Status, a.Body)
			}
			if a := askAs(t, b, "/revoke", "wiki", pairs...); a.Status != 200 {
				t.Errorf("revocation of %s as %q: %d %v", kind, hint, a.Status, a.Body)
			}
			isInactive(t, kind+" revoked as "+hint, askAs(t, b, "/introspect", "wiki", pairs...))
			if refreshed := b.Refresh(t, "wiki", tokens.Text("refresh_token")); (refreshed.Status == 200) != (kind == "access_token") {
				t.Errorf("%s revoked as %q: refresh %d", kind, hint, refreshed.Status)
			}
		}
	}
}

// RFC 7662 §2.1, RFC 7009 §2.1, RFC 8628 §3.1: POST, and nothing else, whatever comes
// in the query.
func TestEndpointsForProgramsTakePOSTAlone(t *testing.T) {
	t.Parallel()
	b := livingRoom(t)
	token := b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki)).Text("access_token")
	commits := b.Store.Commits()
	for _, path := range []string{"/introspect", "/revoke", "/device_authorization"} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			request, err := http.NewRequestWithContext(t.Context(), method, b.Issuer+path+"?client_id=wiki&token_type_hint=access_token", nil)
			must(t, err)
			request.SetBasicAuth(brokertest.Wiki, brokertest.Secret(brokertest.Wiki))
			if a := b.Program(t, request, nil); a.Status != http.StatusMethodNotAllowed || !slices.Contains(strings.Split(a.Header.Get("Allow"), ", "), http.MethodPost) || a.Body["active"] != nil {
				t.Errorf("%s %s: %d, Allow %q, %v", method, path, a.Status, a.Header.Get("Allow"), a.Body)
			}
		}
	}
	if b.UserInfo(t, token).Status != 200 || b.Store.Commits() != commits {
		t.Error("something was done")
	}
}

// RFC 9068 §2.1: access tokens can be signed with RS256, whatever the default is, and
// say what they are; and a key of the set verifies them (§4).
func TestAccessTokensSignedWithRS256(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: `  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true, access_token_signed_response_alg: RS256}
`})
	token := b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki)).Text("access_token")
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	must(t, err)
	var header struct{ Alg, Typ, Kid string }
	must(t, json.Unmarshal(raw, &header))
	if header.Alg != "RS256" || header.Typ != "at+jwt" || b.UserInfo(t, token).Status != 200 {
		t.Errorf("%s", raw)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Issuer+"/jwks", nil)
	must(t, err)
	keys, _ := b.Program(t, request, nil).Body["keys"].([]any)
	if !slices.ContainsFunc(keys, func(k any) bool {
		key, _ := k.(map[string]any)
		return key["kid"] == header.Kid && key["kty"] == "RSA" && key["use"] == "sig"
	}) {
		t.Errorf("no key %q in %v", header.Kid, keys)
	}
}

// Discovery §3: what an ID token of the browser holds is among the claims there are,
// and c_hash is not where no client gets one.
func TestTheClaimsOfHybridResponsesAreAdvertised(t *testing.T) {
	t.Parallel()
	advertised := func(b *brokertest.Broker) []any {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Issuer+"/.well-known/openid-configuration", nil)
		must(t, err)
		list, _ := b.Program(t, request, nil).Body["claims_supported"].([]any)
		return list
	}
	b := hybrid(t)
	answer, err := url.ParseQuery(b.Browser(t).Get(b.AuthorizeURL("wiki", "response_type", "code id_token token")).URL.Fragment)
	must(t, err)
	claims := claimsOf(t, answer.Get("id_token"))
	if claims["c_hash"] == nil || claims["at_hash"] == nil {
		t.Errorf("%v", claims)
	}
	list := advertised(b)
	for claim := range claims {
		if !slices.Contains(list, any(claim)) {
			t.Errorf("%s is not among %v", claim, list)
		}
	}
	if list := advertised(brokertest.New(t, brokertest.Options{})); len(list) == 0 || slices.Contains(list, any("c_hash")) {
		t.Errorf("without hybrid responses: %v", list)
	}
}

// RFC 6749 §6, RFC 8707 §2.2: a refresh that asks for fewer scopes than would be good
// at the resource it names is refused before anything is spent, and the grant is as
// wide as it was.
func TestANarrowRefreshForAResourceItCannotBeForSpendsNothing(t *testing.T) {
	t.Parallel()
	b := apis(t)
	refresh := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access orders.read")).Text("refresh_token")
	commits := b.Store.Commits()
	isError(t, "a resource without its scopes", askAs(t, b, "/token", "wiki", "grant_type", "refresh_token", "refresh_token", refresh,
		"scope", "openid", "resource", "https://orders.example"), 400, "invalid_target")
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("I12: the refusal cost %d commits", n)
	}
	if a := b.Refresh(t, "wiki", refresh); a.Status != 200 || a.Text("scope") != "openid offline_access orders.read" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
}

// RFC 7009 §2.2.1: a token that could not be revoked is not said to be; the client is
// asked to come again.
func TestWhatCannotBeRevokedIsNotSaidToBe(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"access_token", "refresh_token"} {
		b := apis(t)
		token := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access")).Text(kind)
		must(t, b.Store.Close())
		isError(t, kind, askAs(t, b, "/revoke", "wiki", "token", token), http.StatusServiceUnavailable, "temporarily_unavailable")
	}
}
