package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

// sessions are the rules about looking a session up and ending it.
func sessions() []rule {
	return []rule{
		{"a session is found by ID and secret only while it is live", sessionFound},
		{"a session comes with what bears on client and connector", sessionState},
		{"ending a session leaves a tombstone that its grants meet", sessionEnded},
		{"ending twice or an unknown session is not found and changes nothing", endedTwice},
		{"a session that is over by time can be ended", endedAfterExpiry},
	}
}

func sessionFound(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	ctx := t.Context()
	for name, r := range map[string]broker.SessionRef{
		"nothing":       {},
		"a secret only": {Secret: v.ref.Secret},
		"an ID only":    {ID: v.ref.ID},
		"a wrong one":   {ID: v.ref.ID, Secret: randomDigest()},
		"another's ID":  {ID: broker.NewID(f.now), Secret: v.ref.Secret},
	} {
		_, err := f.Session(ctx, r, wiki, "", f.now)
		want(t, name, err, broker.ErrNotFound)
	}
	for name, tc := range map[string]struct {
		now  time.Time
		live bool
	}{
		"before it was idle for too long": {v.Session.IdleUntil.Add(-1), true},
		"when it was idle for too long":   {v.Session.IdleUntil, false},
		"at its end":                      {v.Session.Expires, false},
	} {
		_, err := f.Session(ctx, v.ref, wiki, "", tc.now)
		if (err == nil) != tc.live {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func sessionState(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	a := f.authorization(v, mail)
	a.Consent = &broker.Consent{Scopes: []string{"email"}}
	f.authorize(a)
	must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ClientSwitch, mail, true, f.event()))
	must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ConnectorSwitch, github, true, f.event()))

	st := f.sessionOf(v.ref, mail)
	if !st.Now.Equal(f.now) || st.Account == nil || st.Account.ID != v.Account.ID || st.Identity == nil || st.Identity.Key.Subject != "ada" ||
		!st.Client.Disabled || st.Client.Epoch != 1 || st.Connector.Disabled || !st.Consent.Covers([]string{"email"}) ||
		st.Grant != nil || st.Code != nil {
		t.Errorf("state for mail %+v", st)
	}
	if st := f.sessionOf(v.ref, wiki); st.Client.Disabled || st.Consent != nil {
		t.Errorf("state for wiki %+v", st)
	}
	if st := f.sessionOf(v.ref, ""); st.Client != (broker.Switch{}) || st.Consent != nil || st.Identity == nil {
		t.Errorf("state for no client %+v", st)
	}
	st, err := f.Session(t.Context(), v.ref, wiki, github, f.now)
	must(t, "Session", err)
	if st.Identity != nil || !st.Connector.Disabled {
		t.Errorf("state for a connector without a sign-in %+v, want its switch and no identity", st)
	}
}

func sessionEnded(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	offline := f.authorization(v, mail)
	offline.Issue = f.issuance(true)
	kept := f.authorize(offline)
	var s broker.Session
	var err error
	wanted := broker.Event{
		Type: broker.EventSignedOut, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID, SessionID: v.Session.ID,
	}
	f.commitsOnce(t, func() {
		f.wrote(t, wanted, func() { s, err = f.EndSession(t.Context(), v.Session.ID, f.event()) })
	})
	must(t, "EndSession", err)
	if s.ID != v.Session.ID || !s.Ended || s.AccountID != v.Account.ID || len(s.Clients) != 2 {
		t.Errorf("session %+v, want to know whom to tell", s)
	}
	_, err = f.Session(t.Context(), v.ref, wiki, "", f.now)
	want(t, "the session", err, broker.ErrNotFound)
	want(t, "its grant", f.grantOf(v.Grant.ID).GrantStanding(), broker.ErrSessionEnded)
	must(t, "its offline grant", f.grantOf(kept.Grant.ID).GrantStanding())
}

func endedTwice(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	_, err := f.EndSession(t.Context(), v.Session.ID, f.event())
	must(t, "EndSession", err)
	f.unchanged(t, func() {
		for _, id := range []string{v.Session.ID, broker.NewID(f.now), "", "no such"} {
			_, err := f.EndSession(t.Context(), id, f.event())
			want(t, id, err, broker.ErrNotFound)
		}
	})
}

func endedAfterExpiry(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	f.pass(sessionLife)
	must(t, "the grant outlives the session's time", f.grantOf(v.Grant.ID).GrantStanding())
	_, err := f.EndSession(t.Context(), v.Session.ID, f.event())
	must(t, "EndSession", err)
	want(t, "its grant", f.grantOf(v.Grant.ID).GrantStanding(), broker.ErrSessionEnded)
}
