package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/broker"
)

// What a caller may not ask for. Nothing changes.
var (
	errLease   = errors.New("bolt: a lease needs a name and an end that is to come")
	errAnswer  = errors.New("bolt: a settlement with an answer that cannot be settled here")
	errForeign = errors.New("bolt: a settlement about somebody else than the grant's person")
)

// A credential comes sealed, for the digest that is its key here and under a key of its own purpose: sealing it again
// would add nothing.

// Credential implements [broker.Credentials].
func (s *Store) Credential(ctx context.Context, identity broker.Digest) (broker.Credential, error) {
	var credential broker.Credential
	err := s.view(ctx, func(v *view) error {
		c := v.credential(identity)
		if c == nil {
			return broker.ErrNotFound
		}
		credential = *c
		return nil
	})
	return credential, err
}

// keep does with a credential what a sign-in says.
func (t *txn) keep(identity broker.Digest, n *broker.NewCredential, now time.Time) {
	if n == nil {
		if t.bucket(credentialKind).Get(identity[:]) != nil {
			t.delete(credentialKind, identity[:])
		}
		return
	}
	old := t.credential(identity)
	c := &broker.Credential{Identity: identity, AskedAt: now, AnsweredAt: now, Forget: n.Forget}
	switch {
	case len(n.Sealed) > 0:
		c.Sealed, c.Reusable = n.Sealed, n.Reusable
	case old == nil || old.Spent:
		return
	default:
		// The lease stays with who holds it: they are presenting this very credential.
		c.Sealed, c.Reusable, c.Lease, c.LeaseUntil = old.Sealed, old.Reusable, old.Lease, old.LeaseUntil
	}
	if old == nil {
		t.remindAt(c.Forget, credentialKind, identity[:])
	} else {
		// Forward only: the sweeper's reminder is never later than the record says.
		c.Forget = later(old.Forget, c.Forget)
	}
	t.putCredential(c)
}

// LeaseCredential implements [broker.Credentials].
func (s *Store) LeaseCredential(ctx context.Context, l broker.CredentialLease) (broker.Credential, error) {
	if l.ID == "" || !l.Now.Before(l.Until) {
		return broker.Credential{}, errLease
	}
	var leased broker.Credential
	var lost bool
	err := s.update(ctx, func(t *txn) error {
		c := t.credential(l.Identity)
		if c == nil {
			return broker.ErrNotFound
		}
		if c.Spent || !c.AskedAt.Equal(l.Asked) || c.Lease != "" && l.Now.Before(c.LeaseUntil) {
			return broker.ErrConflict
		}
		// Whoever held the lease may have presented it, and nobody knows with what answer: a second presentation could be
		// taken for theft by the upstream and end everything the person has there.
		if lost = c.Lease != "" && !c.Reusable; lost {
			c.Spent, c.Lease, c.LeaseUntil = true, "", time.Time{}
		} else {
			c.Lease, c.LeaseUntil = l.ID, l.Until
		}
		t.putCredential(c)
		leased = *c
		return nil
	})
	if err == nil && lost { // after the commit: an error from within would be a refusal that wrote
		err = broker.ErrConflict
	}
	if err != nil {
		return broker.Credential{}, err
	}
	return leased, nil
}

// SettleCredential implements [broker.Credentials].
func (s *Store) SettleCredential(ctx context.Context, l broker.Settlement, e broker.Event) (bool, error) {
	var held bool
	err := s.update(ctx, func(t *txn) error {
		p, err := t.settled(&l)
		if held = p != nil; err != nil || !held {
			return err
		}
		if l.Answer == broker.UpstreamDenies {
			t.deny(p, &l, e)
		} else {
			t.putSettled(p)
		}
		return nil
	})
	return held && err == nil, err
}

// settled is who a settlement is about, as it will be stored.
type settled struct {
	credential *broker.Credential
	identity   *broker.LinkedIdentity
	renewed    bool // the identity's profile
}

// settled works out what a settlement leaves behind; nil when its lease is no longer held. It writes nothing.
func (t *txn) settled(l *broker.Settlement) (*settled, error) {
	p := &settled{credential: t.credential(l.Identity), identity: t.identity(l.Identity)}
	c := p.credential
	if c == nil || p.identity == nil || c.Lease == "" || c.Lease != l.Lease {
		return nil, nil
	}
	switch l.Answer {
	case broker.UpstreamVouches:
		c.AnsweredAt, c.FailingSince = l.Now, time.Time{}
		p.renewed = renew(p.identity, l.Profile, l.KeepGroups)
	case broker.UpstreamSilent:
		c.FailingSince = orElse(c.FailingSince, l.Now)
		c.Spent = l.Spent && len(l.Sealed) == 0
	case broker.UpstreamDenies:
		return p, nil
	default:
		return nil, fmt.Errorf("%w: %d", errAnswer, l.Answer)
	}
	if len(l.Sealed) > 0 {
		c.Sealed, c.Reusable = l.Sealed, l.Reusable
	}
	c.AskedAt = l.Now
	c.Lease, c.LeaseUntil = "", time.Time{}
	c.Forget = later(c.Forget, l.Forget)
	return p, nil
}

// vouched is the settlement of a rotation; nil when there is none, or none any more.
func (t *txn) vouched(l *broker.Settlement, g *broker.Grant) (*settled, error) {
	switch {
	case l == nil:
		return nil, nil
	case l.Identity != g.Identity:
		return nil, errForeign
	case l.Answer != broker.UpstreamVouches:
		return nil, fmt.Errorf("%w: %d", errAnswer, l.Answer)
	}
	return t.settled(l)
}

// putSettled leaves when the person was last seen as it is: they were not here.
func (t *txn) putSettled(p *settled) {
	t.putCredential(p.credential)
	if p.renewed {
		t.putIdentity(p.credential.Identity, p.identity)
	}
}

// deny ends everything that rests on an identity. The epoch does it for whatever is not named.
func (t *txn) deny(p *settled, l *broker.Settlement, e broker.Event) {
	grant, session := t.grant(l.Grant), t.session(l.Session)
	e.Type, e.AccountID, e.Connector = broker.EventUpstreamDenied, p.identity.AccountID, p.identity.Key.Connector
	e.GrantID, e.SessionID = l.Grant, l.Session
	if grant != nil && grant.Identity != l.Identity {
		grant, e.GrantID = nil, ""
	}
	if session != nil && session.AccountID != p.identity.AccountID {
		session, e.SessionID = nil, ""
	}
	t.delete(credentialKind, l.Identity[:])
	p.identity.Epoch++
	t.putIdentity(l.Identity, p.identity)
	if grant != nil {
		t.revoke(grant.ID)
	}
	if session != nil && !session.Ended {
		t.end(session)
	}
	e = fill(e, broker.EventUpstreamDenied, l.Now, &broker.State{Grant: grant, Session: session})
	t.recordEvent(&e)
}
