package introspection

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
)

// response is RFC 7662 §2.2.
type response struct {
	Active    bool     `json:"active"`
	Scope     string   `json:"scope,omitempty"`
	ClientID  string   `json:"client_id,omitempty"`
	TokenType string   `json:"token_type,omitempty"`
	Expires   int64    `json:"exp,omitempty"`
	IssuedAt  int64    `json:"iat,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  []string `json:"aud,omitempty"`
	Issuer    string   `json:"iss,omitempty"`
	ID        string   `json:"jti,omitempty"`
	// How and when the person authenticated, which RFC 9470 §6.2 has here.
	AuthTime int64    `json:"auth_time,omitempty"`
	ACR      string   `json:"acr,omitempty"`
	AMR      []string `json:"amr,omitempty"`
	// Actor is who acts for the subject (RFC 8693 §4.1).
	Actor *actor `json:"act,omitempty"`
}

type actor struct {
	Subject string `json:"sub"`
	Before  *actor `json:"act,omitempty"`
}

func actorOf(a *mint.Actor) *actor {
	if a == nil {
		return nil
	}
	return &actor{Subject: a.Subject, Before: actorOf(a.Before)}
}

// introspect answers exactly {"active":false} to whatever is not a live token that
// the caller may hear of (RFC 7662 §2.2, RFC 9701 §5), so that nobody learns which it
// was.
func (e *Endpoint) introspect(w http.ResponseWriter, r *http.Request, v clientauth.Visit) error {
	if v.Client.Public() {
		// RFC 7662 §2.1: or anybody could try tokens here.
		return unauthenticated(r, v, oauth.Errorf(oauth.InvalidClient, "introspection needs a client that authenticates"))
	}
	if err := e.consume(r, v); err != nil {
		return err
	}
	var answer response
	asJWT := wantsJWT(r, v.Client)
	found, err := e.Tokens.find(r.Context(), v.Form.Get("token"), v.Now)
	switch {
	case errors.Is(err, mint.ErrNotLive):
	case err != nil:
		return oauth.Errorf(oauth.ServerError, "the token could not be looked up").Because(err)
	case e.concerns(found, v.Client):
		answer = e.describe(found)
		if asJWT && found.clientID != v.Client.ID {
			answer.Scope = e.relevant(found.scopes(), v.Client).String()
		}
	}
	if asJWT {
		return e.writeJWT(w, r, v, answer)
	}
	return write(w, answer)
}

// concerns: the client it was issued to, or one that it is addressed to. A refresh
// token is addressed to nobody but its client.
func (e *Endpoint) concerns(t *token, caller *broker.Client) bool {
	if t.clientID == caller.ID {
		return true
	}
	return t.access != nil && slices.ContainsFunc(e.Resources.Of(caller.ID), func(uri string) bool { return slices.Contains(t.access.Audience, uri) })
}

func (e *Endpoint) describe(t *token) response {
	out := response{Active: true, ClientID: t.clientID, Issuer: e.Issuer, Scope: t.scopes().String()}
	if g := t.state.Grant; g != nil {
		out.AuthTime, out.ACR, out.AMR = g.AuthTime.Unix(), g.ACR, g.AMR
	}
	if t.refresh != nil {
		out.Subject = e.Tokens.Mint.Subject(t.client, t.state.Account.ID)
		out.Expires = t.state.Grant.Refresh.Expires.Unix()
		return out
	}
	out.TokenType, out.ID, out.Subject, out.Audience = "Bearer", t.access.ID, t.access.Subject, t.access.Audience
	out.Actor = actorOf(t.access.Actor)
	out.Expires, out.IssuedAt = t.access.Expires.Unix(), t.access.IssuedAt.Unix()
	return out
}

// consume spends what the caller authenticated with. It is a commit of its own,
// because nothing else is committed.
func (e *Endpoint) consume(r *http.Request, v clientauth.Visit) error {
	err := e.Tokens.Onces.UseOnce(r.Context(), v.Once, nil)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, broker.ErrOnceUsed):
		return clientauth.UsedBefore(err)
	}
	// Ours: a client must not take it for a word against its credentials.
	return oauth.Errorf(oauth.ServerError, "the client assertion could not be recorded").Because(err)
}

func write(w http.ResponseWriter, answer response) error {
	encoded, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	send(w, typeJSON, encoded)
	return nil
}

func send(w http.ResponseWriter, mediaType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	oauth.Uncached(h)
	// If this fails the caller has gone.
	_, _ = w.Write(body)
}
