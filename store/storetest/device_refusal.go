package storetest

import (
	"testing"

	"gatehouse/broker"
)

func deviceAskedLess(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	asked := f.device(wiki)
	s := f.deviceStart(wiki)
	s.Device.Resources = nil
	everywhere := f.start(s)
	for name, tc := range map[string]struct {
		device broker.DeviceAuthorization
		more   func(*broker.Grant)
	}{
		"another scope":                       {asked, func(g *broker.Grant) { g.Scopes = append(g.Scopes, "groups") }},
		"another resource":                    {asked, func(g *broker.Grant) { g.Resources = []string{"https://api.example", "https://mail.example"} }},
		"all resources":                       {asked, func(g *broker.Grant) { g.Resources = nil }},
		"a resource where none was asked for": {everywhere, func(g *broker.Grant) { g.Resources = []string{"https://api.example"} }},
	} {
		a := f.approval(v, tc.device, true)
		tc.more(&a.Issue.Grant)
		f.grants = append(f.grants, a.Issue.Grant.ID)
		f.unchanged(t, func() {
			_, err := f.CompleteAuthorization(t.Context(), a, issue)
			want(t, name, err, broker.ErrConflict)
		})
	}
	less := f.approval(v, asked, true)
	less.Issue.Grant.Scopes, less.Issue.Grant.Resources = []string{"openid"}, []string{"https://files.example"}
	f.authorize(less)
	f.approve(v, everywhere, true)
}

func deviceSignIn(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	for _, who := range []string{"ada", "grace"} {
		l := f.login(f.person(google, who), wiki, true)
		l.Issue = f.approval(v, d, true).Issue
		l.Presented = v.ref
		f.accounts = append(f.accounts, l.Identity.Key.ProposedAccountID())
		f.grants = append(f.grants, l.Issue.Grant.ID)
		f.unchanged(t, func() {
			if _, err := f.CompleteLogin(t.Context(), l, issue); err == nil {
				t.Errorf("the sign-in of %s approved a device", who)
			}
		})
	}
	l := f.login(f.person(google, "ada"), wiki, true)
	l.Issue = f.approval(v, d, true).Issue
	f.complete(l, ask)
	f.deviceIs(t, d)
	f.approve(visit{Outcome: v.Outcome, ref: ref(l)}, d, true)
}

func deviceRefused(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	used := f.once()
	must(t, "UseOnce", f.UseOnce(t.Context(), []broker.Once{used}, nil))
	a := f.approval(v, d, true)
	a.Consent = &broker.Consent{Scopes: []string{"openid"}}
	f.grants = append(f.grants, a.Issue.Grant.ID)
	for name, tc := range map[string]struct {
		decide func(broker.State) broker.Decision
		change func(*broker.Authorization)
		err    error
	}{
		"refused":             {refuse, func(*broker.Authorization) {}, errNo},
		"asked":               {ask, func(*broker.Authorization) {}, broker.ErrConflict},
		"a used one-time key": {issue, func(a *broker.Authorization) { a.Once = []broker.Once{used} }, broker.ErrOnceUsed},
		"a grant that exists": {issue, func(a *broker.Authorization) { a.Issue.Grant.ID = v.Grant.ID }, broker.ErrConflict},
	} {
		changed := a
		tc.change(&changed)
		f.unchanged(t, func() {
			_, err := f.CompleteAuthorization(t.Context(), changed, tc.decide)
			want(t, name, err, tc.err)
		})
	}
	f.authorize(a)
	f.redeemDevice(d)
}

func deviceFallen(t *testing.T, f *fixture) {
	ctx, e := t.Context(), f.event()
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	for _, tc := range []struct {
		name string
		fall func() error
		err  error
	}{
		{"a disabled client", func() error { return f.SetSwitch(ctx, broker.ClientSwitch, wiki, true, e) }, broker.ErrClientDisabled},
		{"a disabled connector", func() error { return f.SetSwitch(ctx, broker.ConnectorSwitch, google, true, e) }, broker.ErrConnectorDisabled},
		{"signing out everywhere", func() error { return f.EndAccount(ctx, v.Account.ID, e) }, broker.ErrSuperseded},
		{"a disabled account", func() error { return f.SetAccountDisabled(ctx, v.Account.ID, true, e) }, broker.ErrAccountDisabled},
	} {
		must(t, tc.name, tc.fall())
		f.unchanged(t, func() {
			_, err := f.CompleteAuthorization(ctx, f.approval(v, d, false), issue)
			want(t, tc.name, err, tc.err)
		})
		must(t, tc.name, f.SetSwitch(ctx, broker.ClientSwitch, wiki, false, e))
		must(t, tc.name, f.SetSwitch(ctx, broker.ConnectorSwitch, google, false, e))
	}
	f.deviceIs(t, d)
}
