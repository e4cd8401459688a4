package storetest

import (
	"crypto/rand"
	"reflect"
	"testing"
	"time"

	"gatehouse/broker"
)

// credentials are the rules about what a sign-in does with a credential.
func credentials() []rule {
	return []rule{
		{"a sign-in keeps what the upstream handed out, in its own commit", keepsCredential},
		{"a sign-in that issues nothing keeps it too", keepsAsked},
		{"nobody's credential is not found", noCredential},
		{"another sign-in replaces the credential, whatever has become of the old one", replacesCredential},
		{"a sign-in that brings none counts as an answer, and leaves a lease to its holder", signInAnswers},
		{"a sign-in that brings none does not make a spent one whole", signInSpent},
		{"a sign-in that brings none makes none", signInNone},
		{"a sign-in where nothing is kept forgets the credential", signInForgets},
		{"a refused sign-in leaves the credential as it is", refusedKeeps},
		{"a credential is forgotten later than once said, but not sooner", forgetForward},
	}
}

const (
	interval = time.Hour
	leased   = 40 * time.Second
)

// handedOut is what an upstream handed out at a sign-in.
func (f *fixture) handedOut(reusable bool) *broker.NewCredential {
	return &broker.NewCredential{Sealed: []byte("sealed " + rand.Text()), Reusable: reusable, Forget: f.now.Add(refreshLife + tokenLife)}
}

// nothing is what a sign-in brings where the upstream handed out nothing.
func (f *fixture) nothing() *broker.NewCredential {
	return &broker.NewCredential{Forget: f.now.Add(refreshLife + tokenLife)}
}

// keeping signs a person in to the wiki, with what becomes of the credential.
func (f *fixture) keeping(subject string, n *broker.NewCredential) visit {
	f.t.Helper()
	l := f.login(f.person(google, subject), wiki, true)
	l.Credential = n
	out := f.complete(l, issue)
	return visit{Outcome: out, ref: ref(l), code: out.Code.Key}
}

func (v visit) digest() broker.Digest { return v.Identity.Key.Digest() }

// credentialOf reads a credential that must be there.
func (f *fixture) credentialOf(v visit) broker.Credential {
	f.t.Helper()
	c, err := f.Credential(f.t.Context(), v.digest())
	if err != nil {
		f.t.Fatalf("Credential: %v", err)
	}
	return c
}

// inUTC lets credentials be compared whose moments come in other zones.
func inUTC(c broker.Credential) broker.Credential {
	for _, at := range []*time.Time{&c.AskedAt, &c.AnsweredAt, &c.FailingSince, &c.LeaseUntil, &c.Forget} {
		*at = at.UTC()
	}
	return c
}

// stands checks a credential to the last field.
func (f *fixture) stands(t *testing.T, v visit, wanted broker.Credential) {
	t.Helper()
	if got := inUTC(f.credentialOf(v)); !reflect.DeepEqual(got, inUTC(wanted)) {
		t.Errorf("credential\n%+v, want\n%+v", got, inUTC(wanted))
	}
}

// gone checks that there is no credential.
func (f *fixture) gone(t *testing.T, v visit) {
	t.Helper()
	_, err := f.Credential(t.Context(), v.digest())
	want(t, "Credential", err, broker.ErrNotFound)
}

// fresh is the credential that a sign-in has just made of what was handed out.
func (f *fixture) fresh(v visit, n *broker.NewCredential) broker.Credential {
	return broker.Credential{Identity: v.digest(), Sealed: n.Sealed, Reusable: n.Reusable, AskedAt: f.now, AnsweredAt: f.now, Forget: n.Forget}
}

func keepsCredential(t *testing.T, f *fixture) {
	for _, reusable := range []bool{false, true} {
		for _, subject := range []string{"ada", "grace"} { // a first sign-in of each, and a later one
			n := f.handedOut(reusable)
			l := f.login(f.person(google, subject), wiki, true)
			l.Credential = n
			var out broker.Outcome
			f.commitsOnce(t, func() { out = f.complete(l, issue) })
			f.stands(t, visit{Outcome: out}, f.fresh(visit{Outcome: out}, n))
		}
		f.pass(time.Minute)
	}
	if all := f.allEvents(); len(all) != 4 {
		t.Errorf("events %+v, want one for each sign-in", all)
	}
}

func keepsAsked(t *testing.T, f *fixture) {
	l := f.login(f.person(google, "ada"), "", false)
	l.Credential = f.handedOut(false)
	v := visit{Outcome: f.complete(l, ask)}
	f.stands(t, v, f.fresh(v, l.Credential))
}

func noCredential(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	f.keeping("grace", f.handedOut(false))
	for _, d := range []broker.Digest{{}, randomDigest(), v.digest()} {
		f.unchanged(t, func() {
			c, err := f.Credential(t.Context(), d)
			want(t, "Credential", err, broker.ErrNotFound)
			if !reflect.DeepEqual(c, broker.Credential{}) {
				t.Errorf("credential %+v", c)
			}
		})
	}
}

func replacesCredential(t *testing.T, f *fixture) {
	grace := f.keeping("grace", f.handedOut(false))
	others := f.credentialOf(grace)
	v := f.keeping("ada", f.handedOut(true))
	for _, become := range []struct {
		name string
		of   func()
	}{
		{"nothing", func() {}},
		{"leased", func() { f.lease(v) }},
		{"failing and spent", func() { f.settle(f.silence(f.lease(v), true)) }},
		{"spent by a lease that ran out", func() { f.lose(v) }},
		{"failing", func() { f.settle(f.silence(f.lease(v), false)) }},
	} {
		become.of()
		f.pass(time.Minute)
		n := f.handedOut(false)
		v = f.keeping("ada", n)
		f.stands(t, v, f.fresh(v, n))
		if t.Failed() {
			t.Fatalf("what had become of the old one: %s", become.name)
		}
	}
	f.stands(t, grace, others)
}

func signInAnswers(t *testing.T, f *fixture) {
	n := f.handedOut(false)
	v := f.keeping("ada", n)
	f.pass(interval)
	f.settle(f.silence(f.lease(v), false))
	f.pass(interval)
	held := f.lease(v)
	f.pass(time.Second)
	brings := f.nothing()
	brings.Reusable = true // says nothing about the one that is kept
	f.keeping("ada", brings)
	wanted := f.fresh(v, n)
	wanted.Lease, wanted.LeaseUntil, wanted.Forget = held.Lease, held.LeaseUntil, brings.Forget
	f.stands(t, v, wanted)
	f.settle(f.vouching(held))
}

func signInSpent(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	f.lose(v)
	before := f.credentialOf(v)
	f.pass(interval)
	f.keeping("ada", f.nothing())
	f.stands(t, v, before)
}

func signInNone(t *testing.T, f *fixture) {
	for range 2 {
		f.gone(t, f.keeping("ada", f.nothing()))
	}
}

func signInForgets(t *testing.T, f *fixture) {
	grace := f.keeping("grace", f.handedOut(false))
	for _, become := range []func(visit){
		func(visit) {},
		func(v visit) { f.lease(v) },
		func(v visit) { f.lose(v) },
	} {
		v := f.keeping("ada", f.handedOut(false))
		become(v)
		l := f.login(f.person(google, "ada"), wiki, true)
		f.commitsOnce(t, func() { f.complete(l, issue) })
		f.gone(t, v)
	}
	f.credentialOf(grace)
}

func refusedKeeps(t *testing.T, f *fixture) {
	f.keeping("ada", f.handedOut(false))
	stranger := f.person(google, "alan")
	f.identities = append(f.identities, stranger.Key.Digest())
	for _, n := range []*broker.NewCredential{nil, f.nothing(), f.handedOut(false)} {
		for _, who := range []broker.Identity{f.person(google, "ada"), stranger} {
			l := f.login(who, wiki, true)
			l.Credential = n
			f.unchanged(t, func() {
				_, err := f.CompleteLogin(t.Context(), l, refuse)
				want(t, "refused", err, errNo)
				used := l
				used.Once = []broker.Once{l.Once[0], l.Once[0]}
				_, err = f.CompleteLogin(t.Context(), used, issue)
				want(t, "with a used key", err, broker.ErrOnceUsed)
				used = l
				used.ClientID = ""
				if _, err = f.CompleteLogin(t.Context(), used, issue); err == nil {
					t.Error("something was issued to nobody")
				}
			})
		}
	}
}

func forgetForward(t *testing.T, f *fixture) {
	first := f.handedOut(false)
	v := f.keeping("ada", first)
	for _, sooner := range []*broker.NewCredential{f.handedOut(false), f.nothing()} {
		sooner.Forget = f.now.Add(time.Minute)
		f.keeping("ada", sooner)
		if c := f.credentialOf(v); !c.Forget.Equal(first.Forget) {
			t.Errorf("forgotten at %v, want %v", c.Forget, first.Forget)
		}
	}
	for _, answer := range []func(broker.Credential) broker.Settlement{f.vouching, f.silent} {
		s := answer(f.lease(v))
		s.Forget = f.now.Add(time.Minute)
		f.settle(s)
		if c := f.credentialOf(v); !c.Forget.Equal(first.Forget) {
			t.Errorf("forgotten at %v, want %v", c.Forget, first.Forget)
		}
		s = answer(f.lease(v))
		s.Forget = first.Forget.Add(time.Hour)
		first.Forget = s.Forget
		f.settle(s)
		if c := f.credentialOf(v); !c.Forget.Equal(s.Forget) {
			t.Errorf("forgotten at %v, want %v", c.Forget, s.Forget)
		}
	}
}
