package jose

import (
	"errors"
	"fmt"
)

// The reasons for which a token, key or document is refused. They are wrapped, with detail fit for a log line: the
// detail names members and limits, never values that were sent.
var (
	// ErrMalformed: not the one spelling of a compact JWS, or not strict JSON; too large or too deep.
	ErrMalformed = errors.New("jose: malformed")
	// ErrEncrypted: a JWE (RFC 7516), where only what is signed is read. It is an [ErrMalformed] too.
	ErrEncrypted = fmt.Errorf("%w: encrypted, and nothing is decrypted here", ErrMalformed)
	// ErrHeader: a header member that changes how a token is to be read (crit, b64, zip, enc) or is of a wrong type.
	ErrHeader = errors.New("jose: header refused")
	// ErrAlgorithm: alg is none, unknown, or not on the allow-list.
	ErrAlgorithm = errors.New("jose: algorithm not allowed")
	// ErrType: typ is not one of those expected here (RFC 8725 §3.11).
	ErrType = errors.New("jose: token type not expected here")
	// ErrNoKey: no key of that ID that fits the algorithm; the one error after which fetching the key set anew helps.
	ErrNoKey = errors.New("jose: no such key")
	// ErrAmbiguousKey: several keys would do and the token does not say which.
	ErrAmbiguousKey = errors.New("jose: key is ambiguous")
	// ErrKey: a key that is weak, malformed, of an unknown kind or not for signatures, or that is not public.
	ErrKey = errors.New("jose: key refused")
	// ErrSignature: the signature is not that of the key.
	ErrSignature = errors.New("jose: signature invalid")
	// ErrExpectation: the caller's own expectation is incomplete or contradicts itself: a mistake in the program.
	ErrExpectation = errors.New("jose: incomplete expectation")
	// ErrClaim: a claim is missing, of a wrong type or not as expected. Every [ClaimError] is one.
	ErrClaim = errors.New("jose: claim refused")
	// ErrExpired: the token was good once. It is an [ErrClaim] too.
	ErrExpired = fmt.Errorf("%w: expired", ErrClaim)
)

// ClaimError says which claim was refused and why; errors.Is(err, [ErrClaim]) holds for it.
type ClaimError struct {
	Claim  string // the claim's name, such as "aud"
	Reason string // fit for a log line; holds nothing that was sent
	cause  error
}

// Error implements error.
func (e *ClaimError) Error() string { return ErrClaim.Error() + ": " + e.Claim + " " + e.Reason }

// Unwrap returns [ErrExpired] for an expired token and [ErrClaim] otherwise.
func (e *ClaimError) Unwrap() error {
	if e.cause != nil {
		return e.cause
	}
	return ErrClaim
}

func claimErrorf(claim, format string, args ...any) error {
	return &ClaimError{Claim: claim, Reason: fmt.Sprintf(format, args...)}
}
