package fake

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signAssertion signs a client assertion with changes, as the library does and not by hand.
func signAssertion(t *testing.T, alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestClientAssertions(t *testing.T) {
	t.Parallel()
	c := newClock()
	rsaKey, err := pool.key("RS256", signingKey)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := pool.key("ES256", signingKey)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := pool.key("ES256", foreignKey)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := newOIDC(t, c, func(o *Options) {
		o.Clients[0].AssertionKeys = []crypto.PublicKey{rsaKey.Public(), ecKey.Public(), edPublic}
		o.Clients[0].ForeignAssertions = []string{"as.it.is"}
	})
	token := refreshToken(t, f, browser(t))
	set := func(name string, value any) func(map[string]any) {
		return func(claims map[string]any) { claims[name] = value }
	}
	seconds := func(d time.Duration) int64 { return c.Now().Add(d).Unix() }
	for _, row := range []struct {
		name   string
		alg    jose.SignatureAlgorithm
		key    any
		change func(map[string]any)
		fine   bool
	}{
		{"RS256", jose.RS256, rsaKey, nil, true},
		{"RS512", jose.RS512, rsaKey, nil, true},
		{"PS256", jose.PS256, rsaKey, nil, true},
		{"PS384", jose.PS384, rsaKey, nil, true},
		{"ES256", jose.ES256, ecKey, nil, true},
		{"EdDSA", jose.EdDSA, edKey, nil, true},
		{"the issuer is an audience", jose.ES256, ecKey, set("aud", f.URL()), true},
		{"a key that is not registered", jose.ES256, stranger, nil, false},
		{"another audience", jose.ES256, ecKey, set("aud", "https://idp.elsewhere.example/token"), false},
		{"another issuer", jose.ES256, ecKey, set("iss", "somebody"), false},
		{"another subject", jose.ES256, ecKey, set("sub", "somebody"), false},
		{"expired", jose.ES256, ecKey, set("exp", seconds(0)), false},
		{"good for too long", jose.ES256, ecKey, set("exp", seconds(time.Hour)), false},
		{"without an end", jose.ES256, ecKey, set("exp", nil), false},
		{"from the future", jose.ES256, ecKey, set("iat", seconds(time.Minute)), false},
		{"used before", jose.ES256, ecKey, set("jti", "once"), true},
		{"used again", jose.ES256, ecKey, set("jti", "once"), false},
		{"without a jti", jose.ES256, ecKey, set("jti", ""), false},
	} {
		claims := map[string]any{
			"iss": clientID, "sub": clientID, "aud": f.at("/token"), "jti": random("", 8), "iat": seconds(0), "exp": seconds(5 * time.Minute),
		}
		if row.change != nil {
			row.change(claims)
		}
		presented(t, f, token, row.name, signAssertion(t, row.alg, row.key, claims), row.fine)
	}
	presented(t, f, token, "a platform's", "as.it.is", true)
	presented(t, f, token, "not a platform's", "as.it.was", false)
	presented(t, f, token, "no token at all", "x", false)
	both := refreshRequest(token, "client_assertion", "as.it.is", "client_assertion_type", assertionType)
	if res := post(t, browser(t), f.at("/token"), both); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("two ways of authenticating: %d", res.StatusCode)
	}
	f.UpdateClient(clientID, func(c *Client) { c.Secret = "" })
	if res := post(t, browser(t), f.at("/token"), refreshRequest(token, "client_secret", "")); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a client with keys is taken for a public one: %d", res.StatusCode)
	}
}

func presented(t *testing.T, f *OIDC, token, name, assertion string, fine bool) {
	t.Helper()
	form := refreshRequest(token, "client_secret", "", "client_assertion", assertion, "client_assertion_type", assertionType)
	res := post(t, browser(t), f.at("/token"), form)
	if fine != (res.StatusCode == http.StatusOK) || !fine && res.json(t)["error"] != "invalid_client" {
		t.Errorf("%s: %d %s", name, res.StatusCode, res.body)
	}
}
