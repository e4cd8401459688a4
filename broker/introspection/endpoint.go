package introspection

import (
	"log/slog"
	"net/http"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/internal/httpx"
)

// maxForm has room for one token and an assertion.
const maxForm = 64 << 10

// Endpoint serves /introspect and /revoke.
type Endpoint struct {
	Issuer    string
	Callers   *clientauth.Authenticator
	Tokens    *Tokens
	Resources policy.Resources
	Audit     *audit.Recorder
	// PerAddress and PerClient bound how often one may ask.
	PerAddress *httpx.Limiter
	PerClient  *httpx.Limiter
	Log        *slog.Logger
	Now        func() time.Time
}

// Mount adds the endpoint's routes.
func (e *Endpoint) Mount(mux *http.ServeMux) {
	mux.HandleFunc("POST /introspect", func(w http.ResponseWriter, r *http.Request) { e.serve(w, r, audit.Introspection, e.introspect) })
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, r *http.Request) { e.serve(w, r, audit.Revocation, e.revoke) })
}

// loggable are the parameters that are no secret.
func loggable() []string { return []string{"client_id", "token_type_hint"} }

// question is a request that has been through what both endpoints share.
type question struct {
	caller clientauth.Caller
	form   oauth.Params
	now    time.Time
	event  broker.Event
}

func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request, name audit.Endpoint, answer func(http.ResponseWriter, *http.Request, *question) error) {
	q, err := e.admit(w, r)
	if err == nil {
		err = answer(w, r, q)
	}
	if err == nil {
		return
	}
	code := oauth.From(err).Code
	if code == oauth.ServerError && r.Context().Err() != nil {
		code = "" // a caller that has hung up is nobody's fault
	}
	e.Audit.Refused(r.Context(), audit.Refusal{Endpoint: name, Code: code, Reason: err,
		RequestID: q.event.RequestID, Address: q.event.Address, ClientID: q.event.ClientID})
	oauth.WriteJSON(w, err)
}

// admit reads the form and authenticates the caller. q is never nil.
func (e *Endpoint) admit(w http.ResponseWriter, r *http.Request) (q *question, err error) {
	about := httpx.About(r.Context())
	q = &question{now: e.Now()}
	q.event = broker.Event{At: q.now, RequestID: about.ID, Address: about.Address.String()}
	if wait, ok := e.PerAddress.Allow(httpx.LimitKey(about.Address)); !ok {
		return q, oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests from this address").WithRetryAfter(wait)
	}
	if oauth.SecretsInQuery(r.URL.RawQuery) {
		return q, oauth.Errorf(oauth.InvalidRequest, "credentials and tokens must not be in the URL")
	}
	if q.form, err = oauth.ParseForm(w, r, maxForm); err != nil {
		return q, err
	}
	e.Log.LogAttrs(r.Context(), slog.LevelDebug, "a token is asked about",
		slog.String("request", about.ID), slog.Any("params", q.form.Loggable(loggable()...)))
	if q.caller, err = e.Callers.Authenticate(r, q.form); err != nil {
		return q, err
	}
	q.event.ClientID = q.caller.Client.ID
	if wait, ok := e.PerClient.Allow(q.caller.Client.ID); !ok {
		return q, oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests of this client").WithRetryAfter(wait)
	}
	if !q.form.Has("token") {
		return q, oauth.Errorf(oauth.InvalidRequest, "token is missing")
	}
	return q, nil
}
