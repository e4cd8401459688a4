package broker

import (
	"errors"
	"time"
)

// State is what a decision may look at: the current records, read in the
// transaction that acts on the answer. A nil member has no record. Deciders
// must not change what it points to.
type State struct {
	Now       time.Time
	Client    Switch
	Connector Switch
	Account   *Account
	Identity  *LinkedIdentity
	Session   *Session
	Consent   *Consent
	Grant     *Grant
	Code      *Code
	Device    *DeviceAuthorization
}

// Why something born earlier is dead. They are for the log; a client hears
// invalid_grant or invalid_token.
var (
	ErrClientDisabled    = errors.New("client is disabled")
	ErrConnectorDisabled = errors.New("connector is disabled")
	ErrAccountDisabled   = errors.New("account is disabled or gone")
	ErrIdentityGone      = errors.New("upstream identity is no longer linked")
	ErrSessionEnded      = errors.New("session has ended")
	ErrSuperseded        = errors.New("issued before access was withdrawn")
	ErrGrantGone         = errors.New("grant has been revoked")
)

// Standing reports why nothing may be issued for the account through the
// connector to the client as things stand now; nil when nothing speaks against
// it. It knows switches and existence only: policy adds the rules.
func (s State) Standing() error {
	switch {
	case s.Client.Disabled:
		return ErrClientDisabled
	case s.Connector.Disabled:
		return ErrConnectorDisabled
	case s.Account == nil || s.Account.Disabled:
		return ErrAccountDisabled
	case s.Identity == nil || s.Identity.AccountID != s.Account.ID:
		return ErrIdentityGone
	}
	return nil
}

// GrantStanding reports why the grant is dead; nil when it lives. Disabling
// something wins over everything issued before (invariant I6), and re-enabling
// does not revive it, because the epoch has moved.
func (s State) GrantStanding() error {
	g := s.Grant
	if g == nil {
		return ErrGrantGone
	}
	if err := s.Standing(); err != nil {
		return err
	}
	if g.AccountID != s.Account.ID || g.Identity != s.Identity.Key.Digest() {
		return ErrIdentityGone
	}
	if g.Epochs.Account != s.Account.Epoch || g.Epochs.Identity != s.Identity.Epoch ||
		g.Epochs.Client != s.Client.Epoch || g.Epochs.Connector != s.Connector.Epoch {
		return ErrSuperseded
	}
	// Signing out ends the grants of the session and keeps offline ones; expiry of
	// the session ends neither (Back-Channel Logout §2.7).
	if !g.Offline && (s.Session == nil || s.Session.Ended || s.Session.Epoch != g.Epochs.Session) {
		return ErrSessionEnded
	}
	return nil
}

// SessionStanding reports why the session does not sign its browser in through
// the connector of s; nil when it does.
func (s State) SessionStanding(connector string) error {
	if !s.Session.Live(s.Now) {
		return ErrSessionEnded
	}
	if err := s.Standing(); err != nil {
		return err
	}
	in := s.Session.SignIn(connector)
	if in == nil || s.Session.AccountID != s.Account.ID {
		return ErrSessionEnded
	}
	if s.Session.AccountEpoch != s.Account.Epoch || in.ConnectorEpoch != s.Connector.Epoch ||
		in.IdentityEpoch != s.Identity.Epoch || in.Identity != s.Identity.Key.Digest() {
		return ErrSuperseded
	}
	return nil
}
