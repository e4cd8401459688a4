package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

// errRegistration is what a caller may not ask for. Nothing changes.
var errRegistration = errors.New("bolt: a registration needs a client ID, at most one secret, and a token for its quota")

// Register implements [broker.Registrations].
func (s *Store) Register(ctx context.Context, r broker.Registration, q *broker.Quota, e broker.Event) error {
	if q != nil && q.Token.IsZero() {
		return errRegistration
	}
	r.Revision = 1
	r.UsedAt = orElse(r.UsedAt, r.CreatedAt)
	if err := s.sealSecret(&r); err != nil {
		return err
	}
	return s.update(ctx, func(t *txn) error {
		if t.registration(r.ClientID) != nil { // expired or not: an ID is never used again
			return broker.ErrExists
		}
		if q != nil {
			used := t.quota(q.Token)
			if used.Registered >= q.Limit {
				return broker.ErrExhausted
			}
			used.Registered++
			t.putQuota(q.Token, used)
		}
		t.putRegistration(&r)
		t.remindOf(&r)
		t.recordClient(e, broker.EventClientRegistered, r.ClientID)
		return nil
	})
}

// sealSecret puts the sealed form of a secret in its place. It refuses what cannot be stored.
func (s *Store) sealSecret(r *broker.Registration) error {
	if r.ClientID == "" || r.Secret != "" && len(r.MACSecret) > 0 {
		return errRegistration
	}
	if len(r.MACSecret) > 0 {
		r.MACSecret = s.box.Seal(r.MACSecret, sealedFor(registrationKind, []byte(r.ClientID)))
	}
	return nil
}

func openSecret(r *broker.Registration, box *seal.Box) (err error) {
	if len(r.MACSecret) == 0 {
		return nil
	}
	if r.MACSecret, err = box.Open(r.MACSecret, sealedFor(registrationKind, []byte(r.ClientID))); err != nil {
		return fmt.Errorf("bolt: secret of client %s: %w", r.ClientID, err)
	}
	return nil
}

// remindOf has the sweeper look for a registration that may be forgotten. There is one reminder, made when the client
// has not been used yet: a use does not move it, the sweeper does.
func (t *txn) remindOf(r *broker.Registration) {
	if r.Unused > 0 {
		t.remindAt(r.UsedAt.Add(r.Unused), registrationKind, []byte(r.ClientID))
	}
}

func (t *txn) recordClient(e broker.Event, what broker.EventType, clientID string) {
	e.ClientID = clientID
	e = fill(e, what, time.Time{}, &broker.State{})
	t.recordEvent(&e)
}

// Registration implements [broker.Registrations].
func (s *Store) Registration(ctx context.Context, clientID string, now time.Time) (broker.Registration, error) {
	var registration broker.Registration
	err := s.view(ctx, func(v *view) error {
		r := v.registration(clientID)
		if r == nil || r.Expired(now) {
			return broker.ErrNotFound
		}
		registration = *r
		return nil
	})
	if err == nil {
		err = openSecret(&registration, s.box)
	}
	if err != nil {
		return broker.Registration{}, err
	}
	return registration, nil
}

// lasting returns the registration unless it had expired when the event took place; nil when there is none.
func (v *view) lasting(clientID string, e *broker.Event) *broker.Registration {
	r := v.registration(clientID)
	if r == nil || !e.At.IsZero() && r.Expired(e.At) {
		return nil
	}
	return r
}

// ReplaceRegistration implements [broker.Registrations]. A use that came meanwhile stays: it is no change that the
// caller could have seen.
func (s *Store) ReplaceRegistration(ctx context.Context, r broker.Registration, e broker.Event) error {
	if err := s.sealSecret(&r); err != nil {
		return err
	}
	return s.update(ctx, func(t *txn) error {
		old := t.lasting(r.ClientID, &e)
		if old == nil {
			return broker.ErrNotFound
		}
		if r.Revision != old.Revision+1 {
			return broker.ErrConflict
		}
		replaced := r
		replaced.UsedAt = later(old.UsedAt, r.UsedAt)
		t.putRegistration(&replaced)
		if old.Unused <= 0 { // any other has its reminder
			t.remindOf(&replaced)
		}
		t.recordClient(e, broker.EventClientUpdated, r.ClientID)
		return nil
	})
}

// UseRegistration implements [broker.Registrations]. A clock that was set back moves nothing.
func (s *Store) UseRegistration(ctx context.Context, clientID string, now time.Time, unused time.Duration) error {
	return s.update(ctx, func(t *txn) error {
		r := t.registration(clientID)
		if r == nil || r.Expired(now) {
			return broker.ErrNotFound
		}
		if !now.After(r.UsedAt) && r.Unused == unused {
			return nil
		}
		if now.After(r.UsedAt) {
			r.UsedAt = now
		}
		forever := r.Unused <= 0
		r.Unused = unused
		t.putRegistration(r)
		if forever { // any other has its reminder
			t.remindOf(r)
		}
		return nil
	})
}

// Unregister implements [broker.Registrations]. What the client has used up of its quota stays used up.
func (s *Store) Unregister(ctx context.Context, clientID string, e broker.Event) error {
	return s.update(ctx, func(t *txn) error {
		if t.lasting(clientID, &e) == nil {
			return broker.ErrNotFound
		}
		t.delete(registrationKind, t.text(clientID))
		t.recordClient(e, broker.EventClientUnregistered, clientID)
		return nil
	})
}

// resealRegistrations moves the secrets of clients to the first secret. One that cannot be read or opened stays as it
// is, an error for whoever asks for that client: it is no reason not to start.
func (t *txn) resealRegistrations(box *seal.Box) {
	var opened []*broker.Registration
	c := t.bucket(registrationKind).Cursor()
	for id, value := c.First(); id != nil; id, value = c.Next() {
		d, err := open(registrationKind, id, value)
		r := &broker.Registration{ClientID: string(id)}
		if decodeRegistration(&d, r); err != nil || d.end() != nil || len(r.MACSecret) == 0 {
			continue
		}
		if openSecret(r, box) == nil {
			opened = append(opened, r)
		}
	}
	for _, r := range opened {
		r.MACSecret = box.Seal(r.MACSecret, sealedFor(registrationKind, []byte(r.ClientID)))
		t.putRegistration(r)
	}
}
