package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/broker/oauth"
	"gatehouse/internal/brokertest"
	"gatehouse/internal/jwttest"
)

// signing is a world whose clients sign: "keys" with a key, "mac" with its secret.
func signing(t *testing.T) (*brokertest.Broker, func(client, jti, audience string) url.Values) {
	t.Helper()
	return signingIn(t, brokertest.Options{})
}

// signingIn is signing in a world with other options.
func signingIn(t *testing.T, options brokertest.Options) (*brokertest.Broker, func(client, jti, audience string) url.Values) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "k1", Use: "sig", Key: key.Public()}}})
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a secret of thirty-two characters"
	options.Clients = `  - {client_id: keys, token_endpoint_auth_method: private_key_jwt, jwks: ` + string(set) + `, redirect_uris: ["https://keys.example/callback"], skip_consent: true, grant_types: [authorization_code, refresh_token, client_credentials]}
  - {client_id: mac, token_endpoint_auth_method: client_secret_jwt, client_secret: "` + secret + `", grant_types: [client_credentials]}
`
	b := brokertest.New(t, options)
	return b, func(client, jti, audience string) url.Values {
		t.Helper()
		signer := jwttest.Key{Algorithm: jose.ES256, ID: "k1", Key: key}
		if client == "mac" {
			signer = jwttest.Key{Algorithm: jose.HS256, Key: []byte(secret)}
		}
		raw := jwttest.Sign(t, signer, map[string]any{"iss": client, "sub": client, "aud": audience, "jti": jti,
			"iat": b.Clock.Now().Unix(), "exp": b.Clock.Now().Add(time.Minute).Unix()})
		return url.Values{"client_assertion_type": {oauth.ClientAssertionType}, "client_assertion": {raw}}
	}
}

func send(t *testing.T, b *brokertest.Broker, path string, form url.Values) brokertest.Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Issuer+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.Program(t, request, form)
}

// RFC 7523 §3: an assertion is good once, whatever it is used for, and it is spent
// in the commit of what was asked for: one for each request.
func TestAClientAssertionIsGoodOnce(t *testing.T) {
	t.Parallel()
	b, assert := signing(t)
	together := func(forms ...url.Values) url.Values {
		out := url.Values{}
		for _, f := range forms {
			for name, values := range f {
				out[name] = values
			}
		}
		return out
	}
	br := b.Browser(t)
	code := br.Get(b.AuthorizeURL("keys", "scope", "openid offline_access")).URL.Query().Get("code")
	commits := b.Store.Commits()
	used := assert("keys", "1", b.Issuer)
	tokens := send(t, b, "/token", together(brokertest.CodeForm("keys", code), used))
	if tokens.Status != 200 || b.Store.Commits() != commits+1 {
		t.Fatalf("%d %v, %d commits", tokens.Status, tokens.Body, b.Store.Commits()-commits)
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Text("refresh_token")}}
	credentials := url.Values{"grant_type": {"client_credentials"}}
	question := url.Values{"token": {tokens.Text("access_token")}}
	commits = b.Store.Commits()
	isError(t, "at the refresh", send(t, b, "/token", together(refresh, used)), 401, "invalid_client")
	isError(t, "for a token of its own", send(t, b, "/token", together(credentials, used)), 401, "invalid_client")
	isError(t, "for introspection", send(t, b, "/introspect", together(question, used)), 401, "invalid_client")
	isError(t, "for revocation", send(t, b, "/revoke", together(question, used)), 401, "invalid_client")
	if b.Store.Commits() != commits {
		t.Error("I12: a refusal was committed")
	}
	for name, row := range map[string]struct {
		path     string
		form     url.Values
		client   string
		audience string
	}{
		"refresh":                        {"/token", refresh, "keys", b.Issuer + "/token"},
		"client_credentials":             {"/token", credentials, "keys", b.Issuer},
		"client_credentials with a MAC":  {"/token", credentials, "mac", b.Issuer},
		"introspection":                  {"/introspect", question, "keys", b.Issuer + "/introspect"},
		"revocation of an unknown token": {"/revoke", url.Values{"token": {"x"}}, "keys", b.Issuer},
	} {
		commits := b.Store.Commits()
		fresh := assert(row.client, name, row.audience)
		if a := send(t, b, row.path, together(row.form, fresh)); a.Status != 200 {
			t.Errorf("%s: %d %v", name, a.Status, a.Body)
		}
		if n := b.Store.Commits() - commits; n != 1 {
			t.Errorf("%s: %d commits", name, n)
		}
		if a := send(t, b, row.path, together(row.form, fresh)); a.Status == 200 {
			t.Errorf("%s: twice", name)
		}
	}
	isError(t, "for another server", send(t, b, "/token", together(credentials, assert("keys", "x", "https://other.example"))), 401, "invalid_client")
	if s := b.Log.String(); strings.Contains(s, used.Get("client_assertion")) || strings.Contains(s, "a secret of thirty-two") {
		t.Error("an assertion or secret is in the log")
	}
}

func TestOneOfManyUsesOfAnAssertionWins(t *testing.T) {
	t.Parallel()
	b, assert := signing(t)
	form := assert("mac", "1", b.Issuer)
	form.Set("grant_type", "client_credentials")
	var wins atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if a := send(t, b, "/token", form); a.Status == 200 {
				wins.Add(1)
			} else if a.Error() != "invalid_client" {
				t.Errorf("%d %v", a.Status, a.Body)
			}
		})
	}
	wg.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d won", wins.Load())
	}
}
