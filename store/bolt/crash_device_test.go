package bolt_test

import (
	"context"
	"errors"
	"fmt"

	"gatehouse/broker"
	"gatehouse/store/bolt"
)

// This file is the part of the crash test with a device: a person starts it, approves it, and it fetches its tokens.

// deviceGrant is derived, unlike the identifiers of a life: it is not in what the child says.
func (l life) deviceGrant() string { return "device grant of " + l.name }

func (l life) deviceKey() broker.ExpiringKey {
	return broker.NewExpiringKey(crashForget, l.digest("device"))
}

func (l life) startDevice(s *bolt.Store) error {
	return s.StartDevice(context.Background(), broker.DeviceStart{Now: crashNow, Device: broker.DeviceAuthorization{
		Key: l.deviceKey(), UserCode: l.digest("user code"), ClientID: "wiki", StartedAt: crashNow, Expires: crashForget,
	}})
}

func (l life) approveDevice(s *bolt.Store) error {
	_, err := s.CompleteAuthorization(context.Background(), broker.Authorization{
		Now: crashNow, Presented: l.ref(), IdleUntil: crashForget, Connector: "google", ClientID: "wiki",
		Issue: broker.Issuance{
			Grant:  broker.Grant{ID: l.deviceGrant(), Offline: true, Forget: crashForget},
			Device: l.digest("user code"),
		},
	}, func(broker.State) broker.Decision { return broker.Decision{Verdict: broker.Issue} })
	return err
}

func (l life) fetchDevice(s *bolt.Store) error {
	next := l.token(0)
	next.Digest = l.digest("token of the device")
	_, err := s.RedeemDevice(context.Background(), broker.DeviceRedemption{Now: crashNow, Key: l.deviceKey(), ClientID: "wiki", Next: next}, broker.State.GrantStanding)
	return err
}

// verifyDevice checks that each step was taken if it was acknowledged, completely or not at all, and that what was
// fetched is not fetched again.
func (w *witnessed) verifyDevice(s *bolt.Store) error {
	d, err := s.Device(context.Background(), w.deviceKey(), "wiki")
	started := err == nil
	if !started && !errors.Is(err, broker.ErrNotFound) {
		return err
	}
	_, err = s.DeviceByUserCode(context.Background(), w.digest("user code"), crashNow)
	waits := err == nil
	st, err := s.Grant(context.Background(), w.deviceGrant(), crashNow)
	granted := err == nil
	approved := d.Decision == broker.DeviceApproved
	switch {
	case w.did["start"] && !started, !w.tried["start"] && started:
		return fmt.Errorf("device started: %v", started)
	case w.did["approve"] && !approved, !w.tried["approve"] && approved:
		return fmt.Errorf("device %+v", d)
	case approved != granted, waits != (started && !approved):
		return fmt.Errorf("half a decision: device %+v, grant %v, user code %v", d, granted, waits)
	case w.did["fetch"] && !d.Spent, !w.tried["fetch"] && d.Spent:
		return fmt.Errorf("device %+v", d)
	case granted && d.Spent != (st.Grant.Refresh.Current == w.digest("token of the device")):
		return fmt.Errorf("half a redemption: device %+v, grant %+v", d, st.Grant)
	case !approved:
		return nil
	}
	alive := !w.tried["disable"] && !w.tried["deny"]
	if err := w.fetchDevice(s); !d.Spent && alive && err != nil {
		return fmt.Errorf("an approved device: %w", err)
	}
	if err := w.fetchDevice(s); alive && !errors.Is(err, broker.ErrNotFound) || err == nil {
		return fmt.Errorf("a device that has fetched its tokens: %w", err)
	}
	return nil
}
