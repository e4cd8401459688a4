package bolt

import (
	"context"
	"time"

	"gatehouse/broker"
)

// Session implements [broker.Sessions].
func (s *Store) Session(ctx context.Context, ref broker.SessionRef, clientID, connector string, now time.Time) (broker.State, error) {
	var st broker.State
	err := s.view(ctx, func(v *view) error {
		session := v.proven(ref)
		if !session.Live(now) {
			return broker.ErrNotFound
		}
		if connector == "" {
			connector = latest(session)
		}
		st = v.standing(session, clientID, connector, now)
		return nil
	})
	if err != nil {
		return broker.State{}, err
	}
	return st, nil
}

// latest is the connector of the session's last sign-in.
func latest(s *broker.Session) string {
	var connector string
	var at time.Time
	for i := range s.SignIns {
		if in := &s.SignIns[i]; connector == "" || in.At.After(at) {
			connector, at = in.Connector, in.At
		}
	}
	return connector
}

// standing is the state that bears on a session's sign-in through the connector. Without such a sign-in it has no
// identity, so that nothing can be issued on it.
func (v *view) standing(s *broker.Session, clientID, connector string, now time.Time) broker.State {
	st := broker.State{
		Now:       now,
		Client:    v.toggle(broker.ClientSwitch, clientID),
		Connector: v.toggle(broker.ConnectorSwitch, connector),
		Account:   v.account(s.AccountID),
		Session:   s,
		Consent:   v.consent(s.AccountID, clientID),
	}
	if in := s.SignIn(connector); in != nil {
		st.Identity = v.identity(in.Identity)
	}
	return st
}

// EndSession implements [broker.Sessions].
func (s *Store) EndSession(ctx context.Context, id string, e broker.Event) (broker.Session, error) {
	var ended broker.Session
	err := s.update(ctx, func(t *txn) error {
		session := t.session(id)
		if session == nil || session.Ended {
			return broker.ErrNotFound
		}
		t.end(session)
		e := e
		e.AccountID = session.AccountID
		e = fill(e, broker.EventSignedOut, time.Time{}, &broker.State{Session: session})
		t.recordEvent(&e)
		ended = *session
		return nil
	})
	return ended, err
}

// end leaves the tombstone: the record stays, so that grants bound to the session find it ended.
func (t *txn) end(s *broker.Session) {
	s.Ended = true
	s.Epoch++
	t.putSession(s)
}
