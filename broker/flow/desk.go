package flow

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/connectors"
	"gatehouse/internal/httpx"
	"gatehouse/session"
	"gatehouse/web"
)

// Desk is where every step hands its flow back. It belongs to one loaded
// configuration and is safe for concurrent use.
type Desk struct {
	Issuer   string
	Clients  broker.Clients
	Logins   broker.Logins
	Sessions broker.Sessions
	Cookies  *session.Cookies
	Jar      *Jar
	Pages    *web.Pages
	Audit    *audit.Recorder
	Log      *slog.Logger
	Now      func() time.Time
	// Upstreams are the configured connectors, in order.
	Upstreams []connectors.Description
	Lifetimes broker.Lifetimes
	// Subjects tells by which sub a client knows an account.
	Subjects policy.Subjects
	// Outlives is how long what is bound to a session may live after its end: the
	// longest token of any client.
	Outlives time.Duration
	// PerAccount bounds what is issued to somebody who is signed in already: an
	// application that redirects in a circle.
	PerAccount *httpx.Limiter
	// NewCode makes an authorization code and the key it is stored under.
	NewCode func(grantID string) (string, broker.ExpiringKey, error)
	// FrontChannel makes the parameters of the response types other than code:
	// package authorize's.
	FrontChannel func(context.Context, Issued) ([]oauth.Field, error)
	// Used is told of each client that somebody has signed in to; nil tells nobody.
	Used func(ctx context.Context, client *broker.Client)
	// NewAccountID makes a random account identifier.
	NewAccountID func() string
	// SignIn sends a person to one of the connectors of the step: package login's.
	SignIn func(w http.ResponseWriter, r *http.Request, f *Flow, client *broker.Client, s Step) error
}

// Continue decides about a flow and does what was decided.
func (d *Desk) Continue(w http.ResponseWriter, r *http.Request, f *Flow) error {
	client, err := d.Client(r.Context(), f)
	if err != nil {
		return err
	}
	situation, err := d.Situation(r, f, client)
	if err != nil {
		return err
	}
	return d.Act(w, r, situation, Next(situation))
}

// Client finds the flow's client again: it may have gone meanwhile.
func (d *Desk) Client(ctx context.Context, f *Flow) (*broker.Client, error) {
	client, err := d.Clients.Client(ctx, f.Request.ClientID)
	if errors.Is(err, broker.ErrNotFound) {
		return nil, Over(nil, err)
	}
	return client, err
}

// Act carries out a step outside of any transaction. Answering runs the decision
// again, within the commit.
func (d *Desk) Act(w http.ResponseWriter, r *http.Request, s Situation, step Step) error {
	switch step.Action {
	case SignIn:
		return d.SignIn(w, r, s.Flow, s.Client, step)
	case AskConsent, ConfirmDevice:
		return d.ask(w, r, s.Flow, s.Client)
	case Issue:
		return d.Authorize(w, r, s)
	}
	d.Refuse(w, r, s.Flow, s.Client, step.Err)
	return nil
}

// ask parks the flow in the browser and shows the page that its person decides on.
func (d *Desk) ask(w http.ResponseWriter, r *http.Request, f *Flow, client *broker.Client) error {
	if d.Park(w, r, f, client) {
		Redirect(w, d.DecisionURL(f))
	}
	return nil
}

// DecisionURL is the page on which the person of a flow says yes or no.
func (d *Desk) DecisionURL(f *Flow) string {
	page := "/consent"
	if f.Kind == ForDevice {
		page = "/device/confirm"
	}
	return d.Issuer + page + "?flow=" + url.QueryEscape(f.ID)
}

// Park keeps the flow in the browser until its next request. It reports false for
// a request that does not fit there; the client has then been answered.
func (d *Desk) Park(w http.ResponseWriter, r *http.Request, f *Flow, client *broker.Client) bool {
	if err := d.Jar.Put(w, r, f); err != nil {
		d.Refuse(w, r, f, client, oauth.Errorf(oauth.InvalidRequest, "the request is too large").Because(err))
		return false
	}
	return true
}

// Refuse answers the client with an error and ends the flow. For a device it is the
// person who is answered.
func (d *Desk) Refuse(w http.ResponseWriter, r *http.Request, f *Flow, client *broker.Client, err *oauth.Error) {
	if f.Kind == ForDevice {
		d.refuseDevice(w, r, f, client, err)
		return
	}
	d.refusal(r, audit.Refusal{Endpoint: audit.Authorize, Code: err.Code, ClientID: client.ID, Connector: f.SignedIn, Reason: err})
	d.Jar.Drop(w, f)
	d.Send(w, client, d.Refusal(f.Request, err))
}

// refusal records a refusal with what is known about the request.
func (d *Desk) refusal(r *http.Request, f audit.Refusal) {
	about := httpx.About(r.Context())
	f.RequestID, f.Address = about.ID, about.Address.String()
	d.Audit.Refused(r.Context(), f)
}

// Upstream returns the connector's description.
func (d *Desk) Upstream(id string) (connectors.Description, bool) {
	for _, u := range d.Upstreams {
		if u.ID == id {
			return u, true
		}
	}
	return connectors.Description{}, false
}

// Situation reads what Next needs to know of the browser's session: of its
// sign-ins through connectors the client admits, the latest.
func (d *Desk) Situation(r *http.Request, f *Flow, client *broker.Client) (Situation, error) {
	s := Situation{Flow: f, Client: client, Upstreams: d.Upstreams, Subjects: d.Subjects, State: broker.State{Now: d.Now()}}
	ref := d.Cookies.Ref(r)
	if ref.IsZero() {
		return s, nil
	}
	state, err := d.Sessions.Session(r.Context(), ref, client.ID, f.SignedIn, s.State.Now)
	if err != nil {
		return s, absent(err)
	}
	want := s.choose(state.Session)
	if want == "" {
		return s, nil
	}
	if state.Identity == nil || state.Identity.Key.Connector != want {
		if state, err = d.Sessions.Session(r.Context(), ref, client.ID, want, s.State.Now); err != nil {
			return s, absent(err)
		}
	}
	s.State, s.Connector = state, want
	return s, nil
}

// ChooserURL is the page where a person chooses an upstream for the flow, or with
// below="/ID" the way to one; with another, the upstream asks for which account.
func (d *Desk) ChooserURL(below string, f *Flow, another bool) string {
	to := d.Issuer + "/login" + below + "?flow=" + url.QueryEscape(f.ID)
	if another {
		to += "&account=other"
	}
	return to
}

// ChooserFields are the parameters of ChooserURL, for a form that leads there.
func (d *Desk) ChooserFields(f *Flow, another bool) []web.Field {
	fields := []web.Field{{Name: "flow", Value: f.ID}}
	if another {
		fields = append(fields, web.Field{Name: "account", Value: "other"})
	}
	return fields
}

// AnotherAccount reports whether a URL made by ChooserURL asks for another account.
func AnotherAccount(r *http.Request) bool { return r.URL.Query().Get("account") == "other" }

// absent makes "no session" no error.
func absent(err error) error {
	if errors.Is(err, broker.ErrNotFound) {
		return nil
	}
	return err
}

// choose picks the sign-in that counts for the client: one through a connector
// the client does not admit does not (single sign-on is not transitive); one that
// is as strong as is demanded counts before one that is not, then the latest.
func (s Situation) choose(session *broker.Session) string {
	var best *broker.SignIn
	usable, bestMet := s.usable(), false
	demanded := s.demanded(usable)
	for _, d := range usable {
		in := session.SignIn(d.ID)
		if in == nil {
			continue
		}
		if d.ID == s.Flow.SignedIn {
			return d.ID
		}
		if _, met := reported(d, in.ACR, demanded); better(in, best, met, bestMet) {
			best, bestMet = in, met
		}
	}
	if best == nil {
		return ""
	}
	return best.Connector
}

// Event begins an audit record for a request.
func (d *Desk) Event(r *http.Request, t broker.EventType) broker.Event {
	about := httpx.About(r.Context())
	return broker.Event{Type: t, At: d.Now(), RequestID: about.ID, Address: about.Address.String()}
}

// originOf returns scheme and host of an http URI, or nothing.
func originOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || !slices.Contains([]string{"https", "http"}, u.Scheme) {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Redirect is 303, so that the body of a POST is never repeated to where it leads
// (RFC 9700 §4.12).
func Redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
}
