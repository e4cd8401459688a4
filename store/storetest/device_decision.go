package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

// deviceDecisions are the rules about a person saying yes or no to a device (RFC 8628 §3.3).
func deviceDecisions() []rule {
	return []rule{
		{"an approval issues the grant and decides in one commit with one event", deviceApproved},
		{"an approval with consent remembers it in the same commit, with an event of its own", deviceConsented},
		{"the decider sees the device that is to be decided", deciderSeesDevice},
		{"a denial decides in one commit with one event", deviceDenied},
		{"DV-06 a decision is final", deviceDecided},
		{"DV-06 only who is signed in decides", deviceStranger},
		{"what there is not to be decided is not found", deviceUndecidable},
		{"nothing is approved that the device has not asked for", deviceAskedLess},
		{"a sign-in approves no device", deviceSignIn},
		{"a refused approval changes nothing and leaves the device to be decided", deviceRefused},
		{"what no longer stands approves nothing, whatever the decider says", deviceFallen},
	}
}

// approval lets the person of a visit approve a device for what it asked.
func (f *fixture) approval(v visit, d broker.DeviceAuthorization, offline bool) broker.Authorization {
	a := f.authorization(v, d.ClientID)
	forget := d.Key.Forget()
	a.Issue = broker.Issuance{
		Grant:  broker.Grant{ID: broker.NewID(forget), Scopes: []string{"openid", "email"}, Resources: d.Resources, Offline: offline, Forget: forget},
		Device: d.UserCode,
	}
	return a
}

func (f *fixture) approve(v visit, d broker.DeviceAuthorization, offline bool) broker.Outcome {
	f.t.Helper()
	return f.authorize(f.approval(v, d, offline))
}

// refusal lets the person of a visit deny a device.
func (f *fixture) refusal(v visit, d broker.DeviceAuthorization) broker.DeviceRefusal {
	return broker.DeviceRefusal{Now: f.now, Presented: v.ref, UserCode: d.UserCode, ClientID: d.ClientID, Event: f.event()}
}

func (f *fixture) deny(v visit, d broker.DeviceAuthorization) {
	f.t.Helper()
	must(f.t, "DenyDevice", f.DenyDevice(f.t.Context(), f.refusal(v, d)))
}

// decidedEvent is what a decision of the visit's person about a device of wiki leaves in the trail.
func (f *fixture) decidedEvent(what broker.EventType, v visit) broker.Event {
	return broker.Event{
		Type: what, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID, ClientID: wiki, SessionID: v.Session.ID,
	}
}

func deviceApproved(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	f.pass(time.Minute)
	a := f.approval(v, d, true)
	a.Issue.Code = f.issuance(true).Code // which is not issued
	wanted := f.decidedEvent(broker.EventDeviceApproved, v)
	wanted.Connector, wanted.GrantID = google, a.Issue.Grant.ID
	var out broker.Outcome
	f.commitsOnce(t, func() { f.wrote(t, wanted, func() { out = f.authorize(a) }) })
	if !sameEvent(out.Event, wanted) || out.Verdict != broker.Issue || out.Code != nil {
		t.Errorf("outcome %+v, want no code", out)
	}
	d.Decision, d.GrantID = broker.DeviceApproved, a.Issue.Grant.ID
	f.deviceIs(t, d)
	if out.Device == nil || !sameDevice(*out.Device, d) {
		t.Errorf("outcome's device %+v, want %+v", out.Device, d)
	}
	g := f.grantOf(d.GrantID)
	must(t, "the grant", g.GrantStanding())
	if g.Grant.ClientID != wiki || g.Grant.AccountID != v.Account.ID || g.Grant.SessionID != v.Session.ID || g.Grant.Identity != v.Grant.Identity {
		t.Errorf("grant %+v, want it bound to the sign-in of who approved", g.Grant)
	}
	if s := f.sessionOf(v.ref, wiki).Session; len(s.Clients) != 2 || !s.UsedAt.Equal(f.now) {
		t.Errorf("session %+v, want it used for the client", s)
	}
	_, err := f.DeviceByUserCode(t.Context(), d.UserCode, f.now)
	want(t, "the user code", err, broker.ErrNotFound)
	_, err = f.RedeemCode(t.Context(), f.redemption(a.Issue.Code.Key, wiki), agree)
	want(t, "the code", err, broker.ErrNotFound)
}

func deviceConsented(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	for _, named := range []broker.EventType{"", broker.EventAuthorized, broker.EventConsentGiven} {
		a := f.approval(v, f.device(wiki), false)
		a.Consent = &broker.Consent{Scopes: []string{"openid", "email"}}
		a.Event.Type = named
		var events []broker.Event
		f.commitsOnce(t, func() { events = f.newEvents(func() { f.authorize(a) }) })
		if len(events) != 2 || events[0].Type != broker.EventConsentGiven || events[1].Type != broker.EventDeviceApproved {
			t.Errorf("events %+v, want the consent and the approval", events)
		}
		c, err := f.Consent(t.Context(), v.Account.ID, wiki)
		if err != nil || !c.Covers([]string{"openid", "email"}) {
			t.Errorf("consent %+v, error %v", c, err)
		}
	}
}

func deciderSeesDevice(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	_, err := f.CompleteAuthorization(t.Context(), f.approval(v, d, false), func(st broker.State) broker.Decision {
		if st.Device == nil || !sameDevice(*st.Device, d) {
			t.Errorf("device %+v, want %+v", st.Device, d)
		}
		return broker.Decision{Verdict: broker.Issue}
	})
	must(t, "CompleteAuthorization", err)
	_, err = f.CompleteAuthorization(t.Context(), f.authorization(v, mail), func(st broker.State) broker.Decision {
		if st.Device != nil {
			t.Errorf("device %+v of an authorization that is about none", st.Device)
		}
		return broker.Decision{Verdict: broker.Issue}
	})
	must(t, "CompleteAuthorization", err)
}

func deviceDenied(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	f.pass(time.Minute)
	f.commitsOnce(t, func() {
		f.wrote(t, f.decidedEvent(broker.EventDeviceDenied, v), func() { f.deny(v, d) })
	})
	d.Decision = broker.DeviceDenied
	f.deviceIs(t, d)
	_, err := f.DeviceByUserCode(t.Context(), d.UserCode, f.now)
	want(t, "the user code", err, broker.ErrNotFound)
	if s := f.sessionOf(v.ref, wiki).Session; !s.UsedAt.Equal(v.Session.UsedAt) {
		t.Errorf("session %+v, want it as it was", s)
	}
}

func deviceDecided(t *testing.T, f *fixture) {
	v, other := f.signedIn("ada", mail, false), f.signedIn("grace", mail, false)
	approved, denied := f.device(wiki), f.device(wiki)
	f.approve(v, approved, true)
	f.deny(v, denied)
	for _, d := range []broker.DeviceAuthorization{approved, denied} {
		for _, who := range []visit{v, other} {
			f.unchanged(t, func() {
				_, err := f.CompleteAuthorization(t.Context(), f.approval(who, d, true), issue)
				want(t, "approving", err, broker.ErrNotFound)
				want(t, "denying", f.DenyDevice(t.Context(), f.refusal(who, d)), broker.ErrNotFound)
			})
		}
	}
	if out := f.redeemDevice(approved); out.Grant.AccountID != v.Account.ID {
		t.Errorf("grant %+v, want that of who approved", out.Grant)
	}
}

func deviceStranger(t *testing.T, f *fixture) {
	v, ended := f.signedIn("ada", mail, false), f.signedIn("grace", mail, false)
	_, err := f.EndSession(t.Context(), ended.Session.ID, f.event())
	must(t, "EndSession", err)
	f.pass(sessionIdle - time.Minute)
	d := f.device(wiki)
	for _, tc := range f.strangers(v, ended) {
		f.now = tc.at
		f.unchanged(t, func() {
			who := visit{ref: tc.ref}
			want(t, "denying with "+tc.name, f.DenyDevice(t.Context(), f.refusal(who, d)), broker.ErrNotFound)
			_, err := f.CompleteAuthorization(t.Context(), f.approval(who, d, false), issue)
			want(t, "approving with "+tc.name, err, broker.ErrNotFound)
		})
	}
	f.deviceIs(t, d)
}

func deviceUndecidable(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	there := f.device(wiki)
	unknown, foreign := there, there
	unknown.UserCode, foreign.ClientID = randomDigest(), mail
	decide := func(name string, d broker.DeviceAuthorization) {
		f.unchanged(t, func() {
			a := f.approval(v, d, false)
			_, err := f.CompleteAuthorization(t.Context(), a, issue)
			want(t, "approving "+name, err, broker.ErrNotFound)
			want(t, "denying "+name, f.DenyDevice(t.Context(), f.refusal(v, d)), broker.ErrNotFound)
		})
	}
	decide("an unknown one", unknown)
	decide("that of another client", foreign)
	none := f.refusal(v, there)
	none.UserCode = broker.Digest{}
	f.unchanged(t, func() { want(t, "denying nothing", f.DenyDevice(t.Context(), none), broker.ErrNotFound) })
	f.pass(deviceLife)
	decide("one that is over", there)
}
