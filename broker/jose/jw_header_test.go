package jose_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/broker/jose"
)

// jwkOf writes the public JWK of the P-256 test key, or of another, with members added.
func jwkOf(k *ecdsa.PublicKey, more string) string {
	point, err := k.Bytes()
	if err != nil {
		panic(err)
	}
	size := (len(point) - 1) / 2
	return fmt.Sprintf(`{"kty":"EC","crv":"P-%d","x":%q,"y":%q%s}`, k.Params().BitSize, b64(point[1:1+size]), b64(point[1+size:]), more)
}

func TestJW01NoneDoesNotExist(t *testing.T) {
	t.Parallel()
	nothing := func([]byte) []byte { return nil }
	for name, header := range map[string]string{
		"none":              `{"alg":"none","kid":"k1"}`,
		"None":              `{"alg":"None","kid":"k1"}`,
		"nOnE":              `{"alg":"nOnE","kid":"k1"}`,
		"none with a space": `{"alg":"none ","kid":"k1"}`,
		"missing":           `{"kid":"k1"}`,
		"empty":             `{"alg":"","kid":"k1"}`,
		"in lower case":     `{"alg":"es256","kid":"k1"}`,
		"unknown":           `{"alg":"ES256K","kid":"k1"}`,
		"a JWE algorithm":   `{"alg":"RSA-OAEP","kid":"k1"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, sign := range []func([]byte) []byte{nothing, signer(t, jose.ES256, testKeys().p256)} {
				raw := compact(header, goodClaims(nil), sign)
				if _, err := jose.Verify(t.Context(), raw, p256Set(t), idToken()); !errors.Is(err, jose.ErrAlgorithm) {
					t.Errorf("error = %v", err)
				}
			}
		})
	}
	for name, header := range map[string]string{"number": `{"alg":256}`, "null": `{"alg":null}`, "array": `{"alg":["ES256"]}`} {
		if _, err := jose.Peek(compact(header, "{}", nothing), jose.Limits{}); !errors.Is(err, jose.ErrHeader) {
			t.Errorf("alg is a %s: %v", name, err)
		}
	}
	stripped := es256(t, goodClaims(nil))
	stripped = stripped[:strings.LastIndexByte(stripped, '.')+1]
	if _, err := jose.Verify(t.Context(), stripped, p256Set(t), idToken()); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("signature cut off: %v", err)
	}
}

func TestJW02TheKeyDecidesTheAlgorithm(t *testing.T) {
	t.Parallel()
	k := testKeys()
	der, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	must(t, err)
	secrets := map[string][]byte{
		"PEM":           pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"DER":           der,
		"JWK":           []byte(jwkOf(&k.p256.PublicKey, "")),
		"modulus":       k.rsa.N.Bytes(),
		"client secret": []byte("the secret of the client, 32 bytes long"),
	}
	set := mustSet(t, mustKey(t, &k.rsa.PublicKey, "k1"), mustKey(t, &k.p256.PublicKey, "k1"))
	for name, secret := range secrets {
		raw := compact(`{"alg":"HS256","kid":"k1"}`, goodClaims(nil), signer(t, jose.HS256, secret))
		if _, err := jose.Verify(t.Context(), raw, set, idToken()); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("HMAC with the %s: %v", name, err)
		}
		if _, err := jose.NewKey(secret, "k1"); !errors.Is(err, jose.ErrKey) {
			t.Errorf("a symmetric key from the %s: %v", name, err)
		}
	}
	for name, row := range map[string]struct {
		header string
		key    any
		of     jose.Key
	}{
		"an RSA key under ES256":        {`{"alg":"ES256","kid":"k1"}`, k.p256, mustKey(t, &k.rsa.PublicKey, "k1")},
		"an EC key under RS256":         {`{"alg":"RS256","kid":"k1"}`, k.rsa, mustKey(t, &k.p256.PublicKey, "k1")},
		"a P-384 key under ES256":       {`{"alg":"ES256","kid":"k1"}`, k.p256, mustKey(t, &k.p384.PublicKey, "k1")},
		"an EC key under EdDSA":         {`{"alg":"EdDSA","kid":"k1"}`, k.ed, mustKey(t, &k.p256.PublicKey, "k1")},
		"an Ed25519 key under ES256":    {`{"alg":"ES256","kid":"k1"}`, k.p256, mustKey(t, k.ed.Public(), "k1")},
		"a PS256 key under RS256":       {`{"alg":"RS256","kid":"k1"}`, k.rsa, bound(mustKey(t, &k.rsa.PublicKey, "k1"), jose.PS256)},
		"the zero key":                  {`{"alg":"RS256","kid":"k1"}`, k.rsa, jose.Key{ID: "k1"}},
		"a zero key that names its alg": {`{"alg":"RS256","kid":"k1"}`, k.rsa, jose.Key{ID: "k1", Algorithm: jose.RS256}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h struct{ Alg jose.Algorithm }
			must(t, json.Unmarshal([]byte(row.header), &h))
			raw := compact(row.header, goodClaims(nil), signer(t, h.Alg, row.key))
			if _, err := jose.Verify(t.Context(), raw, jose.Only(row.of), idToken()); !errors.Is(err, jose.ErrNoKey) {
				t.Errorf("error = %v", err)
			}
		})
	}
	right := bound(mustKey(t, &k.rsa.PublicKey, "k1"), jose.PS256)
	raw := compact(`{"alg":"PS256","kid":"k1"}`, goodClaims(nil), signer(t, jose.PS256, k.rsa))
	if _, err := jose.Verify(t.Context(), raw, mustSet(t, right), idToken()); err != nil {
		t.Errorf("the algorithm the key names: %v", err)
	}
}

func bound(k jose.Key, a jose.Algorithm) jose.Key {
	k.Algorithm = a
	return k
}

func TestJW03KeysInHeadersAreNeverTrustedNorFetched(t *testing.T) {
	t.Parallel()
	evil, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("fetched %s", r.URL)
		fmt.Fprintf(w, `{"keys":[%s]}`, jwkOf(&evil.PublicKey, `,"kid":"k1"`))
	}))
	t.Cleanup(srv.Close)
	for name, extra := range map[string]string{
		"jwk": `"jwk":` + jwkOf(&evil.PublicKey, ""),
		"jku": `"jku":"` + srv.URL + `/jwks"`,
		"x5u": `"x5u":"` + srv.URL + `/chain.pem"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := `{"alg":"ES256","kid":"k1",` + extra + `}`
			forged := compact(header, goodClaims(nil), signer(t, jose.ES256, evil))
			if _, err := jose.Verify(t.Context(), forged, p256Set(t), idToken()); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("signed by the header's key: %v", err)
			}
			own := compact(header, goodClaims(nil), signer(t, jose.ES256, testKeys().p256))
			tok, err := jose.Verify(t.Context(), own, p256Set(t), idToken())
			must(t, err)
			if tok.Key.ID != "k1" || tok.Header.Raw[name] == nil {
				t.Errorf("verified by %q", tok.Key.ID)
			}
		})
	}
	if _, err := jose.Verify(t.Context(), compact(`{"alg":"ES256","jwk":`+jwkOf(&evil.PublicKey, "")+`}`, goodClaims(nil),
		signer(t, jose.ES256, evil)), mustSet(t), idToken()); !errors.Is(err, jose.ErrNoKey) {
		t.Errorf("the header's key was the only one: %v", err)
	}
}

func TestJW03HeadersThatChangeTheReadingAreRefused(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string]string{
		"crit with an unknown extension":  `"crit":["exp"],"exp":1`,
		"crit with b64":                   `"crit":["b64"],"b64":false`,
		"crit without anything":           `"crit":[]`,
		"crit null":                       `"crit":null`,
		"b64 false":                       `"b64":false`,
		"b64 true":                        `"b64":true`,
		"zip (JW-09)":                     `"zip":"DEF"`,
		"enc: a JWE in disguise (JW-11)":  `"enc":"A128GCM"`,
		"kid a number (JW-04)":            `"kid":1`,
		"kid null (JW-04)":                `"kid":null`,
		"kid with a control char (JW-04)": `"kid":"a\u0001b"`,
		"kid of 64 KiB cut to 2 (JW-04)":  `"kid":"` + strings.Repeat("k", 2048) + `"`,
		"typ a number":                    `"typ":1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := compact(`{"alg":"ES256",`+extra+`}`, goodClaims(nil), signer(t, jose.ES256, testKeys().p256))
			if _, err := jose.Verify(t.Context(), raw, p256Set(t), idToken()); !errors.Is(err, jose.ErrHeader) {
				t.Errorf("error = %v", err)
			}
		})
	}
	nul := compact(`{"alg":"ES256","kid":"k1\u0000"}`, goodClaims(nil), signer(t, jose.ES256, testKeys().p256))
	if _, err := jose.Verify(t.Context(), nul, p256Set(t), idToken()); !errors.Is(err, jose.ErrMalformed) {
		t.Errorf("NUL in kid: %v", err)
	}
}

func TestJW05TypeHasToBeOneOfThePurpose(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		header  string
		allowed []string
		ok      bool
	}{
		{"absent where absence is allowed", ``, []string{"", "JWT"}, true},
		{"absent where it is not", ``, []string{"JWT"}, false},
		{"the case does not matter", `,"typ":"jwt"`, []string{"JWT"}, true},
		{"application/ is implied", `,"typ":"application/AT+JWT"`, []string{"at+jwt"}, true},
		{"application/ is implied in the list too", `,"typ":"at+jwt"`, []string{"application/at+jwt"}, true},
		{"application/ stays before another slash", `,"typ":"application/a/b"`, []string{"a/b"}, false},
		{"an access token is no ID token", `,"typ":"at+jwt"`, []string{"", "JWT"}, false},
		{"a logout token is no ID token", `,"typ":"logout+jwt"`, []string{"", "JWT"}, false},
		{"an ID token is no DPoP proof", `,"typ":"JWT"`, []string{"dpop+jwt"}, false},
		{"a request object is no client assertion", `,"typ":"oauth-authz-req+jwt"`, []string{"", "JWT", "client-authentication+jwt"}, false},
		{"an empty typ is like none", `,"typ":""`, []string{"JWT"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := idToken()
			e.Types = row.allowed
			raw := compact(`{"alg":"ES256","kid":"k1"`+row.header+`}`, goodClaims(nil), signer(t, jose.ES256, testKeys().p256))
			_, err := jose.Verify(t.Context(), raw, p256Set(t), e)
			if row.ok && err != nil || !row.ok && !errors.Is(err, jose.ErrType) {
				t.Errorf("error = %v", err)
			}
		})
	}
}
