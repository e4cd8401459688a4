package authorize

import (
	"context"
	"errors"
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
)

// request is an authorization request under examination.
type request struct {
	endpoint *Endpoint
	params   oauth.Params
	client   *broker.Client
	// object is why the request object was refused.
	object *oauth.Error
	// out is the request as far as it has passed.
	out broker.AuthorizationRequest
}

// establish finds out whom an answer would go to. Its errors are pages: until it
// has passed, nobody may be redirected anywhere (RFC 6749 §4.1.2.1).
func (q *request) establish(ctx context.Context) error {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if slices.Contains(q.params.Repeated(), name) {
			// Which of the two would the client see? (RFC 6749 §3.1)
			return flow.BadRequest("The application names itself or its address twice.", errRepeated)
		}
	}
	id := q.params.Get("client_id")
	if id == "" {
		return flow.BadRequest("The application did not say which one it is (client_id is missing).", errClient)
	}
	client, err := q.endpoint.Clients.Client(ctx, id)
	if errors.Is(err, broker.ErrNotFound) {
		return flow.BadRequest("No application is registered here under this client_id.", errClient)
	}
	if err != nil {
		return err
	}
	q.client, q.out.ClientID = client, client.ID
	q.openRequestObject(ctx)
	return q.establishRedirectURI()
}

// openRequestObject puts what a client has signed in the place of what is beside it
// (Core §6.1). One that cannot be accepted is refused by the first of the checks, if
// the parameters beside it say where to.
func (q *request) openRequestObject(ctx context.Context) {
	if !q.params.Has("request") && !q.params.Has("request_uri") {
		return
	}
	fields, err := q.endpoint.Objects.Open(ctx, q)
	if err != nil {
		q.object = oauth.From(err)
		return
	}
	q.params = q.params.With(fields).Without("request", "request_uri")
}

// establishRedirectURI compares byte for byte (RFC 9700 §2.1, invariant I3).
func (q *request) establishRedirectURI() error {
	uri := q.params.Get("redirect_uri")
	if uri == "" {
		// Core §3.1.2.1 requires it; RFC 6749 §3.1.2.3 lets a client with a single one
		// leave it out.
		openID := slices.Contains(scopeWords(q.params.Get("scope")), oauth.OpenID)
		if len(q.client.RedirectURIs) != 1 || openID {
			return flow.BadRequest("The application did not say where the answer should go (redirect_uri is missing).", errRedirectURI)
		}
		q.out.RedirectURI = q.client.RedirectURIs[0]
		return nil
	}
	if !oauth.MatchRedirectURI(q.client.RedirectURIs, uri, q.client.Public()) {
		return flow.BadRequest("The address the answer should go to is not registered for this application (redirect_uri).", errRedirectURI)
	}
	q.out.RedirectURI, q.out.URISent = uri, true
	return nil
}

var (
	errRepeated    = errors.New("client_id or redirect_uri is repeated")
	errClient      = errors.New("client_id is missing or unknown")
	errRedirectURI = errors.New("redirect_uri is missing or not registered")
)
