package storetest

import (
	"crypto/rand"
	"reflect"
	"testing"
	"time"

	"gatehouse/broker"
)

// settlements are the rules about what an upstream answered.
func settlements() []rule {
	return []rule{
		{"an upstream that vouches brings profile and credential in one commit, and no event", settleVouches},
		{"without a new credential the old one is kept", settleKeeps},
		{"groups that could not be read stay", settleGroups},
		{"a profile that did not change is none the worse", settleSame},
		{"a silent upstream fails since its first silence, and nothing else is touched", settleSilent},
		{"an answer ends a failure", settleRecovers},
		{"a credential that silence may have used up is spent", settleSpent},
		{"a credential that came before the silence is not spent", settleSilentNew},
		{"a settlement whose lease is not held changes nothing", settleUnheld},
		{"a lease is settled once", settleOnce},
		{"a late answer counts until somebody else wants the credential", settleLate},
		{"an answer nobody knows is refused", settleUnknown},
	}
}

// vouching is the answer that the person is who they were, with a new name, another group and the next credential.
func (f *fixture) vouching(held broker.Credential) broker.Settlement {
	return broker.Settlement{
		Identity: held.Identity, Lease: held.Lease, Now: f.now, Answer: broker.UpstreamVouches,
		Profile: broker.Profile{Name: "Ada " + rand.Text(), Email: "ada@new.example", EmailTrust: broker.EmailUnverified, Groups: []string{"board"}},
		Sealed:  []byte("sealed " + rand.Text()), Forget: f.now.Add(refreshLife + tokenLife),
	}
}

// silence is no answer. It may have used the credential up.
func (f *fixture) silence(held broker.Credential, spent bool) broker.Settlement {
	return broker.Settlement{
		Identity: held.Identity, Lease: held.Lease, Now: f.now, Answer: broker.UpstreamSilent, Spent: spent, Forget: f.now.Add(refreshLife + tokenLife),
	}
}

func (f *fixture) silent(held broker.Credential) broker.Settlement { return f.silence(held, false) }

// denying is a definite no that names no grant or session.
func (f *fixture) denying(held broker.Credential) broker.Settlement {
	return broker.Settlement{Identity: held.Identity, Lease: held.Lease, Now: f.now, Answer: broker.UpstreamDenies}
}

// settle settles a lease that must be held.
func (f *fixture) settle(s broker.Settlement) {
	f.t.Helper()
	if held, err := f.SettleCredential(f.t.Context(), s, f.event()); err != nil || !held {
		f.t.Fatalf("SettleCredential: held %v, error %v", held, err)
	}
}

// unsettled settles a lease that must not be held any more, and checks that nothing changes.
func (f *fixture) unsettled(t *testing.T, what string, s broker.Settlement) {
	t.Helper()
	f.unchanged(t, func() {
		if held, err := f.SettleCredential(t.Context(), s, f.event()); err != nil || held {
			t.Errorf("%s: held %v, error %v", what, held, err)
		}
	})
}

// settledQuietly settles in one commit that leaves no event.
func (f *fixture) settledQuietly(t *testing.T, s broker.Settlement) {
	t.Helper()
	if events := f.newEvents(func() { f.commitsOnce(t, func() { f.settle(s) }) }); len(events) != 0 {
		t.Errorf("events %+v", events)
	}
}

// settled is the credential that a settlement leaves behind.
func settled(before broker.Credential, s broker.Settlement) broker.Credential {
	before.AskedAt, before.Forget, before.Lease, before.LeaseUntil = s.Now, s.Forget, "", time.Time{}
	if s.Answer == broker.UpstreamVouches {
		before.AnsweredAt, before.FailingSince = s.Now, time.Time{}
	}
	if s.Sealed != nil {
		before.Sealed, before.Reusable = s.Sealed, s.Reusable
	}
	return before
}

func settleVouches(t *testing.T, f *fixture) {
	for _, reusable := range []bool{false, true} {
		v := f.keeping("ada", f.handedOut(reusable))
		before := f.profileOf(v)
		f.pass(interval)
		held := f.lease(v)
		f.pass(time.Second)
		s := f.vouching(held)
		s.Reusable = !reusable
		f.settledQuietly(t, s)
		f.stands(t, v, settled(held, s))
		after := f.profileOf(v)
		if !reflect.DeepEqual(after.Profile, s.Profile) {
			t.Errorf("profile %+v, want %+v", after.Profile, s.Profile)
		}
		if !after.SeenAt.Equal(before.SeenAt) || !after.LinkedAt.Equal(before.LinkedAt) || after.Epoch != before.Epoch || after.Key != before.Key {
			t.Errorf("identity %+v, want nothing but the profile changed since %+v", after, before)
		}
		st := f.grantOf(v.Grant.ID)
		if err := st.GrantStanding(); err != nil || !reflect.DeepEqual(st.Identity.Profile, s.Profile) {
			t.Errorf("the grant: %v, %+v", err, st.Identity)
		}
		must(t, "the session", f.sessionOf(v.ref, wiki).SessionStanding(google))
		f.pass(interval)
		f.lease(v)
	}
}

func settleKeeps(t *testing.T, f *fixture) {
	for _, reusable := range []bool{false, true} {
		v := f.keeping("ada", f.handedOut(reusable))
		f.pass(interval)
		for _, answer := range []func(broker.Credential) broker.Settlement{f.vouching, f.silent} {
			held := f.lease(v)
			s := answer(held)
			s.Sealed, s.Reusable = nil, !reusable // says nothing about the one that is kept
			wanted := settled(held, s)
			if s.Answer == broker.UpstreamSilent {
				wanted.FailingSince = f.now
			}
			f.settle(s)
			f.stands(t, v, wanted)
		}
	}
}

func settleGroups(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	s := f.vouching(f.lease(v))
	s.KeepGroups = true
	wanted := s.Profile
	wanted.Groups = []string{"staff", "ops"}
	f.settle(s)
	if got := f.profileOf(v).Profile; !reflect.DeepEqual(got, wanted) {
		t.Errorf("profile %+v, want %+v", got, wanted)
	}
	s = f.vouching(f.lease(v))
	s.Profile.Groups = nil
	f.settle(s)
	s = f.vouching(f.lease(v))
	s.KeepGroups = true
	f.settle(s)
	if got := f.profileOf(v).Profile.Groups; len(got) != 0 {
		t.Errorf("groups %q of somebody who was in none", got)
	}
}

func settleSame(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	f.pass(2 * interval) // a sign-in would be noted by now
	before := f.profileOf(v)
	held := f.lease(v)
	s := f.vouching(held)
	s.Profile = before.Profile
	f.settledQuietly(t, s)
	f.stands(t, v, settled(held, s))
	if after := f.profileOf(v); !reflect.DeepEqual(after, before) {
		t.Errorf("identity %+v, want %+v", after, before)
	}
}

func settleSilent(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	before := f.profileOf(v)
	f.pass(interval)
	since := f.now
	for range 3 {
		held := f.lease(v)
		s := f.silent(held)
		s.Profile = broker.Profile{Name: "somebody"} // of which a silent upstream says nothing
		wanted := settled(held, s)
		wanted.FailingSince = since
		f.settledQuietly(t, s)
		f.stands(t, v, wanted)
		f.pass(interval)
	}
	if after := f.profileOf(v); !reflect.DeepEqual(after, before) {
		t.Errorf("identity %+v, want %+v", after, before)
	}
	must(t, "the grant", f.grantOf(v.Grant.ID).GrantStanding())
}

func settleRecovers(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	f.pass(interval)
	f.settle(f.silent(f.lease(v)))
	f.pass(interval)
	held := f.lease(v)
	s := f.vouching(held)
	f.settle(s)
	f.stands(t, v, settled(held, s))
	f.pass(interval)
	f.settle(f.silent(f.lease(v)))
	if c := f.credentialOf(v); !c.FailingSince.Equal(f.now) {
		t.Errorf("failing since %v, want %v: the outage before is over", c.FailingSince, f.now)
	}
}

func settleSpent(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	f.pass(interval)
	held := f.lease(v)
	s := f.silence(held, true)
	wanted := settled(held, s)
	wanted.FailingSince, wanted.Spent = f.now, true
	f.settledQuietly(t, s)
	f.stands(t, v, wanted)
	must(t, "the grant", f.grantOf(v.Grant.ID).GrantStanding())
	v = f.keeping("ada", f.handedOut(false))
	s = f.vouching(f.lease(v))
	s.Spent = true // an upstream that vouches has spent nothing
	f.settle(s)
	f.lease(v)
}

func settleSilentNew(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	held := f.lease(v)
	s := f.silence(held, true)
	s.Sealed = []byte("sealed, the next")
	wanted := settled(held, s)
	wanted.FailingSince = f.now
	f.settle(s)
	f.stands(t, v, wanted)
	f.lease(v)
}

func settleUnheld(t *testing.T, f *fixture) {
	answers := []func(broker.Credential) broker.Settlement{f.vouching, f.silent, func(held broker.Credential) broker.Settlement {
		return f.silence(held, true)
	}, f.denying}
	never, bare := f.keeping("grace", f.handedOut(false)), f.signedIn("alan", wiki, true)
	held := f.lease(f.keeping("edith", f.handedOut(false)))
	for _, answer := range answers {
		unheld := func(what string, of broker.Credential) {
			s := answer(of)
			s.Grant, s.Session = never.Grant.ID, never.Session.ID
			f.unsettled(t, what, s)
		}
		unheld("nobody asked", broker.Credential{Identity: never.digest()})
		unheld("of somebody else's credential", broker.Credential{Identity: never.digest(), Lease: held.Lease})
		unheld("somebody else asked", broker.Credential{Identity: held.Identity, Lease: broker.NewID(f.now)})
		unheld("a lease without a name", broker.Credential{Identity: held.Identity})
		unheld("nothing is kept", broker.Credential{Identity: bare.digest(), Lease: held.Lease})
		unheld("nobody is known", broker.Credential{Identity: randomDigest(), Lease: held.Lease})
		unheld("of nobody", broker.Credential{Lease: held.Lease})

		superseded := f.lease(f.keeping("ada", f.handedOut(false)))
		v := f.keeping("ada", f.handedOut(false))
		unheld("a sign-in has brought a newer one", superseded)
		gone := f.lease(v)
		f.keeping("ada", nil)
		unheld("a sign-in has forgotten it", gone)
	}
	f.settle(f.vouching(held))
}

func settleOnce(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	for _, first := range []func(broker.Credential) broker.Settlement{f.vouching, f.silent, f.denying} {
		held := f.lease(v)
		f.settle(first(held))
		for _, second := range []func(broker.Credential) broker.Settlement{f.vouching, f.silent, f.denying} {
			f.unsettled(t, "settled before", second(held))
		}
	}
}

func settleLate(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	held := f.lease(v)
	f.pass(2 * leased)
	s := f.vouching(held)
	f.settle(s)
	f.stands(t, v, settled(held, s))
	f.lease(v)
}

func settleUnknown(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	held := f.lease(v)
	s := f.vouching(held)
	s.Answer = broker.UpstreamDenies + 1
	s.Grant, s.Session = v.Grant.ID, v.Session.ID
	f.unchanged(t, func() {
		if _, err := f.SettleCredential(t.Context(), s, f.event()); err == nil {
			t.Error("settled")
		}
	})
	f.settle(f.vouching(held))
}
