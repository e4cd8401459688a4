package keys

import (
	"bytes"
	"testing"

	"gatehouse/broker/jose"
)

func benchRing(b *testing.B) (*Ring, *clock) {
	b.Helper()
	s := brief()
	s.Algorithms = allAlgorithms()
	c := newClock()
	return open(b, &keyStore{}, c, s), c
}

// claims is about as long as the payload of an ID token with a profile.
func claims() []byte { return append(bytes.Repeat([]byte(" "), 600), `{"iss":"https://b.test"}`...) }

func BenchmarkSign(b *testing.B) {
	r, _ := benchRing(b)
	payload := claims()
	for _, alg := range allAlgorithms() {
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Sign(alg, "JWT", payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyOwn(b *testing.B) {
	r, c := benchRing(b)
	for _, alg := range allAlgorithms() {
		b.Run(alg, func(b *testing.B) {
			token, err := r.Sign(alg, "JWT", claims())
			if err != nil {
				b.Fatal(err)
			}
			e := anything(c)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.VerifyOwn(b.Context(), token, e, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The signature alone: the floor below VerifyOwn.
func BenchmarkVerifySignatureOnly(b *testing.B) {
	r, _ := benchRing(b)
	for _, alg := range []string{"RS256", "ES256"} {
		b.Run(alg, func(b *testing.B) {
			token, err := r.Sign(alg, "JWT", claims())
			if err != nil {
				b.Fatal(err)
			}
			u, err := jose.Peek(token, jose.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			v := jose.SignatureVerifier{Keys: r.state.Load().byID[u.Header.KeyID].key, Algorithms: []jose.Algorithm{jose.Algorithm(alg)}, Types: []string{"JWT"}}
			for b.Loop() {
				if _, err := v.VerifySignature(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTickWithNothingToDo(b *testing.B) {
	r, _ := benchRing(b)
	for b.Loop() {
		if err := r.Tick(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
