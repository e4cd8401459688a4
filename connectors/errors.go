package connectors

import (
	"errors"
	"fmt"
	"time"
)

// ErrClientRefused marks the cause of an Operator Error that says: the upstream did
// not accept what we authenticate with. Nothing was done with the code or
// credential then, and another secret may be tried.
var ErrClientRefused = errors.New("the client's own credentials were refused")

// Kind says whose trouble an upstream failure is, and so what the page tells
// the person and how the log line is ranked.
type Kind uint8

const (
	// Broken: the upstream's answer fails a check (wrong nonce, issuer, signature …):
	// an attack or a defect. The zero value, so that an unclassified error is not
	// taken for a harmless one.
	Broken Kind = iota
	// Declined: the person, or the upstream on their behalf, said no.
	Declined
	// NotAllowed: the upstream knows the person, but our rules for this connector
	// (hosted domain, tenant, organisation) do not admit them.
	NotAllowed
	// Operator: our registration at the upstream is wrong: bad or expired secret,
	// unknown client, redirect URI not registered, missing admin consent.
	Operator
	// Transient: the upstream is down, slow, or limits us. Trying again may help.
	Transient
	// Interaction: silent sign-in was asked for and is not possible.
	Interaction
	// Unmet: the upstream could not authenticate as strongly as was demanded.
	Unmet
	// Gone: the upstream no longer vouches for somebody it knew: the credential was
	// revoked or has expired, or the account is disabled. Only Refresh answers it.
	Gone
)

// String returns the word used in logs and metrics.
func (k Kind) String() string {
	switch k {
	case Declined:
		return "declined"
	case NotAllowed:
		return "not_allowed"
	case Operator:
		return "operator"
	case Transient:
		return "transient"
	case Interaction:
		return "interaction"
	case Unmet:
		return "unmet"
	case Gone:
		return "gone"
	}
	return "broken"
}

// Error is every failure of a connector.
type Error struct {
	Kind Kind
	// Code is the upstream's own short code, such as "invalid_client" or
	// "AADSTS7000215", restricted to a harmless character set; it may be shown.
	Code string
	// Hint is our sentence for the operator's log: what to look at.
	Hint string
	// RetryAfter is the upstream's wish; zero when it has none.
	RetryAfter time.Duration
	// Unspent: the request certainly had no effect, because it never left or was
	// answered with a refusal that leaves credentials as they are (429, 503). Where it
	// is false the upstream may have taken the credential that was presented.
	Unspent bool
	// Err is the cause, for the log only. It holds no token and no secret.
	Err error
}

// Error is for the log. It is never shown to people.
func (e *Error) Error() string {
	s := e.Kind.String()
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	if e.Err != nil {
		s += fmt.Sprintf(": %v", e.Err)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
