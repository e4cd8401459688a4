package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/broker/jose"
)

const (
	testIssuer = "https://idp.example"
	testClient = "wiki"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// testKeys are made once: an RSA key takes longer than all tests together.
var testKeys = sync.OnceValue(func() (k struct {
	rsa              *rsa.PrivateKey
	p256, p384, p521 *ecdsa.PrivateKey
	ed               ed25519.PrivateKey
}) {
	var errs [5]error
	k.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.p256, errs[1] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	k.p384, errs[2] = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	k.p521, errs[3] = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	_, k.ed, errs[4] = ed25519.GenerateKey(rand.Reader)
	for _, err := range errs {
		if err != nil {
			panic(err)
		}
	}
	return k
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// compact joins the parts of a token as a sender would, whatever they are.
func compact(header, payload string, sign func(input []byte) []byte) string {
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	return input + "." + b64(sign([]byte(input)))
}

// signer signs as RFC 7518 says, without any of the code under test.
func signer(t testing.TB, alg jose.Algorithm, key any) func([]byte) []byte {
	t.Helper()
	return func(input []byte) []byte {
		sum := digest(alg, input)
		switch k := key.(type) {
		case *rsa.PrivateKey:
			var sig []byte
			var err error
			if strings.HasPrefix(string(alg), "PS") {
				sig, err = rsa.SignPSS(rand.Reader, k, hashOf(alg), sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
			} else {
				sig, err = rsa.SignPKCS1v15(nil, k, hashOf(alg), sum)
			}
			must(t, err)
			return sig
		case *ecdsa.PrivateKey:
			r, s, err := ecdsa.Sign(rand.Reader, k, sum)
			must(t, err)
			return rawSignature(k, r, s)
		case ed25519.PrivateKey:
			return ed25519.Sign(k, input)
		case []byte:
			mac := hmac.New(sha256.New, k)
			mac.Write(input)
			return mac.Sum(nil)
		}
		t.Fatalf("no signer for %T", key)
		return nil
	}
}

func rawSignature(k *ecdsa.PrivateKey, r, s *big.Int) []byte {
	size := (k.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
}

func hashOf(alg jose.Algorithm) crypto.Hash {
	switch {
	case strings.HasSuffix(string(alg), "384"):
		return crypto.SHA384
	case strings.HasSuffix(string(alg), "512"):
		return crypto.SHA512
	}
	return crypto.SHA256
}

func digest(alg jose.Algorithm, input []byte) []byte {
	h := hashOf(alg).New()
	h.Write(input)
	return h.Sum(nil)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustKey(t testing.TB, public crypto.PublicKey, id string) jose.Key {
	t.Helper()
	k, err := jose.NewKey(public, id)
	must(t, err)
	return k
}

func mustSet(t testing.TB, keys ...jose.Key) *jose.KeySet {
	t.Helper()
	s, err := jose.NewKeySet(keys...)
	must(t, err)
	return s
}

// p256Set is the key set of the issuer of es256 tokens.
func p256Set(t testing.TB) *jose.KeySet {
	return mustSet(t, mustKey(t, &testKeys().p256.PublicKey, "k1"))
}

// goodClaims are what idToken accepts; change replaces members, nil removes one.
func goodClaims(change map[string]any) string {
	claims := map[string]any{
		"iss": testIssuer, "sub": "alice", "aud": testClient, "nonce": "n-0S6",
		"exp": testNow.Add(time.Hour).Unix(), "iat": testNow.Unix(), "email": "alice@idp.example", "email_verified": true,
	}
	for name, v := range change {
		if v == nil {
			delete(claims, name)
			continue
		}
		claims[name] = v
	}
	var buf bytes.Buffer
	if err := json.NewEncoder(&buf).Encode(claims); err != nil {
		panic(err)
	}
	return buf.String()
}

// es256 is a token of the test issuer with that payload.
func es256(t testing.TB, payload string) string {
	return compact(`{"alg":"ES256","kid":"k1","typ":"JWT"}`, payload, signer(t, jose.ES256, testKeys().p256))
}

// idToken is the expectation that goodClaims meet.
func idToken() jose.Expectation {
	return jose.Expectation{
		Algorithms: jose.Recommended(), Types: []string{"", "JWT"},
		Issuer: testIssuer, Audience: testClient, AuthorizedParty: testClient, Nonce: "n-0S6",
		Require: []string{"sub", "iat"}, Now: testNow, Skew: time.Minute,
	}
}
