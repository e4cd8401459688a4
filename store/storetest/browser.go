package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

// browsers are the rules about the session a browser comes with to a sign-in.
func browsers() []rule {
	return []rule{
		{"signing in again as the same account keeps the session and changes its secret", renewed},
		{"signing in again replaces the sign-in of that connector", signInReplaced},
		{"signing in as another account ends the session the browser came with", replaced},
		{"a session's public ID without its secret neither renews nor ends it", idAlone},
		{"a session that is over is not renewed", notRenewed},
		{"a refused sign-in ends no session", refusedEndsNothing},
	}
}

func renewed(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	f.pass(time.Hour)
	l := f.login(f.person(google, "ada"), mail, false)
	l.Presented = v.ref
	l.Session.Forget = v.Session.Forget.Add(-time.Minute)
	var out broker.Outcome
	f.commitsOnce(t, func() { out = f.complete(l, issue) })
	s := out.Session
	if s.ID != v.Session.ID || !s.CreatedAt.Equal(v.Session.CreatedAt) || s.Epoch != v.Session.Epoch {
		t.Errorf("session %+v, want %s renewed", s, v.Session.ID)
	}
	if !s.Expires.Equal(l.Session.Expires) || !s.IdleUntil.Equal(l.Session.IdleUntil) || !s.UsedAt.Equal(f.now) {
		t.Errorf("session %+v, want its lifetimes to begin anew", s)
	}
	if !s.Forget.Equal(v.Session.Forget) {
		t.Errorf("forget %v, want the later of both", s.Forget)
	}
	if len(s.Clients) != 2 || s.Clients[0] != wiki || s.Clients[1] != mail {
		t.Errorf("clients %q", s.Clients)
	}
	_, err := f.Session(t.Context(), v.ref, wiki, "", f.now)
	want(t, "the old secret", err, broker.ErrNotFound)
	f.sessionOf(broker.SessionRef{ID: s.ID, Secret: l.Session.Secret}, wiki)
	if err := f.grantOf(v.Grant.ID).GrantStanding(); err != nil {
		t.Errorf("the earlier grant of the session died: %v", err)
	}
}

func signInReplaced(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	f.pass(time.Hour)
	l := f.login(f.person(google, "ada"), wiki, false)
	l.Presented = v.ref
	l.Identity.Authentication = broker.Authentication{ACR: "urn:example:silver"}
	out := f.complete(l, issue)
	if n := len(out.Session.SignIns); n != 1 {
		t.Fatalf("%d sign-ins, want one per connector", n)
	}
	in := out.Session.SignIns[0]
	if !in.At.Equal(f.now) || !in.AuthTime.Equal(f.now) || in.ACR != "urn:example:silver" || len(in.AMR) != 0 {
		t.Errorf("sign-in %+v, want the later one", in)
	}
	if g := f.grantOf(v.Grant.ID).Grant; g.ACR != "urn:example:gold" {
		t.Errorf("the earlier grant now says %q", g.ACR)
	}
}

func replaced(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	kept := f.complete(f.login(f.person(google, "ada"), wiki, true), issue)
	l := f.login(f.person(google, "grace"), wiki, false)
	l.Presented = v.ref
	var out broker.Outcome
	var events []broker.Event
	f.commitsOnce(t, func() {
		events = f.newEvents(func() { out = f.complete(l, issue) })
	})
	if out.Session.ID != l.Session.ID || out.Session.AccountID == v.Account.ID {
		t.Errorf("session %+v, want a new one", out.Session)
	}
	_, err := f.Session(t.Context(), v.ref, wiki, "", f.now)
	want(t, "the session of the other account", err, broker.ErrNotFound)
	want(t, "its grant", f.grantOf(v.Grant.ID).GrantStanding(), broker.ErrSessionEnded)
	_, err = f.RedeemCode(t.Context(), f.redemption(v.code, wiki), agree)
	want(t, "its code", err, broker.ErrSessionEnded)
	must(t, "the other account in another browser", f.grantOf(kept.Grant.ID).GrantStanding())
	signedOut := broker.Event{
		Type: broker.EventSignedOut, At: f.now, RequestID: "req-1", Address: "192.0.2.1",
		AccountID: v.Account.ID, SessionID: v.Session.ID, Detail: "replaced",
	}
	if len(events) != 2 || !sameEvent(events[0], signedOut) || events[1].Type != broker.EventSignedIn {
		t.Errorf("events %+v, want %+v and a sign-in", events, signedOut)
	}
}

func idAlone(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	for _, subject := range []string{"ada", "grace"} {
		for _, secret := range []broker.Digest{{}, randomDigest()} {
			l := f.login(f.person(google, subject), wiki, false)
			l.Presented = broker.SessionRef{ID: v.Session.ID, Secret: secret}
			if out := f.complete(l, issue); out.Session.ID == v.Session.ID {
				t.Errorf("%s took over a session by its ID", subject)
			}
			f.sessionOf(v.ref, wiki)
		}
	}
	must(t, "the grant of the session", f.grantOf(v.Grant.ID).GrantStanding())
}

func notRenewed(t *testing.T, f *fixture) {
	for name, over := range map[string]func(visit){
		"idle for too long": func(visit) { f.pass(sessionIdle) },
		"signed out": func(v visit) {
			_, err := f.EndSession(t.Context(), v.Session.ID, f.event())
			must(t, "EndSession", err)
		},
		"signed out everywhere": func(v visit) { must(t, "EndAccount", f.EndAccount(t.Context(), v.Account.ID, f.event())) },
	} {
		v := f.signedIn("ada", wiki, false)
		over(v)
		l := f.login(f.person(google, "ada"), wiki, false)
		l.Presented = v.ref
		out := f.complete(l, issue)
		if out.Session.ID != l.Session.ID {
			t.Errorf("%s: the session was renewed", name)
		}
		must(t, name, f.sessionOf(ref(l), wiki).SessionStanding(google))
	}
}

func refusedEndsNothing(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	f.accounts = append(f.accounts, f.person(google, "grace").Key.ProposedAccountID())
	for _, subject := range []string{"ada", "grace"} {
		l := f.login(f.person(google, subject), wiki, false)
		l.Presented = v.ref
		f.unchanged(t, func() {
			_, err := f.CompleteLogin(t.Context(), l, refuse)
			want(t, subject, err, errNo)
		})
	}
}
