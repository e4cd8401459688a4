package bolt

import (
	"context"
	"time"

	"gatehouse/broker"
)

// Account implements [broker.Accounts].
func (s *Store) Account(ctx context.Context, id string) (broker.Account, []broker.LinkedIdentity, error) {
	var account broker.Account
	var linked []broker.LinkedIdentity
	err := s.view(ctx, func(v *view) error {
		a := v.account(id)
		if a == nil {
			return broker.ErrNotFound
		}
		account = *a
		for _, d := range a.Identities {
			if l := v.identity(d); l != nil {
				linked = append(linked, *l)
			}
		}
		return nil
	})
	if err != nil {
		return broker.Account{}, nil, err
	}
	return account, linked, nil
}

// SetAccountDisabled implements [broker.Accounts]. What is so already stays without a commit.
func (s *Store) SetAccountDisabled(ctx context.Context, id string, disabled bool, e broker.Event) error {
	what := broker.EventAccountEnabled
	if disabled {
		what = broker.EventAccountDisabled
	}
	return s.updateAccount(ctx, id, e, what, func(a *broker.Account) bool {
		if a.Disabled == disabled {
			return false
		}
		a.Disabled = disabled
		if disabled {
			a.Epoch++ // enabling later revives nothing
		}
		return true
	})
}

// EndAccount implements [broker.Accounts].
func (s *Store) EndAccount(ctx context.Context, id string, e broker.Event) error {
	return s.updateAccount(ctx, id, e, broker.EventSignedOutAll, func(a *broker.Account) bool {
		a.Epoch++
		return true
	})
}

// updateAccount applies change, which reports whether it changed anything.
func (s *Store) updateAccount(ctx context.Context, id string, e broker.Event, what broker.EventType, change func(*broker.Account) bool) error {
	return s.update(ctx, func(t *txn) error {
		a := t.account(id)
		if a == nil {
			return broker.ErrNotFound
		}
		if !change(a) {
			return nil
		}
		t.putAccount(a)
		e := fill(e, what, time.Time{}, &broker.State{Account: a})
		t.recordEvent(&e)
		return nil
	})
}

// Consent implements [broker.Consents].
func (s *Store) Consent(ctx context.Context, accountID, clientID string) (broker.Consent, error) {
	var consent broker.Consent
	err := s.view(ctx, func(v *view) error {
		c := v.consent(accountID, clientID)
		if c == nil {
			return broker.ErrNotFound
		}
		consent = *c
		return nil
	})
	return consent, err
}

// WithdrawConsent implements [broker.Consents].
func (s *Store) WithdrawConsent(ctx context.Context, accountID, clientID string, e broker.Event) error {
	return s.update(ctx, func(t *txn) error {
		if t.consent(accountID, clientID) == nil {
			return broker.ErrNotFound
		}
		t.delete(consentKind, appendConsentKey(nil, accountID, clientID))
		e := fill(e, broker.EventConsentWithdrawn, time.Time{}, &broker.State{})
		e.AccountID, e.ClientID = accountID, clientID
		t.recordEvent(&e)
		return nil
	})
}
