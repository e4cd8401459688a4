package clientauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/broker/clientkeys"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
	"gatehouse/internal/jwttest"
)

var signers = sync.OnceValue(func() map[string]any {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return map[string]any{"rsa": rsaKey, "ec": ec, "foreign": foreign}
})

const macSecret = "a secret of thirty-two characters"

// prover authenticates clients by assertion: "keys" with RSA and EC keys, "mac"
// with a shared secret, "es" with its algorithm fixed.
func prover(t testing.TB, now *time.Time) *Authenticator {
	t.Helper()
	set := jose.JSONWebKeySet{}
	for _, kid := range []string{"rsa", "ec"} {
		set.Keys = append(set.Keys, jose.JSONWebKey{KeyID: kid, Use: "sig", Key: publicOf(signers()[kid])})
	}
	document, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return *now }
	keyed, err := NewSecrets().Digest("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	return &Authenticator{Secrets: NewSecrets(), Realm: "https://sso.example", Audiences: []string{"https://sso.example/token"}, Now: clock,
		Keys: &clientkeys.Cache{Now: clock}, Failures: &httpx.Limiter{Rate: 1, Burst: 1000, Now: clock},
		Clients: clients{
			"keys":   {ID: "keys", AuthMethod: oauth.AuthMethodPrivateKeyJWT, JWKS: document},
			"es":     {ID: "es", AuthMethod: oauth.AuthMethodPrivateKeyJWT, JWKS: document, AssertionAlg: "ES256"},
			"mac":    {ID: "mac", AuthMethod: oauth.AuthMethodClientSecretJWT, MACSecrets: [][]byte{[]byte("another secret of that same length"), []byte(macSecret)}},
			"mac512": {ID: "mac512", AuthMethod: oauth.AuthMethodClientSecretJWT, MACSecrets: [][]byte{[]byte(macSecret + macSecret)}, AssertionAlg: "HS512"},
			"basic":  {ID: "basic", AuthMethod: oauth.AuthMethodClientSecretBasic, Secrets: []string{keyed}, JWKS: document},
			"public": {ID: "public", AuthMethod: oauth.AuthMethodNone, JWKS: document},
		}}
}

func publicOf(key any) any {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k.Public()
	case *ecdsa.PrivateKey:
		return k.Public()
	}
	return nil
}

// signed is an assertion.
func signed(t testing.TB, alg string, key any, kid string, claims map[string]any) string {
	t.Helper()
	return jwttest.Sign(t, jwttest.Key{Algorithm: jose.SignatureAlgorithm(alg), ID: kid, Type: "JWT", Key: key}, claims)
}

func TestClientAssertions(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	a := prover(t, &now)
	claims := func(id string, changes map[string]any) map[string]any {
		c := map[string]any{"iss": id, "sub": id, "aud": "https://sso.example", "jti": "j1", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
		maps.Copy(c, changes)
		for name, v := range c {
			if v == nil {
				delete(c, name)
			}
		}
		return c
	}
	type change = map[string]any
	keys := signers()
	for _, row := range []struct {
		name, alg, key, client string
		changes                change
		form                   []string
		refused                bool
	}{
		{"RS256", "RS256", "rsa", "keys", nil, nil, false},
		{"PS256", "PS256", "rsa", "keys", nil, nil, false},
		{"ES256", "ES256", "ec", "keys", nil, nil, false},
		{"with the client_id said as well", "ES256", "ec", "keys", nil, []string{"client_id", "keys"}, false},
		{"Core §9: addressed to the token endpoint", "ES256", "ec", "keys", change{"aud": "https://sso.example/token"}, nil, false},
		{"addressed to us among others", "ES256", "ec", "keys", change{"aud": []string{"https://other.example", "https://sso.example"}}, nil, false},
		{"a clock that is a little ahead", "ES256", "ec", "keys", change{"iat": now.Add(8 * time.Second).Unix(), "nbf": now.Add(8 * time.Second).Unix()}, nil, false},
		{"no iat", "ES256", "ec", "keys", change{"iat": nil}, nil, false},
		{"the algorithm that is registered", "ES256", "ec", "es", nil, nil, false},
		{"HS256", "HS256", macSecret, "mac", nil, nil, false},
		{"the MAC that is registered", "HS512", macSecret + macSecret, "mac512", nil, nil, false},

		{"another client_id", "ES256", "ec", "keys", nil, []string{"client_id", "es"}, true},
		{"the algorithm that is not registered", "RS256", "rsa", "es", nil, nil, true},
		{"the MAC that is not registered", "HS256", macSecret + macSecret, "mac512", nil, nil, true},
		{"a key that is not the client's", "ES256", "foreign", "keys", nil, nil, true},
		{"CA: iss of another", "ES256", "ec", "keys", change{"iss": "es"}, nil, true},
		{"CA: sub of another", "ES256", "ec", "keys", change{"sub": "basic"}, nil, true},
		{"no sub", "ES256", "ec", "keys", change{"sub": nil}, nil, true},
		{"no iss", "ES256", "ec", "keys", change{"iss": nil}, nil, true},
		{"addressed to another", "ES256", "ec", "keys", change{"aud": "https://other.example"}, nil, true},
		{"addressed to the issuer with a slash", "ES256", "ec", "keys", change{"aud": "https://sso.example/"}, nil, true},
		{"addressed to nobody", "ES256", "ec", "keys", change{"aud": nil}, nil, true},
		{"no jti", "ES256", "ec", "keys", change{"jti": nil}, nil, true},
		{"a jti that is too long", "ES256", "ec", "keys", change{"jti": strings.Repeat("j", 257)}, nil, true},
		{"no exp", "ES256", "ec", "keys", change{"exp": nil}, nil, true},
		{"over", "ES256", "ec", "keys", change{"exp": now.Add(-time.Minute).Unix()}, nil, true},
		{"good for a day", "ES256", "ec", "keys", change{"exp": now.Add(24 * time.Hour).Unix()}, nil, true},
		{"not good yet", "ES256", "ec", "keys", change{"nbf": now.Add(2 * time.Minute).Unix()}, nil, true},
		{"issued in the future", "ES256", "ec", "keys", change{"iat": now.Add(2 * time.Minute).Unix()}, nil, true},
		{"of a client that has a secret", "ES256", "ec", "basic", nil, nil, true},
		{"of a public client", "ES256", "ec", "public", nil, nil, true},
		{"of nobody", "ES256", "ec", "nobody", nil, nil, true},
		{"CA-02: a MAC by a client that has keys", "HS256", macSecret, "keys", nil, nil, true},
		{"a signature by a client that has a secret to sign with", "ES256", "ec", "mac", nil, nil, true},
		{"a MAC with another secret", "HS256", strings.Repeat("x", 32), "mac", nil, nil, true},
		{"of another type", "ES256", "ec", "keys", nil, []string{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, true},
		{"of no type", "ES256", "ec", "keys", nil, []string{"client_assertion_type", ""}, true},
		{"beside a secret", "ES256", "ec", "keys", nil, []string{"client_secret", "s3cret"}, true},
	} {
		key, kid := keys[row.key], row.key
		if strings.HasPrefix(row.alg, "HS") {
			key, kid = []byte(row.key), ""
		}
		if row.key == "foreign" {
			kid = "ec"
		}
		pairs := append([]string{"client_assertion_type", oauth.ClientAssertionType,
			"client_assertion", signed(t, row.alg, key, kid, claims(row.client, row.changes))}, row.form...)
		caller, err := a.Authenticate(request("192.0.2.1", ""), form(t, pairs...))
		if row.refused {
			if oe := oauth.From(err); err == nil || caller.Client != nil || oe.Code != oauth.InvalidClient && row.name != "beside a secret" {
				t.Errorf("%s: %+v, %v", row.name, caller, err)
			}
			continue
		}
		if err != nil || caller.Client.ID != row.client || len(caller.Once) != 1 || caller.Once[0].Expires.Before(now.Add(time.Minute+assertionSkew)) {
			t.Errorf("%s: %+v, %v", row.name, caller, err)
		}
	}
	raw := signed(t, "ES256", keys["ec"], "ec", claims("keys", nil))
	first, err := a.Authenticate(request("192.0.2.1", ""), form(t, "client_assertion_type", oauth.ClientAssertionType, "client_assertion", raw))
	if err != nil {
		t.Fatal(err)
	}
	other := signed(t, "ES256", keys["ec"], "ec", claims("es", nil))
	second, err := a.Authenticate(request("192.0.2.1", ""), form(t, "client_assertion_type", oauth.ClientAssertionType, "client_assertion", other))
	if err != nil || first.Once[0].Key == second.Once[0].Key {
		t.Errorf("the same jti of two clients is one: %v", err)
	}
	for name, bad := range map[string]string{"altered": raw[:len(raw)-4] + "AAAA", "unsigned": "eyJhbGciOiJub25lIn0." + strings.Split(raw, ".")[1] + ".", "garbage": "x", "large": raw + strings.Repeat("A", maxAssertion)} {
		if _, err := a.Authenticate(request("192.0.2.1", ""), form(t, "client_assertion_type", oauth.ClientAssertionType, "client_assertion", bad)); oauth.From(err).Code != oauth.InvalidClient {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Failed assertions count against the same limit as failed secrets.
func TestFailedAssertionsAreLimited(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	a := prover(t, &now)
	a.Failures = &httpx.Limiter{Rate: 1, Burst: 3, Now: func() time.Time { return now }}
	bad := signed(t, "ES256", signers()["foreign"], "ec", map[string]any{"iss": "keys", "sub": "keys", "aud": "https://sso.example", "jti": "1", "exp": now.Add(time.Minute).Unix()})
	for i := range 5 {
		_, err := a.Authenticate(request("192.0.2.1", ""), form(t, "client_assertion_type", oauth.ClientAssertionType, "client_assertion", bad))
		if limited := oauth.From(err).RetryAfter > 0; limited != (i >= 3) {
			t.Errorf("attempt %d: %v", i, err)
		}
	}
}

// Whatever is sent as an assertion, nobody is let in by it who has not signed it.
func FuzzClientAssertion(f *testing.F) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	good := map[string]any{"iss": "keys", "sub": "keys", "aud": "https://sso.example", "jti": "1", "exp": now.Add(time.Minute).Unix()}
	f.Add(signed(f, "ES256", stranger, "ec", good), oauth.ClientAssertionType, "keys")
	f.Add(signed(f, "HS256", []byte(strings.Repeat("y", 32)), "", good), oauth.ClientAssertionType, "")
	f.Add("a.b.c", "", "")
	a := prover(f, &now)
	a.Keys.Fetch = func(context.Context, string, ...string) ([]byte, error) { return nil, errors.New("no network") }
	f.Fuzz(func(t *testing.T, assertion, kind, id string) {
		params, err := oauth.ParseQuery(url.Values{"client_assertion": {assertion}, "client_assertion_type": {kind}, "client_id": {id}}.Encode())
		if err != nil {
			return // no form at all: the endpoint refuses it before anybody is asked
		}
		caller, err := a.Authenticate(request("192.0.2.1", ""), params)
		if assertion == "" && kind == "" {
			return
		}
		if err == nil || caller.Client != nil || len(caller.Once) > 0 {
			t.Errorf("%q, %q, %q: %+v", assertion, kind, id, caller)
		}
	})
}
