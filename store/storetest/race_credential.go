package storetest

import (
	"reflect"
	"sync/atomic"
	"testing"

	"gatehouse/broker"
)

func raceLease(t *testing.T, f *fixture) {
	for _, reusable := range []bool{false, true} {
		v := f.keeping("ada", f.handedOut(reusable))
		c := f.credentialOf(v)
		var winner atomic.Pointer[broker.Credential]
		oneWinner(t, broker.ErrConflict, func(int) error {
			got, err := f.LeaseCredential(t.Context(), f.leaseOf(c))
			if err == nil {
				winner.Store(&got)
			}
			return err
		})
		f.stands(t, v, *winner.Load())
		f.settle(f.vouching(*winner.Load()))
	}
}

func raceTakeOver(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(true))
	old := f.lease(v)
	f.pass(leased)
	var winner atomic.Pointer[broker.Credential]
	oneWinner(t, broker.ErrConflict, func(int) error {
		got, err := f.LeaseCredential(t.Context(), f.leaseOf(old))
		if err == nil {
			winner.Store(&got)
		}
		return err
	})
	f.stands(t, v, *winner.Load())
	f.unsettled(t, "who held it before", f.vouching(old))
}

func raceLost(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	wanted := f.credentialOf(v)
	wanted.Spent = true
	old := f.lease(v)
	f.pass(leased)
	before, counted := f.commits()
	answers := race(t, func(int) error {
		_, err := f.LeaseCredential(t.Context(), f.leaseOf(old))
		return err
	})
	if after, _ := f.commits(); answers[broker.ErrConflict] != racers || counted && after != before+1 {
		t.Errorf("answers %v in %d commits, want %d times %v in one", answers, after-before, racers, broker.ErrConflict)
	}
	f.stands(t, v, wanted)
}

// raceSettle gives each racer another answer: profile and credential must be the same one's.
func raceSettle(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	held := f.lease(v)
	answers := make([]broker.Settlement, racers)
	for n := range answers {
		answers[n] = f.vouching(held)
	}
	oneWinner(t, broker.ErrConflict, func(n int) error { return f.settleOrConflict(answers[n]) })
	f.settledByOne(t, v, answers)
}

// settleOrConflict calls a lease that is no longer held a conflict.
func (f *fixture) settleOrConflict(s broker.Settlement) error {
	held, err := f.SettleCredential(f.t.Context(), s, f.event())
	if err == nil && !held {
		return broker.ErrConflict
	}
	return err
}

func (f *fixture) settledByOne(t *testing.T, v visit, answers []broker.Settlement) {
	t.Helper()
	c, profile := f.credentialOf(v), f.profileOf(v).Profile
	for _, s := range answers {
		if string(s.Sealed) == string(c.Sealed) && reflect.DeepEqual(s.Profile, profile) && c.Lease == "" && !c.Spent {
			return
		}
	}
	t.Errorf("credential %+v and profile %+v are not one answer's", c, profile)
}

func raceDeny(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	s := f.denied(v)
	oneWinner(t, broker.ErrConflict, func(int) error { return f.settleOrConflict(s) })
	if n := f.eventsOf(broker.EventUpstreamDenied); n != 1 {
		t.Errorf("%d events", n)
	}
	if l := f.profileOf(v); l.Epoch != 1 {
		t.Errorf("the epoch moved %d times", l.Epoch)
	}
}

func raceSettledRotations(t *testing.T, f *fixture) {
	visits, tokens, answers := make([]visit, racers), make([]broker.Digest, racers), make([]broker.Settlement, racers)
	for n := range visits {
		visits[n] = f.keeping("ada", f.handedOut(false))
		tokens[n] = f.redeem(visits[n])
	}
	f.pass(interval)
	held := f.lease(visits[0])
	for n := range answers {
		answers[n] = f.vouching(held)
	}
	var saw atomic.Int32
	result := race(t, func(n int) error {
		_, err := f.RotateRefreshToken(t.Context(), f.settling(visits[n], tokens[n], answers[n]), func(st broker.State) error {
			if st.Identity.Profile.Name == answers[n].Profile.Name {
				saw.Add(1)
			}
			return st.GrantStanding()
		})
		return err
	})
	if result[nil] != racers {
		t.Errorf("answers %v, want all to rotate", result)
	}
	if n := saw.Load(); n != 1 {
		t.Errorf("%d checks saw their own answer, want one", n)
	}
	f.settledByOne(t, visits[0], answers)
}

func raceSignInSettle(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	held := f.lease(v)
	l := f.login(f.person(google, "ada"), wiki, true)
	l.Credential = f.handedOut(false)
	answers := race(t, func(n int) error {
		if n == racers/2 {
			_, err := f.CompleteLogin(t.Context(), l, issue)
			return err
		}
		return f.settleOrConflict(f.vouching(held))
	})
	if lost := answers[broker.ErrConflict]; lost < racers-2 || answers[nil]+lost != racers {
		t.Errorf("answers %v, want one sign-in and at most one settlement", answers)
	}
	f.stands(t, v, f.fresh(v, l.Credential))
}
