package keys

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
)

// world is a broker with a clock of its own that plans now and then, and signs at every step.
type world struct {
	t      *testing.T
	s      Schedule
	now    time.Time
	latest time.Time // that the clock has ever shown
	set    []broker.Key
	next   int
	first  map[string]bool // keys that nothing came before
	begun  map[string]bool // keys that have signed, by any clock
	tokens []signed
}

// signed is a token that lives as long as the schedule allows.
type signed struct {
	key     string
	expires time.Time
}

func newWorld(t *testing.T, s Schedule) *world {
	w := &world{t: t, s: s, now: epoch(), first: make(map[string]bool), begun: make(map[string]bool)}
	w.plan()
	w.first[w.set[0].ID] = true
	return w
}

func (w *world) plan() {
	w.carryOut(Plan(w.now, w.set, w.s))
}

func (w *world) carryOut(plan []broker.Key) {
	w.set = generated(plan, &w.next)
	if again := Plan(w.now, w.set, w.s); !sameSet(again, w.set) {
		w.t.Fatalf("at %v planning twice is not planning once:\n%s\nthen\n%s", w.now, show(w.set), show(again))
	}
	w.latest = later(w.latest, w.now)
	w.tokens = slices.DeleteFunc(w.tokens, func(token signed) bool { return !token.expires.After(w.latest) })
	for _, token := range w.tokens { // what the clock has not seen expire has to be verifiable
		if !w.accepted(token.key) {
			w.t.Fatalf("at %v key %s is gone, though what it signed is good until %v:\n%s", w.now, token.key, token.expires, show(w.set))
		}
	}
}

func (w *world) chain() []broker.Key { return chainOf(w.set, w.s.Algorithms[0]) }

func (w *world) accepted(id string) bool {
	chain := w.chain()
	signing := signingAt(w.now, chain)
	for i, k := range chain {
		if k.ID == id {
			return w.now.Before(k.WithdrawAt) || i >= signing
		}
	}
	return false
}

// sign signs as the ring does, whenever the last plan was.
func (w *world) sign() {
	w.latest = later(w.latest, w.now)
	chain := w.chain()
	if len(chain) == 0 {
		w.t.Fatalf("at %v there is no key", w.now)
	}
	k := chain[signingAt(w.now, chain)]
	if !w.first[k.ID] && k.SignAt.Sub(k.PublishAt) < w.s.Lead {
		w.t.Fatalf("key %s signs %v after it was published:\n%s", k.ID, k.SignAt.Sub(k.PublishAt), show(w.set))
	}
	if !w.first[k.ID] && !w.begun[k.ID] && w.now.Before(k.SignAt) {
		w.t.Fatalf("at %v key %s signs before its time:\n%s", w.now, k.ID, show(w.set))
	}
	w.begun[k.ID] = true
	w.tokens = append(w.tokens, signed{k.ID, w.now.Add(w.s.Overlap)})
}

// step reads one instruction: how far the clock moves, and whether the schedule is looked at then.
func (w *world) step(op, size byte) {
	switch unit := time.Duration(size); op % 8 {
	case 0: // a clock that is put back, anything from minutes to decades
		w.now = w.now.Add(-unit * unit * unit * time.Minute)
	case 1: // a long standstill, or a clock that jumps ahead
		w.now = w.now.Add(unit * day)
	case 2, 3: // hours without a tick
		w.now = w.now.Add(unit * hour / 4)
		w.sign()
		return
	case 4: // a rotation by hand, if the clock is right
		w.now = w.now.Add(unit * time.Minute)
		if !w.now.Before(w.latest) {
			w.carryOut(planSuccessors(w.now, w.set, w.s))
		}
	default: // everyday life
		w.now = w.now.Add(unit * hour / 8)
	}
	w.plan()
	w.sign()
}

func TestPlanUnderAnyClock(t *testing.T) {
	t.Parallel()
	for seed := range 40 {
		d := &dice{seed: uint64(seed) << 32}
		w := newWorld(t, brief())
		for range 250 {
			w.step(d.byte(), d.byte())
		}
	}
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte{4, 255, 4, 255, 1, 40, 0, 30, 4, 1, 1, 200, 2, 255, 2, 255, 5, 0})
	f.Add([]byte{0, 255, 1, 255, 0, 255, 1, 255, 4, 10})
	f.Fuzz(func(t *testing.T, script []byte) {
		w := newWorld(t, brief())
		script = script[:min(len(script), 1<<10)] // each step looks at every token that was signed before
		for ; len(script) >= 2 && w.now.Year() > 1970 && w.now.Year() < 3000; script = script[2:] {
			w.step(script[0], script[1])
		}
	})
}

// An even clock: every key signs for exactly one period, and there are never more than three.
func TestPlanOverTwoYears(t *testing.T) {
	t.Parallel()
	w := newWorld(t, brief())
	signer, since, changes := "", w.now, 0
	for range 2 * 365 * 24 {
		w.now = w.now.Add(hour)
		w.plan()
		w.sign()
		chain := w.chain()
		if len(chain) > 3 {
			t.Fatalf("at %v there are %d keys:\n%s", w.now, len(chain), show(w.set))
		}
		if k := chain[signingAt(w.now, chain)]; k.ID != signer {
			if changes > 1 && w.now.Sub(since) != w.s.Period {
				t.Fatalf("key %s signed for %v", signer, w.now.Sub(since))
			}
			signer, since = k.ID, w.now
			changes++
		}
	}
	if want := 1 + 2*365/30; changes != want {
		t.Errorf("%d keys have signed, want %d", changes, want)
	}
}

func show(set []broker.Key) string {
	var b strings.Builder
	for _, k := range set {
		fmt.Fprintf(&b, "  %s %s", k.Algorithm, k.ID)
		for _, t := range []time.Time{k.PublishAt, k.SignAt, k.RetireAt, k.WithdrawAt, k.ForgetAt} {
			fmt.Fprintf(&b, " %.3f", t.Sub(epoch()).Hours()/24)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
