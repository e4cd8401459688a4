package login

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/internal/httpx"
)

var (
	errNotOffered = errors.New("connector is not among those offered")
	errMixUp      = errors.New("state belongs to another connector, flow or visit")
)

// callback receives an upstream's answer.
func (e *Endpoint) callback(w http.ResponseWriter, r *http.Request) error {
	if err := e.admit(r); err != nil {
		return err
	}
	params, err := oauth.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return flow.BadRequest("The answer of the identity provider cannot be read.", fmt.Errorf("callback parameters: %w", err))
	}
	e.Log.LogAttrs(r.Context(), slog.LevelDebug, "upstream answered",
		slog.String("request", httpx.About(r.Context()).ID), slog.Any("params", params.Loggable(loggable()...)))
	f, client, err := e.match(r, params.Get("state"))
	if err != nil {
		return err
	}
	connector, ok := e.Connectors[f.Attempt.Connector]
	if !ok || !offers(connector.Describe(), f.Attempt.Choice) {
		return flow.Over(client, errNotOffered)
	}
	return e.arrive(w, r, f, client, connector, params)
}

// offers reports whether a choice is still there: a configuration may be loaded
// while somebody is at the upstream.
func offers(d connectors.Description, choice string) bool {
	return choice == "" || slices.ContainsFunc(d.Choices, func(c connectors.Choice) bool { return c.Key == choice })
}

// arrive finds out who has come back and hands them to the desk.
func (e *Endpoint) arrive(w http.ResponseWriter, r *http.Request, f *flow.Flow, client *broker.Client, connector connectors.Connector, params oauth.Params) error {
	values := url.Values{}
	for name, value := range params.All() {
		values.Set(name, value)
	}
	attempt := e.login(f, client, false)
	// What was matched above is the state; sealing it again makes another string.
	attempt.State = params.Get("state")
	who, upstream, err := connector.Identify(r.Context(), values, attempt)
	if err != nil {
		return e.failed(w, r, f, client, connector.Describe(), err)
	}
	if who.Key.Connector != f.Attempt.Connector || who.Key.Issuer == "" || who.Key.Subject == "" {
		return fmt.Errorf("connector %s answered an identity that is not its own", f.Attempt.Connector)
	}
	if wait, ok := e.PerPerson.Allow(string(who.Key.Bytes())); !ok {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "too many sign-ins to your account").WithRetryAfter(wait)
	}
	credential, err := e.keep(who, upstream)
	if err != nil {
		return err
	}
	err = e.Desk.CompleteLogin(w, r, f, client, flow.Arrival{Who: who, Via: connector.Describe(), Credential: credential})
	if errors.Is(err, broker.ErrGroupsUnknown) {
		return e.failed(w, r, f, client, connector.Describe(), err)
	}
	return err
}

// keep is what remains of what the upstream handed out besides the identity.
func (e *Endpoint) keep(who broker.Identity, u connectors.Upstream) (*broker.NewCredential, error) {
	if e.Keep == nil {
		return nil, nil
	}
	return e.Keep(who, u)
}

// loggable are the parameters of an upstream's answer that help an operator.
// code and state are secrets; error_description is an upstream's free text, which
// the connector's error carries cleaned.
func loggable() []string { return []string{"error", "iss"} }

// match finds the flow an answer belongs to. The state must be ours, for this
// connector, for the flow of this browser, and for its latest visit: a mix-up
// (RFC 9700 §4.4), a login CSRF (§4.7) and a stale answer all end here, before
// the upstream's token endpoint hears of them.
func (e *Endpoint) match(r *http.Request, state string) (*flow.Flow, *broker.Client, error) {
	said, err := e.States.Open(state)
	if err != nil {
		return nil, nil, flow.Over(nil, err)
	}
	client, err := e.Clients.Client(r.Context(), said.ClientID)
	if errors.Is(err, broker.ErrNotFound) {
		return nil, nil, flow.Over(nil, err)
	}
	if err != nil {
		return nil, nil, err
	}
	if said.Connector != r.PathValue("connector") {
		return nil, nil, flow.Over(client, errMixUp)
	}
	f, err := e.Desk.Jar.Take(r, said.Flow)
	if err != nil {
		return nil, nil, flow.Over(client, err)
	}
	if f.Request.ClientID != said.ClientID || f.Attempt == nil || f.Attempt.Connector != said.Connector ||
		subtle.ConstantTimeCompare([]byte(f.Attempt.Nonce), []byte(said.Nonce)) != 1 {
		return nil, nil, flow.Over(client, errMixUp)
	}
	return f, client, nil
}
