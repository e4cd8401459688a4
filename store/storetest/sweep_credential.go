package storetest

import (
	"fmt"
	"testing"
	"time"

	"gatehouse/broker"
)

func sweepCredential(t *testing.T, f *fixture) {
	lasting, forgotten := f.keeping("grace", f.handedOut(true)), f.keeping("alan", f.handedOut(false))
	f.keeping("alan", nil)
	l := f.login(f.person(google, "ada"), "", false)
	l.Credential = f.handedOut(false)
	l.Credential.Forget = f.now.Add(time.Hour + time.Millisecond)
	v := visit{Outcome: f.complete(l, ask)}
	f.lease(v) // held or not, it goes
	f.pass(time.Hour)
	f.sweep()
	f.credentialOf(v)
	f.pass(time.Second)
	f.commitsOnce(t, func() {
		if n := f.sweep(); n != 1 {
			t.Errorf("looked at %d records, want the one", n)
		}
	})
	f.gone(t, v)
	f.credentialOf(lasting)
	f.pass(2 * refreshLife)
	f.sweep()
	f.gone(t, lasting)
	f.gone(t, forgotten)
	if n := f.sweep(); n != 0 {
		t.Errorf("looked at %d records again", n)
	}
}

func sweepProlonged(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	for _, prolong := range []func(){
		func() { f.settle(f.vouching(f.lease(v))) },
		func() { f.settle(f.silent(f.lease(v))) },
		func() { f.keeping("ada", f.nothing()) },
		func() { f.keeping("ada", f.handedOut(false)) },
	} {
		f.pass(refreshLife * 2 / 3)
		f.sweep()
		prolong()
		if n := f.sweep(); n != 0 {
			t.Errorf("looked at %d records again", n)
		}
	}
	f.now = f.credentialOf(v).Forget.Add(-time.Second)
	f.sweep()
	f.credentialOf(v)
	f.pass(2 * time.Second)
	f.sweep()
	f.gone(t, v)
	if n := f.sweep(); n != 0 {
		t.Errorf("looked at %d records again", n)
	}
}

func sweepCredentials(t *testing.T, f *fixture) {
	var people []visit
	for n := range 30 {
		l := f.login(f.person(google, fmt.Sprint("person ", n)), "", false)
		l.Credential = f.handedOut(false)
		people = append(people, visit{Outcome: f.complete(l, ask)})
	}
	f.pass(sessionLife + 2*tokenLife) // what else there is goes before
	f.sweep()
	f.pass(refreshLife)
	left := func() (n int) {
		for _, v := range people {
			if _, err := f.Credential(t.Context(), v.digest()); err == nil {
				n++
			}
		}
		return n
	}
	for _, wanted := range []int{23, 16, 9, 2} {
		f.commitsOnce(t, func() {
			if n, err := f.Sweep(t.Context(), f.now, 7); n != 7 || err != nil {
				t.Errorf("looked at %d, error %v, want 7", n, err)
			}
		})
		if n := left(); n != wanted {
			t.Errorf("%d credentials are left, want %d", n, wanted)
		}
	}
	f.sweep()
	if n := left(); n != 0 {
		t.Errorf("%d credentials are left", n)
	}
}

func sweepFresh(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	f.lose(v)
	f.pass(2 * refreshLife)
	f.sweep()
	f.gone(t, v)
	_, err := f.LeaseCredential(t.Context(), f.leaseOf(broker.Credential{Identity: v.digest()}))
	want(t, "a lease", err, broker.ErrNotFound)
	f.gone(t, f.keeping("ada", f.nothing()))
	n := f.handedOut(false)
	v = f.keeping("ada", n)
	f.stands(t, v, f.fresh(v, n))
	f.lease(v)
	f.pass(2 * refreshLife)
	f.sweep()
	f.gone(t, v)
}
