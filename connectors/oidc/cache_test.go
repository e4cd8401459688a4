package oidc

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/connectors"
)

func TestFreshness(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"":                                   time.Hour,
		"max-age=3832304, must-revalidate":   time.Hour,
		"public, max-age=600":                10 * time.Minute,
		"Max-Age=600":                        10 * time.Minute,
		"max-age=0":                          5 * time.Minute,
		"max-age=-1":                         5 * time.Minute,
		"no-store":                           5 * time.Minute,
		"no-cache, max-age=600":              5 * time.Minute,
		"max-age=nonsense":                   time.Hour,
		"max-age=99999999999999999999999999": time.Hour,
		"s-maxage=600":                       time.Hour,
	} {
		if got := freshness(http.Header{"Cache-Control": {header}}); got != want {
			t.Errorf("%q: got %v, want %v", header, got, want)
		}
	}
}

// shelf is a cached number whose loads are counted and can be held and failed.
type shelf struct {
	cached[int]
	at    time.Time
	loads atomic.Int64
	fail  error
	hold  chan struct{}
	kept  []error
}

func newShelf() *shelf {
	s := &shelf{at: time.Unix(1795132800, 0)}
	s.cached = cached[int]{
		now: func() time.Time { return s.at }, cooldown: time.Minute,
		kept: func(err error) { s.kept = append(s.kept, err) },
		load: func(ctx context.Context, _ *int) (int, time.Duration, error) {
			n := s.loads.Add(1)
			if s.hold != nil {
				<-s.hold
			}
			return int(n), time.Hour, s.fail
		},
	}
	return s
}

func TestCacheRefreshesAndKeepsTheLastGood(t *testing.T) {
	t.Parallel()
	s := newShelf()
	get := func(want int) {
		t.Helper()
		got, err := s.get(t.Context())
		if err != nil || got.value != want {
			t.Fatalf("got %+v, %v; want %d", got, err, want)
		}
	}
	get(1)
	s.at = s.at.Add(time.Hour - time.Second)
	get(1)
	s.at = s.at.Add(time.Second)
	get(2)
	s.fail = errors.New("down")
	s.at = s.at.Add(time.Hour)
	get(2)
	if n := s.loads.Load(); n != 3 || len(s.kept) != 1 {
		t.Errorf("%d loads, told %v", n, s.kept)
	}
	s.at = s.at.Add(staleRetry - time.Second) // not tried again at once
	get(2)
	if n := s.loads.Load(); n != 3 {
		t.Errorf("%d loads within the pause", n)
	}
	s.at = s.at.Add(staleMax)
	if _, err := s.get(t.Context()); !errors.Is(err, s.fail) {
		t.Errorf("what is older than a day is still in use: %v", err)
	}
	s.fail = nil
	get(5)
}

func TestCacheFollowsAClockThatIsPutBack(t *testing.T) {
	t.Parallel()
	s := newShelf()
	renewed := func(want int) {
		t.Helper()
		seen, err := s.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.renew(t.Context(), unknownKey, seen, seen.serial); err != nil || got.value != want {
			t.Errorf("got %+v, %v; want %d", got, err, want)
		}
	}
	renewed(2)
	s.at = s.at.Add(-time.Second)
	renewed(4) // fetched anew, and renewed: the cool-down has not begun
	s.at = s.at.Add(-time.Hour)
	if got, err := s.get(t.Context()); err != nil || got.value != 5 {
		t.Errorf("got %+v, %v; what was fetched in the future stays for ever", got, err)
	}
	s.fail = errors.New("down")
	s.at = s.at.Add(-time.Hour)
	for range 3 {
		if got, err := s.get(t.Context()); err != nil || got.value != 5 {
			t.Errorf("got %+v, %v; want the last good one", got, err)
		}
	}
	if n := s.loads.Load(); n != 6 {
		t.Errorf("%d loads: an upstream that is down is asked each time", n)
	}
}

func TestCacheRenewsOncePerCooldown(t *testing.T) {
	t.Parallel()
	s := newShelf()
	renew := func(asked uint64, want int) {
		t.Helper()
		seen, err := s.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.renew(t.Context(), unknownKey, seen, asked)
		if err != nil || got.value != want {
			t.Errorf("got %+v, %v; want %d", got, err, want)
		}
	}
	// What was fetched after the question arose is not fetched again for it, and uses
	// the cool-down up: a flood that meets a cold cache costs one fetch too.
	renew(s.serial(), 1)
	renew(s.serial(), 1)
	s.at = s.at.Add(time.Minute)
	renew(s.serial(), 2)
	renew(s.serial(), 2)
	s.at = s.at.Add(time.Minute - time.Second)
	renew(s.serial(), 2)
	s.at = s.at.Add(time.Second)
	renew(s.serial(), 3)
}

func TestCacheRenewTakesANewerVersionWithoutFetching(t *testing.T) {
	t.Parallel()
	s := newShelf()
	old, err := s.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.at = s.at.Add(time.Hour)
	if _, err := s.get(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.renew(t.Context(), unknownKey, old, old.serial)
	if err != nil || got.value != 2 || s.loads.Load() != 2 {
		t.Errorf("got %+v, %v after %d loads", got, err, s.loads.Load())
	}
}

func TestCacheFetchOutlivesWhoStartedIt(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.hold = make(chan struct{})
	impatient, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := s.get(impatient); err == nil {
			t.Error("an answer came although the fetch is held")
		}
	})
	for s.loads.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	group.Wait()
	for range 8 {
		group.Go(func() {
			if got, err := s.get(t.Context()); err != nil || got.value != 1 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	close(s.hold)
	group.Wait()
	if n := s.loads.Load(); n != 1 {
		t.Errorf("%d fetches for people who came at once", n)
	}
	var e *connectors.Error
	if _, err := (&flight[int]{done: make(chan struct{})}).wait(impatient); !errors.As(err, &e) || e.Kind != connectors.Transient {
		t.Errorf("got %v", err)
	}
}
