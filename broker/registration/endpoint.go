package registration

import (
	"context"
	"errors"
	"net/http"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
)

// Endpoint serves /register.
type Endpoint struct {
	Issuer        string
	Policy        Policy
	Registrations broker.Registrations
	// Taken reports whether the configuration has a client of that ID.
	Taken func(id string) bool
	// Fetch reads a sector_identifier_uri; outbound.Client's.
	Fetch func(ctx context.Context, address string, types ...string) ([]byte, error)
	Audit *audit.Recorder
	// PerAddress bounds all requests, PerToken the registrations with one initial access
	// token.
	PerAddress *httpx.Limiter
	PerToken   *httpx.Limiter
	Now        func() time.Time
}

// Mount adds the endpoint's routes. Other methods are answered 405 with those there
// are (RFC 7592 §2).
func (e *Endpoint) Mount(mux *http.ServeMux) {
	mux.HandleFunc("POST /register", e.serve(e.register))
	mux.HandleFunc("GET /register/{client_id}", e.serve(e.read))
	mux.HandleFunc("PUT /register/{client_id}", e.serve(e.update))
	mux.HandleFunc("DELETE /register/{client_id}", e.serve(e.unregister))
}

// visit is a request on its way.
type visit struct {
	w   http.ResponseWriter
	r   *http.Request
	now time.Time
	// token is the bearer token, presented whether there is an Authorization header.
	token     string
	presented bool
	// event has what is known about the request, for a commit to complete.
	event broker.Event
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// serve does what all routes share: limits, reading the token, refusing.
func (e *Endpoint) serve(answer func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		about := httpx.About(r.Context())
		v := &visit{w: w, r: r, now: e.Now()}
		v.event = broker.Event{At: v.now, RequestID: about.ID, Address: about.Address.String(), ClientID: r.PathValue("client_id")}
		err := e.admit(v)
		if err == nil {
			err = answer(v)
		}
		if err != nil {
			e.refuse(v, err)
		}
	}
}

func (e *Endpoint) admit(v *visit) error {
	if wait, ok := e.PerAddress.Allow(httpx.LimitKey(httpx.About(v.ctx()).Address)); !ok {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests from this address").WithRetryAfter(wait)
	}
	if oauth.SecretsInQuery(v.r.URL.RawQuery) { // it is in somebody's log by now
		return oauth.Errorf(oauth.InvalidRequest, "credentials and tokens must not be in the URL")
	}
	// An Authorization header that is there has to be good, also where none is needed:
	// whoever sends one means it.
	v.presented = len(v.r.Header.Values("Authorization")) > 0
	token, _, err := oauth.BearerToken(v.r)
	if err != nil {
		return unauthorized(err)
	}
	v.token = token
	return nil
}

// errToken: a token is missing, malformed, expired, used up or not for this; nobody is
// told which.
var errToken = errors.New("registration: no good token")

// unauthorized is the answer to every token that does not do, and to none (RFC 6750
// §3.1, RFC 7592 §2.1): whether there is such a client, or such a token, is not told.
func unauthorized(cause error) error {
	return oauth.Errorf(oauth.InvalidToken, "the access token is missing or not valid").Because(errors.Join(errToken, cause))
}

// refuse answers with the JSON of RFC 7591 §3.2.2, and 401 with a challenge (RFC 6750
// §3), which holds no error for a request without a token.
func (e *Endpoint) refuse(v *visit, err error) {
	e.Audit.Refused(v.ctx(), audit.Refusal{Endpoint: audit.Registration, Code: audit.CodeOf(v.ctx(), err), Reason: err,
		RequestID: v.event.RequestID, Address: v.event.Address, ClientID: v.event.ClientID})
	refused := oauth.From(err)
	if refused.Code == oauth.InvalidToken {
		told := refused
		if !v.presented {
			told = nil
		}
		refused = refused.WithChallenge(oauth.BearerChallenge(told, e.Issuer))
	}
	oauth.WriteJSON(v.w, refused)
}

// fault is for a store that could not do what it was asked to.
func fault(err error) error {
	return oauth.Errorf(oauth.ServerError, "the registration could not be stored or read").Because(err)
}
