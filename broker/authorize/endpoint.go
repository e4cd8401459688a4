package authorize

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/connectors"
	"gatehouse/internal/httpx"
)

// maxForm bounds a posted request: every parameter at its limit, escaped.
const maxForm = 32 << 10

// Endpoint serves /authorize.
type Endpoint struct {
	Desk    *flow.Desk
	Clients broker.Clients
	Objects *RequestObjects
	// Supported are the scopes there are; others are ignored (Core §3.1.2.1).
	Supported oauth.Scopes
	// Resources are the resource servers there are.
	Resources policy.Resources
	// Upstreams are the configured connectors, in order.
	Upstreams []connectors.Description
	// Hint reads an id_token_hint and answers whose and for which client it is.
	Hint func(ctx context.Context, raw string) (subject, clientID string, err error)
	// Ready reports whether tokens that would leave in the response can be encrypted as
	// they have to be: [FrontChannel.Ready]; nil where nothing is encrypted.
	Ready func(ctx context.Context, client *broker.Client, r *broker.AuthorizationRequest) error
	// PerAddress bounds how often one address may ask.
	PerAddress *httpx.Limiter
	Log        *slog.Logger
	Now        func() time.Time
}

// loggable are the parameters that say what kind of request it is. Left out are
// state, nonce and code_challenge, which bind a browser; hints, which name
// people; redirect_uri, whose query is the client's business; and whatever we do
// not know.
func loggable() []string {
	return []string{"client_id", "response_type", "response_mode", "scope", "prompt", "max_age", "code_challenge_method", "acr_values", "idp_hint"}
}

// Mount adds the endpoint's routes.
func (e *Endpoint) Mount(mux *http.ServeMux) {
	mux.Handle("GET /authorize", httpx.Interactive(e.Desk.Page(audit.Authorize, e.get)))
	mux.Handle("POST /authorize", e.Desk.Page(audit.Authorize, e.post))
}

func (e *Endpoint) get(w http.ResponseWriter, r *http.Request) error {
	if err := e.admit(r); err != nil {
		return err
	}
	params, err := oauth.ParseQuery(r.URL.RawQuery)
	if unreadable(err) {
		return flow.BadRequest("The request of the application cannot be read.", err)
	}
	if id := params.Get("flow"); id != "" && !params.Has("client_id") {
		f, err := e.Desk.Jar.Take(r, id)
		if err != nil {
			return flow.Over(nil, err)
		}
		return e.Desk.Continue(w, r, f)
	}
	f, _, err := e.begin(w, r, params)
	if f == nil {
		return err
	}
	return e.Desk.Continue(w, r, f)
}

// post seals the request and answers with a redirect to ourselves: the cookies
// of a session are Lax and absent from a cross-site POST, but not from the GET
// that follows it.
func (e *Endpoint) post(w http.ResponseWriter, r *http.Request) error {
	if err := e.admit(r); err != nil {
		return err
	}
	params, err := oauth.ParseForm(w, r, maxForm)
	if unreadable(err) {
		return flow.BadRequest("The request of the application cannot be read.", err)
	}
	f, client, err := e.begin(w, r, params)
	if f == nil {
		return err
	}
	if e.Desk.Park(w, r, f, client) {
		flow.Redirect(w, e.Desk.Issuer+"/authorize?flow="+url.QueryEscape(f.ID))
	}
	return nil
}

// admit counts a request against the limit of its address.
func (e *Endpoint) admit(r *http.Request) error {
	if wait, ok := e.PerAddress.Allow(httpx.LimitKey(httpx.About(r.Context()).Address)); !ok {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests from your address").WithRetryAfter(wait)
	}
	return nil
}

// begin checks a request. With neither a flow nor an error the client has been
// answered.
func (e *Endpoint) begin(w http.ResponseWriter, r *http.Request, params oauth.Params) (*flow.Flow, *broker.Client, error) {
	e.Log.LogAttrs(r.Context(), slog.LevelDebug, "authorization requested",
		slog.String("request", httpx.About(r.Context()).ID), slog.Any("params", params.Loggable(loggable()...)))
	q := &request{endpoint: e, params: params}
	if err := q.establish(r.Context()); err != nil {
		return nil, nil, err
	}
	refusal := q.check(r.Context())
	f := flow.New(e.Now(), &q.out)
	if refusal != nil {
		e.Desk.Refuse(w, r, f, q.client, refusal)
		return nil, nil, nil
	}
	return f, q.client, nil
}

// unreadable reports whether nothing can be made of a request. A repeated
// parameter is not that: checks say where its refusal goes.
func unreadable(err error) bool {
	_, repeated := oauth.Duplicate(err)
	return err != nil && !repeated
}
