package bolt

import (
	"context"

	"gatehouse/broker"
)

// RotateRefreshToken implements [broker.RefreshTokens].
func (s *Store) RotateRefreshToken(ctx context.Context, r broker.Rotation, check func(broker.State) error) (broker.Outcome, error) {
	var out broker.Outcome
	err := s.update(ctx, func(t *txn) (err error) {
		out, err = t.rotate(&r, check)
		return err
	})
	return out, err
}

func (t *txn) rotate(r *broker.Rotation, check func(broker.State) error) (broker.Outcome, error) {
	grant := t.grant(r.GrantID)
	// Another client's grant does not exist for this one: its family stays as it is (RFC 6749 §6).
	if grant == nil || grant.ClientID != r.ClientID || r.Presented.IsZero() {
		return broker.Outcome{}, broker.ErrNotFound
	}
	if check == nil {
		return broker.Outcome{}, errUnchecked
	}
	retry := mayRetry(&grant.Refresh, r)
	if !retry && !r.Presented.Equal(grant.Refresh.Current) {
		return t.reused(r, grant)
	}
	if !r.Now.Before(grant.Refresh.Expires) {
		return broker.Outcome{}, broker.ErrNotFound
	}
	if err := t.unused(r.Once); err != nil {
		return broker.Outcome{}, err
	}
	vouched, err := t.vouched(r.Settle, grant)
	if err != nil {
		return broker.Outcome{}, err
	}
	st := t.bearing(grant, r.Now)
	if vouched != nil {
		st.Identity = vouched.identity
	}
	if err := allowed(st, check); err != nil {
		return broker.Outcome{}, err
	}

	out := broker.Outcome{State: st, Verdict: broker.Issue, Event: fill(r.Event, broker.EventTokenRefreshed, r.Now, &st)}
	switch {
	case retry:
		grant.Refresh.Retried = true
		out.Successor = grant.Refresh.Successor
		out.Event.Detail = "retry"
	case r.Next != nil:
		advance(grant, r)
	case len(r.Once) == 0 && vouched == nil:
		// A token that is bound to its sender stays (RFC 9700 §2.2.2); a refresh of it leaves nothing behind.
		return out, nil
	}
	t.consume(r.Once)
	if vouched != nil {
		t.putSettled(vouched)
	}
	if retry || r.Next != nil {
		t.putGrant(grant)
	}
	t.recordEvent(&out.Event)
	return out, nil
}

// mayRetry reports whether the presented token is the previous one and may be presented once more: within the window,
// and a single time. A clock that was set back gives no second chance, and without a window it is not looked at.
func mayRetry(f *broker.Refresh, r *broker.Rotation) bool {
	if r.Retry <= 0 || f.Retried || !r.Presented.Equal(f.Previous) {
		return false
	}
	age := r.Now.Sub(f.SpentAt)
	return age >= 0 && age <= r.Retry
}

func advance(g *broker.Grant, r *broker.Rotation) {
	g.Refresh = broker.Refresh{
		Current:    r.Next.Digest,
		Generation: g.Refresh.Generation + 1,
		Expires:    r.Next.Expires,
		Previous:   r.Presented,
		Successor:  r.Successor,
		SpentAt:    r.Now,
	}
	g.Forget = later(g.Forget, r.Next.Forget)
}

// reused revokes the family: either the thief or the owner holds the token that was spent before, and nobody can say
// which (RFC 9700 §4.14.2). The revocation is committed and reported after that.
func (t *txn) reused(r *broker.Rotation, grant *broker.Grant) (broker.Outcome, error) {
	st := broker.State{Now: r.Now, Grant: grant}
	event := r.Event
	event.Type = broker.EventTokenReused
	event = fill(event, broker.EventTokenReused, r.Now, &st)
	t.revoke(grant.ID)
	t.consumeUnused(r.Once)
	t.recordEvent(&event)
	return broker.Outcome{State: st, Event: event}, broker.ErrTokenReused
}
