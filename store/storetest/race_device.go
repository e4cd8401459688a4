package storetest

import (
	"testing"

	"gatehouse/broker"
)

func raceStartDevice(t *testing.T, f *fixture) {
	userCode := randomDigest()
	oneWinner(t, broker.ErrExists, func(int) error {
		s := f.deviceStart(wiki)
		s.Device.UserCode = userCode
		return f.StartDevice(t.Context(), s)
	})
	if n := f.eventsOf(broker.EventDeviceStarted); n != 1 {
		t.Errorf("%d starts recorded", n)
	}
	_, err := f.DeviceByUserCode(t.Context(), userCode, f.now)
	must(t, "the winner's", err)
}

func raceDecideDevice(t *testing.T, f *fixture) {
	v, other := f.signedIn("ada", mail, false), f.signedIn("grace", mail, false)
	for range 8 { // so that either side wins some
		d := f.device(wiki)
		approved, denied := f.eventsOf(broker.EventDeviceApproved), f.eventsOf(broker.EventDeviceDenied)
		oneWinner(t, broker.ErrNotFound, func(n int) error {
			who := []visit{v, other}[n/2%2]
			if n%2 == 0 {
				return f.DenyDevice(t.Context(), f.refusal(who, d))
			}
			_, err := f.CompleteAuthorization(t.Context(), f.approval(who, d, true), issue)
			return err
		})
		approved, denied = f.eventsOf(broker.EventDeviceApproved)-approved, f.eventsOf(broker.EventDeviceDenied)-denied
		got, err := f.Device(t.Context(), d.Key, wiki)
		must(t, "Device", err)
		_, err = f.RedeemDevice(t.Context(), f.deviceRedemption(d.Key, wiki), judge)
		switch {
		case approved == 1 && denied == 0 && got.Decision == broker.DeviceApproved:
			want(t, "after an approval", err, nil)
		case approved == 0 && denied == 1 && got.Decision == broker.DeviceDenied && got.GrantID == "":
			want(t, "after a denial", err, broker.ErrDeviceDenied)
		default:
			t.Errorf("%d approvals and %d denials recorded, device %+v", approved, denied, got)
		}
	}
}

func raceRedeemDevice(t *testing.T, f *fixture) {
	v := f.signedIn("ada", mail, false)
	d := f.device(wiki)
	approved := f.approve(v, d, true)
	requests := make([]broker.DeviceRedemption, racers)
	var winner broker.Digest
	oneWinner(t, broker.ErrNotFound, func(n int) error {
		requests[n] = f.deviceRedemption(d.Key, wiki)
		_, err := f.RedeemDevice(t.Context(), requests[n], judge)
		if err == nil {
			winner = requests[n].Next.Digest
		}
		return err
	})
	st := f.grantOf(approved.Grant.ID)
	if err := st.GrantStanding(); err != nil || winner.IsZero() || st.Grant.Refresh.Current != winner {
		t.Errorf("grant %+v, error %v, want the winner's refresh token", st.Grant, err)
	}
	if n := f.eventsOf(broker.EventDeviceRedeemed); n != 1 {
		t.Errorf("%d redemptions recorded", n)
	}
}
