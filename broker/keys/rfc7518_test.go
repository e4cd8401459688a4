package keys

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"

	"gatehouse/broker/jose"
)

// What we sign is verified by a library that did not sign it, with the key set that clients see.
func TestSignaturesOfEveryAlgorithm(t *testing.T) {
	t.Parallel()
	s := brief()
	s.Algorithms = allAlgorithms()
	r := open(t, &keyStore{}, newClock(), s)
	body, _ := r.JWKS()
	set, err := jose.ParseKeySet(body)
	if err != nil {
		t.Fatal(err)
	}
	payload := []byte(`{"sub":"somebody"}`)
	sizes := map[string]int{"RS256": 256, "PS256": 256, "ES256": 64, "ES384": 96, "EdDSA": 64} // RFC 7518 §3.4, RFC 8037 §3.1
	for _, alg := range s.Algorithms {
		for _, typ := range []string{"JWT", "at+jwt", `odd"type`} {
			token, err := r.Sign(alg, typ, payload)
			if err != nil {
				t.Fatal(err)
			}
			jws, err := gojose.ParseSignedCompact(token, []gojose.SignatureAlgorithm{gojose.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatalf("%s: %v", alg, err)
			}
			header := jws.Signatures[0].Protected
			found := set.Find(header.KeyID, jose.Algorithm(alg))
			if len(found) != 1 || header.ExtraHeaders["typ"] != typ || header.Algorithm != alg || len(header.ExtraHeaders) != 1 {
				t.Fatalf("%s: header %+v, keys %v", alg, header, found)
			}
			if got, err := jws.Verify(found[0].Public()); err != nil || !bytes.Equal(got, payload) {
				t.Errorf("%s: verified to %s, %v", alg, got, err)
			}
			signature, err := base64.RawURLEncoding.DecodeString(token[strings.LastIndexByte(token, '.')+1:])
			if err != nil || len(signature) != sizes[alg] {
				t.Errorf("%s: signature of %d bytes, %v", alg, len(signature), err)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	r := open(t, &keyStore{}, newClock(), brief())
	for _, alg := range []string{"", "none", "HS256", "RS256", "es256"} {
		if token, err := r.Sign(alg, "JWT", []byte(`{}`)); !errors.Is(err, ErrNoKey) || token != "" {
			t.Errorf("algorithm %q: %q, %v", alg, token, err)
		}
	}
	if _, err := r.Sign("ES256", "JWT", nil); err == nil {
		t.Error("an empty payload was signed")
	}
	if _, err := r.Sign("ES256", "", []byte(`{}`)); err == nil {
		t.Error("a token without a type was signed")
	}
}
