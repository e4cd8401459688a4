package jose_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"

	"gatehouse/broker/jose"
)

// anyJWK is a public key of any kind as JSON with further members.
func anyJWK(t testing.TB, public crypto.PublicKey, more string) string {
	t.Helper()
	text, err := json.Marshal(gojose.JSONWebKey{Key: public})
	must(t, err)
	return strings.TrimSuffix(string(text), "}") + more + "}"
}

// RFC 7517 §4.2 to §4.4: use, key_ops and alg say what a key is for.
func TestRFC7517KeysToEncryptTo(t *testing.T) {
	t.Parallel()
	k := testKeys()
	ec := func(more string) string { return anyJWK(t, &k.p256.PublicKey, more) }
	rsa := func(more string) string { return anyJWK(t, &k.rsa.PublicKey, more) }
	for _, row := range []struct {
		name string
		alg  jose.KeyAlgorithm
		keys []string
		kid  string // of the key that is chosen; "-" for none
	}{
		{"use enc", jose.ECDHES, []string{ec(`,"kid":"a","use":"enc"`)}, "a"},
		{"no use", jose.ECDHES, []string{ec(`,"kid":"a"`)}, "a"},
		{"no name either", jose.ECDHES, []string{ec(``)}, ""},
		{"use sig", jose.ECDHES, []string{ec(`,"kid":"a","use":"sig"`)}, "-"},
		{"a use of its own", jose.ECDHES, []string{ec(`,"kid":"a","use":"tls"`)}, "-"},
		{"a signature algorithm", jose.ECDHES, []string{ec(`,"kid":"a","alg":"ES256"`)}, "-"},
		{"its algorithm", jose.ECDHES, []string{ec(`,"kid":"a","alg":"ECDH-ES"`)}, "a"},
		{"its algorithm with use enc", jose.ECDHESA256KW, []string{ec(`,"kid":"a","alg":"ECDH-ES+A256KW","use":"enc"`)}, "a"},
		{"another algorithm", jose.ECDHES, []string{ec(`,"kid":"a","alg":"ECDH-ES+A256KW"`)}, "-"},
		{"an algorithm that is not on the list", jose.RSAOAEP256, []string{rsa(`,"kid":"a","alg":"RSA-OAEP","use":"enc"`)}, "-"},
		{"RSA1_5", jose.RSAOAEP256, []string{rsa(`,"kid":"a","alg":"RSA1_5","use":"enc"`)}, "-"},
		{"RSA", jose.RSAOAEP256, []string{rsa(`,"kid":"a","use":"enc"`)}, "a"},
		{"EC for RSA", jose.RSAOAEP256, []string{ec(`,"kid":"a","use":"enc"`)}, "-"},
		{"RSA for key agreement", jose.ECDHES, []string{rsa(`,"kid":"a","use":"enc"`)}, "-"},
		{"an Ed25519 key", jose.ECDHES, []string{anyJWK(t, k.ed.Public(), `,"kid":"a"`)}, "-"},
		{"an X25519 key", jose.ECDHES, []string{`{"kty":"OKP","crv":"X25519","kid":"a","use":"enc","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"}`}, "-"},
		{"P-384", jose.ECDHES, []string{anyJWK(t, &k.p384.PublicKey, `,"kid":"a"`)}, "a"},
		{"P-521", jose.ECDHESA256KW, []string{anyJWK(t, &k.p521.PublicKey, `,"kid":"a"`)}, "a"},
		{"wrapKey", jose.RSAOAEP256, []string{rsa(`,"kid":"a","key_ops":["wrapKey"]`)}, "a"},
		{"encrypt", jose.RSAOAEP256, []string{rsa(`,"kid":"a","key_ops":["encrypt"]`)}, "a"},
		{"verify", jose.RSAOAEP256, []string{rsa(`,"kid":"a","key_ops":["verify"]`)}, "-"},
		{"no operation", jose.RSAOAEP256, []string{rsa(`,"kid":"a","key_ops":[]`)}, "-"},
		{"no operation of a key agreement", jose.ECDHES, []string{ec(`,"kid":"a","key_ops":[]`)}, "a"},
		{"deriveBits", jose.ECDHES, []string{ec(`,"kid":"a","key_ops":["deriveBits"]`)}, "a"},
		{"encrypt with an EC key", jose.ECDHES, []string{ec(`,"kid":"a","key_ops":["encrypt"]`)}, "-"},
		{"verify with use enc", jose.ECDHES, []string{ec(`,"kid":"a","use":"enc","key_ops":["verify"]`)}, "-"},
		{"the first of equals", jose.ECDHES, []string{ec(`,"kid":"a","use":"enc"`), ec(`,"kid":"b","use":"enc"`)}, "a"},
		{"use enc before no use", jose.ECDHES, []string{ec(`,"kid":"a"`), ec(`,"kid":"b","use":"enc"`)}, "b"},
		{"its algorithm before use enc", jose.ECDHES, []string{ec(`,"kid":"a","use":"enc"`), ec(`,"kid":"b","alg":"ECDH-ES"`)}, "b"},
		{"past others", jose.ECDHES, []string{ec(`,"kid":"a","use":"sig"`), rsa(`,"kid":"b","use":"enc"`), ec(`,"kid":"c","use":"enc"`)}, "c"},
		{"one name for two purposes", jose.ECDHES, []string{ec(`,"kid":"a","use":"sig"`), ec(`,"kid":"a","use":"enc"`)}, "a"},
		{"no keys", jose.ECDHES, nil, "-"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			set, err := jose.ParseKeySet(setOf(row.keys...))
			must(t, err)
			if refused := set.Refused(); len(refused) != 0 {
				t.Errorf("refused: %v", refused)
			}
			for range 3 {
				to, err := set.Recipient(row.alg)
				if row.kid == "-" {
					if !errors.Is(err, jose.ErrNoKey) {
						t.Errorf("%+v, %v", to, err)
					}
					continue
				}
				if err != nil || to.ID != row.kid || to.Algorithm != row.alg {
					t.Errorf("%+v, %v", to, err)
				}
			}
		})
	}
}

// RFC 7517 §4.2: a key for encryption is kept, and verifies nothing.
func TestRFC7517AKeyForEncryptionNeverVerifies(t *testing.T) {
	t.Parallel()
	public := &testKeys().p256.PublicKey
	for _, more := range []string{`,"use":"enc"`, `,"alg":"ECDH-ES"`, `,"key_ops":["deriveKey"]`, `,"key_ops":[]`} {
		text := anyJWK(t, public, `,"kid":"k1"`+more)
		set, err := jose.ParseKeySet(setOf(text))
		must(t, err)
		if _, err := set.Recipient(jose.ECDHES); err != nil {
			t.Errorf("%s: %v", more, err)
		}
		if len(set.All()) != 0 || len(set.Find("", jose.ES256)) != 0 {
			t.Errorf("%s: verifies", more)
		}
		if _, err := jose.Verify(t.Context(), es256(t, goodClaims(nil)), set, idToken()); !errors.Is(err, jose.ErrNoKey) {
			t.Errorf("%s: %v", more, err)
		}
		if _, err := jose.ParseKey([]byte(text)); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s: %v", more, err)
		}
	}
}

// JW-08: a key that nobody should encrypt to is told of; a private one spoils the set.
func TestJW08WeakKeysForEncryption(t *testing.T) {
	t.Parallel()
	k := testKeys()
	weak := `{"kty":"RSA","use":"enc","kid":"w","e":"AQAB","n":"` + b64(append([]byte{0x80}, make([]byte, 126)...)) + `AQ"}`
	off := `{"kty":"EC","use":"enc","crv":"P-256","kid":"o","x":"` + b64(make([]byte, 32)) + `","y":"` + b64(append(make([]byte, 31), 1)) + `"}`
	for name, key := range map[string]string{
		"weak": weak, "on no curve": off,
		"an alg of another kind":   anyJWK(t, &k.p256.PublicKey, `,"alg":"RSA-OAEP-256"`),
		"operations that are none": anyJWK(t, &k.p256.PublicKey, `,"use":"enc","key_ops":1`),
		"a name that is no name":   anyJWK(t, &k.p256.PublicKey, `,"use":"enc","kid":1`),
		"a name that is too long":  anyJWK(t, &k.p256.PublicKey, `,"use":"enc","kid":"`+strings.Repeat("k", 1025)+`"`),
		"an alg that is no text":   anyJWK(t, &k.p256.PublicKey, `,"use":"enc","alg":1`),
	} {
		set, err := jose.ParseKeySet(setOf(key, anyJWK(t, &k.p384.PublicKey, `,"kid":"good","use":"enc"`)))
		must(t, err)
		to, err := set.Recipient(jose.ECDHES)
		if err != nil || to.ID != "good" || len(set.Refused()) != 1 {
			t.Errorf("%s: %+v, %v, refused %v", name, to, err, set.Refused())
		}
		if _, err := set.Recipient(jose.RSAOAEP256); !errors.Is(err, jose.ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	private, err := json.Marshal(gojose.JSONWebKey{Key: k.p256, Use: "enc"})
	must(t, err)
	if _, err := jose.ParseKeySet(setOf(string(private))); !errors.Is(err, jose.ErrKey) {
		t.Errorf("a private key: %v", err)
	}
}
