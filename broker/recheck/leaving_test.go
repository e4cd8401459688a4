package recheck

import (
	"context"
	"errors"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// leaving is an upstream during whose answer the client hangs up.
type leaving struct {
	*upstream
	leave func()
}

func (l leaving) Refresh(ctx context.Context, prior broker.Identity, u connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	l.leave()
	if ctx.Err() != nil {
		return broker.Identity{}, connectors.Upstream{}, &connectors.Error{Kind: connectors.Transient}
	}
	return l.upstream.Refresh(ctx, prior, u)
}

// A client that hangs up must not cost the person a sign-in: the upstream is heard to
// the end, and what it answered is stored.
func TestAClientThatHangsUpCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, leave := context.WithCancel(t.Context())
	w.checker.Connectors["corp"] = leaving{w.up, leave}
	grant := w.signIn("ada")
	w.clock.Advance(interval)
	state, err := w.store.Grant(t.Context(), grant, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	settlement, err := w.checker.Check(ctx, state, broker.Event{})
	if err != nil || settlement == nil || settlement.Answer != broker.UpstreamVouches || ctx.Err() == nil {
		t.Fatalf("%+v, %v", settlement, err)
	}
	w.checker.Settle(ctx, settlement)
	credential, err := w.store.Credential(t.Context(), state.Grant.Identity)
	if err != nil || credential.Lease != "" || !credential.AskedAt.Equal(w.clock.Now()) {
		t.Errorf("the answer is lost: %+v, %v", credential, err)
	}
	w.checker.Connectors["corp"] = w.up
	w.clock.Advance(interval)
	w.want(grant, "")
	if len(w.up.presented) != 2 || w.up.presented[1] != "CANARY-ada+" {
		t.Errorf("presented %q", w.up.presented)
	}
}

// Without grace, a credential that may have been taken with the answer lost is lost at
// once: to come back later would not help.
func TestWithoutGraceALostAnswerEndsTheGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.up.rule.OutageGrace = 0
	grant := w.signIn("ada")
	w.up.fail(&connectors.Error{Kind: connectors.Transient})
	w.clock.Advance(interval)
	w.want(grant, oauth.InvalidGrant)
	if err := w.refresh(grant); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("the grant is there: %v", err)
	}
}
