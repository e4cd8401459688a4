package configs

import (
	"time"

	"gatehouse/connectors"
)

const (
	defaultRetryWindow = 5 * time.Second
	maxRetryWindow     = 30 * time.Second
)

// RefreshTokens says how they are rotated.
type RefreshTokens struct {
	// RetryWindow is how long a client that did not get our answer may present the spent token once more and receive
	// the same successor. Zero: never, and the grant is revoked.
	RetryWindow time.Duration `yaml:"retry_window"`
}

// Validate checks the window.
func (r RefreshTokens) Validate() []connectors.Problem {
	var f faults
	if r.RetryWindow < 0 || r.RetryWindow > maxRetryWindow {
		// RFC 9700 §4.14.2: reuse is how theft is noticed, so the window is for lost answers alone.
		f.add("retry_window", "must be from 0s to %s: it is also how long a thief may use a spent token unnoticed", maxRetryWindow)
	}
	return f
}
