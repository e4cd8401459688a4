package broker

import (
	"errors"
	"testing"
	"time"
)

// sound is a State in which everything lives.
func sound() State {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	key := IdentityKey{"corp", "https://idp.example", "ada"}
	return State{
		Now: now, Client: Switch{Epoch: 1}, Connector: Switch{Epoch: 2},
		Account:  &Account{ID: "acct", Epoch: 3},
		Identity: &LinkedIdentity{Key: key, AccountID: "acct", Epoch: 4},
		Session: &Session{ID: "s", AccountID: "acct", AccountEpoch: 3, Epoch: 5, Expires: now.Add(time.Hour), IdleUntil: now.Add(time.Hour),
			SignIns: []SignIn{{Connector: "corp", ConnectorEpoch: 2, Identity: key.Digest(), IdentityEpoch: 4}}},
		Grant: &Grant{ID: "g", AccountID: "acct", SessionID: "s", Connector: "corp", Identity: key.Digest(),
			Epochs: Epochs{Account: 3, Identity: 4, Session: 5, Client: 1, Connector: 2}},
	}
}

// I6: whatever is disabled or withdrawn wins, and turning it on again revives
// nothing.
func TestGrantStanding(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*State)
		want   error
	}{
		{"everything lives", func(*State) {}, nil},
		{"the grant is gone", func(s *State) { s.Grant = nil }, ErrGrantGone},
		{"the client is off", func(s *State) { s.Client.Disabled = true }, ErrClientDisabled},
		{"the client was off", func(s *State) { s.Client.Epoch++ }, ErrSuperseded},
		{"the connector is off", func(s *State) { s.Connector.Disabled = true }, ErrConnectorDisabled},
		{"the connector was off", func(s *State) { s.Connector.Epoch++ }, ErrSuperseded},
		{"the account is disabled", func(s *State) { s.Account.Disabled = true }, ErrAccountDisabled},
		{"the account is gone", func(s *State) { s.Account = nil }, ErrAccountDisabled},
		{"the account was disabled", func(s *State) { s.Account.Epoch++ }, ErrSuperseded},
		{"the grant is another account's", func(s *State) { s.Grant.AccountID = "other" }, ErrIdentityGone},
		{"the identity is gone", func(s *State) { s.Identity = nil }, ErrIdentityGone},
		{"the identity is another account's now", func(s *State) { s.Identity.AccountID = "other" }, ErrIdentityGone},
		{"the identity is another one", func(s *State) { s.Identity.Key.Subject = "eve" }, ErrIdentityGone},
		{"the identity was unlinked", func(s *State) { s.Identity.Epoch++ }, ErrSuperseded},
		{"the session was signed out", func(s *State) { s.Session.Ended = true }, ErrSessionEnded},
		{"the session is gone", func(s *State) { s.Session = nil }, ErrSessionEnded},
		{"the session is a later one", func(s *State) { s.Session.Epoch++ }, ErrSessionEnded},
		{"the session has only expired", func(s *State) { s.Session.Expires = s.Now.Add(-time.Hour) }, nil},
		{"signed out, but the grant is offline", func(s *State) { s.Session.Ended, s.Grant.Offline = true, true }, nil},
	} {
		s := sound()
		row.change(&s)
		if err := s.GrantStanding(); !errors.Is(err, row.want) || (row.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

func TestSessionStanding(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*State)
		want   error
	}{
		{"everything lives", func(*State) {}, nil},
		{"no session", func(s *State) { s.Session = nil }, ErrSessionEnded},
		{"it has expired to the second", func(s *State) { s.Session.Expires = s.Now }, ErrSessionEnded},
		{"it was idle to the second", func(s *State) { s.Session.IdleUntil = s.Now }, ErrSessionEnded},
		{"it was signed out", func(s *State) { s.Session.Ended = true }, ErrSessionEnded},
		{"it has no sign-in through the connector", func(s *State) { s.Session.SignIns[0].Connector = "other" }, ErrSessionEnded},
		{"it is another account's", func(s *State) { s.Session.AccountID = "other" }, ErrSessionEnded},
		{"the account was disabled", func(s *State) { s.Account.Epoch++ }, ErrSuperseded},
		{"the connector was off", func(s *State) { s.Connector.Epoch++ }, ErrSuperseded},
		{"the identity was unlinked", func(s *State) { s.Identity.Epoch++ }, ErrSuperseded},
		{"the client is off", func(s *State) { s.Client.Disabled = true }, ErrClientDisabled},
	} {
		s := sound()
		row.change(&s)
		if err := s.SessionStanding("corp"); !errors.Is(err, row.want) || (row.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

func TestConsentCovers(t *testing.T) {
	t.Parallel()
	c := &Consent{Scopes: []string{"openid", "email"}}
	for _, row := range []struct {
		name   string
		c      *Consent
		scopes []string
		want   bool
	}{
		{"none was given", nil, nil, false},
		{"the same scopes", c, []string{"email", "openid"}, true},
		{"fewer", c, []string{"openid"}, true},
		{"one more", c, []string{"openid", "groups"}, false},
	} {
		if got := row.c.Covers(row.scopes); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}
