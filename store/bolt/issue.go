package bolt

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gatehouse/broker"
)

// CompleteAuthorization implements [broker.Logins].
func (s *Store) CompleteAuthorization(ctx context.Context, a broker.Authorization, decide func(broker.State) broker.Decision) (broker.Outcome, error) {
	var out broker.Outcome
	err := s.update(ctx, func(t *txn) (err error) {
		out, err = t.completeAuthorization(&a, decide)
		return err
	})
	return out, err
}

func (t *txn) completeAuthorization(a *broker.Authorization, decide func(broker.State) broker.Decision) (broker.Outcome, error) {
	session := t.proven(a.Presented)
	if !session.Live(a.Now) {
		return broker.Outcome{}, broker.ErrNotFound
	}
	if err := t.unused(a.Once); err != nil {
		return broker.Outcome{}, err
	}
	if decide == nil {
		return broker.Outcome{}, errUnchecked
	}
	st := t.standing(session, a.ClientID, a.Connector, a.Now)
	if !a.Issue.Device.IsZero() {
		st.Device = t.undecided(a.Issue.Device, a.Now)
		if st.Device == nil || st.Device.ClientID != a.ClientID {
			return broker.Outcome{}, broker.ErrNotFound
		}
	}
	if a.Consent != nil {
		st.Consent = agreed(st.Consent, a)
		st.Consent.AccountID = session.AccountID
	}
	session.UsedAt = a.Now
	session.IdleUntil = a.IdleUntil

	decision := decide(st)
	if err := refusal(decision); err != nil {
		return broker.Outcome{}, err
	}
	if decision.Verdict != broker.Issue {
		return broker.Outcome{}, refusal(broker.Decision{Err: decision.Err})
	}
	// The belt of invariant I6: whatever decide thought, a session that no longer signs its browser in issues nothing.
	if err := st.SessionStanding(a.Connector); err != nil {
		return broker.Outcome{}, err
	}
	if err := t.issue(&a.Issue, &st, a.ClientID, a.Connector, a.Now); err != nil {
		return broker.Outcome{}, err
	}
	st.Grant.ACR = cmp.Or(decision.ACR, st.Grant.ACR)

	t.consume(a.Once)
	t.putSession(session)
	t.insertIssuance(&st)
	event := fill(a.Event, broker.EventAuthorized, a.Now, &st)
	if st.Device != nil {
		event.Type = broker.EventDeviceApproved
	}
	if a.Consent != nil {
		t.putConsent(st.Consent)
		given := event
		given.Type = broker.EventConsentGiven
		t.recordEvent(&given)
	}
	if a.Consent == nil || event.Type != broker.EventConsentGiven {
		t.recordEvent(&event)
	}
	return broker.Outcome{State: st, Verdict: broker.Issue, Event: event}, nil
}

// agreed adds what was agreed to now to what was agreed to before and not withdrawn.
func agreed(before *broker.Consent, a *broker.Authorization) *broker.Consent {
	c := &broker.Consent{ClientID: a.ClientID, GivenAt: orElse(a.Consent.GivenAt, a.Now)}
	if before != nil {
		c.Scopes = before.Scopes
	}
	for _, scope := range a.Consent.Scopes {
		if !slices.Contains(c.Scopes, scope) {
			c.Scopes = append(c.Scopes, scope)
		}
	}
	return c
}

// issue puts the grant and the code, or the approval of the state's device, into the state, bound to the account, the sign-in and the epochs of the state, and
// notes the client in the session. It writes nothing.
func (t *txn) issue(i *broker.Issuance, st *broker.State, clientID, connector string, now time.Time) error {
	if clientID == "" {
		return errNoClient
	}
	if err := st.Standing(); err != nil {
		return err
	}
	in := st.Session.SignIn(connector)
	if in == nil {
		return broker.ErrSessionEnded
	}
	// Identifiers and codes are random; one that is there already was handed in twice.
	if t.grant(i.Grant.ID) != nil || st.Device == nil && t.code(i.Code.Key) != nil {
		return broker.ErrConflict
	}
	g, c := i.Grant, i.Code
	if st.Device != nil && !askedFor(st.Device, &g) {
		return broker.ErrConflict
	}
	g.ClientID = clientID
	g.AccountID = st.Account.ID
	g.SessionID = st.Session.ID
	g.Connector = connector
	g.Identity = in.Identity
	g.Epochs = broker.Epochs{
		Account:   st.Account.Epoch,
		Identity:  st.Identity.Epoch,
		Session:   st.Session.Epoch,
		Client:    st.Client.Epoch,
		Connector: st.Connector.Epoch,
	}
	g.AuthTime, g.ACR, g.AMR = in.AuthTime, in.ACR, in.AMR
	g.CreatedAt = orElse(g.CreatedAt, now)
	if !slices.Contains(st.Session.Clients, clientID) {
		st.Session.Clients = append(st.Session.Clients, clientID)
	}
	st.Grant = &g
	if d := st.Device; d != nil {
		d.Decision, d.GrantID = broker.DeviceApproved, g.ID
		return nil
	}
	c.GrantID = g.ID
	c.ClientID = clientID
	c.Spent, c.SpentAt = false, time.Time{}
	st.Code = &c
	return nil
}
