package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"

	"gatehouse/internal/brokertest"
)

const (
	ordersAPI = "https://orders.example"
	stockAPI  = "https://stock.example"
	vaultAPI  = "https://vault.example"
)

// resourceful is a world with three APIs, of which the vault has its tokens encrypted
// to the keys that its entry names, and clients that may use them all; one has an
// audience of its own.
func resourceful(vaultKeys string) brokertest.Options {
	client := func(id, more string) string {
		return "  - {client_id: " + id + ", client_secret: " + brokertest.Secret(id) + ", " + more + "}\n"
	}
	person := func(id, more string) string {
		return client(id, "redirect_uris: ['"+brokertest.RedirectURI(id)+"'], skip_consent: true, scope: 'openid email offline_access orders.read stock.read vault.open', "+
			"grant_types: [authorization_code, refresh_token, implicit, 'urn:ietf:params:oauth:grant-type:token-exchange'], token_exchange: {people: true}, "+
			"response_types: [code, token, id_token token, code token]"+more)
	}
	return brokertest.Options{
		Clients: person("wiki", "") + person("shop", ", audience: ['https://legacy.example']") + client("stock", "grant_types: []") +
			client("robot", "grant_types: [client_credentials], scope: 'orders.read', audience: ['https://legacy.example']") + client("vault", "grant_types: [], "+vaultKeys),
		Config: "limits: off\nresources:\n  - {resource: '" + ordersAPI + "', scopes: [orders.read]}\n  - {resource: '" + stockAPI + "', client: stock, scopes: [stock.read]}\n" +
			"  - {resource: '" + vaultAPI + "', client: vault, scopes: [vault.open], access_token_encrypted_response_alg: ECDH-ES, access_token_encrypted_response_enc: A256GCM}\n"}
}

// absentKeys is where nobody may fetch from: the address is not public (I8).
const absentKeys = "jwks_uri: 'https://127.0.0.1:1/keys'"

const everything = "openid email offline_access orders.read stock.read vault.open"

// resourceCode has somebody sign in to a client with resources asked for.
func resourceCode(t *testing.T, b *brokertest.Broker, client, scope string, resources ...string) string {
	t.Helper()
	q := b.AuthorizeParams(client, "scope", scope)
	q["resource"] = resources
	page := b.Browser(t).Get(b.Issuer + "/authorize?" + q.Encode())
	code := page.URL.Query().Get("code")
	if code == "" {
		t.Fatalf("no code: %d at %s", page.Status, page.URL)
	}
	return code
}

func audienceOf(t *testing.T, a brokertest.Answer) []string {
	t.Helper()
	if a.Status != 200 {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	switch aud := claimsOf(t, a.Text("access_token"))["aud"].(type) {
	case string:
		return []string{aud}
	case []any:
		var out []string
		for _, v := range aud {
			one, _ := v.(string)
			out = append(out, one)
		}
		return out
	}
	return nil
}

// RFC 8707 §2.1, §2.2: what is asked for at the authorization endpoint bounds every
// token of the grant.
func TestResourcesOfAnAuthorizationRequest(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, resourceful(absentKeys))
	redeem := func(code string, resources ...string) brokertest.Answer {
		form := brokertest.CodeForm("wiki", code)
		form["resource"] = resources
		return b.Token(t, "wiki", form)
	}
	code := resourceCode(t, b, "wiki", everything, ordersAPI, stockAPI)
	commits := b.Store.Commits()
	isError(t, "TK-11 a resource beyond the grant's", redeem(code, vaultAPI), 400, "invalid_target")
	isError(t, "TK-11 the broker itself", redeem(code, b.Issuer), 400, "invalid_target")
	isError(t, "TK-11 one beside a good one", redeem(code, ordersAPI, vaultAPI), 400, "invalid_target")
	isError(t, "TK-11 an unknown one", redeem(code, "https://evil.example"), 400, "invalid_target")
	if b.Store.Commits() != commits {
		t.Error("I12: a refusal was committed")
	}
	first := redeem(code, stockAPI)
	if aud := audienceOf(t, first); !slices.Equal(aud, []string{stockAPI}) || first.Text("scope") != "stock.read" {
		t.Errorf("one of them: %q with %q", aud, first.Text("scope"))
	}
	// The ID token is not an access token: it says what the scopes about the person say.
	has(t, "the ID token", claimsOf(t, first.Text("id_token")), "email")
	if a := b.UserInfo(t, first.Text("access_token")); a.Status != 401 {
		t.Errorf("userinfo takes a token for the stock: %d", a.Status)
	}
	refresh := func(token string, scope string, resources ...string) brokertest.Answer {
		return b.Token(t, "wiki", with(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "resource": resources}, "scope", scope))
	}
	token := first.Text("refresh_token")
	isError(t, "a refresh beyond the grant's", refresh(token, "", vaultAPI), 400, "invalid_target")
	isError(t, "a refresh for none of the grant's", refresh(token, "openid email"), 400, "invalid_target")
	next := refresh(token, "")
	if aud := audienceOf(t, next); !slices.Equal(aud, []string{ordersAPI, stockAPI}) || next.Text("scope") != "orders.read stock.read" {
		t.Errorf("without a resource: %q with %q", aud, next.Text("scope"))
	}
	next = refresh(next.Text("refresh_token"), "openid orders.read")
	if aud := audienceOf(t, next); !slices.Equal(aud, []string{ordersAPI}) || next.Text("scope") != "orders.read" {
		t.Errorf("with fewer scopes: %q with %q", aud, next.Text("scope"))
	}
	// I7: nor does an exchange lead beyond.
	isError(t, "I7 an exchange for another", exchange(t, b, "wiki", next.Text("access_token"), "resource", stockAPI), 400, "invalid_target")
}

// RFC 8707 §2: the answer to a resource that cannot be had is invalid_target, by
// redirect.
func TestResourcesThatAreRefusedAtAuthorize(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, resourceful(absentKeys))
	commits := b.Store.Commits()
	for _, resource := range []string{"https://evil.example", ordersAPI + "#f", ordersAPI + "/", "HTTPS://orders.example", "orders", "javascript:alert(1)", "https://orders.example@evil.example"} {
		isRefusal(t, b, resource, b.Browser(t).Get(b.AuthorizeURL("wiki", "scope", "openid orders.read", "resource", resource)), "invalid_target")
	}
	isRefusal(t, b, "none of its scopes", b.Browser(t).Get(b.AuthorizeURL("wiki", "scope", "openid stock.read", "resource", ordersAPI)), "invalid_target")
	if b.Store.Commits() != commits {
		t.Error("I12: a refusal was committed")
	}
	// Core §3.2.2.5: tokens of the browser are bound likewise.
	page := b.Browser(t).Get(b.AuthorizeURL("wiki", "response_type", "id_token token", "scope", "openid orders.read stock.read", "resource", stockAPI))
	got, err := url.ParseQuery(page.URL.Fragment)
	if err != nil || got.Get("scope") != "stock.read" || claimsOf(t, got.Get("access_token"))["aud"] != stockAPI || got.Get("id_token") == "" {
		t.Errorf("%s", page.URL)
	}
}

// A client's own audience is added where nobody names a resource, and never to what is
// derived (I7).
func TestAClientsOwnAudience(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, resourceful(absentKeys))
	const legacy = "https://legacy.example"
	tokens := b.Redeem(t, "shop", b.Browser(t).Code("shop", "scope", "openid offline_access orders.read"))
	for _, when := range []string{"at first", "after a refresh"} {
		if aud := audienceOf(t, tokens); !slices.Equal(aud, []string{b.Issuer, ordersAPI, legacy}) || tokens.Text("scope") != "openid offline_access orders.read" {
			t.Errorf("%s: %q", when, aud)
		}
		if b.UserInfo(t, tokens.Text("access_token")).Status != 200 {
			t.Errorf("%s: userinfo does not take the token", when)
		}
		tokens = b.Refresh(t, "shop", tokens.Text("refresh_token"))
	}
	if aud := audienceOf(t, exchange(t, b, "shop", tokens.Text("access_token"), "scope", "orders.read")); !slices.Equal(aud, []string{ordersAPI}) {
		t.Errorf("I7: in exchange: %q", aud)
	}
	isError(t, "it is no resource that could be named", exchange(t, b, "shop", tokens.Text("access_token"), "resource", legacy), 400, "invalid_target")
	named := b.Redeem(t, "shop", resourceCode(t, b, "shop", "openid orders.read", ordersAPI))
	if aud := audienceOf(t, named); !slices.Equal(aud, []string{ordersAPI}) {
		t.Errorf("with a resource that was named: %q", aud)
	}
	robot := askAs(t, b, "/token", "robot", "grant_type", "client_credentials")
	if aud := audienceOf(t, robot); !slices.Equal(aud, []string{ordersAPI, legacy}) {
		t.Errorf("in its own name: %q", aud)
	}
	isError(t, "in exchange, without a grant for it", exchange(t, b, "robot", robot.Text("access_token")), 400, "unauthorized_client")
}

// A token for a resource server whose tokens are encrypted is for it alone, and is
// never issued in the clear; nothing is spent for one that cannot be made.
func TestEncryptedAccessTokensAreForOneResource(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, resourceful(absentKeys))
	code := resourceCode(t, b, "wiki", everything)
	form := func(resource ...string) url.Values {
		f := brokertest.CodeForm("wiki", code)
		f["resource"] = resource
		return f
	}
	commits := b.Store.Commits()
	a := b.Token(t, "wiki", form())
	isError(t, "with others", a, 400, "invalid_target")
	if !strings.Contains(a.Text("error_description"), "resource") {
		t.Errorf("it does not say what to do: %v", a.Body)
	}
	isError(t, "with another that is named", b.Token(t, "wiki", form(vaultAPI, ordersAPI)), 400, "invalid_target")
	if a := b.Token(t, "wiki", form(vaultAPI)); a.Error() != "temporarily_unavailable" || a.Text("access_token") != "" {
		t.Errorf("keys that cannot be had: %d %v", a.Status, a.Body)
	}
	page := b.Browser(t).Get(b.AuthorizeURL("wiki", "response_type", "token", "scope", "vault.open"))
	if got, _ := url.ParseQuery(page.URL.Fragment); !page.AtClient || got.Get("error") != "temporarily_unavailable" {
		t.Errorf("in the browser: %s", page.URL)
	}
	page = b.Browser(t).Get(b.AuthorizeURL("wiki", "response_type", "token", "scope", "openid vault.open"))
	if got, _ := url.ParseQuery(page.URL.Fragment); !page.AtClient || got.Get("error") != "invalid_target" {
		t.Errorf("in the browser, beside the broker: %s", page.URL)
	}
	if b.Store.Commits() != commits {
		t.Error("I12: a refusal was committed")
	}
	// Once its keys are there, the same code is as good as before.
	key, set := encryptionKey(t)
	if err := b.Reload(t, resourceful("jwks: "+set)); err != nil {
		t.Fatal(err)
	}
	tokens := b.Token(t, "wiki", form(vaultAPI))
	if tokens.Status != 200 || tokens.Text("scope") != "vault.open" || strings.Count(tokens.Text("access_token"), ".") != 4 || tokens.Text("id_token") == "" {
		t.Fatalf("%d %v", tokens.Status, tokens.Body)
	}
	inside := opened(t, key, tokens.Text("access_token"))
	if claims := claimsOf(t, inside); claims["aud"] != vaultAPI || claims["scope"] != "vault.open" {
		t.Errorf("%v", claims)
	}
	for _, resource := range []string{vaultAPI, stockAPI} {
		tokens = b.Token(t, "wiki", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Text("refresh_token")}, "resource": {resource}})
		if parts := strings.Count(tokens.Text("access_token"), "."); tokens.Status != 200 || (parts == 4) != (resource == vaultAPI) {
			t.Errorf("refreshed for %s: %d %v", resource, tokens.Status, tokens.Body)
		}
	}
	page = b.Browser(t).Get(b.AuthorizeURL("wiki", "response_type", "token", "scope", "vault.open"))
	if got, _ := url.ParseQuery(page.URL.Fragment); claimsOf(t, opened(t, key, got.Get("access_token")))["aud"] != vaultAPI {
		t.Errorf("in the browser: %s", page.URL)
	}
}

// An ID token that could not be encrypted is refused before anybody signs in, by
// redirect; a code can be had, and is kept until the keys are there.
func TestIDTokensOfTheBrowserNeedTheirKeys(t *testing.T) {
	t.Parallel()
	options := func(keys string) brokertest.Options {
		return brokertest.Options{Clients: "  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ['" + brokertest.RedirectURI("wiki") + "'], skip_consent: true, " +
			"grant_types: [authorization_code, implicit], response_types: [code, id_token, code id_token, code token], id_token_encrypted_response_alg: ECDH-ES, id_token_encrypted_response_enc: A256GCM, " + keys + "}\n"}
	}
	b := brokertest.New(t, options(absentKeys))
	commits := b.Store.Commits()
	for _, kind := range []string{"id_token", "code id_token"} {
		page := b.Browser(t).Get(b.AuthorizeURL("wiki", "response_type", kind))
		if got, _ := url.ParseQuery(page.URL.Fragment); !page.AtClient || got.Get("error") != "temporarily_unavailable" || got.Get("state") != "the-state" || got.Has("code") {
			t.Errorf("%s: %s", kind, page.URL)
		}
	}
	if b.Store.Commits() != commits || b.Upstream.Calls("authorize") != 0 {
		t.Error("somebody signed in for nothing")
	}
	page := b.Browser(t).Get(b.AuthorizeURL("wiki", "response_type", "code token"))
	if got, _ := url.ParseQuery(page.URL.Fragment); got.Get("access_token") == "" || got.Get("code") == "" {
		t.Errorf("what needs no keys: %s", page.URL)
	}
	code := b.Browser(t).Code("wiki")
	if a := b.Redeem(t, "wiki", code); a.Error() != "temporarily_unavailable" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	key, set := encryptionKey(t)
	if err := b.Reload(t, options("jwks: "+set)); err != nil {
		t.Fatal(err)
	}
	if claims := claimsOf(t, opened(t, key, b.Redeem(t, "wiki", code).Text("id_token"))); claims["aud"] != "wiki" {
		t.Errorf("%v", claims)
	}
	page = b.Browser(t).Get(b.AuthorizeURL("wiki", "response_type", "id_token"))
	if got, _ := url.ParseQuery(page.URL.Fragment); claimsOf(t, opened(t, key, got.Get("id_token")))["nonce"] != "the-nonce" {
		t.Errorf("%s", page.URL)
	}
}

// encryptionKey makes a key and the set with its public half.
func encryptionKey(t *testing.T) (*ecdsa.PrivateKey, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{{KeyID: "e1", Key: key.Public(), Use: "enc", Algorithm: "ECDH-ES"}}})
	if err != nil {
		t.Fatal(err)
	}
	return key, string(set)
}

// opened decrypts what was encrypted to a key.
func opened(t *testing.T, key *ecdsa.PrivateKey, token string) string {
	t.Helper()
	jwe, err := gojose.ParseEncryptedCompact(token, []gojose.KeyAlgorithm{gojose.ECDH_ES}, []gojose.ContentEncryption{gojose.A256GCM})
	if err != nil {
		t.Fatalf("%q: %v", token, err)
	}
	inside, err := jwe.Decrypt(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(inside)
}
