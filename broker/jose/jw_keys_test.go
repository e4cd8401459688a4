package jose_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"gatehouse/broker/jose"
)

func TestJW04KeyIDIsAnOpaqueName(t *testing.T) {
	t.Parallel()
	k := testKeys()
	ec, other := mustKey(t, &k.p256.PublicKey, "k1"), mustKey(t, otherP256(t), "k2")
	nameless := mustKey(t, &k.p256.PublicKey, "")
	for _, row := range []struct {
		name string
		kid  string // member of the header, with its comma
		set  *jose.KeySet
		want error
	}{
		{"a path", `,"kid":"../../etc/passwd"`, mustSet(t, ec), jose.ErrNoKey},
		{"SQL", `,"kid":"k1' OR '1'='1"`, mustSet(t, ec), jose.ErrNoKey},
		{"another case", `,"kid":"K1"`, mustSet(t, ec), jose.ErrNoKey},
		{"a prefix", `,"kid":"k"`, mustSet(t, ec), jose.ErrNoKey},
		{"unknown", `,"kid":"k3"`, mustSet(t, ec, other), jose.ErrNoKey},
		{"known", `,"kid":"k1"`, mustSet(t, ec, other), nil},
		{"of another key", `,"kid":"k2"`, mustSet(t, ec, other), jose.ErrSignature},
		{"absent with one key", ``, mustSet(t, ec), nil},
		{"absent with one key that fits", ``, mustSet(t, ec, mustKey(t, &k.rsa.PublicKey, "k2")), nil},
		{"absent with two keys", ``, mustSet(t, ec, other), jose.ErrAmbiguousKey},
		{"absent with no keys", ``, mustSet(t), jose.ErrNoKey},
		{"given, and the key has none", `,"kid":"k1"`, mustSet(t, nameless), jose.ErrNoKey},
		{"empty is absent", `,"kid":""`, mustSet(t, nameless), nil},
		{"absent with two nameless keys", ``, mustSet(t, nameless, mustKey(t, otherP256(t), "")), jose.ErrAmbiguousKey},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			raw := compact(`{"alg":"ES256"`+row.kid+`}`, goodClaims(nil), signer(t, jose.ES256, k.p256))
			if _, err := jose.Verify(t.Context(), raw, row.set, idToken()); !errors.Is(err, row.want) {
				t.Errorf("error = %v, want %v", err, row.want)
			}
		})
	}
}

func otherP256(t *testing.T) *ecdsa.PublicKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return &k.PublicKey
}

func TestJW04ASourceIsNotBelievedBlindly(t *testing.T) {
	t.Parallel()
	own := mustKey(t, &testKeys().p256.PublicKey, "k1")
	answers := func(keys ...jose.Key) jose.KeySource {
		return jose.KeySourceFunc(func(context.Context, string, jose.Algorithm) ([]jose.Key, error) { return keys, nil })
	}
	renamed := own
	renamed.ID = "k2"
	for name, row := range map[string]struct {
		source jose.KeySource
		want   error
	}{
		"another name than asked for": {answers(renamed), jose.ErrNoKey},
		"nothing":                     {answers(), jose.ErrNoKey},
		"the same twice":              {answers(own, own), jose.ErrAmbiguousKey},
		"the right one and others":    {answers(renamed, own, jose.Key{}, mustKey(t, &testKeys().rsa.PublicKey, "k1")), nil},
		"one that has no name":        {jose.Only(own), nil},
	} {
		if _, err := jose.Verify(t.Context(), es256(t, goodClaims(nil)), row.source, idToken()); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJW08WeakKeysAreRefused(t *testing.T) {
	t.Parallel()
	k := testKeys()
	shifted := func(bits uint) *big.Int { return new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), bits-1), 0, 1) }
	// point makes what the parsers of the standard library would refuse.
	point := func(curve elliptic.Curve) *ecdsa.PublicKey {
		//lint:ignore SA1019 an invalid key is what is wanted
		return &ecdsa.PublicKey{Curve: curve, X: big.NewInt(1), Y: big.NewInt(1)}
	}
	for name, public := range map[string]crypto.PublicKey{
		"RSA 512":              &rsa.PublicKey{N: shifted(512), E: 65537},
		"RSA 1024":             &rsa.PublicKey{N: shifted(1024), E: 65537},
		"RSA 2047":             &rsa.PublicKey{N: shifted(2047), E: 65537},
		"RSA 8193":             &rsa.PublicKey{N: shifted(8193), E: 65537},
		"e = 1":                &rsa.PublicKey{N: k.rsa.N, E: 1},
		"e = 2":                &rsa.PublicKey{N: k.rsa.N, E: 2},
		"e = 0":                &rsa.PublicKey{N: k.rsa.N},
		"e negative":           &rsa.PublicKey{N: k.rsa.N, E: -3},
		"e even":               &rsa.PublicKey{N: k.rsa.N, E: 65536},
		"an even modulus":      &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537},
		"no modulus":           &rsa.PublicKey{E: 65537},
		"a negative modulus":   &rsa.PublicKey{N: new(big.Int).Neg(k.rsa.N), E: 65537},
		"no RSA key":           (*rsa.PublicKey)(nil),
		"P-224":                point(elliptic.P224()),
		"no curve":             point(nil),
		"a point off curve":    point(elliptic.P256()),
		"no EC key":            (*ecdsa.PublicKey)(nil),
		"a short Ed25519 key":  ed25519.PublicKey(make([]byte, 31)),
		"a private RSA key":    k.rsa,
		"a private EC key":     k.p256,
		"a private Ed25519":    k.ed,
		"a symmetric key":      []byte("0123456789abcdef0123456789abcdef"),
		"an RSA key by value":  k.rsa.PublicKey,
		"nothing":              nil,
		"the name of a secret": "secret",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := jose.NewKey(public, "k1")
			if !errors.Is(err, jose.ErrKey) || key.Public() != nil || key.Supports(jose.RS256) || key.Thumbprint() != "" {
				t.Errorf("key = %+v, %v", key, err)
			}
		})
	}
	for name, public := range map[string]crypto.PublicKey{
		"RSA 2048": &rsa.PublicKey{N: shifted(2048), E: 65537}, "RSA 8192": &rsa.PublicKey{N: shifted(8192), E: 3}, "P-521": &k.p521.PublicKey,
	} {
		if key, err := jose.NewKey(public, "k1"); err != nil || key.Public() == nil || key.Thumbprint() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := jose.NewKeySet(jose.Key{ID: "k1"}); !errors.Is(err, jose.ErrKey) {
		t.Errorf("a set of the zero key: %v", err)
	}
}

// rsaJWK writes the test key's public JWK with n replaced where it is not nil, and members added.
func rsaJWK(n *big.Int, e, more string) string {
	if n == nil {
		n = testKeys().rsa.N
	}
	return fmt.Sprintf(`{"kty":"RSA","n":%q,"e":%q%s}`, b64(n.Bytes()), e, more)
}

func TestJW08ParseKeyRefuses(t *testing.T) {
	t.Parallel()
	k := testKeys()
	ec := jwkOf(&k.p256.PublicKey, "")
	point, err := k.p256.PublicKey.Bytes()
	must(t, err)
	x, y := b64(point[1:33]), b64(point[33:])
	ecWith := func(x, y string) string { return `{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + y + `"}` }
	ed := b64(k.ed.Public().(ed25519.PublicKey))
	rows := map[string]string{
		"RSA 1024":                   rsaJWK(new(big.Int).Rsh(k.rsa.N, 1024), "AQAB", ""),
		"e = 1":                      rsaJWK(nil, "AQ", ""),
		"e of 33 bits":               rsaJWK(nil, "AQAAAAE", ""),
		"e of 64 bits that wrap":     rsaJWK(nil, "AQAAAAAAAQAB", ""),
		"e missing":                  rsaJWK(nil, "", ""),
		"e a number":                 strings.Replace(rsaJWK(nil, "AQAB", ""), `"AQAB"`, `65537`, 1),
		"n padded":                   strings.Replace(rsaJWK(nil, "AQAB", ""), `","e"`, `==","e"`, 1),
		"a point off curve":          ecWith(x, x),
		"the point at infinity":      ecWith(b64(make([]byte, 32)), b64(make([]byte, 32))),
		"a short coordinate":         ecWith(b64(point[1:32]), y),
		"a long coordinate":          ecWith(b64(append([]byte{0}, point[1:33]...)), y),
		"coordinates cut elsewhere":  ecWith(b64(point[1:32]), b64(point[32:])),
		"no y":                       `{"kty":"EC","crv":"P-256","x":"` + x + `"}`,
		"a P-256 point as P-384":     strings.Replace(ec, "P-256", "P-384", 1),
		"an unknown curve":           strings.Replace(ec, "P-256", "secp256k1", 1),
		"no curve":                   `{"kty":"EC","x":"` + x + `","y":"` + y + `"}`,
		"a short Ed25519 key":        `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`,
		"an X25519 key":              `{"kty":"OKP","crv":"X25519","x":"` + ed + `"}`,
		"symmetric":                  `{"kty":"oct","k":"c2VjcmV0"}`,
		"symmetric without its key":  `{"kty":"oct"}`,
		"kty missing":                `{"crv":"P-256","x":"` + x + `","y":"` + y + `"}`,
		"kty in another case":        `{"kty":"ec","crv":"P-256","x":"` + x + `","y":"` + y + `"}`,
		"kty a number":               `{"kty":1}`,
		"for encryption":             jwkOf(&k.p256.PublicKey, `,"use":"enc"`),
		"use a number":               jwkOf(&k.p256.PublicKey, `,"use":1`),
		"key_ops without verify":     jwkOf(&k.p256.PublicKey, `,"key_ops":["deriveKey"]`),
		"key_ops malformed":          jwkOf(&k.p256.PublicKey, `,"key_ops":{"verify":true}`),
		"alg for another kind":       jwkOf(&k.p256.PublicKey, `,"alg":"RS256"`),
		"alg for another curve":      jwkOf(&k.p256.PublicKey, `,"alg":"ES384"`),
		"alg symmetric":              jwkOf(&k.p256.PublicKey, `,"alg":"HS256"`),
		"alg for encryption":         rsaJWK(nil, "AQAB", `,"alg":"RSA-OAEP"`),
		"alg none":                   rsaJWK(nil, "AQAB", `,"alg":"none"`),
		"alg a number":               rsaJWK(nil, "AQAB", `,"alg":1`),
		"kid a number":               rsaJWK(nil, "AQAB", `,"kid":1`),
		"kid with a line break":      rsaJWK(nil, "AQAB", `,"kid":"a\nb"`),
		"kid of 2 KiB":               rsaJWK(nil, "AQAB", `,"kid":"`+strings.Repeat("k", 2048)+`"`),
		"issuer a number":            rsaJWK(nil, "AQAB", `,"issuer":1`),
		"a private EC key":           jwkOf(&k.p256.PublicKey, `,"d":"`+x+`"`),
		"a private key that is null": jwkOf(&k.p256.PublicKey, `,"d":null`),
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		rows["a private RSA member "+private] = rsaJWK(nil, "AQAB", `,"`+private+`":"AQAB"`)
	}
	for name, data := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if key, err := jose.ParseKey([]byte(data)); !errors.Is(err, jose.ErrKey) || key.Public() != nil {
				t.Errorf("key = %+v, %v", key, err)
			}
		})
	}
}

func TestJW08ParseKeyWantsStrictJSON(t *testing.T) {
	t.Parallel()
	k := testKeys()
	ec := jwkOf(&k.p256.PublicKey, "")
	for name, data := range map[string]string{
		"not an object":            `"key"`,
		"kty twice":                jwkOf(&k.p256.PublicKey, `,"kty":"EC"`),
		"D, which might be read d": jwkOf(&k.p256.PublicKey, `,"D":"AQAB"`),
		"X beside x":               jwkOf(&k.p256.PublicKey, `,"X":"AQAB"`),
		"a second value":           ec + ec,
	} {
		if _, err := jose.ParseKey([]byte(data)); !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
