package jose_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"testing"

	"gatehouse/broker/jose"
)

func BenchmarkVerify(b *testing.B) {
	k := testKeys()
	set := mustSet(b, mustKey(b, &k.p256.PublicKey, "k1"), mustKey(b, &k.rsa.PublicKey, "k2"), mustKey(b, k.ed.Public(), "k3"))
	for _, row := range []struct {
		alg jose.Algorithm
		kid string
		key any
	}{{jose.ES256, "k1", k.p256}, {jose.RS256, "k2", k.rsa}, {jose.EdDSA, "k3", k.ed}} {
		raw := compact(`{"alg":"`+string(row.alg)+`","kid":"`+row.kid+`","typ":"JWT"}`, goodClaims(nil), signer(b, row.alg, row.key))
		b.Run(string(row.alg), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := jose.Verify(b.Context(), raw, set, idToken()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkES256Primitive is what BenchmarkVerify/ES256 cannot go below.
func BenchmarkES256Primitive(b *testing.B) {
	k := testKeys().p256
	sum := sha256.Sum256([]byte("input"))
	sig, err := ecdsa.SignASN1(nil, k, sum[:])
	must(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if !ecdsa.VerifyASN1(&k.PublicKey, sum[:], sig) {
			b.Fatal("refused")
		}
	}
}

func BenchmarkPeek(b *testing.B) {
	raw := es256(b, goodClaims(nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jose.Peek(raw, jose.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStrict(b *testing.B) {
	data := []byte(goodClaims(nil))
	b.Run("Object", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := jose.StrictObject(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Unmarshal", func(b *testing.B) {
		var v struct {
			Issuer string `json:"iss"`
			Email  string `json:"email"`
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := jose.StrictUnmarshal(data, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
