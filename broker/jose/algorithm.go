package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
)

// Algorithm is a JWS algorithm (RFC 7518 §3.1, RFC 8037 §3.1), spelled exactly as in the "alg" member.
type Algorithm string

// The algorithms this package can verify. What one caller accepts is that caller's allow-list; [Recommended] is a
// sensible one. There is no "none".
const (
	RS256 Algorithm = "RS256"
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256"
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"
	EdDSA Algorithm = "EdDSA" // Ed25519 alone; Ed448 is not implemented

	// The symmetric ones are for [VerifyMAC] alone (client_secret_jwt); [Verify] refuses an allow-list that holds one.
	HS256 Algorithm = "HS256"
	HS384 Algorithm = "HS384"
	HS512 Algorithm = "HS512"
)

// Recommended returns the algorithms to allow where nothing more particular is known: RS256 PS256 ES256 ES384 EdDSA.
func Recommended() []Algorithm { return []Algorithm{RS256, PS256, ES256, ES384, EdDSA} }

// traits is what an algorithm implies for key and signature.
type traits struct {
	family    family
	hash      crypto.Hash
	curve     elliptic.Curve // ecFamily
	signature int            // bytes of a signature, 0 when the key decides (RSA)
}

type family int

const (
	rsaFamily family = iota + 1
	ecFamily
	edFamily
	macFamily
)

// traitsOf answers false for anything but an exact name, so "none", "None" and "es256" do not exist (JW-01).
func traitsOf(a Algorithm) (traits, bool) {
	switch a {
	case RS256, PS256:
		return traits{family: rsaFamily, hash: crypto.SHA256}, true
	case RS384, PS384:
		return traits{family: rsaFamily, hash: crypto.SHA384}, true
	case RS512, PS512:
		return traits{family: rsaFamily, hash: crypto.SHA512}, true
	case ES256:
		return traits{ecFamily, crypto.SHA256, elliptic.P256(), 64}, true
	case ES384:
		return traits{ecFamily, crypto.SHA384, elliptic.P384(), 96}, true
	case ES512:
		return traits{ecFamily, crypto.SHA512, elliptic.P521(), 132}, true
	case EdDSA:
		return traits{family: edFamily, hash: crypto.SHA512, signature: ed25519.SignatureSize}, true
	case HS256:
		return traits{family: macFamily, hash: crypto.SHA256, signature: 32}, true
	case HS384:
		return traits{family: macFamily, hash: crypto.SHA384, signature: 48}, true
	case HS512:
		return traits{family: macFamily, hash: crypto.SHA512, signature: 64}, true
	}
	return traits{}, false
}

// Known says whether this package implements a, spelled exactly.
func (a Algorithm) Known() bool {
	_, ok := traitsOf(a)
	return ok
}

// Symmetric says whether a is one of the HMAC algorithms, which only [VerifyMAC] accepts.
func (a Algorithm) Symmetric() bool {
	t, ok := traitsOf(a)
	return ok && t.family == macFamily
}

// fits says whether a signature of this algorithm can come from that key: the family and, for EC, the curve
// (RFC 7518 §3.4: ES256 is P-256 and nothing else).
func (a Algorithm) fits(public crypto.PublicKey) bool {
	t, ok := traitsOf(a)
	if !ok {
		return false
	}
	switch k := public.(type) {
	case *rsa.PublicKey:
		return t.family == rsaFamily
	case *ecdsa.PublicKey:
		return t.family == ecFamily && k.Curve == t.curve
	case ed25519.PublicKey:
		return t.family == edFamily
	}
	return false
}

// HalfHash is the value of at_hash, c_hash and s_hash (OIDC Core §3.1.3.6, §3.3.2.11): the left half of the hash of
// value, in base64url. The hash is the one that the ID token's own algorithm names; EdDSA with Ed25519 has none in its
// name and hashes with SHA-512, as its signature does.
func HalfHash(alg Algorithm, value string) (string, error) {
	t, ok := traitsOf(alg)
	if !ok {
		return "", fmt.Errorf("%w: no hash belongs to it", ErrAlgorithm)
	}
	var sum []byte
	switch t.hash {
	case crypto.SHA256:
		s := sha256.Sum256([]byte(value))
		sum = s[:]
	case crypto.SHA384:
		s := sha512.Sum384([]byte(value))
		sum = s[:]
	case crypto.SHA512:
		s := sha512.Sum512([]byte(value))
		sum = s[:]
	default:
		return "", errors.New("jose: algorithm without a hash")
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]), nil
}
