package storetest

import (
	"errors"
	"testing"
	"time"

	"gatehouse/broker"
)

// onces are the rules about one-time keys that belong to no other fact.
func onces() []rule {
	return []rule{
		{"a key is used once, with its event, in one commit", useOnceUsed},
		{"of several keys all are used or none", useOnceSeveral},
		{"no keys are no commit", useOnceNone},
		{"a key that another verb consumed is used", useOnceElsewhere},
		{"one of many uses of a key wins", useOnceRace},
		{"a used key goes with the sweep after it has expired", useOnceSwept},
	}
}

func (f *fixture) used(o broker.Once) bool {
	f.t.Helper()
	used, err := f.OnceUsed(f.t.Context(), o)
	must(f.t, "OnceUsed", err)
	return used
}

func useOnceUsed(t *testing.T, f *fixture) {
	key, other := f.once(), f.once()
	if f.used(key) {
		t.Error("used before it was")
	}
	wanted := f.event()
	wanted.Type, wanted.ClientID = broker.EventTokenRevoked, wiki
	f.commitsOnce(t, func() {
		f.wrote(t, wanted, func() { must(t, "UseOnce", f.UseOnce(t.Context(), []broker.Once{key}, &wanted)) })
	})
	if !f.used(key) || f.used(other) {
		t.Errorf("used: %v, the other %v", f.used(key), f.used(other))
	}
	f.unchanged(t, func() {
		if err := f.UseOnce(t.Context(), []broker.Once{key}, &wanted); !errors.Is(err, broker.ErrOnceUsed) {
			t.Errorf("again: %v", err)
		}
	})
}

func useOnceSeveral(t *testing.T, f *fixture) {
	first, second, third := f.once(), f.once(), f.once()
	f.commitsOnce(t, func() { must(t, "UseOnce", f.UseOnce(t.Context(), []broker.Once{first, second}, nil)) })
	f.unchanged(t, func() {
		if err := f.UseOnce(t.Context(), []broker.Once{third, second}, nil); !errors.Is(err, broker.ErrOnceUsed) {
			t.Errorf("one of two is used: %v", err)
		}
		if err := f.UseOnce(t.Context(), []broker.Once{third, third}, nil); !errors.Is(err, broker.ErrOnceUsed) {
			t.Errorf("twice the same: %v", err)
		}
	})
	if !f.used(first) || !f.used(second) || f.used(third) {
		t.Error("not all or none")
	}
}

func useOnceNone(t *testing.T, f *fixture) {
	f.unchanged(t, func() { must(t, "UseOnce", f.UseOnce(t.Context(), nil, nil)) })
}

func useOnceElsewhere(t *testing.T, f *fixture) {
	l := f.login(f.person(google, "ada"), wiki, false)
	if _, err := f.CompleteLogin(t.Context(), l, issue); err != nil {
		t.Fatal(err)
	}
	if !f.used(l.Once[0]) {
		t.Error("the sign-in's key is not used")
	}
	if err := f.UseOnce(t.Context(), l.Once, nil); !errors.Is(err, broker.ErrOnceUsed) {
		t.Errorf("%v", err)
	}
}

func useOnceRace(t *testing.T, f *fixture) {
	key := f.once()
	oneWinner(t, broker.ErrOnceUsed, func(int) error { return f.UseOnce(t.Context(), []broker.Once{key}, nil) })
}

func useOnceSwept(t *testing.T, f *fixture) {
	key := f.once()
	must(t, "UseOnce", f.UseOnce(t.Context(), []broker.Once{key}, nil))
	f.pass(key.Expires.Sub(f.now) - time.Second)
	f.sweep()
	if !f.used(key) {
		t.Error("gone before its time")
	}
	f.pass(time.Minute)
	f.sweep()
	if f.used(key) {
		t.Error("kept after its time")
	}
}
