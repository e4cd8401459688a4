package keys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/broker"
)

// ErrNoKey: the algorithm is not one the ring signs with.
var ErrNoKey = errors.New("keys: no signing key of this algorithm")

// maxAttempts bounds how often a change is tried against other replicas that change the keys at the same time. One of
// them succeeds each time, and there are few.
const maxAttempts = 16

// Config is what a [Ring] needs. Every field but Schedule has to be set.
type Config struct {
	Store    broker.Keys
	Schedule Schedule
	Now      func() time.Time
	Log      *slog.Logger
}

// Ring is the broker's signing keys in use. It is safe for concurrent use; signing and verifying take no lock.
type Ring struct {
	store    broker.Keys
	schedule Schedule
	now      func() time.Time
	log      *slog.Logger

	// turn lets one load or change at a time in.
	turn  sync.Mutex
	state atomic.Pointer[state]
	// looked is when the store was last read, in nanoseconds since 1970.
	looked atomic.Int64
}

// Open loads the keys, brings them up to the schedule, which on first start makes one of each algorithm, and returns
// the ring. It fails when the schedule is invalid, the store fails or a stored key cannot be read.
func Open(ctx context.Context, c Config) (*Ring, error) {
	if err := c.Schedule.Validate(); err != nil {
		return nil, fmt.Errorf("keys: schedule: %w", err)
	}
	r := &Ring{store: c.Store, schedule: c.Schedule.withDefaults(), now: c.Now, log: c.Log}
	if err := r.Tick(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Tick carries out what is due by the schedule and picks up what another replica has changed. The server calls it
// every few seconds; when there is nothing to do it is one read. After an error the ring goes on with the keys it has.
func (r *Ring) Tick(ctx context.Context) error {
	return r.change(ctx, "scheduled", func(now time.Time, set []broker.Key) []broker.Key {
		return Plan(now, set, r.schedule)
	})
}

// Rotate replaces the signing keys of every algorithm ahead of schedule.
//
// An ordinary rotation publishes successors now; they sign after the schedule's Lead, so that no client meets a key it
// has not had time to fetch, and what the old keys signed stays good. Where a successor is already published, nothing
// is done: it takes over within the Lead.
//
// An emergency rotation is for keys that somebody else may have. New keys sign at once and the old ones are deleted:
// they are no longer published, and nothing they signed is accepted by the broker any more, id_token_hints included.
// Clients that cached the old JWKS go on accepting the old keys for as long as they cache it, at most the maxAge of
// [Ring.JWKS] where they honour it; other replicas until their next Tick.
func (r *Ring) Rotate(ctx context.Context, emergency bool) error {
	if emergency {
		return r.change(ctx, "emergency", func(now time.Time, _ []broker.Key) []broker.Key {
			return Plan(now, nil, r.schedule)
		})
	}
	return r.change(ctx, "rotated", func(now time.Time, set []broker.Key) []broker.Key {
		return planSuccessors(now, set, r.schedule)
	})
}

// change reads the set, plans, and stores the plan if it differs, until no other replica has come between. What was
// generated for an attempt that lost is used for the next.
func (r *Ring) change(ctx context.Context, detail string, plan func(time.Time, []broker.Key) []broker.Key) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	var spare []broker.Key
	for range maxAttempts {
		set, version, err := r.read(ctx)
		if err != nil {
			return err
		}
		now := r.now()
		planned := plan(now, set)
		if sameSet(planned, set) {
			return r.adopt(set, version)
		}
		if spare, err = complete(planned, spare); err != nil {
			return fmt.Errorf("keys: generating: %w", err)
		}
		event := broker.Event{Type: broker.EventKeysReplaced, At: now, Detail: detail}
		switch err := r.store.ReplaceKeys(ctx, version, planned, event); {
		case err == nil:
			r.log.InfoContext(ctx, "signing keys replaced", "why", detail, "keys", len(planned), "new", len(spare))
			// Used from now on without being read back: an emergency must not depend on another read.
			return r.adopt(planned, versionUnknown)
		case !errors.Is(err, broker.ErrConflict):
			return fmt.Errorf("keys: storing: %w", err)
		}
	}
	return fmt.Errorf("keys: storing: %w", broker.ErrConflict)
}

func (r *Ring) read(ctx context.Context) ([]broker.Key, uint64, error) {
	set, version, err := r.store.Keys(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("keys: loading: %w", err)
	}
	r.looked.Store(r.now().UnixNano())
	return set, version, nil
}

// adopt makes the ring use a set.
func (r *Ring) adopt(set []broker.Key, version uint64) error {
	next, err := newState(r.now(), set, r.schedule, r.state.Load())
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	next.version = version
	r.state.Store(next)
	return nil
}

// complete generates the keys of a plan that are yet to be made, from spare ones as far as they go, and returns all
// that it put in.
func complete(planned, spare []broker.Key) ([]broker.Key, error) {
	var made []broker.Key
	for i := range planned {
		k := &planned[i]
		if len(k.Private) > 0 {
			continue
		}
		at := slices.IndexFunc(spare, func(s broker.Key) bool { return s.Algorithm == k.Algorithm })
		if at >= 0 {
			k.ID, k.Private = spare[at].ID, spare[at].Private
			spare = slices.Delete(spare, at, at+1)
		} else if err := generate(k); err != nil {
			return nil, err
		}
		made = append(made, *k)
	}
	return made, nil
}

// sameSet compares by what a plan can change; the order of a set has no meaning.
func sameSet(a, b []broker.Key) bool {
	byID := func(x, y broker.Key) int { return cmp.Compare(x.ID, y.ID) }
	return slices.EqualFunc(slices.SortedFunc(slices.Values(a), byID), slices.SortedFunc(slices.Values(b), byID),
		func(x, y broker.Key) bool {
			return x.ID == y.ID && x.PublishAt.Equal(y.PublishAt) && x.SignAt.Equal(y.SignAt) &&
				x.RetireAt.Equal(y.RetireAt) && x.WithdrawAt.Equal(y.WithdrawAt) && x.ForgetAt.Equal(y.ForgetAt)
		})
}
