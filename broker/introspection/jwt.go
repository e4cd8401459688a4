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

// wantsJWT: who asks for it (RFC 9701 §4), and who has registered that what is about
// tokens is encrypted for it. "The response will be encrypted" then (§6), whatever is
// accepted: RFC 9110 §12.5.1 lets a server disregard the header, and somebody between
// who takes it away must not get to see the answer.
func wantsJWT(r *http.Request, client *broker.Client) bool {
	return !client.IntrospectionEncryption.IsZero() || prefersJWT(r.Header.Values("Accept"))
}

// unauthenticated makes the refusal of somebody who asks for a JWT and does not
// authenticate what RFC 9701 §5 wants, which has 400 where RFC 7662 §2.3 has 401. A
// secret or an assertion that is wrong is another matter.
func unauthenticated(r *http.Request, v clientauth.Visit, err error) error {
	tried := r.Header.Get("Authorization") != "" || v.Form.Has("client_secret") || v.Form.Has("client_assertion")
	if tried || oauth.From(err).Code != oauth.InvalidClient || !prefersJWT(r.Header.Values("Accept")) {
		return err
	}
	return oauth.Errorf(oauth.InvalidRequest, "introspection needs a client that authenticates").Because(err)
}

// writeJWT answers with a JWT that is for the caller alone (RFC 9701 §5).
func (e *Endpoint) writeJWT(w http.ResponseWriter, r *http.Request, v clientauth.Visit, answer response) error {
	encoded, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	signed, err := e.Tokens.Mint.Introspection(r.Context(), v.Client, encoded, v.Now)
	switch {
	case errors.Is(err, mint.ErrRecipient):
		return oauth.Errorf(oauth.TemporarilyUnavailable, "the keys to encrypt the answer to cannot be had").Because(err)
	case err != nil:
		return err
	}
	send(w, typeJWT, []byte(signed))
	return nil
}

// relevant are the scopes that mean something to the resource server that asks: the
// others are not its business (RFC 9701 §5).
func (e *Endpoint) relevant(scopes oauth.Scopes, caller *broker.Client) oauth.Scopes {
	var out oauth.Scopes
	for _, name := range scopes {
		if slices.ContainsFunc(e.Resources, func(one broker.Resource) bool { return one.ClientID == caller.ID && one.Scopes.Has(name) }) {
			out = append(out, name)
		}
	}
	return out
}
