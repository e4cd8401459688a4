package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/broker"
	"gatehouse/store/bolt"
)

// This file is the part of the crash test that asks an upstream: a lease, whose answer comes with the first rotation or
// never, and for some a second one whose answer is a definite no.

const crashLease = 40 * time.Second

func (l life) identityDigest() broker.Digest { return l.identity().Key.Digest() }

func (l life) credential() *broker.NewCredential {
	return &broker.NewCredential{Sealed: []byte("handed out to " + l.name), Forget: crashNow.Add(time.Hour)}
}

func (l life) leaseID(n int) string { return fmt.Sprint("lease ", n, " of ", l.name) }

func (l life) lease(s *bolt.Store, n int) error {
	_, err := s.LeaseCredential(context.Background(), broker.CredentialLease{
		Identity: l.identityDigest(), ID: l.leaseID(n), Asked: crashNow, Now: crashNow, Until: crashNow.Add(crashLease),
	})
	return err
}

// answer is what the first lease brings.
func (l life) answer() *broker.Settlement {
	return &broker.Settlement{
		Identity: l.identityDigest(), Lease: l.leaseID(0), Now: crashNow, Answer: broker.UpstreamVouches,
		Profile: broker.Profile{Name: "answered for " + l.name}, Sealed: []byte("next of " + l.name), Forget: crashNow.Add(time.Hour),
	}
}

// deny ends the lease that is held with a definite no.
func (l life) deny(s *bolt.Store, n int) error {
	held, err := s.SettleCredential(context.Background(), broker.Settlement{
		Identity: l.identityDigest(), Lease: l.leaseID(n), Now: crashNow, Answer: broker.UpstreamDenies, Grant: l.grant, Session: l.session,
	}, broker.Event{})
	if err == nil && !held {
		err = errors.New("the lease is not held")
	}
	return err
}

// verifyCredential checks that a lease that was acknowledged is there, that an answer came with its rotation or not at
// all, and that a definite no ended everything or nothing. found and grant are of the life's grant.
func (w *witnessed) verifyCredential(s *bolt.Store, grant *broker.Grant, signedIn bool) error {
	c, err := s.Credential(context.Background(), w.identityDigest())
	kept := err == nil
	if !kept && !errors.Is(err, broker.ErrNotFound) {
		return err
	}
	_, linked, err := s.Account(context.Background(), w.account())
	if err != nil || len(linked) != 1 {
		return fmt.Errorf("identities %+v: %w", linked, err)
	}
	denied := linked[0].Epoch > 0
	switch {
	case denied == kept, denied && (grant != nil || signedIn):
		return fmt.Errorf("half a no: epoch %d, credential %v, grant %v, session %v", linked[0].Epoch, kept, grant, signedIn)
	case denied && !w.tried["deny"], !denied && w.did["deny"]:
		return fmt.Errorf("epoch %d", linked[0].Epoch)
	case denied:
		return nil
	}
	answered := string(c.Sealed) == string(w.answer().Sealed)
	switch {
	case answered != (linked[0].Profile.Name != ""), grant != nil && answered != (grant.Refresh.Generation > 1):
		return fmt.Errorf("half an answer: credential %q, profile %+v, grant %+v", c.Sealed, linked[0].Profile, grant)
	case !answered && string(c.Sealed) != string(w.credential().Sealed):
		return fmt.Errorf("credential %q", c.Sealed)
	case w.did["lease0"] && !answered && c.Lease != w.leaseID(0), w.did["lease1"] && c.Lease != w.leaseID(1):
		return fmt.Errorf("the lease was lost: %q is held", c.Lease)
	case c.Lease != "" && !w.tried["lease0"]:
		return fmt.Errorf("%q was leased by nobody", c.Lease)
	}
	if c.Lease == "" {
		return nil
	}
	return w.verifyLost(s)
}

// verifyLost lets the lease of whoever was killed run out.
func (w *witnessed) verifyLost(s *bolt.Store) error {
	for _, at := range []time.Duration{crashLease - 1, crashLease, 2 * crashLease} {
		now := crashNow.Add(at)
		c, err := s.LeaseCredential(context.Background(), broker.CredentialLease{
			Identity: w.identityDigest(), ID: "another", Asked: crashNow, Now: now, Until: now.Add(crashLease),
		})
		if !errors.Is(err, broker.ErrConflict) {
			return fmt.Errorf("after %v a credential that may have been presented: %+v, %w", at, c, err)
		}
	}
	if c, err := s.Credential(context.Background(), w.identityDigest()); err != nil || !c.Spent {
		return fmt.Errorf("a lost credential: %+v, %w", c, err)
	}
	return nil
}
