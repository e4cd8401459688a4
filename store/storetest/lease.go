package storetest

import (
	"reflect"
	"testing"
	"time"

	"gatehouse/broker"
)

// leases are the rules about who may present a credential.
func leases() []rule {
	return []rule{
		{"a lease takes one commit, no event, and moves nothing else", leaseTaken},
		{"a lease is nobody else's until it runs out", leaseHeld},
		{"who has not seen the last answer gets no lease", leaseStale},
		{"there is no lease of a credential that is not there", leaseNothing},
		{"a lease has a name and an end that is to come", leaseMalformed},
		{"a lease that ran out is taken over where asking twice does no harm", leaseTakenOver},
		{"a lease that ran out leaves any other credential spent, for good", leaseRanOut},
		{"a spent credential is never leased, reusable or not", leaseSpent},
	}
}

// leaseOf asks for the lease of a credential as it was read.
func (f *fixture) leaseOf(c broker.Credential) broker.CredentialLease {
	return broker.CredentialLease{Identity: c.Identity, ID: broker.NewID(f.now), Asked: c.AskedAt, Now: f.now, Until: f.now.Add(leased)}
}

// lease takes a lease that must be had.
func (f *fixture) lease(v visit) broker.Credential {
	f.t.Helper()
	c, err := f.LeaseCredential(f.t.Context(), f.leaseOf(f.credentialOf(v)))
	if err != nil {
		f.t.Fatalf("LeaseCredential: %v", err)
	}
	return c
}

// noLease asks for a lease that must not be had and changes nothing.
func (f *fixture) noLease(t *testing.T, what string, l broker.CredentialLease, wanted error) {
	t.Helper()
	f.unchanged(t, func() {
		c, err := f.LeaseCredential(t.Context(), l)
		want(t, what, err, wanted)
		if !reflect.DeepEqual(c, broker.Credential{}) {
			t.Errorf("%s: got %+v", what, c)
		}
	})
}

// lose lets a credential that is not reusable get lost: its lease runs out, and the next who asks finds out.
func (f *fixture) lose(v visit) {
	f.t.Helper()
	c := f.lease(v)
	f.pass(leased)
	if _, err := f.LeaseCredential(f.t.Context(), f.leaseOf(c)); err == nil {
		f.t.Fatal("a lost credential was leased")
	}
	if !f.credentialOf(v).Spent {
		f.t.Fatal("a lost credential is not spent")
	}
}

func leaseTaken(t *testing.T, f *fixture) {
	for _, reusable := range []bool{false, true} {
		v := f.keeping("ada", f.handedOut(reusable))
		wanted := f.credentialOf(v)
		f.pass(interval)
		l := f.leaseOf(wanted)
		wanted.Lease, wanted.LeaseUntil = l.ID, l.Until
		if n := len(f.newEvents(func() {
			f.commitsOnce(t, func() {
				got, err := f.LeaseCredential(t.Context(), l)
				must(t, "LeaseCredential", err)
				if !reflect.DeepEqual(inUTC(got), inUTC(wanted)) {
					t.Errorf("leased\n%+v, want\n%+v", got, wanted)
				}
			})
		})); n != 0 {
			t.Errorf("%d events", n)
		}
		f.stands(t, v, wanted)
	}
}

func leaseHeld(t *testing.T, f *fixture) {
	for _, reusable := range []bool{false, true} {
		v := f.keeping("ada", f.handedOut(reusable))
		grace := f.keeping("grace", f.handedOut(reusable))
		held := f.lease(v)
		for _, later := range []time.Duration{0, time.Second, leased - time.Second - 1} {
			f.pass(later)
			f.noLease(t, "while it is held", f.leaseOf(held), broker.ErrConflict)
			again := f.leaseOf(held)
			again.ID = held.Lease
			f.noLease(t, "by its holder", again, broker.ErrConflict)
		}
		f.lease(grace)
		f.settle(f.vouching(held))
		f.lease(v)
	}
}

func leaseStale(t *testing.T, f *fixture) {
	for _, reusable := range []bool{false, true} {
		v := f.keeping("ada", f.handedOut(reusable))
		seen := f.credentialOf(v)
		f.pass(interval)
		f.settle(f.vouching(f.lease(v)))
		f.noLease(t, "somebody asked", f.leaseOf(seen), broker.ErrConflict)
		seen = f.credentialOf(v)
		f.pass(interval)
		f.settle(f.silent(f.lease(v)))
		f.noLease(t, "somebody asked in vain", f.leaseOf(seen), broker.ErrConflict)
		seen = f.credentialOf(v)
		f.pass(interval)
		f.keeping("ada", f.nothing())
		f.noLease(t, "somebody signed in", f.leaseOf(seen), broker.ErrConflict)
		f.lease(v)
		f.pass(leased)
		f.noLease(t, "a lease has run out as well", f.leaseOf(seen), broker.ErrConflict)
		early := f.leaseOf(f.credentialOf(v))
		early.Asked = early.Asked.Add(time.Hour)
		f.noLease(t, "an answer that nobody gave", early, broker.ErrConflict)
	}
}

func leaseNothing(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	f.keeping("grace", f.handedOut(false))
	for name, d := range map[string]broker.Digest{"nobody": {}, "a stranger": randomDigest(), "nothing was kept": v.digest()} {
		f.noLease(t, name, f.leaseOf(broker.Credential{Identity: d, AskedAt: f.now}), broker.ErrNotFound)
		f.noLease(t, name, f.leaseOf(broker.Credential{Identity: d}), broker.ErrNotFound)
	}
}

func leaseMalformed(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	for name, spoil := range map[string]func(*broker.CredentialLease){
		"no name":            func(l *broker.CredentialLease) { l.ID = "" },
		"no end":             func(l *broker.CredentialLease) { l.Until = time.Time{} },
		"an end at once":     func(l *broker.CredentialLease) { l.Until = l.Now },
		"an end in the past": func(l *broker.CredentialLease) { l.Until = l.Now.Add(-time.Second) },
	} {
		l := f.leaseOf(f.credentialOf(v))
		spoil(&l)
		f.unchanged(t, func() {
			if c, err := f.LeaseCredential(t.Context(), l); err == nil {
				t.Errorf("%s: leased %+v", name, c)
			}
		})
	}
	f.lease(v)
}

func leaseTakenOver(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(true))
	wanted := f.credentialOf(v)
	first := f.lease(v)
	f.pass(leased)
	l := f.leaseOf(first)
	wanted.Lease, wanted.LeaseUntil = l.ID, l.Until
	f.commitsOnce(t, func() {
		_, err := f.LeaseCredential(t.Context(), l)
		must(t, "taking it over", err)
	})
	f.stands(t, v, wanted)
	f.unsettled(t, "who held it before", f.vouching(first))
	f.settle(f.vouching(wanted))
}

func leaseRanOut(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	wanted := f.credentialOf(v)
	wanted.Spent = true
	held := f.lease(v)
	f.pass(leased)
	if n := len(f.newEvents(func() {
		f.commitsOnce(t, func() {
			c, err := f.LeaseCredential(t.Context(), f.leaseOf(held))
			want(t, "a credential that may have been presented", err, broker.ErrConflict)
			if !reflect.DeepEqual(c, broker.Credential{}) {
				t.Errorf("got %+v", c)
			}
		})
	})); n != 0 {
		t.Errorf("%d events", n)
	}
	f.stands(t, v, wanted)
	for range 3 {
		f.noLease(t, "again", f.leaseOf(wanted), broker.ErrConflict)
		f.pass(interval)
	}
	for _, answer := range []func(broker.Credential) broker.Settlement{f.vouching, f.silent, f.denying} {
		f.unsettled(t, "an answer that came too late", answer(held))
	}
	n := f.handedOut(false)
	v = f.keeping("ada", n)
	f.stands(t, v, f.fresh(v, n))
	f.lease(v)
}

func leaseSpent(t *testing.T, f *fixture) {
	for _, reusable := range []bool{false, true} {
		v := f.keeping("ada", f.handedOut(reusable))
		f.pass(interval)
		f.settle(f.silence(f.lease(v), true))
		for range 2 {
			f.noLease(t, "spent", f.leaseOf(f.credentialOf(v)), broker.ErrConflict)
			f.pass(interval)
		}
	}
}
