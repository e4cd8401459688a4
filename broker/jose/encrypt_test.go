package jose_test

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"

	"gatehouse/broker/jose"
)

// decrypt opens a JWE with the private key, if it is of that alg and enc and no other.
func decrypt(t testing.TB, raw string, private any, alg jose.KeyAlgorithm, enc jose.ContentEncryption) string {
	t.Helper()
	jwe, err := gojose.ParseEncryptedCompact(raw, []gojose.KeyAlgorithm{gojose.KeyAlgorithm(alg)}, []gojose.ContentEncryption{gojose.ContentEncryption(enc)})
	must(t, err)
	content, err := jwe.Decrypt(private)
	must(t, err)
	return string(content)
}

func headerOf(t testing.TB, raw string) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(raw[:strings.IndexByte(raw, '.')])
	must(t, err)
	var h map[string]any
	must(t, json.Unmarshal(text, &h))
	return h
}

// RFC 7516 §7.1, RFC 7518 §4.1, §5.1: every algorithm there is, read by another hand.
func TestRFC7516EncryptedToARecipient(t *testing.T) {
	t.Parallel()
	k := testKeys()
	private := map[jose.KeyAlgorithm][]any{
		jose.RSAOAEP256: {k.rsa}, jose.ECDHES: {k.p256, k.p384, k.p521}, jose.ECDHESA256KW: {k.p256, k.p384, k.p521},
	}
	const content = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA"
	for _, alg := range jose.KeyAlgorithms() {
		for _, enc := range jose.ContentEncryptions() {
			for _, key := range private[alg] {
				to, err := jose.NewRecipient(key.(crypto.Signer).Public(), "k1", alg)
				must(t, err)
				raw, err := to.Encrypt(enc, []byte(content), jose.Envelope{Type: "at+jwt", ContentType: "JWT", Private: map[string]string{"ref": "r"}})
				must(t, err)
				if got := decrypt(t, raw, key, alg, enc); got != content {
					t.Errorf("%s %s: %q", alg, enc, got)
				}
				h := headerOf(t, raw)
				// JW-12: the public half, and of a key of its own.
				if epk, ok := h["epk"].(map[string]any); ok != (alg != jose.RSAOAEP256) || ok && (len(epk) != 4 || epk["kty"] != "EC" || epk["d"] != nil) {
					t.Errorf("%s %s: epk %v", alg, enc, h["epk"])
				}
				delete(h, "epk")
				want := map[string]any{"alg": string(alg), "enc": string(enc), "kid": "k1", "typ": "at+jwt", "cty": "JWT", "ref": "r"}
				if !maps.Equal(h, want) {
					t.Errorf("%s %s: header %v", alg, enc, h)
				}
				e, err := jose.ReadEnvelope(raw, jose.Limits{})
				if err != nil || e.Type != "at+jwt" || e.ContentType != "JWT" || !maps.Equal(e.Private, map[string]string{"ref": "r"}) {
					t.Errorf("%s %s: envelope %+v, %v", alg, enc, e, err)
				}
				again, err := to.Encrypt(enc, []byte(content), jose.Envelope{})
				if err != nil || again == raw || len(headerOf(t, again)) > 4 {
					t.Errorf("%s %s: encrypted twice alike, or with more than asked for: %s, %v", alg, enc, again, err)
				}
			}
		}
	}
}

// RFC 7518 §4.3, §5.3, without the library: the header is authenticated, and the plaintext is not compressed.
func TestRFC7518ReadByHand(t *testing.T) {
	t.Parallel()
	k := testKeys()
	to, err := jose.NewRecipient(&k.rsa.PublicKey, "", jose.RSAOAEP256)
	must(t, err)
	content := strings.Repeat("a", 1000)
	raw, err := to.Encrypt(jose.A256GCM, []byte(content), jose.Envelope{})
	must(t, err)
	text := strings.Split(raw, ".")
	var parts [5][]byte
	for i := range parts {
		parts[i], err = base64.RawURLEncoding.DecodeString(text[i])
		must(t, err)
	}
	cek, err := rsa.DecryptOAEP(sha256.New(), nil, k.rsa, parts[1], nil)
	must(t, err)
	block, err := aes.NewCipher(cek)
	must(t, err)
	gcm, err := cipher.NewGCM(block)
	must(t, err)
	got, err := gcm.Open(nil, parts[2], slices.Concat(parts[3], parts[4]), []byte(text[0]))
	if err != nil || string(got) != content || len(cek) != 32 {
		t.Errorf("%d bytes of key: %q, %v", len(cek), got, err)
	}
}

// JW-01, JW-09: an algorithm that is not on the list does not exist, whatever the library can do.
func TestNothingElseIsEncryptedWith(t *testing.T) {
	t.Parallel()
	k := testKeys()
	for _, alg := range []jose.KeyAlgorithm{"", "RSA1_5", "RSA-OAEP", "RSA-OAEP-384", "rsa-oaep-256", "dir", "A128KW", "A256KW", "A256GCMKW", "ECDH-ES+A128KW",
		"ecdh-es", "PBES2-HS256+A128KW", "RS256", "none"} {
		for _, key := range []crypto.PublicKey{&k.rsa.PublicKey, &k.p256.PublicKey, []byte(strings.Repeat("k", 32))} {
			if _, err := jose.NewRecipient(key, "", alg); !errors.Is(err, jose.ErrAlgorithm) {
				t.Errorf("%q with %T: %v", alg, key, err)
			}
		}
		set := mustSet(t, mustKey(t, &k.rsa.PublicKey, ""))
		if _, err := set.Recipient(alg); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("%q in a set: %v", alg, err)
		}
	}
	to, err := jose.NewRecipient(&k.p256.PublicKey, "", jose.ECDHES)
	must(t, err)
	older, err := jose.NewRecipient(&k.rsa.PublicKey, "", jose.RSAOAEP256)
	must(t, err)
	for _, alg := range []jose.KeyAlgorithm{"RSA1_5", "RSA-OAEP", ""} {
		older.Algorithm = alg
		if raw, err := older.Encrypt(jose.A128GCM, []byte("x"), jose.Envelope{}); !errors.Is(err, jose.ErrKey) || raw != "" {
			t.Errorf("%q, put in later: %q, %v", alg, raw, err)
		}
	}
	for _, enc := range []jose.ContentEncryption{"", "A192GCM", "A256CBC-HS512", "A192CBC-HS384", "a256gcm", "XC20P", "none"} {
		if raw, err := to.Encrypt(enc, []byte("x"), jose.Envelope{}); !errors.Is(err, jose.ErrAlgorithm) || raw != "" {
			t.Errorf("%q: %q, %v", enc, raw, err)
		}
	}
	for _, name := range []string{"alg", "enc", "zip", "epk", "kid", "crit", "jwk", "typ", "apu", "p2c"} {
		if raw, err := to.Encrypt(jose.A128GCM, []byte("x"), jose.Envelope{Private: map[string]string{name: "DEF"}}); !errors.Is(err, jose.ErrHeader) || raw != "" {
			t.Errorf("%s: %q, %v", name, raw, err)
		}
	}
}

// JW-08, JW-09: a key of the wrong kind, a weak one and a point that is on no curve are refused before anything is
// encrypted to them.
func TestKeysThatNothingIsEncryptedTo(t *testing.T) {
	t.Parallel()
	k := testKeys()
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	//lint:ignore SA1019 no constructor makes a point that is on no curve
	off := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	weak := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	for _, row := range []struct {
		name string
		key  crypto.PublicKey
		alg  jose.KeyAlgorithm
	}{
		{"an EC key for RSA", &k.p256.PublicKey, jose.RSAOAEP256},
		{"an RSA key for key agreement", &k.rsa.PublicKey, jose.ECDHES},
		{"an RSA key for key agreement and wrapping", &k.rsa.PublicKey, jose.ECDHESA256KW},
		{"a signature key", k.ed.Public(), jose.ECDHES},
		{"a private key", k.p256, jose.ECDHES},
		{"a secret", []byte("0123456789abcdef0123456789abcdef"), jose.ECDHESA256KW},
		{"no key", nil, jose.ECDHES},
		{"a nil key", (*ecdsa.PublicKey)(nil), jose.ECDHES},
		{"a curve that is too short", &p224.PublicKey, jose.ECDHES},
		{"a point that is not on its curve", off, jose.ECDHES},
		{"a weak RSA key", weak, jose.RSAOAEP256},
	} {
		if _, err := jose.NewRecipient(row.key, "", row.alg); !errors.Is(err, jose.ErrKey) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if raw, err := (jose.Recipient{}).Encrypt(jose.A128GCM, []byte("x"), jose.Envelope{}); !errors.Is(err, jose.ErrKey) || raw != "" {
		t.Errorf("the zero recipient: %q, %v", raw, err)
	}
	if raw, err := (jose.Recipient{Algorithm: jose.ECDHES}).Encrypt(jose.A128GCM, []byte("x"), jose.Envelope{}); !errors.Is(err, jose.ErrKey) || raw != "" {
		t.Errorf("a recipient without a key: %q, %v", raw, err)
	}
	to, err := jose.NewRecipient(&k.p256.PublicKey, "", jose.ECDHES)
	must(t, err)
	to.Algorithm = jose.RSAOAEP256
	if raw, err := to.Encrypt(jose.A128GCM, []byte("x"), jose.Envelope{}); !errors.Is(err, jose.ErrKey) || raw != "" {
		t.Errorf("a recipient with another algorithm than its own: %q, %v", raw, err)
	}
}
