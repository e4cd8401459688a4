package introspection

import (
	"errors"
	"net/http"

	"gatehouse/broker"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
)

// revoke ends a token of the caller (RFC 7009 §2.1). A refresh token takes its
// grant with it, and so every token issued under it; an access token is denied by
// itself until it expires. Unknown tokens, and those of somebody else, are answered
// alike with 200: the purpose, that the caller's token is no good, is met (§2.2).
func (e *Endpoint) revoke(w http.ResponseWriter, r *http.Request, v clientauth.Visit) error {
	found, err := e.Tokens.find(r.Context(), v.Form.Get("token"), v.Now)
	if err != nil && !errors.Is(err, mint.ErrNotLive) {
		// TK-14: "revoked" must be true.
		return oauth.Errorf(oauth.TemporarilyUnavailable, "the token could not be looked up").Because(err)
	}
	// Also one that is no good as things stand: a spent refresh token may be presented
	// once more and yields the current one, and what policy refuses today it may permit
	// tomorrow. "Revoked" is for good.
	mine := found != nil && found.clientID == v.Client.ID
	if !mine {
		err = e.consume(r, v)
	} else {
		err = e.end(r, v, found)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}

func (e *Endpoint) end(r *http.Request, v clientauth.Visit, t *token) error {
	event := v.Event
	var err error
	switch {
	case t.refresh != nil:
		event.Type, event.Detail = broker.EventGrantRevoked, "client"
		event.AccountID, event.GrantID, event.SessionID, event.Connector = t.state.Grant.AccountID, t.state.Grant.ID, t.state.Grant.SessionID, t.state.Grant.Connector
		if err = e.consume(r, v); err == nil {
			err = e.Tokens.Grants.RevokeGrant(r.Context(), t.state.Grant.ID, event)
		}
	default:
		event.Type = broker.EventTokenRevoked
		if g := t.state.Grant; g != nil {
			event.AccountID, event.GrantID, event.SessionID, event.Connector = g.AccountID, g.ID, g.SessionID, g.Connector
		}
		keys := append([]broker.Once{t.access.Denial()}, v.Once...)
		err = e.Tokens.Onces.UseOnce(r.Context(), keys, &event)
	}
	switch {
	case err == nil:
		e.Reception.Audit.Committed(r.Context(), event)
		return nil
	case errors.Is(err, broker.ErrNotFound), errors.Is(err, broker.ErrOnceUsed) && len(v.Once) == 0:
		return nil // somebody was quicker
	}
	if _, classified := errors.AsType[*oauth.Error](err); classified {
		return err
	}
	if errors.Is(err, broker.ErrOnceUsed) {
		return clientauth.UsedBefore(err)
	}
	return oauth.Errorf(oauth.TemporarilyUnavailable, "the token could not be revoked").Because(err)
}
