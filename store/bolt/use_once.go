package bolt

import (
	"context"
	"time"

	"gatehouse/broker"
)

// UseOnce implements [broker.Onces].
func (s *Store) UseOnce(ctx context.Context, keys []broker.Once, e *broker.Event) error {
	if len(keys) == 0 {
		return nil
	}
	return s.update(ctx, func(t *txn) error {
		if err := t.unused(keys); err != nil {
			return err
		}
		t.consume(keys)
		if e != nil {
			e := fill(*e, e.Type, time.Time{}, &broker.State{})
			t.recordEvent(&e)
		}
		return nil
	})
}

// OnceUsed implements [broker.Onces].
func (s *Store) OnceUsed(ctx context.Context, o broker.Once) (bool, error) {
	var used bool
	err := s.view(ctx, func(v *view) error {
		used = v.bucket(onceKind).Get(appendOnceKey(nil, &o)) != nil
		return nil
	})
	return used, err
}
