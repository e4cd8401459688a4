package clientauth

import (
	"log/slog"
	"net/http"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
)

// Reception is what every endpoint that clients call directly does first, and how
// it refuses.
type Reception struct {
	Endpoint audit.Endpoint
	Callers  *Authenticator
	Audit    *audit.Recorder
	// PerAddress and PerClient bound how often one may ask.
	PerAddress *httpx.Limiter
	PerClient  *httpx.Limiter
	// MaxForm bounds the form in bytes. Loggable are its parameters that are no secret,
	// whatever a client puts where.
	MaxForm  int64
	Loggable []string
	Log      *slog.Logger
	Now      func() time.Time
}

// At is the reception of one endpoint: its name, its bound and its allow-list, with
// everything else in common, the limits too.
func (c *Reception) At(endpoint audit.Endpoint, maxForm int64, loggable ...string) *Reception {
	at := *c
	at.Endpoint, at.MaxForm, at.Loggable = endpoint, maxForm, loggable
	return &at
}

// Visit is a request that has been admitted, as far as that went.
type Visit struct {
	Caller
	Form oauth.Params
	Now  time.Time
	// Event has what is known about the request, for a commit to complete.
	Event broker.Event
}

// Admit reads the form and authenticates the client. What it answers beside an
// error is for [Reception.Refuse].
func (c *Reception) Admit(w http.ResponseWriter, r *http.Request) (Visit, error) {
	about := httpx.About(r.Context())
	v := Visit{Now: c.Now()}
	v.Event = broker.Event{At: v.Now, RequestID: about.ID, Address: about.Address.String()}
	if wait, ok := c.PerAddress.Allow(httpx.LimitKey(about.Address)); !ok {
		return v, oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests from this address").WithRetryAfter(wait)
	}
	// RFC 6749 §2.3.1, §3.2: parameters come in the body alone. Something secret in
	// the URL has already been written to somebody's log; accepting it would teach
	// clients to go on.
	if oauth.SecretsInQuery(r.URL.RawQuery) {
		return v, oauth.Errorf(oauth.InvalidRequest, "credentials and tokens must not be in the URL")
	}
	form, err := oauth.ParseForm(w, r, c.MaxForm)
	if err != nil {
		return v, err
	}
	v.Form = form
	c.Log.LogAttrs(r.Context(), slog.LevelDebug, "a client asks",
		slog.String("endpoint", string(c.Endpoint)), slog.String("request", about.ID), slog.Any("params", form.Loggable(c.Loggable...)))
	if v.Caller, err = c.Callers.Authenticate(r, form); err != nil {
		return v, err
	}
	v.Event.ClientID = v.Client.ID
	if wait, ok := c.PerClient.Allow(v.Client.ID); !ok {
		return v, oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests of this client").WithRetryAfter(wait)
	}
	return v, nil
}

// UsedBefore is the refusal of a client whose assertion the store has seen (RFC 7523
// §3); err is [broker.ErrOnceUsed].
func UsedBefore(err error) error {
	return oauth.Errorf(oauth.InvalidClient, "the client assertion was used before").Because(err)
}

// Refuse records the refusal and answers with the RFC's JSON.
func (c *Reception) Refuse(w http.ResponseWriter, r *http.Request, v Visit, err error) {
	c.Audit.Refused(r.Context(), audit.Refusal{Endpoint: c.Endpoint, Code: audit.CodeOf(r.Context(), err), Reason: err,
		RequestID: v.Event.RequestID, Address: v.Event.Address, ClientID: v.Event.ClientID})
	oauth.WriteJSON(w, err)
}
