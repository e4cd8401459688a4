package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

// denials are the rules about an upstream that no longer vouches for a person.
func denials() []rule {
	return []rule{
		{"UP-32 a definite no ends grant, session and credential in one commit with one event", deniedEnds},
		{"UP-32 every other grant and session that rests on the identity is dead", deniedOthers},
		{"UP-32 a definite no is worded by the verb, whatever the caller calls it", deniedEvent},
		{"a definite no about what has ended meanwhile ends the rest", deniedAfterwards},
		{"a definite no leaves alone what is not the person's", deniedForeign},
		{"who is vouched for again signs in again, and nothing revives", deniedReturns},
	}
}

// denied settles a lease with a definite no to the grant and session of the visit that asked.
func (f *fixture) denied(v visit) broker.Settlement {
	f.t.Helper()
	s := f.denying(f.lease(v))
	s.Grant, s.Session = v.Grant.ID, v.Session.ID
	return s
}

func deniedEnds(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	token := f.redeem(v)
	before := f.profileOf(v)
	f.pass(interval)
	s := f.denied(v)
	s.Profile, s.Sealed, s.Forget = broker.Profile{Name: "somebody"}, []byte("sealed"), f.now.Add(refreshLife) // of which a no says nothing
	wanted := broker.Event{
		Type: broker.EventUpstreamDenied, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID,
		ClientID: wiki, Connector: google, SessionID: v.Session.ID, GrantID: v.Grant.ID,
	}
	f.wrote(t, wanted, func() { f.commitsOnce(t, func() { f.settle(s) }) })
	f.gone(t, v)
	_, err := f.Grant(t.Context(), v.Grant.ID, f.now)
	want(t, "the grant", err, broker.ErrNotFound)
	_, err = f.RotateRefreshToken(t.Context(), f.rotation(v, token), agree)
	want(t, "its refresh token", err, broker.ErrNotFound)
	_, err = f.Session(t.Context(), v.ref, wiki, "", f.now)
	want(t, "the session", err, broker.ErrNotFound)
	_, err = f.EndSession(t.Context(), v.Session.ID, f.event())
	want(t, "ending it again", err, broker.ErrNotFound)
	after := f.profileOf(v)
	if before.Epoch++; after.Epoch != before.Epoch || after.Profile.Name != before.Profile.Name || !after.SeenAt.Equal(before.SeenAt) {
		t.Errorf("identity %+v, want nothing but its epoch moved to %d", after, before.Epoch)
	}
	if a := f.accountOf(v.Account.ID); a.Disabled || a.Epoch != 0 {
		t.Errorf("account %+v: a no of one upstream is not about the account", a)
	}
}

func deniedOthers(t *testing.T, f *fixture) {
	laptop := f.keeping("ada", f.handedOut(false))
	f.redeem(laptop)
	mailed := f.authorize(f.authorization(laptop, mail))
	phone := f.keeping("ada", f.handedOut(false))
	token := f.redeem(phone)
	unredeemed := f.keeping("ada", f.handedOut(false))
	grace, hers := f.offline("grace")
	f.settle(f.denied(laptop))

	want(t, "a grant of the same session", f.grantOf(mailed.Grant.ID).GrantStanding(), broker.ErrSuperseded)
	want(t, "a grant of another", f.grantOf(phone.Grant.ID).GrantStanding(), broker.ErrSuperseded)
	want(t, "the session of another", f.sessionOf(phone.ref, wiki).SessionStanding(google), broker.ErrSuperseded)
	f.unchanged(t, func() {
		_, err := f.RotateRefreshToken(t.Context(), f.rotation(phone, token), agree)
		want(t, "a refresh token", err, broker.ErrSuperseded)
		_, err = f.RedeemCode(t.Context(), f.redemption(unredeemed.code, wiki), agree)
		want(t, "a code", err, broker.ErrSuperseded)
		_, err = f.CompleteAuthorization(t.Context(), f.authorization(phone, wiki), issue)
		want(t, "single sign-on", err, broker.ErrSuperseded)
	})
	must(t, "somebody else's grant", f.grantOf(grace.Grant.ID).GrantStanding())
	must(t, "somebody else's session", f.sessionOf(grace.ref, wiki).SessionStanding(google))
	f.rotate(grace, hers)
}

func deniedEvent(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	s := f.denied(v)
	e := broker.Event{Type: broker.EventTokenRefreshed, RequestID: "req-2", AccountID: "somebody", GrantID: "g", SessionID: "s", Connector: github, Detail: "gone"}
	wanted := broker.Event{
		Type: broker.EventUpstreamDenied, At: s.Now, RequestID: "req-2", AccountID: v.Account.ID,
		ClientID: wiki, Connector: google, SessionID: v.Session.ID, GrantID: v.Grant.ID, Detail: "gone",
	}
	f.wrote(t, wanted, func() {
		if held, err := f.SettleCredential(t.Context(), s, e); err != nil || !held {
			t.Errorf("held %v, error %v", held, err)
		}
	})
}

func deniedAfterwards(t *testing.T, f *fixture) {
	f.keeping("ada", f.handedOut(false))
	other := f.signedIn("ada", mail, true)
	v := f.keeping("ada", f.handedOut(false))
	mailed := f.authorize(f.authorization(v, mail))
	s := f.denied(v)
	must(t, "RevokeGrant", f.RevokeGrant(t.Context(), v.Grant.ID, f.event()))
	ended, err := f.EndSession(t.Context(), v.Session.ID, f.event())
	must(t, "EndSession", err)
	wanted := broker.Event{
		Type: broker.EventUpstreamDenied, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID,
		Connector: google, SessionID: v.Session.ID, GrantID: v.Grant.ID,
	}
	f.wrote(t, wanted, func() { f.commitsOnce(t, func() { f.settle(s) }) })
	f.gone(t, v)
	want(t, "another grant", f.grantOf(other.Grant.ID).GrantStanding(), broker.ErrSuperseded)
	_, err = f.EndSession(t.Context(), ended.ID, f.event())
	want(t, "the tombstone", err, broker.ErrNotFound)
	if s := f.grantOf(mailed.Grant.ID).Session; !s.Ended || s.Epoch != ended.Epoch {
		t.Errorf("the tombstone %+v, want it as it was", s)
	}
}

func deniedForeign(t *testing.T, f *fixture) {
	grace := f.keeping("grace", f.handedOut(false))
	v := f.keeping("ada", f.handedOut(false))
	s := f.denied(v)
	s.Grant, s.Session = grace.Grant.ID, grace.Session.ID
	wanted := broker.Event{
		Type: broker.EventUpstreamDenied, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID, Connector: google,
	}
	f.wrote(t, wanted, func() { f.settle(s) })
	must(t, "somebody else's grant", f.grantOf(grace.Grant.ID).GrantStanding())
	must(t, "somebody else's session", f.sessionOf(grace.ref, wiki).SessionStanding(google))
	f.credentialOf(grace)
	f.gone(t, v)
	want(t, "the person's grant", f.grantOf(v.Grant.ID).GrantStanding(), broker.ErrSuperseded)
}

func deniedReturns(t *testing.T, f *fixture) {
	v := f.keeping("ada", f.handedOut(false))
	phone := f.keeping("ada", f.handedOut(false))
	f.settle(f.denied(v))
	f.pass(time.Minute)

	l := f.login(f.person(google, "ada"), wiki, true)
	l.Presented, l.Credential = phone.ref, f.handedOut(false)
	back := f.complete(l, issue)
	if back.Account.ID != v.Account.ID || back.Session.ID != phone.Session.ID {
		t.Errorf("account %q and session %q, want %q and the one of the browser %q", back.Account.ID, back.Session.ID, v.Account.ID, phone.Session.ID)
	}
	must(t, "the new grant", f.grantOf(back.Grant.ID).GrantStanding())
	again := broker.SessionRef{ID: back.Session.ID, Secret: l.Session.Secret}
	must(t, "the session, renewed", f.sessionOf(again, wiki).SessionStanding(google))
	want(t, "a grant of before", f.grantOf(phone.Grant.ID).GrantStanding(), broker.ErrSuperseded)
	f.stands(t, v, f.fresh(v, l.Credential))

	presented := f.login(f.person(google, "ada"), wiki, true)
	presented.Presented = v.ref
	if out := f.complete(presented, issue); out.Session.ID == v.Session.ID {
		t.Error("the ended session is in use again")
	}
}
