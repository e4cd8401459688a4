package bolt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/broker"
)

// testDevice is a device of a client, started at a moment. Its name makes its codes.
func testDevice(name, clientID string, at time.Time) broker.DeviceStart {
	return broker.DeviceStart{
		Now: at, Once: []broker.Once{{Key: broker.DigestOf("once of " + name), Expires: at.Add(time.Minute)}},
		Device: broker.DeviceAuthorization{
			Key: broker.NewExpiringKey(at.Add(time.Hour), broker.DigestOf(name)), UserCode: broker.DigestOf("user code of " + name),
			ClientID: clientID, StartedAt: at, Expires: at.Add(10 * time.Minute),
		},
	}
}

func startDevice(t testing.TB, s *Store, d broker.DeviceStart) broker.DeviceAuthorization {
	t.Helper()
	if err := s.StartDevice(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d.Device
}

func approval(ref broker.SessionRef, d broker.DeviceAuthorization, at time.Time) broker.Authorization {
	forget := at.Add(time.Hour)
	return broker.Authorization{
		Now: at, Presented: ref, IdleUntil: forget, Connector: "google", ClientID: d.ClientID,
		Issue: broker.Issuance{Grant: broker.Grant{ID: broker.NewID(forget), Forget: forget}, Device: d.UserCode},
	}
}

func denial(ref broker.SessionRef, d broker.DeviceAuthorization) broker.DeviceRefusal {
	return broker.DeviceRefusal{Now: testNow, Presented: ref, UserCode: d.UserCode, ClientID: d.ClientID}
}

// refOf is the session of a person that testLogin signed in.
func refOf(out broker.Outcome, subject string) broker.SessionRef {
	return broker.SessionRef{ID: out.Session.ID, Secret: broker.DigestOf("secret" + subject)}
}

func pollDevice(ctx context.Context, s *Store, d broker.DeviceAuthorization, at time.Time) error {
	_, err := s.RedeemDevice(ctx, broker.DeviceRedemption{Now: at, Key: d.Key, ClientID: d.ClientID}, broker.State.GrantStanding)
	return err
}

// Devices poll every few seconds and mostly for nothing: none of that may wait for a commit.
func TestAPollThatFindsNothingDoesNotGoThroughTheWriter(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	who := signIn1(t, s, "ada")
	pending := startDevice(t, s, testDevice("pending", "wiki", testNow))
	denied := startDevice(t, s, testDevice("denied", "wiki", testNow))
	redeemed := startDevice(t, s, testDevice("redeemed", "wiki", testNow))
	if err := s.DenyDevice(t.Context(), denial(refOf(who, "ada"), denied)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CompleteAuthorization(t.Context(), approval(refOf(who, "ada"), redeemed, testNow), issue); err != nil {
		t.Fatal(err)
	}
	if err := pollDevice(t.Context(), s, redeemed, testNow); err != nil {
		t.Fatal(err)
	}
	foreign := pending
	foreign.ClientID = "mail"
	unknown := testDevice("unknown", "wiki", testNow).Device
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // ends a poll that waits for the writer
	defer cancel()
	err := s.update(t.Context(), func(*txn) error {
		for _, tc := range []struct {
			name   string
			device broker.DeviceAuthorization
			at     time.Time
			err    error
		}{
			{"to be decided", pending, testNow, broker.ErrDevicePending},
			{"denied", denied, testNow, broker.ErrDeviceDenied},
			{"redeemed", redeemed, testNow, broker.ErrNotFound},
			{"over", pending, testNow.Add(10 * time.Minute), broker.ErrDeviceExpired},
			{"foreign", foreign, testNow, broker.ErrNotFound},
			{"unknown", unknown, testNow, broker.ErrNotFound},
		} {
			if err := pollDevice(ctx, s, tc.device, tc.at); !errors.Is(err, tc.err) {
				t.Errorf("%s: error %v, want %v", tc.name, err, tc.err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// DV-08.
func TestAThousandDevicesLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	s := testStoreAt(t, path)
	who := signIn1(t, s, "ada")
	sweepAll(t, s, testNow.Add(time.Minute)) // the one-time key of the sign-in
	baseline := count(t, s)
	for n := range 1000 {
		d := startDevice(t, s, testDevice(fmt.Sprint(n), "wiki", testNow))
		if n%4 == 0 { // nobody decides
			continue
		}
		var err error
		if n%4 == 1 {
			err = s.DenyDevice(t.Context(), denial(refOf(who, "ada"), d))
		} else {
			_, err = s.CompleteAuthorization(t.Context(), approval(refOf(who, "ada"), d, testNow), issue)
		}
		if err == nil && n%4 == 2 {
			err = pollDevice(t.Context(), s, d, testNow)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, s); n[deviceKind] != 1000 || n[userCodeKind] != 250 {
		t.Errorf("%d devices and %d user codes, want 1000 and the 250 that are to be decided", n[deviceKind], n[userCodeKind])
	}
	sweepAll(t, s, testNow.Add(time.Hour-time.Second))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = testStoreAt(t, path)
	if n := count(t, s); n[deviceKind] != 1000 || n[userCodeKind] != 250 {
		t.Errorf("%d devices and %d user codes before their time", n[deviceKind], n[userCodeKind])
	}
	sweepAll(t, s, testNow.Add(time.Hour))
	after := count(t, s)
	for _, k := range []kind{deviceKind, userCodeKind, onceKind, laterKind} {
		if after[k] != baseline[k] {
			t.Errorf("%d %s, want %d as before", after[k], buckets[k], baseline[k])
		}
	}
	if after[grantKind] != 0 {
		t.Errorf("%d grants are left", after[grantKind])
	}
}

func TestADamagedDeviceStopsWhoMeetsItAndTheSweeperPassesIt(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	who := signIn1(t, s, "ada")
	damagedOne := startDevice(t, s, testDevice("damaged", "wiki", testNow))
	lostCode := startDevice(t, s, testDevice("lost code", "wiki", testNow))
	if err := s.update(t.Context(), func(x *txn) error {
		x.put(deviceKind, damagedOne.Key[:], []byte("?"))
		x.put(userCodeKind, lostCode.UserCode[:], []byte("?"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	problems := map[string]error{"polling": pollDevice(ctx, s, damagedOne, testNow)}
	for name, d := range map[string]broker.DeviceAuthorization{"the device": damagedOne, "the user code": lostCode} {
		_, problems["finding by "+name] = s.DeviceByUserCode(ctx, d.UserCode, testNow)
		_, problems["approving by "+name] = s.CompleteAuthorization(ctx, approval(refOf(who, "ada"), d, testNow), issue)
		problems["denying by "+name] = s.DenyDevice(ctx, denial(refOf(who, "ada"), d))
		again := testDevice("again", "wiki", testNow)
		again.Device.UserCode = d.UserCode
		problems["starting with "+name] = s.StartDevice(ctx, again)
	}
	for what, err := range problems {
		if !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	sweepAll(t, s, testNow.Add(24*time.Hour))
	if n := count(t, s); n[deviceKind] != 1 || n[userCodeKind] != 1 {
		t.Errorf("left %v, want the damaged device and its user code", n)
	}
	if err := s.Ready(); err != nil {
		t.Error(err)
	}
}
