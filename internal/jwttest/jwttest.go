// Package jwttest signs JWTs as clients and issuers elsewhere do: with a library that
// is not the one under test.
package jwttest

import (
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Key is what a JWT is signed with: a private key, or the bytes of a secret. An empty
// ID leaves kid out, an empty Type typ.
type Key struct {
	Algorithm jose.SignatureAlgorithm
	ID        string
	Type      string
	Key       any
}

// Sign returns a JWT in its compact form.
func Sign(t testing.TB, key Key, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if key.Type != "" {
		options.WithType(jose.ContentType(key.Type))
	}
	if key.ID != "" {
		options.WithHeader("kid", key.ID)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: key.Algorithm, Key: key.Key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
