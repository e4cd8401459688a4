package bolt

import (
	"context"
	"errors"
	"slices"
	"time"

	"gatehouse/broker"
)

// What a caller may not ask for. Nothing changes.
var (
	errDevice = errors.New("bolt: a device authorization needs a client, a user code and an end that is to come")
	errSignIn = errors.New("bolt: a device is approved within its flow, not by a sign-in")
)

// StartDevice implements [broker.Devices].
func (s *Store) StartDevice(ctx context.Context, start broker.DeviceStart) error {
	d := start.Device
	if d.ClientID == "" || d.UserCode.IsZero() || !start.Now.Before(d.Expires) {
		return errDevice
	}
	d.Decision, d.GrantID, d.Spent = broker.DevicePending, "", false
	return s.update(ctx, func(t *txn) error {
		// A device code that was ever there stays what it was. A user code is free again when nobody can decide by it:
		// there are few of them, and people type them.
		if t.device(d.Key) != nil || t.undecided(d.UserCode, start.Now) != nil {
			return broker.ErrExists
		}
		if err := t.unused(start.Once); err != nil {
			return err
		}
		t.consume(start.Once)
		t.putDevice(&d)
		t.cursors.lower(deviceKind, d.Key[:])
		write(t, userCodeKind, d.UserCode[:], &d.Key, encodeExpiringKey)
		e := start.Event
		e.ClientID = d.ClientID
		e = fill(e, broker.EventDeviceStarted, start.Now, &broker.State{})
		t.recordEvent(&e)
		return nil
	})
}

// DeviceByUserCode implements [broker.Devices].
func (s *Store) DeviceByUserCode(ctx context.Context, userCode broker.Digest, now time.Time) (broker.DeviceAuthorization, error) {
	return s.readDevice(ctx, func(v *view) *broker.DeviceAuthorization { return v.undecided(userCode, now) })
}

// Device implements [broker.Devices].
func (s *Store) Device(ctx context.Context, key broker.ExpiringKey, clientID string) (broker.DeviceAuthorization, error) {
	return s.readDevice(ctx, func(v *view) *broker.DeviceAuthorization {
		if d := v.device(key); d != nil && d.ClientID == clientID {
			return d
		}
		return nil
	})
}

func (s *Store) readDevice(ctx context.Context, find func(*view) *broker.DeviceAuthorization) (broker.DeviceAuthorization, error) {
	var device broker.DeviceAuthorization
	err := s.view(ctx, func(v *view) error {
		d := find(v)
		if d == nil {
			return broker.ErrNotFound
		}
		device = *d
		return nil
	})
	return device, err
}

// undecided returns the request that a person may still decide by its user code, or nil.
func (v *view) undecided(userCode broker.Digest, now time.Time) *broker.DeviceAuthorization {
	if userCode.IsZero() {
		return nil
	}
	key := read(v, userCodeKind, userCode[:], decodeExpiringKey)
	if key == nil {
		return nil
	}
	d := v.device(*key)
	if d == nil || d.UserCode != userCode || d.Decision != broker.DevicePending || !now.Before(d.Expires) {
		return nil
	}
	return d
}

// DenyDevice implements [broker.Devices].
func (s *Store) DenyDevice(ctx context.Context, r broker.DeviceRefusal) error {
	return s.update(ctx, func(t *txn) error {
		session := t.proven(r.Presented)
		d := t.undecided(r.UserCode, r.Now)
		if !session.Live(r.Now) || d == nil || d.ClientID != r.ClientID {
			return broker.ErrNotFound
		}
		d.Decision = broker.DeviceDenied
		t.putDecided(d)
		e := r.Event
		e.AccountID, e.ClientID = session.AccountID, d.ClientID
		e = fill(e, broker.EventDeviceDenied, r.Now, &broker.State{Session: session})
		t.recordEvent(&e)
		return nil
	})
}

// putDecided stores a decision. With it goes the user code: it has done all it was for.
func (t *txn) putDecided(d *broker.DeviceAuthorization) {
	t.putDevice(d)
	t.delete(userCodeKind, d.UserCode[:])
}

// askedFor reports whether the device has asked for all that the grant gives. No resource is all of them, so a device
// that named some has not asked for that.
func askedFor(d *broker.DeviceAuthorization, g *broker.Grant) bool {
	for _, scope := range g.Scopes {
		if !slices.Contains(d.Scopes, scope) {
			return false
		}
	}
	for _, resource := range g.Resources {
		if !slices.Contains(d.Resources, resource) {
			return false
		}
	}
	return len(g.Resources) > 0 || len(d.Resources) == 0
}

// RedeemDevice implements [broker.Devices]. Most polls find nothing yet (RFC 8628 §3.5): they look and are answered
// without waiting for anybody's commit. Only one that will get something queues, and looks again.
func (s *Store) RedeemDevice(ctx context.Context, r broker.DeviceRedemption, check func(broker.State) error) (broker.Outcome, error) {
	err := s.view(ctx, func(v *view) error { _, _, err := v.redeemable(&r); return err })
	if err != nil {
		return broker.Outcome{}, err
	}
	var out broker.Outcome
	err = s.update(ctx, func(t *txn) (err error) {
		out, err = t.redeemDevice(&r, check)
		return err
	})
	return out, err
}

// redeemable returns the device and the grant that it may fetch, or why there is none.
func (v *view) redeemable(r *broker.DeviceRedemption) (*broker.DeviceAuthorization, *broker.Grant, error) {
	d := v.device(r.Key)
	// Another client's device code does not exist for this one (RFC 8628 §3.4).
	if d == nil || d.ClientID != r.ClientID || d.Spent {
		return nil, nil, broker.ErrNotFound
	}
	switch {
	case d.Decision == broker.DeviceDenied:
		return nil, nil, broker.ErrDeviceDenied
	case !r.Now.Before(d.Expires): // approved or not: the device code has a lifetime too (RFC 8628 §3.5)
		return nil, nil, broker.ErrDeviceExpired
	case d.Decision != broker.DeviceApproved:
		return nil, nil, broker.ErrDevicePending
	}
	g := v.grant(d.GrantID)
	if g == nil {
		return nil, nil, broker.ErrNotFound
	}
	return d, g, nil
}

func (t *txn) redeemDevice(r *broker.DeviceRedemption, check func(broker.State) error) (broker.Outcome, error) {
	device, grant, err := t.redeemable(r)
	if err != nil {
		return broker.Outcome{}, err
	}
	if check == nil {
		return broker.Outcome{}, errUnchecked
	}
	if err := t.unused(r.Once); err != nil {
		return broker.Outcome{}, err
	}
	st := t.bearing(grant, r.Now)
	st.Device = device
	if err := allowed(st, check); err != nil {
		return broker.Outcome{}, err
	}

	t.consume(r.Once)
	device.Spent = true
	t.putDevice(device)
	t.begin(grant, &r.Next)
	event := fill(r.Event, broker.EventDeviceRedeemed, r.Now, &st)
	t.recordEvent(&event)
	return broker.Outcome{State: st, Verdict: broker.Issue, Event: event}, nil
}

// forgetDevice removes a request and its user code, unless that is another's by now. One that cannot be read leads
// nowhere, and goes too: the sweep must not end at it.
func (t *txn) forgetDevice(key []byte) {
	d := t.device(broker.ExpiringKey(key))
	if value := t.bucket(userCodeKind).Get(d.UserCode[:]); value != nil {
		var named broker.ExpiringKey
		v, err := open(userCodeKind, d.UserCode[:], value)
		if decodeExpiringKey(&v, &named); err != nil || v.end() != nil || named == d.Key {
			t.delete(userCodeKind, d.UserCode[:])
		}
	}
	t.delete(deviceKind, key)
}
