package storetest

import (
	"reflect"
	"testing"
	"time"

	"gatehouse/broker"
)

// authorizations are the rules about issuing to a browser that is signed in.
func authorizations() []rule {
	return []rule{
		{"single sign-on issues in one commit and moves the session's use", singleSignOn},
		{"a client is noted once per session", clientNotedOnce},
		{"consent is remembered in the same commit, with an event of its own", consentRemembered},
		{"consent adds to what was agreed to before", consentAdds},
		{"the decider sees the consent that was just given", deciderSeesConsent},
		{"a browser that is not signed in gets nothing", notSignedIn},
		{"a refusal changes nothing and leaves the one-time key unused", refusedAuthorization},
		{"what no longer stands issues nothing, whatever the decider says", fallenAuthorization},
		{"a one-time key is used once", onceUsedAuthorization},
		{"a grant or code that exists is not overwritten", authorizationClash},
	}
}

func singleSignOn(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	f.pass(time.Hour)
	a := f.authorization(v, mail)
	var out broker.Outcome
	f.commitsOnce(t, func() { out = f.authorize(a) })
	g := f.grantOf(out.Grant.ID).Grant
	if g.ClientID != mail || g.AccountID != v.Account.ID || g.SessionID != v.Session.ID || g.Connector != google ||
		g.Identity != v.Grant.Identity || !g.AuthTime.Equal(v.Grant.AuthTime) || g.ACR != v.Grant.ACR {
		t.Errorf("grant %+v, want it bound to the sign-in of the session", g)
	}
	must(t, "the grant", f.grantOf(out.Grant.ID).GrantStanding())
	s := f.sessionOf(v.ref, mail).Session
	if !s.UsedAt.Equal(f.now) || !s.IdleUntil.Equal(a.IdleUntil) || !s.Expires.Equal(v.Session.Expires) {
		t.Errorf("session %+v, want its use moved and its end not", s)
	}
	if !s.SignIns[0].At.Equal(v.Session.SignIns[0].At) {
		t.Error("silent reuse moved the moment of the sign-in")
	}
	wanted := broker.Event{
		Type: broker.EventAuthorized, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID,
		ClientID: mail, Connector: google, SessionID: v.Session.ID, GrantID: out.Grant.ID,
	}
	if all := f.allEvents(); len(all) != 2 || !sameEvent(all[1], wanted) || !sameEvent(out.Event, wanted) {
		t.Errorf("events %+v and %+v, want %+v", all, out.Event, wanted)
	}
	_, err := f.RedeemCode(t.Context(), f.redemption(a.Issue.Code.Key, mail), agree)
	must(t, "its code", err)
}

func clientNotedOnce(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	for _, client := range []string{mail, wiki, mail} {
		f.authorize(f.authorization(v, client))
	}
	if s := f.sessionOf(v.ref, wiki).Session; !reflect.DeepEqual(s.Clients, []string{wiki, mail}) {
		t.Errorf("clients %q", s.Clients)
	}
}

func consentRemembered(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	a := f.authorization(v, mail)
	a.Consent = &broker.Consent{Scopes: []string{"openid", "email"}}
	var out broker.Outcome
	var events []broker.Event
	f.commitsOnce(t, func() {
		events = f.newEvents(func() { out = f.authorize(a) })
	})
	c, err := f.Consent(t.Context(), v.Account.ID, mail)
	must(t, "Consent", err)
	wanted := broker.Consent{AccountID: v.Account.ID, ClientID: mail, Scopes: a.Consent.Scopes, GivenAt: f.now}
	if !c.GivenAt.Equal(f.now) || c.AccountID != wanted.AccountID || c.ClientID != mail || !reflect.DeepEqual(c.Scopes, wanted.Scopes) {
		t.Errorf("consent %+v, want %+v", c, wanted)
	}
	if st := f.grantOf(out.Grant.ID); !st.Consent.Covers([]string{"email"}) || st.Consent.Covers([]string{"groups"}) {
		t.Errorf("consent of the grant %+v", st.Consent)
	}
	if len(events) != 2 || events[0].Type != broker.EventConsentGiven || events[1].Type != broker.EventAuthorized {
		t.Fatalf("events %+v", events)
	}
	events[0].Type = events[1].Type
	if !sameEvent(events[0], events[1]) || events[0].ClientID != mail || events[0].AccountID != v.Account.ID {
		t.Errorf("events %+v, want both to name who and what", events)
	}
	_, err = f.Consent(t.Context(), v.Account.ID, wiki)
	want(t, "the consent for another client", err, broker.ErrNotFound)
}

func consentAdds(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	for _, scopes := range [][]string{{"openid", "email"}, {"openid", "groups"}} {
		a := f.authorization(v, mail)
		a.Consent = &broker.Consent{Scopes: scopes, GivenAt: f.now}
		f.authorize(a)
	}
	c, err := f.Consent(t.Context(), v.Account.ID, mail)
	must(t, "Consent", err)
	if !reflect.DeepEqual(c.Scopes, []string{"openid", "email", "groups"}) {
		t.Errorf("scopes %q", c.Scopes)
	}
}

func deciderSeesConsent(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	a := f.authorization(v, mail)
	a.Consent = &broker.Consent{Scopes: []string{"email"}}
	_, err := f.CompleteAuthorization(t.Context(), a, func(st broker.State) broker.Decision {
		if !st.Consent.Covers([]string{"email"}) || st.Consent.ClientID != mail || st.Consent.AccountID != v.Account.ID {
			t.Errorf("consent %+v", st.Consent)
		}
		if !st.Session.UsedAt.Equal(a.Now) || st.Identity == nil || st.SessionStanding(google) != nil {
			t.Errorf("state %+v", st)
		}
		return broker.Decision{Verdict: broker.Issue}
	})
	must(t, "CompleteAuthorization", err)
}

// stranger is a browser that is not signed in, at a moment.
type stranger struct {
	name string
	ref  broker.SessionRef
	at   time.Time
}

// strangers are in order of time. The last is the visit's own browser when it was idle for too long.
func (f *fixture) strangers(v, ended visit) []stranger {
	return []stranger{
		{"no cookie", broker.SessionRef{}, f.now},
		{"an unknown session", broker.SessionRef{ID: broker.NewID(f.now), Secret: randomDigest()}, f.now},
		{"a wrong secret", broker.SessionRef{ID: v.Session.ID, Secret: randomDigest()}, f.now},
		{"no secret", broker.SessionRef{ID: v.Session.ID}, f.now},
		{"a session that was signed out", ended.ref, f.now},
		{"a session that was idle for too long", v.ref, v.Session.IdleUntil},
	}
}

func notSignedIn(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	ended := f.signedIn("grace", wiki, false)
	_, err := f.EndSession(t.Context(), ended.Session.ID, f.event())
	must(t, "EndSession", err)
	for _, tc := range f.strangers(v, ended) {
		f.now = tc.at
		a := f.authorization(v, mail)
		a.Presented = tc.ref
		f.unchanged(t, func() {
			_, err := f.CompleteAuthorization(t.Context(), a, issue)
			want(t, tc.name, err, broker.ErrNotFound)
		})
	}
}

func refusedAuthorization(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	a := f.authorization(v, mail)
	a.Consent = &broker.Consent{Scopes: []string{"email"}}
	f.grants = append(f.grants, a.Issue.Grant.ID)
	for name, tc := range map[string]struct {
		decide func(broker.State) broker.Decision
		err    error
	}{
		"refused":                  {refuse, errNo},
		"refused without a reason": {func(broker.State) broker.Decision { return broker.Decision{} }, broker.ErrConflict},
		"asked":                    {ask, broker.ErrConflict},
		"asked with a reason":      {func(broker.State) broker.Decision { return broker.Decision{Verdict: broker.Ask, Err: errNo} }, errNo},
	} {
		f.unchanged(t, func() {
			_, err := f.CompleteAuthorization(t.Context(), a, tc.decide)
			want(t, name, err, tc.err)
		})
	}
	f.authorize(a)
}

func fallenAuthorization(t *testing.T, f *fixture) {
	ctx, e := t.Context(), f.event()
	for name, tc := range map[string]struct {
		fall func(visit) error
		err  error
	}{
		"a disabled client":          {func(visit) error { return f.SetSwitch(ctx, broker.ClientSwitch, mail, true, e) }, broker.ErrClientDisabled},
		"a disabled connector":       {func(visit) error { return f.SetSwitch(ctx, broker.ConnectorSwitch, google, true, e) }, broker.ErrConnectorDisabled},
		"a disabled account":         {func(v visit) error { return f.SetAccountDisabled(ctx, v.Account.ID, true, e) }, broker.ErrAccountDisabled},
		"signing out everywhere":     {func(v visit) error { return f.EndAccount(ctx, v.Account.ID, e) }, broker.ErrSuperseded},
		"another connector's client": {func(visit) error { return nil }, broker.ErrIdentityGone},
	} {
		v := f.signedIn("ada", wiki, false)
		must(t, name, tc.fall(v))
		a := f.authorization(v, mail)
		if name == "another connector's client" {
			a.Connector = github
		}
		f.unchanged(t, func() {
			_, err := f.CompleteAuthorization(ctx, a, issue)
			want(t, name, err, tc.err)
		})
		must(t, name, f.SetSwitch(ctx, broker.ClientSwitch, mail, false, e))
		must(t, name, f.SetSwitch(ctx, broker.ConnectorSwitch, google, false, e))
		must(t, name, f.SetAccountDisabled(ctx, v.Account.ID, false, e))
	}
}

func onceUsedAuthorization(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	used := f.authorization(v, mail)
	f.authorize(used)
	a := f.authorization(v, mail)
	a.Once = used.Once
	f.unchanged(t, func() {
		_, err := f.CompleteAuthorization(t.Context(), a, issue)
		want(t, "again", err, broker.ErrOnceUsed)
	})
	a.Once = nil
	f.authorize(a)
}

func authorizationClash(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	for name, clash := range map[string]func(*broker.Authorization){
		"grant": func(a *broker.Authorization) { a.Issue.Grant.ID = v.Grant.ID },
		"code":  func(a *broker.Authorization) { a.Issue.Code.Key = v.code },
	} {
		a := f.authorization(v, mail)
		clash(&a)
		f.unchanged(t, func() {
			_, err := f.CompleteAuthorization(t.Context(), a, issue)
			want(t, name, err, broker.ErrConflict)
		})
	}
}
