package bolt

import (
	"context"

	"gatehouse/broker"
)

// RedeemCode implements [broker.Codes].
func (s *Store) RedeemCode(ctx context.Context, r broker.Redemption, check func(broker.State) error) (broker.Outcome, error) {
	var out broker.Outcome
	err := s.update(ctx, func(t *txn) (err error) {
		out, err = t.redeemCode(&r, check)
		return err
	})
	return out, err
}

func (t *txn) redeemCode(r *broker.Redemption, check func(broker.State) error) (broker.Outcome, error) {
	code := t.code(r.Key)
	// Another client's code does not exist for this one: it can neither redeem it nor have it revoked (RFC 6749 §4.1.3).
	if code == nil || code.ClientID != r.ClientID {
		return broker.Outcome{}, broker.ErrNotFound
	}
	if r.Bound == nil || check == nil {
		return broker.Outcome{}, errUnchecked
	}
	// Before the replay check: a stranger who saw a code but not its verifier must not be able to revoke the grant.
	if err := r.Bound(*code); err != nil {
		return broker.Outcome{}, err
	}
	grant := t.grant(code.GrantID)
	if code.Spent {
		return t.replayed(r, code, grant)
	}
	if !r.Now.Before(code.Expires) || grant == nil {
		return broker.Outcome{}, broker.ErrNotFound
	}
	if err := t.unused(r.Once); err != nil {
		return broker.Outcome{}, err
	}
	st := t.bearing(grant, r.Now)
	st.Code = code
	if err := allowed(st, check); err != nil {
		return broker.Outcome{}, err
	}

	t.consume(r.Once)
	code.Spent, code.SpentAt = true, r.Now
	t.putCode(code)
	t.begin(grant, &r.Next)
	event := fill(r.Event, broker.EventCodeRedeemed, r.Now, &st)
	t.recordEvent(&event)
	return broker.Outcome{State: st, Verdict: broker.Issue, Event: event}, nil
}

// allowed asks check, and the state itself after it. That is the belt of invariant I6: check may have rules of its own,
// but none that revives a dead grant.
func allowed(st broker.State, check func(broker.State) error) error {
	if err := check(st); err != nil {
		return err
	}
	return st.GrantStanding()
}

// begin stores the first refresh token of an offline grant.
func (t *txn) begin(g *broker.Grant, next *broker.NewRefresh) {
	if !g.Offline || next.Digest.IsZero() {
		return
	}
	g.Refresh = broker.Refresh{Current: next.Digest, Generation: 1, Expires: next.Expires}
	g.Forget = later(g.Forget, next.Forget)
	t.putGrant(g)
}

// replayed revokes what was issued for the code (RFC 6749 §4.1.2). When that has happened before there is nothing to
// write.
func (t *txn) replayed(r *broker.Redemption, code *broker.Code, grant *broker.Grant) (broker.Outcome, error) {
	st := broker.State{Now: r.Now, Code: code, Grant: grant}
	event := r.Event
	event.Type, event.ClientID, event.GrantID = broker.EventCodeReplayed, code.ClientID, code.GrantID
	event = fill(event, broker.EventCodeReplayed, r.Now, &st)
	if grant != nil {
		t.revoke(grant.ID)
		t.consumeUnused(r.Once)
		t.recordEvent(&event)
	}
	return broker.Outcome{State: st, Event: event}, broker.ErrCodeReplayed
}

// revoke deletes a grant: no record means no rights.
func (t *txn) revoke(id string) { t.delete(grantKind, t.text(id)) }

// consumeUnused remembers the keys in the commit of a revocation, which takes place whether or not they are new.
func (t *txn) consumeUnused(keys []broker.Once) {
	for i := range keys {
		if t.unused(keys[i:i+1]) == nil {
			t.consume(keys[i : i+1])
		}
	}
}
