package keys

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/broker"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// epoch is when all tests begin.
func epoch() time.Time { return time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC) }

// brief is the schedule of all tests that do not say otherwise, with every length different.
func brief() Schedule {
	return Schedule{Algorithms: []string{"ES256"}, Lead: 2 * day, Period: 30 * day, Overlap: 3 * day, Hints: 7 * day}
}

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: epoch()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// keyStore is the compare-and-swap of broker.Keys, with faults to order.
type keyStore struct {
	mu      sync.Mutex
	set     []broker.Key
	version uint64
	events  []broker.Event
	reads   int
	// fail, when set, is what every call answers.
	fail error
	// before, when set, runs once inside the next ReplaceKeys, ahead of the comparison: another replica.
	before func()
}

func (s *keyStore) Keys(context.Context) ([]broker.Key, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return slices.Clone(s.set), s.version, s.fail
}

func (s *keyStore) ReplaceKeys(_ context.Context, version uint64, set []broker.Key, e broker.Event) error {
	s.mu.Lock()
	before := s.before
	s.before = nil
	s.mu.Unlock()
	if before != nil {
		before()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if version != s.version {
		return broker.ErrConflict
	}
	s.set, s.version, s.events = slices.Clone(set), version+1, append(s.events, e)
	return nil
}

func open(tb testing.TB, store broker.Keys, c *clock, s Schedule) *Ring {
	tb.Helper()
	r, err := Open(tb.Context(), Config{Store: store, Schedule: s, Now: c.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// generated gives the new keys of a plan names, as if they had been made.
func generated(plan []broker.Key, next *int) []broker.Key {
	for i := range plan {
		if len(plan[i].Private) == 0 {
			*next++
			plan[i].ID = "k" + string(rune('A'+*next/26)) + string(rune('a'+*next%26))
			plan[i].Private = []byte{1}
		}
	}
	return plan
}

// dice is a reproducible sequence of random bytes.
type dice struct {
	seed uint64
	left []byte
}

func (d *dice) byte() byte {
	if len(d.left) == 0 {
		d.seed++
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], d.seed)
		sum := sha256.Sum256(b[:])
		d.left = sum[:]
	}
	b := d.left[0]
	d.left = d.left[1:]
	return b
}
