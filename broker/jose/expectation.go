package jose

import (
	"fmt"
	"time"
)

// Expectation is what a token has to be for its purpose. Each purpose has its own, so that a token made for one is
// never taken at another (RFC 8725 §3.9, §3.11, §3.12). What is not wanted is waived by the Any… fields; an
// expectation with a gap is [ErrExpectation], not a check left out.
type Expectation struct {
	// Algorithms is the allow-list; see [Recommended].
	Algorithms []Algorithm
	// Types are the allowed values of typ, compared without regard to case and to "application/"; "" allows absence.
	// An ID token of an upstream is {"", "JWT"}, a DPoP proof {"dpop+jwt"}.
	Types []string
	// Issuer is the exact iss. AnyIssuer says that iss is not compared, and whoever says so compares it or has no issuer.
	Issuer    string
	AnyIssuer bool
	// Audience has to be in aud; one of OtherAudiences will do as well. SingleAudience refuses more than one value.
	// AnyAudience says that aud is not compared.
	Audience       string
	OtherAudiences []string
	SingleAudience bool
	AnyAudience    bool
	// AuthorizedParty, when set, has to be azp if there is one, and there has to be one when aud has several values
	// (OIDC Core §3.1.3.7 steps 3 to 5). It is the client ID.
	AuthorizedParty string
	// Subject and Nonce, when set, have to be sub and nonce exactly.
	Subject string
	Nonce   string
	// Require names claims that have to be there, besides those that other fields imply: "sub", "iat", "jti" …
	Require []string
	// Now is the time to judge by, and Skew how far clocks may differ, in either direction.
	Now  time.Time
	Skew time.Duration
	// ExpiryOptional accepts a token without exp, as DPoP proofs are. One that has it is held to it all the same.
	ExpiryOptional bool
	// MaxAge, when positive, is how old a token may be by its iat, which then has to be there.
	MaxAge time.Duration
	// MaxLifetime, when positive, is how far in the future exp may be.
	MaxLifetime time.Duration
	// Limits bounds the token's size.
	Limits Limits
}

// complete refuses expectations that leave something unsaid. The lists are looked at where they are used.
func (e *Expectation) complete() error {
	switch {
	case e.Now.IsZero():
		return fmt.Errorf("%w: no time", ErrExpectation)
	case e.Skew < 0 || e.MaxAge < 0 || e.MaxLifetime < 0:
		return fmt.Errorf("%w: a negative duration", ErrExpectation)
	case (e.Issuer == "") != e.AnyIssuer:
		return fmt.Errorf("%w: set one of Issuer and AnyIssuer", ErrExpectation)
	case (e.Audience == "") != e.AnyAudience:
		return fmt.Errorf("%w: set one of Audience and AnyAudience", ErrExpectation)
	case e.AnyAudience && (len(e.OtherAudiences) > 0 || e.SingleAudience):
		return fmt.Errorf("%w: AnyAudience contradicts the other audiences", ErrExpectation)
	}
	return nil
}

// check holds the claims to the expectation.
func (e *Expectation) check(c *Claims) error {
	for _, name := range e.Require {
		if !c.Has(name) {
			return claimErrorf(name, "is missing")
		}
	}
	if err := e.checkParties(c); err != nil {
		return err
	}
	if e.Subject != "" && c.Subject != e.Subject {
		return claimErrorf("sub", "is not the expected one")
	}
	if e.Nonce != "" && c.Nonce != e.Nonce {
		return claimErrorf("nonce", "is not the expected one")
	}
	return e.checkTimes(c)
}

func (e *Expectation) checkParties(c *Claims) error {
	if !e.AnyIssuer && c.Issuer != e.Issuer { // RFC 8725 §3.8; simple string comparison, RFC 7519 §4.1.1
		return claimErrorf("iss", "is not the expected one")
	}
	if !e.AnyAudience && !e.addressed(c) { // RFC 8725 §3.9
		return claimErrorf("aud", "does not name us")
	}
	if e.SingleAudience && len(c.Audience) > 1 {
		return claimErrorf("aud", "names others too")
	}
	if e.AuthorizedParty == "" {
		return nil
	}
	if c.AuthorizedParty == "" && len(c.Audience) > 1 {
		return claimErrorf("azp", "is missing although aud has several values")
	}
	if c.AuthorizedParty != "" && c.AuthorizedParty != e.AuthorizedParty {
		return claimErrorf("azp", "is not the expected one")
	}
	return nil
}

func (e *Expectation) addressed(c *Claims) bool {
	if c.HasAudience(e.Audience) {
		return true
	}
	for _, other := range e.OtherAudiences {
		if c.HasAudience(other) {
			return true
		}
	}
	return false
}

// checkTimes is the one place where clocks and their differences are considered (JW-06).
func (e *Expectation) checkTimes(c *Claims) error {
	early, late := e.Now.Add(-e.Skew), e.Now.Add(e.Skew)
	switch {
	case c.Expiry.IsZero() && !e.ExpiryOptional:
		return claimErrorf("exp", "is missing")
	case !c.Expiry.IsZero() && !early.Before(c.Expiry): // RFC 7519 §4.1.4: "on or after" it is over
		return &ClaimError{Claim: "exp", Reason: "is in the past", cause: ErrExpired}
	case c.NotBefore.After(late):
		return claimErrorf("nbf", "is in the future")
	case c.IssuedAt.After(late):
		return claimErrorf("iat", "is in the future")
	case e.MaxLifetime > 0 && c.Expiry.After(late.Add(e.MaxLifetime)):
		return claimErrorf("exp", "is too far in the future")
	}
	if e.MaxAge > 0 {
		if c.IssuedAt.IsZero() {
			return claimErrorf("iat", "is missing")
		}
		if c.IssuedAt.Before(early.Add(-e.MaxAge)) {
			return &ClaimError{Claim: "iat", Reason: "is too long ago", cause: ErrExpired}
		}
	}
	return nil
}
