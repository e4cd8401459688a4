package httpx

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

func limiter(now *time.Time, perSecond rate.Limit, burst int) *Limiter {
	return &Limiter{Rate: perSecond, Burst: burst, Now: func() time.Time { return *now }}
}

func TestALimiterAllowsABurstAndThenItsRate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	l := limiter(&now, 2, 3)
	allowed := func(key string) (n int) {
		for range 10 {
			if _, ok := l.Allow(key); ok {
				n++
			}
		}
		return n
	}
	if n := allowed("a"); n != 3 {
		t.Errorf("a burst of %d", n)
	}
	if wait, ok := l.Allow("a"); ok || wait != 500*time.Millisecond {
		t.Errorf("wait %v, %v", wait, ok)
	}
	if n := allowed("b"); n != 3 {
		t.Errorf("another key shares the allowance: %d", n)
	}
	now = now.Add(time.Second)
	if n := allowed("a"); n != 2 {
		t.Errorf("%d in the next second", n)
	}
	now = now.Add(time.Hour)
	if n := allowed("a"); n != 3 {
		t.Errorf("%d after an hour", n)
	}
}

// Refusals take nothing: who keeps knocking is let in as early as who waits.
func TestRefusalsTakeNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	l := limiter(&now, 1, 1)
	l.Allow("a")
	for range 1000 {
		if wait, ok := l.Allow("a"); ok || wait != time.Second {
			t.Fatalf("wait %v, %v", wait, ok)
		}
	}
	now = now.Add(time.Second)
	if _, ok := l.Allow("a"); !ok {
		t.Error("refused after the wait")
	}
}

func TestExhaustedTakesNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	l := limiter(&now, 1, 2)
	for range 10 {
		if _, exhausted := l.Exhausted("a"); exhausted {
			t.Fatal("nothing was taken yet")
		}
	}
	if len(l.keys) != 0 {
		t.Error("asking made an entry")
	}
	l.Allow("a")
	if _, exhausted := l.Exhausted("a"); exhausted {
		t.Error("one is left")
	}
	l.Allow("a")
	if wait, exhausted := l.Exhausted("a"); !exhausted || wait != time.Second {
		t.Errorf("none is left: %v, wait %v", exhausted, wait)
	}
	now = now.Add(500 * time.Millisecond)
	if wait, exhausted := l.Exhausted("a"); !exhausted || wait != 500*time.Millisecond {
		t.Errorf("half of one is left: %v, wait %v", exhausted, wait)
	}
	now = now.Add(500 * time.Millisecond)
	if _, exhausted := l.Exhausted("a"); exhausted {
		t.Error("one is there again")
	}
}

func TestNoLimiterLimitsNothing(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*Limiter{"nil": nil, "no rate": {Burst: 1, Now: time.Now}} {
		for range 100 {
			if _, ok := l.Allow("a"); !ok {
				t.Fatalf("%s: refused", name)
			}
		}
		if _, exhausted := l.Exhausted("a"); exhausted {
			t.Errorf("%s: exhausted", name)
		}
	}
}

// DO-06: a clock that is set back or leaps neither shuts anybody out nor lets
// more through than one burst.
func TestAClockThatJumps(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	l := limiter(&now, 1, 2)
	l.Allow("a")
	l.Allow("a")
	now = now.Add(-time.Hour)
	if wait, ok := l.Allow("a"); ok || wait > 2*time.Second {
		t.Errorf("an hour back: %v, wait %v", ok, wait)
	}
	if wait, exhausted := l.Exhausted("a"); !exhausted || wait > 2*time.Second {
		t.Errorf("an hour back: %v, wait %v", exhausted, wait)
	}
	now = now.Add(2 * time.Second)
	if _, ok := l.Allow("a"); !ok {
		t.Error("shut out until the clock is where it was")
	}
	now = now.Add(1000 * time.Hour)
	var n int
	for range 10 {
		if _, ok := l.Allow("a"); ok {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d at once after a leap", n)
	}
}

// I11: what a limiter remembers is bounded in number and in length. Those that are
// whole again go first; one that is being limited stays if there is room.
func TestALimiterIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	l := limiter(&now, 1, 1)
	for i := range maxKeys {
		l.Allow(fmt.Sprint("idle", i))
	}
	now = now.Add(time.Minute)
	l.Allow("busy") // makes room: everybody else is whole again
	if n := len(l.keys); n != 1 {
		t.Errorf("%d keys, want the busy one alone", n)
	}
	for i := range 2 * maxKeys {
		l.Allow(fmt.Sprint("flood", i))
		if len(l.keys) > maxKeys {
			t.Fatalf("%d keys", len(l.keys))
		}
	}
	if n := len(l.keys); n < maxKeys/2 {
		t.Errorf("only %d are left of a flood: it forgets too much", n)
	}
	long := strings.Repeat("x", 60<<10)
	l = limiter(&now, 1, 1)
	if _, ok := l.Allow(long + "a"); !ok {
		t.Error("a long key was refused")
	}
	if _, ok := l.Allow(long + "a"); ok {
		t.Error("a long key is not limited")
	}
	if _, exhausted := l.Exhausted(long + "a"); !exhausted {
		t.Error("a long key is not exhausted")
	}
	if _, ok := l.Allow(long + "b"); !ok {
		t.Error("two long keys share an allowance")
	}
	for key := range l.keys {
		if len(key) > maxKey {
			t.Errorf("a key of %d bytes is kept", len(key))
		}
	}
}

func TestALimiterIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	l := limiter(&now, 1, 50)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var n int
	for range 8 {
		wg.Go(func() {
			for range 50 {
				l.Exhausted("a")
				if _, ok := l.Allow("a"); ok {
					mu.Lock()
					n++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if n != 50 {
		t.Errorf("%d were let through, want 50", n)
	}
}
