package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/broker"
)

func raceRegister(t *testing.T, f *fixture) {
	id := f.registration().ClientID
	requests := make([]broker.Registration, racers)
	var winner atomic.Int32
	oneWinner(t, broker.ErrExists, func(n int) error {
		requests[n] = f.registration()
		requests[n].ClientID = id
		err := f.Register(t.Context(), requests[n], nil, f.event())
		if err == nil {
			winner.Store(int32(n))
		}
		return err
	})
	f.registrationIs(t, requests[winner.Load()])
}

func raceQuota(t *testing.T, f *fixture) {
	q := &broker.Quota{Token: randomDigest(), Limit: 1}
	ids := make([]string, racers)
	oneWinner(t, broker.ErrExhausted, func(n int) error {
		r := f.registration()
		ids[n] = r.ClientID
		return f.Register(t.Context(), r, q, f.event())
	})
	f.registeredOf(t, ids, 1)
}

func raceQuotaSome(t *testing.T, f *fixture) {
	q := &broker.Quota{Token: randomDigest(), Limit: racers / 4}
	ids := make([]string, racers)
	answers := race(t, func(n int) error {
		r := f.registration()
		ids[n] = r.ClientID
		return f.Register(t.Context(), r, q, f.event())
	})
	if answers[nil] != racers/4 || answers[broker.ErrExhausted] != racers-racers/4 {
		t.Errorf("answers %v", answers)
	}
	f.registeredOf(t, ids, racers/4)
}

// registeredOf counts which of the clients are there, and the events that say so.
func (f *fixture) registeredOf(t *testing.T, ids []string, wanted int) {
	t.Helper()
	there := 0
	for _, id := range ids {
		if _, err := f.Registration(t.Context(), id, f.now); err == nil {
			there++
		}
	}
	if n := f.eventsOf(broker.EventClientRegistered); there != wanted || n != wanted {
		t.Errorf("%d clients and %d events, want %d", there, n, wanted)
	}
}

func raceReplaceRegistration(t *testing.T, f *fixture) {
	r := f.register(f.registration())
	requests := make([]broker.Registration, racers)
	var winner atomic.Int32
	oneWinner(t, broker.ErrConflict, func(n int) error {
		requests[n] = r
		requests[n].Revision, requests[n].Metadata = 2, fmt.Appendf(nil, `{"client_name":"%d"}`, n)
		err := f.ReplaceRegistration(t.Context(), requests[n], f.event())
		if err == nil {
			winner.Store(int32(n))
		}
		return err
	})
	f.registrationIs(t, requests[winner.Load()])
}

func raceUnregister(t *testing.T, f *fixture) {
	r := f.register(f.registration())
	oneWinner(t, broker.ErrNotFound, func(int) error { return f.Unregister(t.Context(), r.ClientID, f.event()) })
	if n := f.eventsOf(broker.EventClientUnregistered); n != 1 {
		t.Errorf("%d deletions recorded", n)
	}
}

func raceUseRegistration(t *testing.T, f *fixture) {
	r := f.register(f.registration())
	next := r
	next.Revision, next.Metadata = 2, []byte(`{"client_name":"Another"}`)
	answers := race(t, func(n int) error {
		if n == racers/2 {
			return f.ReplaceRegistration(t.Context(), next, f.event())
		}
		return f.UseRegistration(t.Context(), r.ClientID, f.now.Add(time.Duration(n)*time.Second), unused)
	})
	if answers[nil] != racers {
		t.Errorf("answers %v", answers)
	}
	next.UsedAt = f.now.Add((racers - 1) * time.Second)
	f.registrationIs(t, next)
}
