package recheck

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/oauth"
	"gatehouse/broker/seal"
	"gatehouse/connectors"
)

const (
	// askTimeout bounds one question to an upstream, leaseFor the lease that protects
	// it: an answer that comes within the first can still be settled within the second.
	askTimeout = 20 * time.Second
	leaseFor   = 40 * time.Second
	// waitTimeout is how long a refresh waits for another one to have asked.
	waitTimeout = 25 * time.Second
	waitStep    = 20 * time.Millisecond
	// retryOutage is the least time between two questions about somebody who is being
	// refused because the upstream does not answer.
	retryOutage = 30 * time.Second
	// replicaSkew is how far the clocks of replicas may differ.
	replicaSkew = 5 * time.Second
)

var (
	// errDenied: the upstream no longer vouches for the person.
	errDenied = errors.New("the upstream no longer vouches for the person")
	// errLost: there is nothing to ask the upstream with.
	errLost = errors.New("no credential to ask the upstream with")
	// errSilent: the upstream has not answered for longer than outage_grace.
	errSilent = errors.New("the upstream has not answered for longer than outage_grace")
	// errBusy: another refresh has been asking for too long.
	errBusy = errors.New("another refresh is still asking the upstream")
	// errUnable: a connector is to be asked again and cannot be, which its configuration
	// should have refused.
	errUnable = errors.New("recheck: the connector has an interval and does not implement connectors.Refresher")
)

// Checker asks upstreams again. It belongs to one loaded configuration and is
// safe for concurrent use.
type Checker struct {
	Connectors  map[string]connectors.Connector
	Credentials broker.Credentials
	Grants      broker.Grants
	Sessions    broker.Sessions
	// Box seals credentials; see NewBox.
	Box   *seal.Box
	Audit *audit.Recorder
	Log   *slog.Logger
	Now   func() time.Time
	// Outlives is how long a grant can go on after its last refresh: the longest
	// lifetime of any client's refresh token.
	Outlives time.Duration
}

// NewBox returns the box for Checker.Box.
func NewBox(keys *seal.Keyring) *seal.Box { return keys.Box("upstream credential") }

// Enabled reports whether any of the connectors re-checks.
func (c *Checker) Enabled() bool {
	for _, connector := range c.Connectors {
		if connector.Describe().Recheck.Interval > 0 {
			return true
		}
	}
	return false
}

// Keep seals what an upstream handed out at a sign-in. It returns nil where the
// connector does not re-check: then nothing is kept (DESIGN.md §4).
func (c *Checker) Keep(who broker.Identity, u connectors.Upstream) (*broker.NewCredential, error) {
	connector, ok := c.Connectors[who.Key.Connector]
	if !ok || connector.Describe().Recheck.Interval == 0 {
		return nil, nil
	}
	kept := &broker.NewCredential{Reusable: u.Reusable, Forget: c.Now().Add(c.Outlives)}
	var err error
	if u.RefreshToken != "" || u.Reusable {
		kept.Sealed, err = c.seal(who.Key.Digest(), u)
	}
	return kept, err
}

func (c *Checker) seal(identity broker.Digest, u connectors.Upstream) ([]byte, error) {
	plain, err := json.Marshal(u)
	if err != nil {
		return nil, err
	}
	return c.Box.Seal(plain, identity[:]), nil
}

// Check makes sure that the upstream's word about the grant's person is young
// enough. state is the grant's, as just read; e has what is known of the request.
//
// It returns what has to be settled in the commit of the refresh, or nil when
// nobody had to be asked. Its errors are *oauth.Error or faults of ours; what a
// definite no has ended is committed by then.
func (c *Checker) Check(ctx context.Context, state broker.State, e broker.Event) (*broker.Settlement, error) {
	connector, ok := c.Connectors[state.Grant.Connector]
	if !ok {
		return nil, nil // removed from the configuration: policy refuses it
	}
	rule := connector.Describe().Recheck
	if rule.Interval == 0 {
		return nil, nil
	}
	refresher, able := connector.(connectors.Refresher)
	if !able {
		return nil, errUnable
	}
	v := &visit{Checker: c, refresher: refresher, rule: rule, state: state, event: e}
	settlement, err := v.run(ctx)
	return settlement, answer(err)
}

// Settle records a settlement in a commit of its own, for a refresh that was
// refused after the upstream had answered. It outlives the request: an answer that
// is lost costs the person a sign-in.
func (c *Checker) Settle(ctx context.Context, s *broker.Settlement) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	if _, err := c.Credentials.SettleCredential(ctx, *s, broker.Event{}); err != nil {
		c.Log.LogAttrs(ctx, slog.LevelError, "an upstream's answer could not be stored", slog.Any("error", err))
	}
}

// answer words an outcome for the client. Nothing is known against somebody whose
// upstream is silent, so their token stays good for later.
func answer(err error) error {
	if err == nil {
		return nil
	}
	var silent *silence
	switch {
	case errors.As(err, &silent):
		return oauth.Errorf(oauth.TemporarilyUnavailable, "the identity provider cannot be asked at the moment").WithOutage(silent.wait).Because(err)
	case errors.Is(err, errDenied), errors.Is(err, errLost), errors.Is(err, broker.ErrNotFound):
		return oauth.Errorf(oauth.InvalidGrant, "the person has to sign in again").Because(err)
	}
	return err
}

// silence is an outage that has outlasted its grace.
type silence struct {
	cause error
	wait  time.Duration
}

// Error is for the log.
func (s *silence) Error() string { return s.cause.Error() }

// Unwrap returns the cause.
func (s *silence) Unwrap() error { return s.cause }
