package flow

import (
	"errors"
	"time"

	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// clockSkew is the difference tolerated between an upstream's clock and ours.
const clockSkew = 30 * time.Second

// ErrNotFresh: the upstream did not prove that it authenticated the person as
// recently as was demanded.
var ErrNotFresh = errors.New("upstream did not prove a fresh authentication")

// Fresh checks what an upstream answered where the request demands a fresh
// authentication: prompt=login, or max_age (Core §3.1.2.1). authTime is the
// upstream's signed auth_time, zero when it gave none.
//
// Both are measured from the start of the flow: a person who takes a minute at
// the upstream has not grown stale by it.
func (f *Flow) Fresh(d connectors.Description, authTime time.Time) error {
	if d.BestEffort || (!f.Attempt.Forced && !f.Request.HasMaxAge) {
		return nil
	}
	if authTime.IsZero() {
		return f.unproven(d)
	}
	var window time.Duration
	if f.Request.HasMaxAge && !f.Request.Prompt.Has(oauth.PromptLogin) {
		window = f.Request.MaxAge
	}
	oldest := f.StartedAt().Add(-window)
	if !authTime.Before(oldest) {
		return nil
	}
	// Slightly too old may be skew between the clocks, but then it must at least be
	// later than what this browser had: otherwise nobody was asked anything.
	if !authTime.Before(oldest.Add(-clockSkew)) && authTime.Unix() > f.Attempt.Previous {
		return nil
	}
	return ErrNotFresh
}

// unproven judges an answer without a signed auth_time.
func (f *Flow) unproven(d connectors.Description) error {
	switch d.Reauthentication {
	case connectors.ReauthAsked:
		return nil
	case connectors.ReauthImpossible:
		// With no older sign-in in this browser the callback itself is the moment of
		// authentication (DESIGN §4), and max_age is met by it.
		if !f.Attempt.Forced {
			return nil
		}
	}
	return ErrNotFresh
}
