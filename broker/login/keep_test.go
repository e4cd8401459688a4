package login

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// recorded is a store that tells what it was asked to record.
type recorded struct {
	broker.Logins
	logins []broker.Login
	err    error
}

func (r *recorded) CompleteLogin(ctx context.Context, l broker.Login, decide func(broker.State) broker.Decision) (broker.Outcome, error) {
	r.logins = append(r.logins, l)
	if r.err != nil {
		return broker.Outcome{}, r.err
	}
	l.Credential = nil
	return r.Logins.CompleteLogin(ctx, l, decide)
}

// What an upstream handed out is given to whoever keeps it, and what is kept goes
// into the commit of the sign-in.
func TestWhatIsKeptOfAnUpstreamIsStoredWithTheSignIn(t *testing.T) {
	t.Parallel()
	kept := &broker.NewCredential{Sealed: []byte("sealed")}
	for _, row := range []struct {
		name   string
		answer *broker.NewCredential
		err    error
		none   bool
		status int
	}{
		{name: "a credential", answer: kept, status: http.StatusSeeOther},
		{name: "an upstream that is not asked again", status: http.StatusSeeOther},
		{name: "nobody keeps anything", none: true, status: http.StatusSeeOther},
		{name: "one that cannot be sealed: nobody is signed in", err: errors.New("CANARY"), status: http.StatusInternalServerError},
	} {
		w := newWorld(t)
		store := &recorded{Logins: w.store}
		w.endpoint.Desk.Logins = store
		w.upstream.handed = connectors.Upstream{RefreshToken: "refresh", Choice: "north"}
		var who broker.Identity
		var handed connectors.Upstream
		if !row.none {
			w.endpoint.Keep = func(id broker.Identity, u connectors.Upstream) (*broker.NewCredential, error) {
				who, handed = id, u
				return row.answer, row.err
			}
		}
		answer := w.get(t.Context(), w.begin(oauth.ResponseModeQuery))
		if answer.Code != row.status || strings.Contains(answer.Body.String(), "CANARY") {
			t.Errorf("%s: %d %s", row.name, answer.Code, answer.Body)
		}
		if !row.none && (who.Key.Subject != "ada" || handed.RefreshToken != "refresh" || handed.Choice != "north") {
			t.Errorf("%s: asked to keep %+v of %+v", row.name, handed, who)
		}
		if row.err != nil {
			if len(store.logins) != 0 {
				t.Errorf("%s: something was recorded", row.name)
			}
			continue
		}
		if len(store.logins) != 1 || store.logins[0].Credential != row.answer {
			t.Errorf("%s: recorded %+v", row.name, store.logins)
		}
	}
}
