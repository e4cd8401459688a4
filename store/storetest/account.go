package storetest

import (
	"reflect"
	"testing"

	"gatehouse/broker"
)

// grants are the rules about reading and revoking.
func grants() []rule {
	return []rule{
		{"a grant comes with every record that bears on it, unjudged", grantRead},
		{"a grant keeps what was asked for through its code and its refresh tokens", grantKeeps},
		{"a revoked grant is gone in one commit", grantRevoked},
		{"revoking an unknown grant is not found and changes nothing", revokedUnknown},
	}
}

func grantKeeps(t *testing.T, f *fixture) {
	l := f.login(f.person(google, "ada"), wiki, true)
	wanted := l.Issue.Grant
	wanted.Resources = []string{"https://api.example", "https://files.example/v1"}
	wanted.Claims = broker.ClaimsRequest{IDToken: []string{"email"}, UserInfo: []string{"name", "picture"}}
	l.Issue.Grant = wanted
	out := f.complete(l, issue)
	kept := func(what string) {
		t.Helper()
		g := f.grantOf(out.Grant.ID).Grant
		if !reflect.DeepEqual(g.Resources, wanted.Resources) || !reflect.DeepEqual(g.Claims, wanted.Claims) || !reflect.DeepEqual(g.Scopes, wanted.Scopes) {
			t.Errorf("%s: grant %+v, want what was asked for of %+v", what, g, wanted)
		}
	}
	kept("issued")
	v := visit{Outcome: out, ref: ref(l), code: l.Issue.Code.Key}
	token := f.redeem(v)
	kept("redeemed")
	f.rotate(v, token)
	kept("refreshed")
}

func grantRead(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	must(t, "SetAccountDisabled", f.SetAccountDisabled(t.Context(), v.Account.ID, true, f.event()))
	must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ClientSwitch, wiki, true, f.event()))
	st := f.grantOf(v.Grant.ID)
	if !st.Now.Equal(f.now) || st.Grant == nil || st.Grant.ID != v.Grant.ID || st.Account == nil || !st.Account.Disabled ||
		st.Identity == nil || st.Session == nil || st.Session.ID != v.Session.ID || !st.Client.Disabled || st.Consent != nil || st.Code != nil {
		t.Errorf("state %+v", st)
	}
	for _, id := range []string{"", "no such", broker.NewID(f.now)} {
		_, err := f.Grant(t.Context(), id, f.now)
		want(t, id, err, broker.ErrNotFound)
	}
}

func grantRevoked(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	other, otherToken := f.offline("grace")
	wanted := broker.Event{
		Type: broker.EventGrantRevoked, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID,
		ClientID: wiki, Connector: google, SessionID: v.Session.ID, GrantID: v.Grant.ID,
	}
	f.commitsOnce(t, func() {
		f.wrote(t, wanted, func() { must(t, "RevokeGrant", f.RevokeGrant(t.Context(), v.Grant.ID, f.event())) })
	})
	_, err := f.Grant(t.Context(), v.Grant.ID, f.now)
	want(t, "the grant", err, broker.ErrNotFound)
	_, err = f.RotateRefreshToken(t.Context(), f.rotation(v, token), agree)
	want(t, "its token", err, broker.ErrNotFound)
	must(t, "its session", f.sessionOf(v.ref, wiki).SessionStanding(google))
	f.rotate(other, otherToken)
}

func revokedUnknown(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	must(t, "RevokeGrant", f.RevokeGrant(t.Context(), v.Grant.ID, f.event()))
	f.unchanged(t, func() {
		for _, id := range []string{v.Grant.ID, "", "no such", broker.NewID(f.now)} {
			want(t, id, f.RevokeGrant(t.Context(), id, f.event()), broker.ErrNotFound)
		}
	})
}

// accounts are the rules about accounts and what they have agreed to.
func accounts() []rule {
	return []rule{
		{"disabling and enabling move the epoch once and record who", accountDisabled},
		{"disabling twice is one change", disabledTwice},
		{"signing out everywhere moves the epoch every time", accountEnded},
		{"an unknown account is not found and changes nothing", unknownAccount},
		{"a withdrawn consent is gone in one commit", consentWithdrawn},
		{"withdrawing what was not given is not found and changes nothing", withdrawnUnknown},
	}
}

// accountOf reads an account that must be there.
func (f *fixture) accountOf(id string) broker.Account {
	f.t.Helper()
	account, _, err := f.Account(f.t.Context(), id)
	if err != nil {
		f.t.Fatalf("Account: %v", err)
	}
	return account
}

func (f *fixture) accountEvent(what broker.EventType, id string) broker.Event {
	return broker.Event{Type: what, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: id}
}

func accountDisabled(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	id := v.Account.ID
	for _, step := range []struct {
		disabled bool
		epoch    uint64
		event    broker.EventType
	}{
		{true, 1, broker.EventAccountDisabled},
		{false, 1, broker.EventAccountEnabled},
		{true, 2, broker.EventAccountDisabled},
	} {
		f.commitsOnce(t, func() {
			f.wrote(t, f.accountEvent(step.event, id), func() {
				must(t, "SetAccountDisabled", f.SetAccountDisabled(t.Context(), id, step.disabled, f.event()))
			})
		})
		if a := f.accountOf(id); a.Disabled != step.disabled || a.Epoch != step.epoch || len(a.Identities) != 1 || !a.CreatedAt.Equal(f.now) {
			t.Errorf("account %+v, want %+v", a, step)
		}
	}
}

func disabledTwice(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	for _, disabled := range []bool{false, true} {
		must(t, "SetAccountDisabled", f.SetAccountDisabled(t.Context(), v.Account.ID, disabled, f.event()))
		f.unchanged(t, func() {
			must(t, "again", f.SetAccountDisabled(t.Context(), v.Account.ID, disabled, f.event()))
		})
	}
}

func accountEnded(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	for epoch := uint64(1); epoch < 4; epoch++ {
		f.commitsOnce(t, func() {
			f.wrote(t, f.accountEvent(broker.EventSignedOutAll, v.Account.ID), func() {
				must(t, "EndAccount", f.EndAccount(t.Context(), v.Account.ID, f.event()))
			})
		})
		if a := f.accountOf(v.Account.ID); a.Epoch != epoch || a.Disabled {
			t.Errorf("account %+v, want epoch %d", a, epoch)
		}
	}
}

func unknownAccount(t *testing.T, f *fixture) {
	f.signedIn("ada", wiki, false)
	ctx, e := t.Context(), f.event()
	f.unchanged(t, func() {
		for _, id := range []string{"", "no such"} {
			_, _, err := f.Account(ctx, id)
			want(t, "Account", err, broker.ErrNotFound)
			want(t, "SetAccountDisabled", f.SetAccountDisabled(ctx, id, true, e), broker.ErrNotFound)
			want(t, "EndAccount", f.EndAccount(ctx, id, e), broker.ErrNotFound)
		}
	})
}

// consented is a visit that has agreed to something at mail.
func (f *fixture) consented(subject string) visit {
	f.t.Helper()
	v := f.signedIn(subject, wiki, false)
	a := f.authorization(v, mail)
	a.Issue = f.issuance(true)
	a.Consent = &broker.Consent{Scopes: a.Issue.Grant.Scopes}
	v.Outcome = f.authorize(a)
	v.code = a.Issue.Code.Key
	return v
}

func consentWithdrawn(t *testing.T, f *fixture) {
	v, other := f.consented("ada"), f.consented("grace")
	wanted := f.accountEvent(broker.EventConsentWithdrawn, v.Account.ID)
	wanted.ClientID = mail
	f.commitsOnce(t, func() {
		f.wrote(t, wanted, func() {
			must(t, "WithdrawConsent", f.WithdrawConsent(t.Context(), v.Account.ID, mail, f.event()))
		})
	})
	_, err := f.Consent(t.Context(), v.Account.ID, mail)
	want(t, "the consent", err, broker.ErrNotFound)
	_, err = f.Consent(t.Context(), other.Account.ID, mail)
	must(t, "that of another account", err)
}

func withdrawnUnknown(t *testing.T, f *fixture) {
	v := f.consented("ada")
	other := f.signedIn("grace", wiki, false)
	f.unchanged(t, func() {
		for _, tc := range [][2]string{{v.Account.ID, wiki}, {other.Account.ID, mail}, {"", mail}, {v.Account.ID, ""}, {v.Account.ID + "m", "ail"}} {
			ctx := t.Context()
			want(t, tc[0]+" "+tc[1], f.WithdrawConsent(ctx, tc[0], tc[1], f.event()), broker.ErrNotFound)
			_, err := f.Consent(ctx, tc[0], tc[1])
			want(t, tc[0]+" "+tc[1], err, broker.ErrNotFound)
		}
	})
}
