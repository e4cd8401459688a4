// Package logout ends sessions at a client's wish (OpenID Connect RP-Initiated
// Logout 1.0):
//
//	GET  /logout   end_session_endpoint
//	POST /logout   the same, and the answer to the confirmation page
//
// A request that proves with an ID token of ours that it comes from a client the
// person signed in to ends that session at once. Any other is confirmed by the
// person first: a link must not sign anybody out (§6). Nobody is redirected
// anywhere but to a URI registered for the client, byte for byte.
//
// Signing out ends the session and the grants bound to it; offline grants live
// on (Back-Channel Logout §2.7).
package logout

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/internal/httpx"
	"gatehouse/web"
)

// maxForm leaves a posted request short enough to become the query of a GET.
const maxForm = 16 << 10

// Hint is what an id_token_hint says.
type Hint struct{ Subject, ClientID, SessionID string }

// Endpoint serves /logout.
type Endpoint struct {
	Desk     *flow.Desk
	Clients  broker.Clients
	Sessions broker.Sessions
	// ReadHint verifies an ID token of ours, expired or not.
	ReadHint func(ctx context.Context, raw string) (Hint, error)
	// Protect refuses cross-origin posts of the confirmation.
	Protect *http.CrossOriginProtection
	Now     func() time.Time
}

// request is a logout request after its checks.
type request struct {
	client *broker.Client
	hint   *Hint
	// target is the registered URI to return to; empty for none.
	target, state string
	// confirmed is the session that the person has agreed to end.
	confirmed string
}

// Mount adds the endpoint's routes.
func (e *Endpoint) Mount(mux *http.ServeMux) {
	mux.Handle("GET /logout", httpx.Interactive(e.Desk.Page(audit.Logout, e.get)))
	mux.Handle("POST /logout", e.Desk.Page(audit.Logout, e.post))
}

func (e *Endpoint) get(w http.ResponseWriter, r *http.Request) error {
	params, err := oauth.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return flow.BadRequest("The request to sign out cannot be read.", err)
	}
	q, err := e.check(r.Context(), params)
	if err != nil {
		return err
	}
	return e.serve(w, r, q)
}

// post takes the answer to our confirmation page, which must come from ourselves.
// The parameters of §2 in a client's form are answered with the GET of the same:
// the cookies of a session are Lax and absent from a cross-site POST, and without
// them we would take the browser for signed out and remove the cookie unasked.
func (e *Endpoint) post(w http.ResponseWriter, r *http.Request) error {
	params, err := oauth.ParseForm(w, r, maxForm)
	if err != nil {
		return flow.BadRequest("The request to sign out cannot be read.", err)
	}
	decision := params.Get("decision")
	if decision != "stay" && decision != "sign_out" {
		flow.Redirect(w, e.Desk.Issuer+"/logout?"+params.Encode())
		return nil
	}
	q, err := e.check(r.Context(), params)
	if err != nil {
		return err
	}
	if decision == "stay" {
		e.Desk.Pages.Message(w, http.StatusOK, web.Message{Title: "You are still signed in", Message: "Nothing was changed."})
		return nil
	}
	if err := e.Protect.Check(r); err != nil {
		return flow.FromAnotherSite(err, "Nobody was signed out.", "")
	}
	q.confirmed = params.Get("session")
	return e.serve(w, r, q)
}

// check reads a request. A hint that is not ours, or another client's, and a URI
// that is not registered are errors: nobody is redirected for them (§2, §3).
func (e *Endpoint) check(ctx context.Context, params oauth.Params) (request, error) {
	var q request
	id := params.Get("client_id")
	if raw := params.Get("id_token_hint"); raw != "" {
		hint, err := e.ReadHint(ctx, raw)
		if err != nil || id != "" && id != hint.ClientID {
			return q, flow.BadRequest("The application did not prove who asks to sign out (id_token_hint).", errors.Join(err, errHint))
		}
		q.hint, id = &hint, hint.ClientID
	}
	if id != "" {
		client, err := e.Clients.Client(ctx, id)
		if errors.Is(err, broker.ErrNotFound) {
			return q, flow.BadRequest("No application is registered here under this client_id.", err)
		}
		if err != nil {
			return q, err
		}
		q.client = client
	}
	q.state = params.Get("state")
	if err := oauth.ValidateState(q.state); err != nil {
		return q, flow.BadRequest("The request to sign out cannot be read.", err)
	}
	target := params.Get("post_logout_redirect_uri")
	if target == "" {
		return q, nil
	}
	if q.client == nil || !slices.Contains(q.client.PostLogout, target) {
		return q, flow.BadRequest("The address to return to is not registered for this application (post_logout_redirect_uri).", errTarget)
	}
	q.target = target
	return q, nil
}

var (
	errHint   = errors.New("id_token_hint is not an ID token of ours for this client")
	errTarget = errors.New("post_logout_redirect_uri is not registered")
)

func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request, q request) error {
	ref := e.Desk.Cookies.Ref(r)
	var state broker.State
	if !ref.IsZero() {
		var err error
		state, err = e.Sessions.Session(r.Context(), ref, "", "", e.Now())
		if err != nil && !errors.Is(err, broker.ErrNotFound) {
			return err
		}
	}
	if state.Session == nil {
		return e.done(w, r, q, nil)
	}
	if q.confirmed != state.Session.ID && !q.names(state.Session, e.Desk.Subjects) {
		e.confirm(w, q, state)
		return nil
	}
	about := httpx.About(r.Context())
	event := broker.Event{Type: broker.EventSignedOut, At: e.Now(), RequestID: about.ID, Address: about.Address.String()}
	if q.client != nil {
		event.ClientID = q.client.ID
	}
	ended, err := e.Sessions.EndSession(r.Context(), state.Session.ID, event)
	if err != nil && !errors.Is(err, broker.ErrNotFound) {
		return err
	}
	if err == nil {
		event.SessionID, event.AccountID = ended.ID, ended.AccountID
		e.Desk.Audit.Committed(r.Context(), event)
	}
	return e.done(w, r, q, &ended)
}

// names reports whether the hint is about this browser's session, by the names that
// its client has for session and person (Core §8): then the client has shown that it was signed in to within it.
func (q request) names(s *broker.Session, by policy.Subjects) bool {
	return q.hint != nil && q.hint.SessionID == by.Session(q.client, s.ID) && q.hint.Subject == by.Of(q.client, s.AccountID)
}

// confirm asks the person. The form repeats what the request said, and names the
// session it was rendered for: nobody else is signed out by it.
func (e *Endpoint) confirm(w http.ResponseWriter, q request, state broker.State) {
	page := web.LogoutConfirm{Action: e.Desk.Issuer + "/logout"}
	if state.Identity != nil {
		p := state.Identity.Profile
		page.AccountName, page.AccountEmail = cmp.Or(p.Name, p.PreferredUsername, p.Email), p.Email
	}
	add := func(name, value string) {
		if value != "" {
			page.Fields = append(page.Fields, web.Field{Name: name, Value: value})
		}
	}
	if q.client != nil {
		page.ClientName = cmp.Or(q.client.Name, q.client.ID)
		add("client_id", q.client.ID)
	}
	add("post_logout_redirect_uri", q.target)
	add("state", q.state)
	add("session", state.Session.ID)
	e.Desk.Pages.LogoutConfirm(w, page)
}

// done removes the cookie and returns to the client, with state and nothing
// else, or says that it is done, and that the upstreams' own sessions live on.
func (e *Endpoint) done(w http.ResponseWriter, r *http.Request, q request, ended *broker.Session) error {
	if err := e.Desk.Cookies.Clear(w, r); err != nil {
		return err
	}
	if q.target == "" {
		page := web.SignedOut{}
		if q.client != nil {
			page.ClientName, page.BackURL = cmp.Or(q.client.Name, q.client.ID), flow.ClientLink(q.client)
		}
		if ended != nil {
			for _, in := range ended.SignIns {
				if d, ok := e.Desk.Upstream(in.Connector); ok {
					page.StillSignedInAt = append(page.StillSignedInAt, d.Name)
				}
			}
		}
		e.Desk.Pages.SignedOut(w, page)
		return nil
	}
	location := q.target
	if q.state != "" {
		location = oauth.AppendQuery(q.target, oauth.Field{Name: "state", Value: q.state})
	}
	flow.Redirect(w, location)
	return nil
}
