package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

const (
	// skew is how far the upstream's clock may differ from ours.
	skew = time.Minute
	// maxSubject is OIDC Core §2: sub must not exceed 255 ASCII characters.
	maxSubject = 255
)

// algorithms are those an ID token may be signed with: every asymmetric one.
// Symmetric ones would make the client secret a signing key, and none is none.
func algorithms() []jose.Algorithm {
	return []jose.Algorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
}

// redeemed is what the ID token has to fit besides the configuration.
type redeemed struct {
	// code is empty with a refresh.
	code        string
	accessToken string
	nonce       string
	keys        *keySource
}

// refresh reports whether the token came in exchange for a refresh token. It then
// need not repeat the nonce (OIDC Core §12.2).
func (r redeemed) refresh() bool { return r.code == "" }

// verifyIDToken is OIDC Core §3.1.3.7. The strict door comes first; go-oidc reads
// what it has let through, and reaches keys only through it.
func (p *Provider) verifyIDToken(ctx context.Context, raw string, r redeemed) (*Claims, error) {
	token, err := p.verifySignedClaims(ctx, raw, r)
	if err != nil {
		return nil, idTokenError(err)
	}
	c := &Claims{ID: &token.Claims, KeyIssuer: token.Key.Issuer}
	if err := p.checkIssuer(c); err != nil {
		return nil, err
	}
	// The nonce binds the token to this browser's sign-in. It is mandatory because we
	// always send one, and go-oidc leaves it to us. A refreshed token that has one must
	// have that of the sign-in (OIDC Core §12.2).
	matches := r.nonce != "" && subtle.ConstantTimeCompare([]byte(c.ID.Nonce), []byte(r.nonce)) == 1
	if !matches && !(r.refresh() && !c.ID.Has("nonce")) {
		return nil, broken(nil, "the ID token's nonce is not that of the sign-in")
	}
	if len(c.ID.Subject) > maxSubject {
		return nil, broken(nil, "the ID token's sub is longer than %d bytes", maxSubject)
	}
	if t, ok := c.ID.Time("auth_time"); ok && t.After(p.now().Add(skew)) {
		return nil, broken(nil, "the ID token's auth_time is in the future")
	}
	return c, checkHashes(token, r)
}

func (p *Provider) verifySignedClaims(ctx context.Context, raw string, r redeemed) (*jose.Token, error) {
	require := []string{"iss", "sub", "iat"}
	if !r.refresh() {
		require = append(require, "nonce")
	}
	u, err := jose.Peek(raw, jose.Limits{})
	if err != nil {
		return nil, err
	}
	door := &door{token: u, keys: r.keys, expect: jose.Expectation{
		Algorithms: algorithms(),
		Types:      []string{"", "JWT"},
		AnyIssuer:  true, // checkIssuer compares it
		Audience:   p.config.ClientID,
		// azp must be ours if it is there, and be there among several audiences.
		AuthorizedParty: p.config.ClientID,
		Require:         require,
		Now:             p.now(),
		Skew:            skew,
	}}
	config := &gooidc.Config{
		ClientID:             p.config.ClientID,
		SupportedSigningAlgs: algorithmNames(),
		SkipIssuerCheck:      true, // its exception for Google is for one spelling, Entra's template it cannot
		Now:                  func() time.Time { return p.now().Add(-skew) },
	}
	if _, err := gooidc.NewVerifier(p.config.Issuer, door, config).Verify(ctx, raw); err != nil {
		if door.err != nil {
			return nil, door.err
		}
		return nil, err
	}
	return door.verified, nil
}

// door is the go-oidc KeySet that asks broker/jose. It keeps what was verified,
// so that nobody reads the claims a second time in another way.
type door struct {
	token    *jose.Unverified
	keys     *keySource
	expect   jose.Expectation
	verified *jose.Token
	err      error
}

// VerifySignature implements go-oidc's KeySet. The token is the one door was made for.
func (d *door) VerifySignature(ctx context.Context, _ string) ([]byte, error) {
	d.verified, d.err = d.token.Verify(ctx, d.keys, d.expect)
	if errors.Is(d.err, jose.ErrSignature) && d.keys.outdated(ctx) {
		d.verified, d.err = d.token.Verify(ctx, d.keys, d.expect)
	}
	if d.err != nil {
		return nil, d.err
	}
	return d.verified.Payload, nil
}

func algorithmNames() []string {
	var names []string
	for _, a := range algorithms() {
		names = append(names, string(a))
	}
	return names
}

func (p *Provider) checkIssuer(c *Claims) error {
	if p.quirks.Issuer != nil {
		return p.quirks.Issuer(c)
	}
	if c.ID.Issuer != p.config.Issuer {
		return broken(nil, "the ID token was issued by %q, not by the configured issuer %q", shown(c.ID.Issuer), p.config.Issuer)
	}
	return nil
}

// checkHashes holds the token to the access token and code it came with, where it
// says which those are (OIDC Core §3.1.3.8, §3.3.2.11).
func checkHashes(token *jose.Token, r redeemed) error {
	for _, h := range []struct{ claim, hash, value string }{
		{"at_hash", token.Claims.AccessTokenHash, r.accessToken},
		{"c_hash", token.Claims.CodeHash, r.code},
	} {
		if h.hash == "" || h.value == "" {
			continue
		}
		want, err := jose.HalfHash(token.Header.Algorithm, h.value)
		if err != nil || subtle.ConstantTimeCompare([]byte(want), []byte(h.hash)) != 1 {
			return broken(err, "the ID token's %s is of something else", h.claim)
		}
	}
	return nil
}

// idTokenError passes on what fetching the keys said and calls the rest broken.
func idTokenError(err error) error {
	var upstream *connectors.Error
	if errors.As(err, &upstream) {
		return upstream
	}
	hint := "the ID token cannot be accepted"
	switch {
	case errors.Is(err, jose.ErrNoKey):
		hint = "the ID token is signed with a key the upstream does not publish; if the upstream has just changed keys, this passes"
	case errors.Is(err, jose.ErrExpired):
		hint = "the ID token has expired: check the clocks"
	}
	return broken(err, "%s", hint)
}
