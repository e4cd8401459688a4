package storetest

import (
	"errors"
	"testing"

	"gatehouse/broker"
)

// endings are the rules about what ends what was issued before (invariant I6). Each way to end something meets a code,
// a refresh token and a session that were born before it.
func endings() []rule {
	return []rule{
		{"I6 what has ended issues nothing, and turning it on again revives nothing", endingsGrid},
		{"I6 an account that was turned on again starts anew", startsAnew},
	}
}

var errNoConsent = errors.New("consent does not cover the grant")

// judge is what an endpoint's check does at least.
func judge(st broker.State) error {
	if err := st.GrantStanding(); err != nil {
		return err
	}
	if st.Grant.ClientID == mail && !st.Consent.Covers(st.Grant.Scopes) {
		return errNoConsent
	}
	return nil
}

// An ending names what the three are refused with; nil means that it does not concern them.
type ending struct {
	name                   string
	end, revive            func(*fixture, visit) error
	code, refresh, session error
}

func allEndings() []ending {
	off := func(kind broker.SwitchKind, id string, disabled bool) func(*fixture, visit) error {
		return func(f *fixture, _ visit) error { return f.SetSwitch(f.t.Context(), kind, id, disabled, f.event()) }
	}
	account := func(disabled bool) func(*fixture, visit) error {
		return func(f *fixture, v visit) error {
			return f.SetAccountDisabled(f.t.Context(), v.Account.ID, disabled, f.event())
		}
	}
	nothing := func(*fixture, visit) error { return nil }
	return []ending{
		{"account disabled", account(true), nothing, broker.ErrAccountDisabled, broker.ErrAccountDisabled, broker.ErrAccountDisabled},
		{"account disabled and enabled", account(true), account(false), broker.ErrSuperseded, broker.ErrSuperseded, broker.ErrSuperseded},
		{
			"client disabled", off(broker.ClientSwitch, mail, true), nothing,
			broker.ErrClientDisabled, broker.ErrClientDisabled, broker.ErrClientDisabled,
		},
		{
			"client disabled and enabled", off(broker.ClientSwitch, mail, true), off(broker.ClientSwitch, mail, false),
			broker.ErrSuperseded, broker.ErrSuperseded, nil,
		},
		{
			"connector disabled", off(broker.ConnectorSwitch, google, true), nothing,
			broker.ErrConnectorDisabled, broker.ErrConnectorDisabled, broker.ErrConnectorDisabled,
		},
		{
			"connector disabled and enabled", off(broker.ConnectorSwitch, google, true), off(broker.ConnectorSwitch, google, false),
			broker.ErrSuperseded, broker.ErrSuperseded, broker.ErrSuperseded,
		},
		{"signed out everywhere", func(f *fixture, v visit) error {
			return f.EndAccount(f.t.Context(), v.Account.ID, f.event())
		}, nothing, broker.ErrSuperseded, broker.ErrSuperseded, broker.ErrSuperseded},
		{"session ended", func(f *fixture, v visit) error {
			_, err := f.EndSession(f.t.Context(), v.Session.ID, f.event())
			return err
		}, nothing, broker.ErrSessionEnded, nil, broker.ErrNotFound},
		{"consent withdrawn", func(f *fixture, v visit) error {
			return f.WithdrawConsent(f.t.Context(), v.Account.ID, mail, f.event())
		}, nothing, errNoConsent, errNoConsent, nil},
		{"nothing ended", nothing, nothing, nil, nil, nil},
	}
}

func endingsGrid(t *testing.T, f *fixture) {
	for _, e := range allEndings() {
		f := newFixture(t, f.Store)
		v := f.consented("ada of " + e.name) // an offline grant at mail
		token := f.redeem(v)
		a := f.authorization(v, mail) // and a code that is not offline
		out := f.authorize(a)

		must(t, e.name, e.end(f, v))
		must(t, e.name, e.revive(f, v))

		f.ended(t, e.name+": redeeming", e.code, func(check func(broker.State) error) error {
			_, err := f.RedeemCode(t.Context(), f.redemption(out.Code.Key, mail), check)
			return err
		})
		f.ended(t, e.name+": refreshing", e.refresh, func(check func(broker.State) error) error {
			_, err := f.RotateRefreshToken(t.Context(), f.rotation(v, token), check)
			return err
		})
		f.ended(t, e.name+": single sign-on", e.session, func(func(broker.State) error) error {
			_, err := f.CompleteAuthorization(t.Context(), f.authorization(v, mail), issue)
			return err
		})
		st, err := f.Session(t.Context(), v.ref, mail, google, f.now)
		if err == nil {
			err = st.SessionStanding(google)
		}
		want(t, e.name+": the session", err, e.session)
		must(t, e.name, f.SetSwitch(t.Context(), broker.ClientSwitch, mail, false, f.event()))
		must(t, e.name, f.SetSwitch(t.Context(), broker.ConnectorSwitch, google, false, f.event()))
	}
}

// ended tries a verb with the usual check and, unless only that check knows the problem, with one that agrees to
// everything: the verb itself must refuse then.
func (f *fixture) ended(t *testing.T, what string, wanted error, verb func(func(broker.State) error) error) {
	t.Helper()
	if wanted == nil {
		want(t, what, verb(judge), nil)
		return
	}
	f.unchanged(t, func() {
		want(t, what, verb(judge), wanted)
		if wanted != errNoConsent {
			want(t, what+" with a check that agrees", verb(agree), wanted)
		}
	})
}

func startsAnew(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	for _, disabled := range []bool{true, false} {
		must(t, "SetAccountDisabled", f.SetAccountDisabled(t.Context(), v.Account.ID, disabled, f.event()))
		must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ClientSwitch, wiki, disabled, f.event()))
		must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ConnectorSwitch, google, disabled, f.event()))
	}
	l := f.login(f.person(google, "ada"), wiki, true)
	l.Presented = v.ref
	out := f.complete(l, issue)
	if out.Account.ID != v.Account.ID || out.Session.ID == v.Session.ID {
		t.Errorf("account %q and session %q, want the account in a new session", out.Account.ID, out.Session.ID)
	}
	must(t, "the new grant", f.grantOf(out.Grant.ID).GrantStanding())
	must(t, "the new session", f.sessionOf(ref(l), wiki).SessionStanding(google))
	want(t, "the old grant", f.grantOf(v.Grant.ID).GrantStanding(), broker.ErrSuperseded)
	fresh := visit{Outcome: out, ref: ref(l), code: l.Issue.Code.Key}
	f.rotate(fresh, f.redeem(fresh))
}
