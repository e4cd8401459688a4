package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/internal/brokertest"
)

const introspectionJWT = "application/token-introspection+jwt"

// sealing is a world with a resource server that has answers about tokens encrypted,
// one that does not, and one whose keys cannot be had.
func sealing(t *testing.T) (*brokertest.Broker, *ecdsa.PrivateKey) {
	t.Helper()
	set, key := encryptionKeys(t)
	const encrypted = ", introspection_encrypted_response_alg: ECDH-ES+A256KW, introspection_encrypted_response_enc: A128GCM"
	client := func(id, more string) string {
		return "  - {client_id: " + id + ", client_secret: " + brokertest.Secret(id) + ", " + more + "}\n"
	}
	return brokertest.New(t, brokertest.Options{
		Clients: client("wiki", "redirect_uris: ['"+brokertest.RedirectURI("wiki")+"'], skip_consent: true, scope: 'openid offline_access orders.read stock.read'") +
			client("orders", "grant_types: []") + client("other", "grant_types: []") +
			client("stock", "grant_types: [], introspection_signed_response_alg: ES256, jwks: "+set+encrypted) +
			client("lost", "grant_types: [], jwks_uri: 'https://127.0.0.1:1/jwks'"+encrypted) +
			"  - {client_id: cli, token_endpoint_auth_method: none, redirect_uris: ['http://127.0.0.1/callback'], skip_consent: true}\n",
		Config: `resources:
  - {resource: "https://orders.example", client: orders, scopes: [orders.read, orders.write]}
  - {resource: "https://stock.example", client: stock, scopes: [stock.read]}
`}), key
}

// encryptionKeys is the key set of a client that something is encrypted for.
func encryptionKeys(t *testing.T) (string, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "e1", Use: "enc", Key: key.Public()}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(set), key
}

// introspect asks about a token with an Accept header, and answers the body as it is.
func introspect(t *testing.T, b *brokertest.Broker, client, accept, token string) (*http.Response, string) {
	t.Helper()
	form := url.Values{"token": {token}}
	if client == "cli" {
		form.Set("client_id", client)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Issuer+"/introspect", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", accept)
	if client != "" && client != "cli" {
		r.SetBasicAuth(client, brokertest.Secret(client))
	}
	return exchanged(t, r)
}

// exchanged sends a request and reads the answer as it is.
func exchanged(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// verified is the header and the claims of a JWT that is signed with a published key.
func verified(t *testing.T, b *brokertest.Broker, raw string, alg jose.SignatureAlgorithm) (jose.Header, map[string]any) {
	t.Helper()
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{alg})
	if err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	var set jose.JSONWebKeySet
	must(t, json.Unmarshal([]byte(b.Browser(t).Get(b.Issuer+"/jwks").Body), &set))
	header := jws.Signatures[0].Header
	found := set.Key(header.KeyID)
	if len(found) != 1 {
		t.Fatalf("%d keys are called %q", len(found), header.KeyID)
	}
	payload, err := jws.Verify(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	must(t, json.Unmarshal(payload, &claims))
	return header, claims
}

// isAnswer asserts RFC 9701 §5 of everything but what is answered, which it returns.
func isAnswer(t *testing.T, b *brokertest.Broker, name, client string, header jose.Header, claims map[string]any) map[string]any {
	t.Helper()
	// No sub and no exp: it is an answer and no token.
	if header.ExtraHeaders["typ"] != "token-introspection+jwt" || len(claims) != 4 ||
		claims["iss"] != b.Issuer || claims["aud"] != client || claims["iat"] != float64(b.Clock.Now().Unix()) {
		t.Errorf("%s: %v %v", name, header, claims)
	}
	answer, _ := claims["token_introspection"].(map[string]any)
	return answer
}

// RFC 9701 §4, §5: who asks for it gets the answer as a JWT that is for it alone.
func TestIntrospectionAsJWT(t *testing.T) {
	t.Parallel()
	b, _ := sealing(t)
	tokens := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access orders.read"))
	access := tokens.Text("access_token")
	commits := b.Store.Commits()
	ask := func(client, token string) map[string]any {
		t.Helper()
		response, raw := introspect(t, b, client, introspectionJWT, token)
		if response.StatusCode != 200 || response.Header.Get("Content-Type") != introspectionJWT || response.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %v %s", client, response.StatusCode, response.Header, raw)
		}
		header, claims := verified(t, b, raw, jose.RS256) // §6: the default
		return isAnswer(t, b, client, client, header, claims)
	}
	plain := askAs(t, b, "/introspect", "wiki", "token", access).Body
	if got := ask("wiki", access); !reflect.DeepEqual(got, plain) || got["active"] != true {
		t.Errorf("the client hears %v, and without a JWT %v", got, plain)
	}
	plain["scope"] = "orders.read" // §5: what is not the resource server's it does not hear of
	if got := ask("orders", access); !reflect.DeepEqual(got, plain) {
		t.Errorf("the resource server hears %v, want %v", got, plain)
	}
	if got := ask("wiki", tokens.Text("refresh_token")); got["active"] != true || got["sub"] != plain["sub"] || got["client_id"] != "wiki" {
		t.Errorf("of a refresh token: %v", got)
	}
	// TK-16: active, and nothing else.
	for name, got := range map[string]map[string]any{
		"another client": ask("other", access), "a refresh token at the API": ask("orders", tokens.Text("refresh_token")), "nonsense": ask("orders", "x"),
	} {
		if !reflect.DeepEqual(got, map[string]any{"active": false}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if b.Store.Commits() != commits {
		t.Error("asking was committed")
	}
	for _, accept := range []string{"application/json", "*/*", "", "application/json, " + introspectionJWT + ";q=0.5", introspectionJWT + ";q=0"} {
		if response, raw := introspect(t, b, "orders", accept, access); response.Header.Get("Content-Type") != "application/json" || raw[0] != '{' {
			t.Errorf("%q: %v %s", accept, response.Header, raw)
		}
	}
}

// JW-05, RFC 9701 §8.1: an answer about a token is no token.
func TestAnIntrospectionJWTIsNoToken(t *testing.T) {
	t.Parallel()
	b, _ := sealing(t)
	access := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid orders.read")).Text("access_token")
	_, answer := introspect(t, b, "wiki", introspectionJWT, access)
	if a := b.UserInfo(t, answer); a.Status != 401 {
		t.Errorf("taken for an access token: %d", a.Status)
	}
	isInactive(t, "taken for an access token", askAs(t, b, "/introspect", "wiki", "token", answer))
	if page := b.Browser(t).Get(b.AuthorizeURL("wiki", "id_token_hint", answer)); page.URL.Query().Get("error") != "invalid_request" {
		t.Errorf("taken for a hint: %s", page.URL)
	}
}

// RFC 9701 §5: who does not authenticate is refused with 400, and errors are JSON.
func TestIntrospectionAsJWTNeedsAClientThatAuthenticates(t *testing.T) {
	t.Parallel()
	b, _ := sealing(t)
	for client, want := range map[string]int{"": 400, "cli": 400, "wrong": 401} {
		response, raw := introspect(t, b, client, introspectionJWT, "x")
		if response.StatusCode != want || response.Header.Get("Content-Type") != "application/json" || !strings.Contains(raw, `"error":"invalid_`) {
			t.Errorf("%q: %d %v %s", client, response.StatusCode, response.Header, raw)
		}
	}
}

// RFC 9701 §6: who has registered encryption gets nothing in the clear, whatever it is
// said to accept, and nothing at all while there is no key.
func TestIntrospectionIsEncrypted(t *testing.T) {
	t.Parallel()
	b, key := sealing(t)
	access := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid stock.read")).Text("access_token")
	for _, row := range []struct {
		accept, token string
		active        bool
	}{{introspectionJWT, access, true}, {"application/json", access, true}, {"", access, true}, {introspectionJWT, "x", false}, {"", "x", false}} {
		response, raw := introspect(t, b, "stock", row.accept, row.token)
		if response.StatusCode != 200 || response.Header.Get("Content-Type") != introspectionJWT {
			t.Fatalf("%q: %d %v %s", row.accept, response.StatusCode, response.Header, raw)
		}
		jwe, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.ECDH_ES_A256KW}, []jose.ContentEncryption{jose.A128GCM})
		if err != nil {
			t.Fatal(err)
		}
		signed, err := jwe.Decrypt(key)
		if err != nil || jwe.Header.KeyID != "e1" || jwe.Header.ExtraHeaders["cty"] != "JWT" {
			t.Fatalf("%v, header %+v", err, jwe.Header)
		}
		header, claims := verified(t, b, string(signed), jose.ES256)
		answer := isAnswer(t, b, row.accept, "stock", header, claims)
		if answer["active"] != row.active || row.active && answer["scope"] != "stock.read" || !row.active && len(answer) != 1 {
			t.Errorf("%q: %v", row.accept, answer)
		}
	}
	for _, accept := range []string{introspectionJWT, "application/json"} {
		response, raw := introspect(t, b, "lost", accept, access)
		if response.StatusCode != 503 || !strings.Contains(raw, "temporarily_unavailable") || strings.Contains(raw, "active") || strings.Contains(raw, "127.0.0.1") {
			t.Errorf("without keys, %q: %d %s", accept, response.StatusCode, raw)
		}
	}
}
