package fake

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
	"net/url"
	"slices"
	"time"
)

// The longest life of an assertion that the generic provider puts up with, and how
// far clocks may differ.
const (
	oidcAssertionLife = 5 * time.Minute
	oidcAssertionSkew = 10 * time.Second
)

// authenticateByAssertion is private_key_jwt as "OpenID Connect Core 1.0" §9 and
// RFC 7523 §3 have it, and beside it an assertion of a platform, which is compared.
func (p *Provider) authenticateByAssertion(form url.Values, client Client, audiences []string) reason {
	value := form.Get("client_assertion")
	if form.Get("client_assertion_type") != assertionType || form.Has("client_secret") {
		return clientBadSecret
	}
	if slices.Contains(client.ForeignAssertions, value) {
		return fine
	}
	a, ok := readAssertion(value)
	if !ok || !slices.ContainsFunc(client.AssertionKeys, a.verifiedBy) {
		return clientBadSecret
	}
	now, life := p.opts.Now(), a.expires().Sub(p.opts.Now())
	switch {
	case a.claims.Issuer != client.ID, a.claims.Subject != client.ID, !slices.Contains(audiences, a.claims.Audience):
		return clientBadSecret
	case life <= 0, life > oidcAssertionLife+oidcAssertionSkew, time.Unix(int64(a.claims.IssuedAt), 0).After(now.Add(oidcAssertionSkew)):
		return clientBadSecret
	case a.claims.ID == "", !p.asserted.first(a.claims.ID, a.expires(), now):
		return clientBadSecret // OIDC Core §9: jti must be used once
	}
	return fine
}

// verifiedBy verifies every algorithm that a client may choose (RFC 7518 §3.1, RFC
// 8037 §3.1).
func (a assertion) verifiedBy(key crypto.PublicKey) bool {
	if len(a.header.Algorithm) < 5 {
		return false
	}
	family, bits := a.header.Algorithm[:2], a.header.Algorithm[2:]
	hash, sum := digestOf(bits, a.input)
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch family {
		case "RS":
			return sum != nil && rsa.VerifyPKCS1v15(k, hash, sum, a.signature) == nil
		case "PS":
			return sum != nil && rsa.VerifyPSS(k, hash, sum, a.signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		}
	case *ecdsa.PublicKey:
		half := (k.Curve.Params().BitSize + 7) / 8
		if family != "ES" || sum == nil || len(a.signature) != 2*half {
			return false
		}
		r, s := new(big.Int).SetBytes(a.signature[:half]), new(big.Int).SetBytes(a.signature[half:])
		return ecdsa.Verify(k, sum, r, s)
	case ed25519.PublicKey:
		return a.header.Algorithm == "EdDSA" && ed25519.Verify(k, []byte(a.input), a.signature)
	}
	return false
}

func digestOf(bits, input string) (crypto.Hash, []byte) {
	switch bits {
	case "256":
		sum := sha256.Sum256([]byte(input))
		return crypto.SHA256, sum[:]
	case "384":
		sum := sha512.Sum384([]byte(input))
		return crypto.SHA384, sum[:]
	case "512":
		sum := sha512.Sum512([]byte(input))
		return crypto.SHA512, sum[:]
	}
	return 0, nil
}
