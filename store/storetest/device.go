package storetest

import (
	"reflect"
	"testing"
	"time"

	"gatehouse/broker"
)

// deviceLife is how long a person may decide.
const deviceLife = 10 * time.Minute

// devices are the rules about starting a device authorization and finding it (RFC 8628 §3.1, §3.2).
func devices() []rule {
	return []rule{
		{"a device authorization is kept as it was asked for, undecided, in one commit", deviceStarted},
		{"the device or user code of a live request is refused", deviceCodeTaken},
		{"a user code is free again when nobody can decide by it", userCodeFree},
		{"what nobody can decide is not started", deviceNotStarted},
		{"a one-time key is used once", onceUsedStart},
		{"a user code leads to its request until it is over", userCodeFound},
		{"DV-04 a device code exists for its client alone", deviceForeign},
	}
}

// deviceStart is the request of a device of a client.
func (f *fixture) deviceStart(clientID string) broker.DeviceStart {
	return broker.DeviceStart{
		Now: f.now, Once: []broker.Once{f.once()}, Event: f.event(),
		Device: broker.DeviceAuthorization{
			Key: broker.NewExpiringKey(f.now.Add(deviceLife+tokenLife), randomDigest()), UserCode: randomDigest(),
			ClientID: clientID, Scopes: []string{"openid", "email", "offline_access"}, Resources: []string{"https://api.example", "https://files.example"},
			StartedAt: f.now, Expires: f.now.Add(deviceLife), Address: "198.51.100.7", Agent: "television/1.0",
		},
	}
}

func (f *fixture) start(s broker.DeviceStart) broker.DeviceAuthorization {
	f.t.Helper()
	must(f.t, "StartDevice", f.StartDevice(f.t.Context(), s))
	f.devices = append(f.devices, s.Device)
	return s.Device
}

// device starts one that is to be decided.
func (f *fixture) device(clientID string) broker.DeviceAuthorization {
	f.t.Helper()
	return f.start(f.deviceStart(clientID))
}

// deviceIs reads a request that must be there.
func (f *fixture) deviceIs(t *testing.T, wanted broker.DeviceAuthorization) {
	t.Helper()
	got, err := f.Device(t.Context(), wanted.Key, wanted.ClientID)
	if err != nil || !sameDevice(got, wanted) {
		t.Errorf("device %+v, error %v, want %+v", got, err, wanted)
	}
}

func sameDevice(a, b broker.DeviceAuthorization) bool {
	if !a.StartedAt.Equal(b.StartedAt) || !a.Expires.Equal(b.Expires) {
		return false
	}
	a.StartedAt, a.Expires = b.StartedAt, b.Expires // the same moment may come in another zone
	return reflect.DeepEqual(a, b)
}

func deviceStarted(t *testing.T, f *fixture) {
	s := f.deviceStart(wiki)
	wanted := s.Device
	s.Device.Decision, s.Device.GrantID, s.Device.Spent = broker.DeviceApproved, "grant", true // which nobody has said
	event := broker.Event{Type: broker.EventDeviceStarted, At: f.now, RequestID: "req-1", Address: "192.0.2.1", ClientID: wiki}
	f.commitsOnce(t, func() { f.wrote(t, event, func() { f.start(s) }) })
	f.deviceIs(t, wanted)
	if got, err := f.DeviceByUserCode(t.Context(), wanted.UserCode, f.now); err != nil || !sameDevice(got, wanted) {
		t.Errorf("by user code %+v, error %v, want %+v", got, err, wanted)
	}
	bare := f.deviceStart(mail)
	bare.Once, bare.Device.Scopes, bare.Device.Resources, bare.Device.Address, bare.Device.Agent = nil, nil, nil, "", ""
	f.deviceIs(t, f.start(bare))
}

func deviceCodeTaken(t *testing.T, f *fixture) {
	there := f.device(wiki)
	s := f.deviceStart(mail)
	fresh := s.Device
	f.devices = append(f.devices, fresh)
	for name, clash := range map[string]func(*broker.DeviceAuthorization){
		"device code": func(d *broker.DeviceAuthorization) { d.Key = there.Key },
		"user code":   func(d *broker.DeviceAuthorization) { d.UserCode = there.UserCode },
	} {
		s.Device = fresh
		clash(&s.Device)
		f.unchanged(t, func() { want(t, name, f.StartDevice(t.Context(), s), broker.ErrExists) })
	}
	s.Device = fresh
	f.start(s) // its one-time key was not used up
	f.deviceIs(t, there)
}

func userCodeFree(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	for name, over := range map[string]func(broker.DeviceAuthorization){
		"expired":  func(d broker.DeviceAuthorization) { f.now = d.Expires },
		"approved": func(d broker.DeviceAuthorization) { f.approve(v, d, true) },
		"denied":   func(d broker.DeviceAuthorization) { f.deny(v, d) },
	} {
		old := f.device(wiki)
		over(old)
		before, err := f.Device(t.Context(), old.Key, wiki)
		must(t, name, err)
		s := f.deviceStart(wiki)
		s.Device.UserCode = old.UserCode
		f.start(s)
		f.deviceIs(t, before)
		if got, err := f.DeviceByUserCode(t.Context(), old.UserCode, f.now); err != nil || got.Key != s.Device.Key {
			t.Errorf("%s: by user code %+v, error %v, want the new one", name, got, err)
		}
		f.deny(v, s.Device)
		f.deviceIs(t, before)
	}
}

func deviceNotStarted(t *testing.T, f *fixture) {
	for name, spoil := range map[string]func(*broker.DeviceAuthorization){
		"no client":          func(d *broker.DeviceAuthorization) { d.ClientID = "" },
		"no user code":       func(d *broker.DeviceAuthorization) { d.UserCode = broker.Digest{} },
		"no end":             func(d *broker.DeviceAuthorization) { d.Expires = time.Time{} },
		"an end that is now": func(d *broker.DeviceAuthorization) { d.Expires = f.now },
	} {
		s := f.deviceStart(wiki)
		spoil(&s.Device)
		f.devices = append(f.devices, s.Device)
		f.unchanged(t, func() {
			if err := f.StartDevice(t.Context(), s); err == nil {
				t.Errorf("%s: started", name)
			}
		})
	}
}

func onceUsedStart(t *testing.T, f *fixture) {
	used := f.deviceStart(wiki)
	f.start(used)
	s := f.deviceStart(wiki)
	fresh := s.Once
	s.Once = used.Once
	f.devices = append(f.devices, s.Device)
	f.unchanged(t, func() { want(t, "again", f.StartDevice(t.Context(), s), broker.ErrOnceUsed) })
	s.Once = fresh
	f.start(s)
}

func userCodeFound(t *testing.T, f *fixture) {
	d := f.device(wiki)
	f.device(mail)
	for name, code := range map[string]broker.Digest{"nothing": {}, "an unknown code": randomDigest(), "the device code": d.Key.Digest()} {
		_, err := f.DeviceByUserCode(t.Context(), code, f.now)
		want(t, name, err, broker.ErrNotFound)
	}
	f.pass(deviceLife - 1)
	_, err := f.DeviceByUserCode(t.Context(), d.UserCode, f.now)
	must(t, "in the last moment", err)
	f.pass(1)
	_, err = f.DeviceByUserCode(t.Context(), d.UserCode, f.now)
	want(t, "at the end", err, broker.ErrNotFound)
	f.deviceIs(t, d)
}

func deviceForeign(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	pending, approved := f.device(wiki), f.device(wiki)
	f.approve(v, approved, true)
	for _, client := range []string{mail, "", "WIKI", wiki + " "} {
		f.unchanged(t, func() {
			for _, d := range []broker.DeviceAuthorization{pending, approved} {
				_, err := f.Device(t.Context(), d.Key, client)
				want(t, "reading as "+client, err, broker.ErrNotFound)
				_, err = f.RedeemDevice(t.Context(), f.deviceRedemption(d.Key, client), agree)
				want(t, "polling as "+client, err, broker.ErrNotFound)
			}
		})
	}
	for name, key := range map[string]broker.ExpiringKey{
		"nothing":                        {},
		"another secret":                 broker.NewExpiringKey(approved.Key.Forget(), randomDigest()),
		"the secret with another expiry": broker.NewExpiringKey(approved.Key.Forget().Add(time.Second), approved.Key.Digest()),
	} {
		f.unchanged(t, func() {
			_, err := f.Device(t.Context(), key, wiki)
			want(t, "reading "+name, err, broker.ErrNotFound)
			_, err = f.RedeemDevice(t.Context(), f.deviceRedemption(key, wiki), agree)
			want(t, "polling with "+name, err, broker.ErrNotFound)
		})
	}
	f.redeemDevice(approved)
}
