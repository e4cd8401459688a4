package storetest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"gatehouse/broker"
)

// logins are the rules about who signs in and what is issued.
func logins() []rule {
	return []rule{
		{"a first sign-in makes account, identity, session, grant and code in one commit", firstSignIn},
		{"a known identity comes back to its account, whatever its profile says now", sameIdentity},
		{"the same e-mail through another connector is another account", sameEmail},
		{"the same subject of another issuer is another account", otherIssuer},
		{"the decider sees the records as they will be", deciderSees},
		{"a refused sign-in changes nothing and leaves its one-time key unused", refusedSignIn},
		{"asking records the sign-in and issues nothing", asked},
		{"a grant is bound to the sign-in it rests on", grantBound},
		{"a decider that names an acr has it in the grant, and the session keeps the sign-in's", acrDecided},
		{"nothing is issued while client, connector or account is disabled, whatever the decider says", notStanding},
		{"nothing is issued without a client", issueWithoutClient},
		{"a one-time key is used once, with whatever expiry it comes", onceUsed},
		{"an identifier or code that exists is not overwritten", notOverwritten},
		{"a context that has ended runs nothing", endedContext},
	}
}

func firstSignIn(t *testing.T, f *fixture) {
	l := f.login(f.person(google, "ada"), wiki, true)
	var out broker.Outcome
	f.commitsOnce(t, func() { out = f.complete(l, issue) })
	if out.Verdict != broker.Issue || out.Account.ID != l.Identity.Key.ProposedAccountID() {
		t.Errorf("verdict %v, account %q, want the proposed account", out.Verdict, out.Account.ID)
	}
	account, linked, err := f.Account(t.Context(), out.Account.ID)
	must(t, "Account", err)
	if !account.CreatedAt.Equal(f.now) || account.Disabled || len(account.Identities) != 1 || account.Identities[0] != l.Identity.Key.Digest() {
		t.Errorf("account %+v", account)
	}
	if len(linked) != 1 || linked[0].Key != l.Identity.Key || linked[0].AccountID != account.ID ||
		!linked[0].LinkedAt.Equal(f.now) || !linked[0].SeenAt.Equal(f.now) || !reflect.DeepEqual(linked[0].Profile, l.Identity.Profile) {
		t.Errorf("identities %+v", linked)
	}
	st := f.sessionOf(ref(l), wiki)
	s := st.Session
	if s.ID != l.Session.ID || s.AccountID != account.ID || s.Ended || !s.CreatedAt.Equal(f.now) || !s.UsedAt.Equal(f.now) ||
		!s.Expires.Equal(l.Session.Expires) || !s.IdleUntil.Equal(l.Session.IdleUntil) || !s.Forget.Equal(l.Session.Forget) {
		t.Errorf("session %+v", s)
	}
	if !reflect.DeepEqual(s.Clients, []string{wiki}) {
		t.Errorf("clients of the session %q, want the one that received a code", s.Clients)
	}
	if err := st.SessionStanding(google); err != nil {
		t.Errorf("the session does not sign in: %v", err)
	}
	if err := f.grantOf(out.Grant.ID).GrantStanding(); err != nil {
		t.Errorf("the grant does not stand: %v", err)
	}
	wanted := broker.Event{
		Type: broker.EventSignedIn, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: account.ID,
		ClientID: wiki, Connector: google, SessionID: l.Session.ID, GrantID: out.Grant.ID,
	}
	if all := f.allEvents(); len(all) != 1 || !sameEvent(all[0], wanted) || !sameEvent(out.Event, wanted) {
		t.Errorf("events %+v and %+v, want %+v", all, out.Event, wanted)
	}
}

func sameIdentity(t *testing.T, f *fixture) {
	first := f.signedIn("ada", wiki, false)
	f.pass(time.Minute)
	who := f.person(google, "ada")
	who.Profile.Email, who.Profile.Groups = "ada@new.example", nil
	l := f.login(who, wiki, false)
	second := f.complete(l, issue)
	if second.Account.ID != first.Account.ID {
		t.Errorf("account %q, want %q", second.Account.ID, first.Account.ID)
	}
	if second.Session.ID == first.Session.ID {
		t.Error("a browser without a session was given that of another")
	}
	_, linked, err := f.Account(t.Context(), first.Account.ID)
	must(t, "Account", err)
	if len(linked) != 1 || !reflect.DeepEqual(linked[0].Profile, who.Profile) {
		t.Errorf("identities %+v, want one with the new profile", linked)
	}
}

func sameEmail(t *testing.T, f *fixture) {
	first := f.signedIn("ada", wiki, false)
	who := f.person(github, "42")
	who.Profile.Email = "ada@example.com"
	second := f.complete(f.login(who, wiki, false), issue)
	if second.Account.ID == first.Account.ID {
		t.Error("an e-mail address led to the account of another identity (invariant I1)")
	}
}

func otherIssuer(t *testing.T, f *fixture) {
	first := f.signedIn("ada", wiki, false)
	who := f.person(google, "ada")
	who.Key.Issuer += "/"
	second := f.complete(f.login(who, wiki, false), issue)
	if second.Account.ID == first.Account.ID {
		t.Error("a subject led to the account of another issuer (invariant I1)")
	}
}

func deciderSees(t *testing.T, f *fixture) {
	must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ClientSwitch, wiki, true, f.event()))
	must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ClientSwitch, wiki, false, f.event()))
	l := f.login(f.person(google, "ada"), wiki, false)
	f.complete(l, func(st broker.State) broker.Decision {
		in := st.Session.SignIn(google)
		if !st.Now.Equal(f.now) || st.Client.Epoch != 1 || st.Account == nil || st.Identity == nil || st.Consent != nil ||
			in == nil || in.Identity != l.Identity.Key.Digest() || !in.At.Equal(f.now) {
			t.Errorf("state %+v", st)
		}
		if err := st.SessionStanding(google); err != nil {
			t.Errorf("the session will not sign in: %v", err)
		}
		return broker.Decision{Verdict: broker.Issue}
	})
}

func refusedSignIn(t *testing.T, f *fixture) {
	f.signedIn("ada", wiki, false)
	for _, who := range []broker.Identity{f.person(google, "ada"), f.person(google, "grace")} {
		l := f.login(who, wiki, true)
		f.accounts = append(f.accounts, who.Key.ProposedAccountID())
		f.refs = append(f.refs, ref(l))
		f.unchanged(t, func() {
			_, err := f.CompleteLogin(t.Context(), l, refuse)
			want(t, "refused", err, errNo)
			_, err = f.CompleteLogin(t.Context(), l, func(broker.State) broker.Decision { return broker.Decision{} })
			want(t, "refused without a reason", err, broker.ErrConflict)
		})
		f.complete(l, issue)
	}
}

func asked(t *testing.T, f *fixture) {
	l := f.login(f.person(google, "ada"), wiki, true)
	f.grants = append(f.grants, l.Issue.Grant.ID)
	out := f.complete(l, ask)
	if out.Verdict != broker.Ask || out.Grant != nil || out.Code != nil || out.Event.GrantID != "" {
		t.Errorf("outcome %+v, want no grant", out)
	}
	_, err := f.Grant(t.Context(), l.Issue.Grant.ID, f.now)
	want(t, "the grant", err, broker.ErrNotFound)
	_, err = f.RedeemCode(t.Context(), f.redemption(l.Issue.Code.Key, wiki), agree)
	want(t, "the code", err, broker.ErrNotFound)
	if st := f.sessionOf(ref(l), wiki); len(st.Session.Clients) != 0 {
		t.Errorf("clients %q, but none received anything", st.Session.Clients)
	}
}

func grantBound(t *testing.T, f *fixture) {
	l := f.login(f.person(google, "ada"), wiki, true)
	out := f.complete(l, issue)
	g := f.grantOf(out.Grant.ID).Grant
	if g.ClientID != wiki || g.AccountID != out.Account.ID || g.SessionID != out.Session.ID || g.Connector != google ||
		g.Identity != l.Identity.Key.Digest() || !g.AuthTime.Equal(l.Identity.Authentication.Time) || g.ACR != "urn:example:gold" ||
		!reflect.DeepEqual(g.AMR, []string{"pwd", "otp"}) || !reflect.DeepEqual(g.Scopes, l.Issue.Grant.Scopes) || !g.Offline {
		t.Errorf("grant %+v", g)
	}
	if !g.Refresh.Current.IsZero() {
		t.Error("a refresh token exists before the code was redeemed")
	}
	who := f.person(github, "42")
	who.Authentication = broker.Authentication{}
	if out := f.complete(f.login(who, wiki, false), issue); !out.Grant.AuthTime.Equal(f.now) {
		t.Errorf("auth_time %v, want the moment of the callback when the upstream has none", out.Grant.AuthTime)
	}
}

func acrDecided(t *testing.T, f *fixture) {
	silver := func(broker.State) broker.Decision {
		return broker.Decision{Verdict: broker.Issue, ACR: "urn:example:silver"}
	}
	l := f.login(f.person(google, "ada"), wiki, true)
	out := f.complete(l, silver)
	v := visit{Outcome: out, ref: ref(l), code: out.Code.Key}
	again, err := f.CompleteAuthorization(t.Context(), f.authorization(v, mail), silver)
	must(t, "CompleteAuthorization", err)
	for _, id := range []string{out.Grant.ID, again.Grant.ID} {
		if st := f.grantOf(id); st.Grant.ACR != "urn:example:silver" || st.Session.SignIn(google).ACR != "urn:example:gold" {
			t.Errorf("grant %q, sign-in %q", st.Grant.ACR, st.Session.SignIn(google).ACR)
		}
	}
	if g := f.authorize(f.authorization(v, wiki)).Grant; g.ACR != "urn:example:gold" {
		t.Errorf("grant %q without a word of the decider", g.ACR)
	}
}

func notStanding(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	ctx, e := t.Context(), f.event()
	for _, tc := range []struct {
		name    string
		set     func(disabled bool) error
		problem error
	}{
		{"client", func(d bool) error { return f.SetSwitch(ctx, broker.ClientSwitch, wiki, d, e) }, broker.ErrClientDisabled},
		{"connector", func(d bool) error { return f.SetSwitch(ctx, broker.ConnectorSwitch, google, d, e) }, broker.ErrConnectorDisabled},
		{"account", func(d bool) error { return f.SetAccountDisabled(ctx, v.Account.ID, d, e) }, broker.ErrAccountDisabled},
	} {
		must(t, tc.name, tc.set(true))
		f.unchanged(t, func() {
			_, err := f.CompleteLogin(ctx, f.login(f.person(google, "ada"), wiki, true), issue)
			want(t, tc.name, err, tc.problem)
		})
		must(t, tc.name, tc.set(false))
		f.complete(f.login(f.person(google, "ada"), wiki, true), issue)
	}
}

func issueWithoutClient(t *testing.T, f *fixture) {
	l := f.login(f.person(google, "ada"), "", false)
	f.accounts = append(f.accounts, l.Identity.Key.ProposedAccountID())
	f.unchanged(t, func() {
		if _, err := f.CompleteLogin(t.Context(), l, issue); err == nil {
			t.Error("something was issued to nobody")
		}
	})
	f.complete(l, ask)
}

func onceUsed(t *testing.T, f *fixture) {
	used := f.login(f.person(google, "ada"), wiki, false)
	f.complete(used, ask)
	again := f.login(f.person(google, "ada"), wiki, false)
	for name, keys := range map[string][]broker.Once{
		"again":               used.Once,
		"with another expiry": {{Key: used.Once[0].Key, Expires: used.Once[0].Expires.Add(time.Hour)}},
		"behind a fresh one":  {f.once(), used.Once[0]},
		"twice at once":       {again.Once[0], again.Once[0]},
	} {
		l := again
		l.Once = keys
		f.unchanged(t, func() {
			_, err := f.CompleteLogin(t.Context(), l, issue)
			want(t, name, err, broker.ErrOnceUsed)
		})
	}
	f.complete(again, issue)
}

func notOverwritten(t *testing.T, f *fixture) {
	l := f.login(f.person(google, "ada"), wiki, true)
	f.complete(l, issue)
	for name, clash := range map[string]func(*broker.Login){
		"session": func(b *broker.Login) { b.Session.ID = l.Session.ID },
		"grant":   func(b *broker.Login) { b.Issue.Grant.ID = l.Issue.Grant.ID },
		"code":    func(b *broker.Login) { b.Issue.Code.Key = l.Issue.Code.Key },
	} {
		b := f.login(f.person(google, "grace"), wiki, true)
		clash(&b)
		f.unchanged(t, func() {
			_, err := f.CompleteLogin(t.Context(), b, issue)
			want(t, name, err, broker.ErrConflict)
		})
	}
}

func endedContext(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.unchanged(t, func() {
		_, err := f.CompleteLogin(ctx, f.login(f.person(google, "grace"), wiki, false), issue)
		want(t, "CompleteLogin", err, context.Canceled)
		_, err = f.RedeemCode(ctx, f.redemption(v.code, wiki), agree)
		want(t, "RedeemCode", err, context.Canceled)
		_, err = f.Grant(ctx, v.Grant.ID, f.now)
		want(t, "Grant", err, context.Canceled)
	})
	f.redeem(v)
}
