package bolt

import (
	"context"
	"time"

	"gatehouse/broker"
)

// Grant implements [broker.Grants].
func (s *Store) Grant(ctx context.Context, id string, now time.Time) (broker.State, error) {
	var st broker.State
	err := s.view(ctx, func(v *view) error {
		g := v.grant(id)
		if g == nil {
			return broker.ErrNotFound
		}
		st = v.bearing(g, now)
		return nil
	})
	if err != nil {
		return broker.State{}, err
	}
	return st, nil
}

// RevokeGrant implements [broker.Grants].
func (s *Store) RevokeGrant(ctx context.Context, id string, e broker.Event) error {
	return s.update(ctx, func(t *txn) error {
		g := t.grant(id)
		if g == nil {
			return broker.ErrNotFound
		}
		t.revoke(id)
		e := fill(e, broker.EventGrantRevoked, time.Time{}, &broker.State{Grant: g})
		t.recordEvent(&e)
		return nil
	})
}
