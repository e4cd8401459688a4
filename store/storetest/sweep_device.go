package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

func sweepDevice(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	pending, approved, denied, redeemed := f.device(wiki), f.device(wiki), f.device(wiki), f.device(wiki)
	f.deny(v, denied)
	f.approve(v, approved, true)
	f.approve(v, redeemed, true)
	f.redeemDevice(redeemed)
	all := []broker.DeviceAuthorization{pending, approved, denied, redeemed}
	f.now = pending.Key.Forget().Add(-time.Second)
	f.sweep()
	for _, d := range all {
		_, err := f.Device(t.Context(), d.Key, wiki)
		must(t, "before its time", err)
	}
	f.pass(time.Second)
	f.sweep()
	for _, d := range all {
		_, err := f.Device(t.Context(), d.Key, wiki)
		want(t, "at its time", err, broker.ErrNotFound)
		s := f.deviceStart(wiki)
		s.Device.UserCode = d.UserCode
		f.start(s)
	}
	f.unchanged(t, func() {
		if n := f.sweep(); n != 0 {
			t.Errorf("looked at %d records again", n)
		}
	})
}

func sweepUserCode(t *testing.T, f *fixture) {
	first := f.device(wiki)
	f.pass(deviceLife)
	s := f.deviceStart(mail)
	s.Device.UserCode = first.UserCode
	f.start(s)
	f.now = first.Key.Forget()
	s = f.deviceStart(mail)
	s.Device.UserCode = first.UserCode // and once more, before the sweep
	f.start(s)
	f.sweep()
	if got, err := f.DeviceByUserCode(t.Context(), first.UserCode, f.now); err != nil || got.Key != s.Device.Key {
		t.Errorf("by user code %+v, error %v, want the last one", got, err)
	}
	_, err := f.Device(t.Context(), first.Key, wiki)
	want(t, "the first", err, broker.ErrNotFound)
}

func sweepDevices(t *testing.T, f *fixture) {
	for range 30 {
		f.device(wiki)
	}
	f.pass(deviceLife + tokenLife)
	for range 4 { // what their one-time keys were goes too, before them
		f.commitsOnce(t, func() {
			if n, err := f.Sweep(t.Context(), f.now, 7); n != 7 || err != nil {
				t.Errorf("looked at %d, error %v, want 7", n, err)
			}
		})
	}
	f.sweep()
	for _, d := range f.devices {
		_, err := f.Device(t.Context(), d.Key, wiki)
		want(t, "a device at its end", err, broker.ErrNotFound)
	}
}
