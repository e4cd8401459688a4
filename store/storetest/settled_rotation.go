package storetest

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"gatehouse/broker"
)

// settledRotations are the rules about a refresh for which the upstream was asked.
func settledRotations() []rule {
	return []rule{
		{"a rotation settles in its one commit, and check sees the new profile", rotationSettles},
		{"groups that could not be read stay, and check sees them", rotationKeepsGroups},
		{"without its lease a settlement is left out and the rotation goes on as things are", rotationUnheld},
		{"the one permitted retry settles too", retrySettles},
		{"a reuse revokes and settles nothing", reuseSettlesNothing},
		{"a refused rotation settles nothing", refusedSettlesNothing},
		{"a grant that is dead rotates and settles nothing, whatever check says", deadSettlesNothing},
		{"an answer that does not vouch is refused", rotationAnswers},
		{"an answer about somebody else is refused", rotationForeign},
		{"a refresh that rotates nothing settles, and is recorded then", notRotatedSettles},
	}
}

// rechecked is a person with a refresh token and a credential whose lease is held.
func (f *fixture) rechecked(subject string) (visit, broker.Digest, broker.Credential) {
	f.t.Helper()
	v := f.keeping(subject, f.handedOut(false))
	token := f.redeem(v)
	f.pass(interval)
	return v, token, f.lease(v)
}

// settling is the rotation with the settlement.
func (f *fixture) settling(v visit, presented broker.Digest, s broker.Settlement) broker.Rotation {
	r := f.rotation(v, presented)
	r.Settle = &s
	return r
}

// seeing is a check that wants a profile.
func seeing(t *testing.T, wanted broker.Profile) func(broker.State) error {
	return func(st broker.State) error {
		if st.Identity == nil || !reflect.DeepEqual(st.Identity.Profile, wanted) {
			t.Errorf("check sees %+v, want %+v", st.Identity, wanted)
		}
		return nil
	}
}

func rotationSettles(t *testing.T, f *fixture) {
	v, token, held := f.rechecked("ada")
	before := f.profileOf(v)
	s := f.vouching(held)
	r := f.settling(v, token, s)
	wanted := broker.Event{
		Type: broker.EventTokenRefreshed, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID,
		ClientID: wiki, Connector: google, SessionID: v.Session.ID, GrantID: v.Grant.ID,
	}
	f.commitsOnce(t, func() {
		f.wrote(t, wanted, func() {
			out, err := f.RotateRefreshToken(t.Context(), r, seeing(t, s.Profile))
			must(t, "RotateRefreshToken", err)
			if !reflect.DeepEqual(out.Identity.Profile, s.Profile) {
				t.Errorf("outcome %+v, want %+v", out.Identity.Profile, s.Profile)
			}
		})
	})
	f.stands(t, v, settled(held, s))
	after := f.profileOf(v)
	if !reflect.DeepEqual(after.Profile, s.Profile) || !after.SeenAt.Equal(before.SeenAt) || after.Epoch != before.Epoch {
		t.Errorf("identity %+v", after)
	}
	f.unsettled(t, "once more", s)
	f.rotate(v, r.Next.Digest)
}

func rotationKeepsGroups(t *testing.T, f *fixture) {
	v, token, held := f.rechecked("ada")
	s := f.vouching(held)
	s.KeepGroups = true
	wanted := s.Profile
	wanted.Groups = []string{"staff", "ops"}
	_, err := f.RotateRefreshToken(t.Context(), f.settling(v, token, s), seeing(t, wanted))
	must(t, "RotateRefreshToken", err)
	if got := f.profileOf(v).Profile; !reflect.DeepEqual(got, wanted) {
		t.Errorf("profile %+v, want %+v", got, wanted)
	}
}

func rotationUnheld(t *testing.T, f *fixture) {
	for _, lost := range []struct {
		name string
		by   func(visit, broker.Credential)
	}{
		{"a sign-in", func(v visit, _ broker.Credential) { f.keeping("ada", f.handedOut(false)) }},
		{"a sign-in where nothing is kept", func(visit, broker.Credential) { f.signedIn("ada", wiki, false) }},
		{"another settlement", func(_ visit, held broker.Credential) { f.settle(f.vouching(held)) }},
	} {
		v, token, held := f.rechecked("ada")
		s := f.vouching(held)
		lost.by(v, held)
		profile := f.profileOf(v)
		before, none := f.Credential(t.Context(), v.digest())
		r := f.settling(v, token, s)
		f.commitsOnce(t, func() {
			_, err := f.RotateRefreshToken(t.Context(), r, seeing(t, profile.Profile))
			must(t, lost.name, err)
		})
		after, err := f.Credential(t.Context(), v.digest())
		if !reflect.DeepEqual(after, before) || (err == nil) != (none == nil) || !reflect.DeepEqual(f.profileOf(v), profile) {
			t.Errorf("%s: credential %+v, identity %+v, want them untouched", lost.name, after, f.profileOf(v))
		}
		f.rotate(v, r.Next.Digest)
	}
}

func retrySettles(t *testing.T, f *fixture) {
	v, token, held := f.rechecked("ada")
	first := f.rotation(v, token)
	_, err := f.RotateRefreshToken(t.Context(), first, agree)
	must(t, "RotateRefreshToken", err)
	f.pass(time.Second)
	s := f.vouching(held)
	r := f.settling(v, token, s)
	r.Retry = window
	f.unchanged(t, func() {
		_, err := f.RotateRefreshToken(t.Context(), r, disagree)
		want(t, "a refused retry", err, errNo)
	})
	f.commitsOnce(t, func() {
		out, err := f.RotateRefreshToken(t.Context(), r, seeing(t, s.Profile))
		must(t, "the retry", err)
		if !bytes.Equal(out.Successor, first.Successor) {
			t.Errorf("outcome %+v, want the successor of the first attempt", out)
		}
	})
	f.stands(t, v, settled(held, s))
	if got := f.profileOf(v).Profile; !reflect.DeepEqual(got, s.Profile) {
		t.Errorf("profile %+v", got)
	}
}

func reuseSettlesNothing(t *testing.T, f *fixture) {
	v, token, held := f.rechecked("ada")
	f.rotate(v, token)
	before := f.profileOf(v)
	f.reuse(t, v, f.settling(v, token, f.vouching(held)))
	f.stands(t, v, held)
	if after := f.profileOf(v); !reflect.DeepEqual(after, before) {
		t.Errorf("identity %+v, want %+v", after, before)
	}
	f.settle(f.vouching(held)) // what the endpoint does then
}

func refusedSettlesNothing(t *testing.T, f *fixture) {
	v, token, held := f.rechecked("ada")
	used := f.once()
	l := f.login(f.person(google, "grace"), wiki, false)
	l.Once = []broker.Once{used}
	f.complete(l, issue)
	refusals := []struct {
		name  string
		spoil func(*broker.Rotation)
		check func(broker.State) error
		err   error
	}{
		{"check", func(*broker.Rotation) {}, disagree, errNo},
		{"another client", func(r *broker.Rotation) { r.ClientID = mail }, agree, broker.ErrNotFound},
		{"no grant", func(r *broker.Rotation) { r.GrantID = "no such" }, agree, broker.ErrNotFound},
		{"a used proof", func(r *broker.Rotation) { r.Once = []broker.Once{used} }, agree, broker.ErrOnceUsed},
		{"an expired token", func(r *broker.Rotation) { r.Now = r.Now.Add(2 * refreshLife) }, agree, broker.ErrNotFound},
	}
	for _, refusal := range refusals {
		r := f.settling(v, token, f.vouching(held))
		refusal.spoil(&r)
		f.unchanged(t, func() {
			_, err := f.RotateRefreshToken(t.Context(), r, refusal.check)
			want(t, refusal.name, err, refusal.err)
		})
	}
	r := f.settling(v, token, f.vouching(held))
	_, err := f.RotateRefreshToken(t.Context(), r, agree)
	must(t, "afterwards", err)
	f.stands(t, v, settled(held, *r.Settle))
}

func deadSettlesNothing(t *testing.T, f *fixture) {
	v, token, held := f.rechecked("ada")
	must(t, "EndAccount", f.EndAccount(t.Context(), v.Account.ID, f.event()))
	f.unchanged(t, func() {
		_, err := f.RotateRefreshToken(t.Context(), f.settling(v, token, f.vouching(held)), agree)
		want(t, "signed out everywhere", err, broker.ErrSuperseded)
	})
	f.stands(t, v, held)
}

func rotationAnswers(t *testing.T, f *fixture) {
	v, token, held := f.rechecked("ada")
	for _, s := range []broker.Settlement{f.silent(held), f.silence(held, true), f.denying(held)} {
		s.Grant, s.Session = v.Grant.ID, v.Session.ID
		f.unchanged(t, func() {
			if _, err := f.RotateRefreshToken(t.Context(), f.settling(v, token, s), agree); err == nil {
				t.Errorf("answer %d: rotated", s.Answer)
			}
		})
	}
	f.rotate(v, token)
}

func rotationForeign(t *testing.T, f *fixture) {
	v, token, _ := f.rechecked("ada")
	_, _, others := f.rechecked("grace")
	for name, s := range map[string]broker.Settlement{
		"somebody else": f.vouching(others),
		"nobody":        f.vouching(broker.Credential{Lease: others.Lease}),
	} {
		f.unchanged(t, func() {
			if _, err := f.RotateRefreshToken(t.Context(), f.settling(v, token, s), agree); err == nil {
				t.Errorf("%s: rotated", name)
			}
		})
	}
	f.rotate(v, token)
}

func notRotatedSettles(t *testing.T, f *fixture) {
	v, token, held := f.rechecked("ada")
	s := f.vouching(held)
	r := f.settling(v, token, s)
	r.Next, r.Successor = nil, nil
	f.commitsOnce(t, func() {
		if events := f.newEvents(func() {
			_, err := f.RotateRefreshToken(t.Context(), r, seeing(t, s.Profile))
			must(t, "RotateRefreshToken", err)
		}); len(events) != 1 || events[0].Type != broker.EventTokenRefreshed || events[0].GrantID != v.Grant.ID {
			t.Errorf("events %+v", events)
		}
	})
	f.stands(t, v, settled(held, s))
	f.unchanged(t, func() {
		_, err := f.RotateRefreshToken(t.Context(), r, agree)
		must(t, "once more, with nothing left to settle", err)
	})
	f.rotate(v, token)
}
