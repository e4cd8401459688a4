package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

// deviceRedemptions are the rules about polling (RFC 8628 §3.4, §3.5).
func deviceRedemptions() []rule {
	return []rule{
		{"a poll that has nothing to fetch is told why and changes nothing", devicePolled},
		{"an approved device is redeemed in one commit and its grant keeps the refresh token", deviceRedeemed},
		{"a grant that is not offline keeps no refresh token", deviceOnline},
		{"DV-04 a device code is redeemed once, and polling on revokes nothing", devicePolledOn},
		{"a device code is dead at its expiry, approved or not", deviceExpired},
		{"a refused redemption leaves the device to be redeemed", refusedDevice},
		{"a device whose grant was revoked is not found", revokedDevice},
		{"a one-time key is used once", onceUsedDevice},
		{"I6 what ends other grants ends those of devices", deviceEndings},
	}
}

func (f *fixture) deviceRedemption(key broker.ExpiringKey, clientID string) broker.DeviceRedemption {
	return broker.DeviceRedemption{Now: f.now, Key: key, ClientID: clientID, Next: f.nextRefresh(), Event: f.event()}
}

func (f *fixture) redeemDevice(d broker.DeviceAuthorization) broker.Outcome {
	f.t.Helper()
	out, err := f.RedeemDevice(f.t.Context(), f.deviceRedemption(d.Key, d.ClientID), agree)
	if err != nil {
		f.t.Fatalf("RedeemDevice: %v", err)
	}
	return out
}

// polled polls with a check that agrees, and checks that nothing comes of it.
func (f *fixture) polled(t *testing.T, what string, d broker.DeviceAuthorization, wanted error) {
	t.Helper()
	f.unchanged(t, func() {
		r := f.deviceRedemption(d.Key, d.ClientID)
		r.Once = []broker.Once{f.once()}
		for range 2 { // and the one-time key is not used up
			out, err := f.RedeemDevice(t.Context(), r, agree)
			want(t, what, err, wanted)
			if out.Grant != nil {
				t.Errorf("%s: outcome %+v", what, out)
			}
		}
	})
}

func devicePolled(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	pending, denied := f.device(wiki), f.device(wiki)
	f.deny(v, denied)
	f.pass(deviceLife - 1)
	f.polled(t, "to be decided", pending, broker.ErrDevicePending)
	f.polled(t, "denied", denied, broker.ErrDeviceDenied)
	f.pass(1)
	f.polled(t, "over", pending, broker.ErrDeviceExpired)
	f.polled(t, "denied before it was over", denied, broker.ErrDeviceDenied)
}

func deviceRedeemed(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	approved := f.approve(v, d, true)
	f.pass(5 * time.Second)
	r := f.deviceRedemption(d.Key, wiki)
	r.Once = []broker.Once{f.once()}
	wanted := broker.Event{
		Type: broker.EventDeviceRedeemed, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID,
		ClientID: wiki, Connector: google, SessionID: v.Session.ID, GrantID: approved.Grant.ID,
	}
	var out broker.Outcome
	var err error
	f.commitsOnce(t, func() {
		f.wrote(t, wanted, func() {
			out, err = f.RedeemDevice(t.Context(), r, func(st broker.State) error {
				if st.Device == nil || st.Device.Spent || st.Device.Decision != broker.DeviceApproved || st.Device.GrantID != st.Grant.ID ||
					!st.Grant.Refresh.Current.IsZero() || !st.Now.Equal(f.now) {
					t.Errorf("state %+v", st)
				}
				return st.GrantStanding()
			})
		})
	})
	must(t, "RedeemDevice", err)
	d.Decision, d.GrantID, d.Spent = broker.DeviceApproved, approved.Grant.ID, true
	f.deviceIs(t, d)
	if out.Device == nil || !sameDevice(*out.Device, d) || out.Verdict != broker.Issue || !sameEvent(out.Event, wanted) {
		t.Errorf("outcome %+v", out)
	}
	g := f.grantOf(approved.Grant.ID).Grant
	if g.Refresh.Current != r.Next.Digest || g.Refresh.Generation != 1 || !g.Refresh.Expires.Equal(r.Next.Expires) || !g.Forget.Equal(r.Next.Forget) {
		t.Errorf("grant %+v, want the refresh token and the later end", g)
	}
	f.rotate(visit{Outcome: out}, r.Next.Digest)
}

func deviceOnline(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	approved := f.approve(v, d, false)
	f.redeemDevice(d)
	if g := f.grantOf(approved.Grant.ID).Grant; !g.Refresh.Current.IsZero() || !g.Forget.Equal(approved.Grant.Forget) {
		t.Errorf("grant %+v", g)
	}
}

func devicePolledOn(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	f.approve(v, d, true)
	r := f.deviceRedemption(d.Key, wiki)
	out, err := f.RedeemDevice(t.Context(), r, agree)
	must(t, "RedeemDevice", err)
	for _, after := range []time.Duration{0, time.Second, deviceLife} {
		f.pass(after)
		f.polled(t, "again", d, broker.ErrNotFound)
	}
	f.rotate(visit{Outcome: out}, r.Next.Digest)
}

func deviceExpired(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d, early := f.device(wiki), f.device(wiki)
	f.pass(deviceLife - 1)
	f.approve(v, d, true)
	f.approve(v, early, true)
	f.redeemDevice(early)
	for _, more := range []time.Duration{1, time.Second, time.Minute} {
		f.pass(more)
		f.polled(t, "expired", d, broker.ErrDeviceExpired)
	}
}

func refusedDevice(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	f.approve(v, d, true)
	r := f.deviceRedemption(d.Key, wiki)
	r.Once = []broker.Once{f.once()}
	f.unchanged(t, func() {
		_, err := f.RedeemDevice(t.Context(), r, disagree)
		want(t, "refused", err, errNo)
		if _, err := f.RedeemDevice(t.Context(), r, nil); err == nil {
			t.Error("redeemed without a check")
		}
	})
	_, err := f.RedeemDevice(t.Context(), r, agree)
	must(t, "afterwards", err)
}

func revokedDevice(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	must(t, "RevokeGrant", f.RevokeGrant(t.Context(), f.approve(v, d, true).Grant.ID, f.event()))
	f.polled(t, "revoked", d, broker.ErrNotFound)
}

func onceUsedDevice(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d, other := f.device(wiki), f.device(wiki)
	f.approve(v, d, true)
	f.approve(v, other, true)
	r := f.deviceRedemption(d.Key, wiki)
	r.Once = []broker.Once{f.once()}
	_, err := f.RedeemDevice(t.Context(), r, agree)
	must(t, "RedeemDevice", err)
	again := f.deviceRedemption(other.Key, wiki)
	again.Once = r.Once
	f.unchanged(t, func() {
		_, err := f.RedeemDevice(t.Context(), again, agree)
		want(t, "the proof of another request", err, broker.ErrOnceUsed)
	})
	f.redeemDevice(other)
}

// deviceEndings lets each ending meet two devices that were approved before it: one whose grant rests on the session,
// as a code's, and one that is offline, as a refresh token's.
func deviceEndings(t *testing.T, f *fixture) {
	for _, e := range allEndings() {
		f := newFixture(t, f.Store)
		v := f.consented("ada of " + e.name)
		bound, offline := f.device(mail), f.device(mail)
		f.approve(v, bound, false)
		f.approve(v, offline, true)
		must(t, e.name, e.end(f, v))
		must(t, e.name, e.revive(f, v))
		for _, tc := range []struct {
			what   string
			device broker.DeviceAuthorization
			wanted error
		}{{"a device", bound, e.code}, {"an offline device", offline, e.refresh}} {
			f.ended(t, e.name+": "+tc.what, tc.wanted, func(check func(broker.State) error) error {
				_, err := f.RedeemDevice(t.Context(), f.deviceRedemption(tc.device.Key, mail), check)
				return err
			})
		}
		must(t, e.name, f.SetSwitch(t.Context(), broker.ClientSwitch, mail, false, f.event()))
		must(t, e.name, f.SetSwitch(t.Context(), broker.ConnectorSwitch, google, false, f.event()))
	}
}
