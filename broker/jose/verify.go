package jose

import (
	"bytes"
	"context"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// Token is a token whose signature and claims have been checked against an [Expectation].
type Token struct {
	Header  Header
	Claims  Claims
	Payload []byte // the JSON text that was signed
	Key     Key    // the one that verified it; the zero Key after [VerifyMAC]
}

// Verify reads a compact JWS, checks its form ([Peek]), algorithm, type, signature and claims, and returns it. keys is
// asked once, after everything that costs no key has passed. The signature is checked before the claims, so that a
// claim's error is the word of the issuer and not of a stranger.
func Verify(ctx context.Context, raw string, keys KeySource, e Expectation) (*Token, error) {
	u, err := Peek(raw, e.Limits)
	if err != nil {
		return nil, err
	}
	return u.Verify(ctx, keys, e)
}

// Verify is the function [Verify] for a token that has been peeked at already. e.Limits plays no part any more.
func (u *Unverified) Verify(ctx context.Context, keys KeySource, e Expectation) (*Token, error) {
	if err := e.complete(); err != nil {
		return nil, err
	}
	if err := u.welcome(e.Algorithms, e.Types, false); err != nil {
		return nil, err
	}
	key, err := u.verifySignature(ctx, keys)
	if err != nil {
		return nil, err
	}
	if err := e.check(&u.Claims); err != nil {
		return nil, err
	}
	return &Token{Header: u.Header, Claims: u.Claims, Payload: u.Payload, Key: key}, nil
}

// VerifyMAC is [Verify] for tokens that a client signs with its secret (client_secret_jwt, OIDC Core §9), and the only
// place where HS256, HS384 and HS512 exist: e.Algorithms must hold nothing else. Having an entrance of its own, a
// public key can never be taken for a secret (JW-02). The secret needs as many bytes as the hash (RFC 7518 §3.2).
func VerifyMAC(raw string, secret []byte, e Expectation) (*Token, error) {
	u, err := Peek(raw, e.Limits)
	if err != nil {
		return nil, err
	}
	return u.VerifyMAC(secret, e)
}

// VerifyMAC is the function [VerifyMAC] for a token that has been peeked at already.
func (u *Unverified) VerifyMAC(secret []byte, e Expectation) (*Token, error) {
	if err := e.complete(); err != nil {
		return nil, err
	}
	if err := u.welcome(e.Algorithms, e.Types, true); err != nil {
		return nil, err
	}
	t, _ := traitsOf(u.Header.Algorithm)
	if len(secret) < t.hash.Size() {
		return nil, fmt.Errorf("%w: secret of %d bytes, %s needs %d", ErrKey, len(secret), u.Header.Algorithm, t.hash.Size())
	}
	if err := u.checkSignature(secret); err != nil {
		return nil, err
	}
	if err := e.check(&u.Claims); err != nil {
		return nil, err
	}
	return &Token{Header: u.Header, Claims: u.Claims, Payload: u.Payload}, nil
}

// SignatureVerifier checks form, algorithm, type and signature but no claim, and returns the payload. It has the method
// of go-oidc's KeySet, so that whatever goes to its IDTokenVerifier has come through this door.
type SignatureVerifier struct {
	Keys       KeySource
	Algorithms []Algorithm
	Types      []string // as in [Expectation]
	Limits     Limits
}

// VerifySignature returns the payload of a token that one of the keys has signed.
func (v *SignatureVerifier) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	u, err := Peek(raw, v.Limits)
	if err != nil {
		return nil, err
	}
	if err := u.welcome(v.Algorithms, v.Types, false); err != nil {
		return nil, err
	}
	if _, err := u.verifySignature(ctx, v.Keys); err != nil {
		return nil, err
	}
	return u.Payload, nil
}

// welcome checks all that costs no key: algorithm and type against the caller's lists, and the signature's length. symmetric says of which sort the algorithms have to be:
// a list with the other sort in it is a mistake that would let a public key be used as a secret.
func (u *Unverified) welcome(algorithms []Algorithm, types []string, symmetric bool) error {
	if len(algorithms) == 0 || len(types) == 0 {
		return fmt.Errorf("%w: no algorithms or no types allowed", ErrExpectation)
	}
	allowed := false
	for _, a := range algorithms {
		if !a.Known() || a.Symmetric() != symmetric {
			return fmt.Errorf("%w: algorithm %q cannot be allowed here", ErrExpectation, string(a))
		}
		allowed = allowed || a == u.Header.Algorithm
	}
	if !allowed {
		return fmt.Errorf("%w: %s", ErrAlgorithm, u.Header.Algorithm)
	}
	// RFC 7518 §3.4: R and S have a fixed length each; DER is another length and none is negotiable (JW-13). A high S is
	// not refused: JOSE asks for no low one and half of all honest signatures have it, so nothing may rely on the bytes
	// of a signature being unique; replay is told by jti.
	if t, _ := traitsOf(u.Header.Algorithm); len(u.signature) == 0 || t.signature != 0 && len(u.signature) != t.signature {
		return fmt.Errorf("%w: wrong length for %s", ErrSignature, u.Header.Algorithm)
	}
	for _, t := range types {
		if normalType(t) == u.Header.Type {
			return nil
		}
	}
	return ErrType
}

// verifySignature asks for the key and checks the signature with it.
func (u *Unverified) verifySignature(ctx context.Context, keys KeySource) (Key, error) {
	if keys == nil {
		return Key{}, fmt.Errorf("%w: no keys", ErrExpectation)
	}
	candidates, err := keys.Keys(ctx, u.Header.KeyID, u.Header.Algorithm)
	if err != nil {
		return Key{}, err
	}
	var key Key
	found := 0
	for _, k := range candidates {
		// A source that answers with another key than the one asked for is not believed.
		if k.Supports(u.Header.Algorithm) && (u.Header.KeyID == "" || k.ID == "" || k.ID == u.Header.KeyID) {
			key = k
			found++
		}
	}
	switch {
	case found == 0:
		return Key{}, ErrNoKey
	case found > 1:
		return Key{}, ErrAmbiguousKey // trying them all would let one key's owner speak for another (JW-04)
	}
	return key, u.checkSignature(key.public)
}

// checkSignature lets go-jose verify. key is a public key that fits the algorithm, or the secret for HMAC.
func (u *Unverified) checkSignature(key any) error {
	jws, err := jose.ParseSignedCompact(u.raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(u.Header.Algorithm)})
	if err != nil {
		return fmt.Errorf("%w: not accepted by the JOSE library", ErrMalformed)
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return ErrSignature
	}
	// Both have decoded the same text; should they ever disagree, what we checked is not what was signed.
	if !bytes.Equal(payload, u.Payload) {
		return fmt.Errorf("%w: two readings of the payload", ErrMalformed)
	}
	return nil
}
