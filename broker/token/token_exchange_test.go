package token

import (
	"context"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
)

// RFC 8693 §4.4: may_act names a client, and a person whose account has the same
// name is not meant.
func TestMayActNamesAClient(t *testing.T) {
	t.Parallel()
	now := time.Unix(1773480413, 0)
	token := mint.AccessToken{Subject: "agent", ClientID: "agent", Expires: now.Add(time.Minute)}
	h := &TokenExchange{Workloads: &Workloads{}, Live: func(context.Context, string, time.Time) (*mint.AccessToken, broker.State, error) {
		return &token, broker.State{}, nil
	}}
	r, q := Request{Client: &broker.Client{ID: "agent"}, Now: now}, exchange{actor: "x"}
	chain, notAfter, err := h.acting(t.Context(), r, q, &mint.Actor{Subject: "before"}, "agent", now.Add(time.Hour))
	if err != nil || chain.Subject != "agent" || chain.Before.Subject != "before" || !notAfter.Equal(token.Expires) {
		t.Errorf("%+v until %v, %v", chain, notAfter, err)
	}
	refusedAs := func(name, mayAct string) {
		t.Helper()
		if _, _, err := h.acting(t.Context(), r, q, nil, mayAct, now.Add(time.Hour)); oauth.From(err).Code != oauth.InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	refusedAs("nobody is named", "")
	refusedAs("somebody else is named", "other")
	r.Client = &broker.Client{ID: "wiki"}
	token.ClientID = "wiki"
	refusedAs("a person of that name", "agent")
}
