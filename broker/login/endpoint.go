package login

import (
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"net/http"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/internal/httpx"
)

// Endpoint serves /login and /callback.
type Endpoint struct {
	Desk    *flow.Desk
	Clients broker.Clients
	States  *flow.States
	// Connectors by ID.
	Connectors map[string]connectors.Connector
	// Keep makes of what an upstream handed out what is kept to ask it again: nil where
	// it is not asked. A nil Keep keeps nothing.
	Keep func(who broker.Identity, u connectors.Upstream) (*broker.NewCredential, error)
	// PerAddress bounds requests of one address, PerPerson sign-ins of one upstream
	// identity.
	PerAddress *httpx.Limiter
	PerPerson  *httpx.Limiter
	Log        *slog.Logger
	Now        func() time.Time
}

// Mount adds the endpoint's routes.
func (e *Endpoint) Mount(mux *http.ServeMux) {
	mux.Handle("GET /login", httpx.Interactive(e.Desk.Page(audit.Login, e.choose)))
	mux.Handle("GET /login/{connector}", httpx.Interactive(e.Desk.Page(audit.Login, e.start)))
	mux.Handle("GET /callback/{connector}", httpx.Interactive(e.Desk.Page(audit.Callback, e.callback)))
}

// start goes to the upstream the person has chosen.
func (e *Endpoint) start(w http.ResponseWriter, r *http.Request) error {
	f, client, step, err := e.resume(r)
	if err != nil {
		return err
	}
	if step.Action != flow.SignIn {
		e.Desk.Refuse(w, r, f, client, step.Err)
		return nil
	}
	chosen, ok := pick(e.entries(step.Connectors), r.PathValue("connector"), r.URL.Query().Get("choice"))
	if !ok {
		return flow.BadRequest("This identity provider cannot be used for this application.", errNotOffered)
	}
	return e.visit(w, r, f, client, step, chosen)
}

// admit counts a request against the limit of its address.
func (e *Endpoint) admit(r *http.Request) error {
	if wait, ok := e.PerAddress.Allow(httpx.LimitKey(httpx.About(r.Context()).Address)); !ok {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "too many sign-ins from your address").WithRetryAfter(wait)
	}
	return nil
}

// resume finds the flow a page of ours belongs to.
func (e *Endpoint) resume(r *http.Request) (*flow.Flow, *broker.Client, flow.Step, error) {
	if err := e.admit(r); err != nil {
		return nil, nil, flow.Step{}, err
	}
	f, err := e.Desk.Jar.Take(r, r.URL.Query().Get("flow"))
	if err != nil {
		return nil, nil, flow.Step{}, flow.Over(nil, err)
	}
	client, err := e.Desk.Client(r.Context(), f)
	if err != nil {
		return nil, nil, flow.Step{}, err
	}
	situation, err := e.Desk.Situation(r, f, client)
	if err != nil {
		return nil, nil, flow.Step{}, err
	}
	return f, client, flow.Offer(situation, flow.AnotherAccount(r)), nil
}

// visit makes what is fresh for each visit, remembers it in the browser and
// sends the person to the upstream.
func (e *Endpoint) visit(w http.ResponseWriter, r *http.Request, f *flow.Flow, client *broker.Client, s flow.Step, to entry) error {
	id := to.via.ID
	connector, ok := e.Connectors[id]
	if !ok {
		return flow.BadRequest("This identity provider cannot be used for this application.", errNotOffered)
	}
	f.SignedIn = ""
	f.Attempt = &flow.Attempt{Connector: id, Choice: to.choice.Key, Nonce: random(), CodeVerifier: oauth.NewVerifier(),
		Forced: s.Force, Previous: e.previous(r, client, id)}
	address, err := connector.AuthorizationURL(r.Context(), e.login(f, client, s.SelectAccount))
	if err != nil {
		return e.failed(w, r, f, client, connector.Describe(), err)
	}
	if !e.Desk.Park(w, r, f, client) {
		return nil
	}
	flow.Redirect(w, address)
	return nil
}

// login is the visit as the connector sees it.
func (e *Endpoint) login(f *flow.Flow, client *broker.Client, selectAccount bool) connectors.Login {
	a, q := f.Attempt, f.Request
	return connectors.Login{
		State:        e.States.Seal(flow.UpstreamState{Flow: f.ID, Connector: a.Connector, Nonce: a.Nonce, ClientID: client.ID}),
		Nonce:        a.Nonce,
		CodeVerifier: a.CodeVerifier,
		RedirectURI:  e.Desk.Issuer + "/callback/" + a.Connector,
		LoginHint:    e.hint(f), ForceLogin: a.Forced, SelectAccount: selectAccount,
		HasMaxAge: q.HasMaxAge, MaxAge: q.MaxAge, ACRValues: q.ACRValues, UILocales: q.UILocales, Choice: a.Choice,
	}
}

// hint is whom the upstream is told to expect: the address that was typed, where it
// is one of theirs, else whom the client named. An address is nothing to tell to
// providers that its owner did not mean.
func (e *Endpoint) hint(f *flow.Flow) string {
	if d, ok := e.Desk.Upstream(f.Attempt.Connector); ok && belongs(d, f.Address) {
		return f.Address
	}
	return f.Request.LoginHint
}

// previous is the auth_time this browser has at the connector, which a fresh
// authentication must exceed; zero when it has none.
func (e *Endpoint) previous(r *http.Request, client *broker.Client, id string) int64 {
	ref := e.Desk.Cookies.Ref(r)
	if ref.IsZero() {
		return 0
	}
	state, err := e.Desk.Sessions.Session(r.Context(), ref, client.ID, id, e.Now())
	if err != nil || state.Session == nil {
		return 0
	}
	if in := state.Session.SignIn(id); in != nil {
		return in.AuthTime.Unix()
	}
	return 0
}

// random returns 128 bits for a nonce.
func random() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
