package flow

import (
	"cmp"
	"errors"

	"net/http"
	"net/url"
	"strconv"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
	"gatehouse/web"
)

// PageError is an error that a person sees as a page: before the redirect URI
// is validated, and where no client waits for an answer. What is not a PageError
// and not shown otherwise becomes a plain "our fault" page.
type PageError struct {
	Status int
	Page   web.Error
	// Over says that the sign-in has ended: the page is the one that leads back.
	Over bool
	// Client is the one that the page leads back to, if any.
	Client *broker.Client
	// Connector is the upstream the error is about, if any.
	Connector string
	// RetryAfter becomes the header of that name (RFC 9110 §10.2.3).
	RetryAfter time.Duration
	// Err is the cause, for the log only.
	Err error
}

// Error is the cause.
func (e *PageError) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return e.Page.Title
}

// Unwrap returns the cause.
func (e *PageError) Unwrap() error { return e.Err }

// Over ends a flow that cannot go on, on the page that leads back to the client
// if one is known.
func Over(client *broker.Client, err error) *PageError {
	e := &PageError{Status: http.StatusBadRequest, Over: true, Client: client, Err: err}
	if client != nil {
		e.Page.BackURL, e.Page.Title = ClientLink(client), cmp.Or(client.Name, client.ID)
	}
	return e
}

// FromAnotherSite refuses a form that no page of ours has sent. nothing says what has
// not happened, next what the person can do; empty for the page's own words.
func FromAnotherSite(err error, nothing, next string) *PageError {
	return &PageError{Status: http.StatusForbidden, Err: err, Page: web.Error{Title: "This form came from another site", Message: nothing, Next: next}}
}

// BadRequest is a page for a request that cannot be answered at any redirect URI.
func BadRequest(message string, err error) *PageError {
	return &PageError{Status: http.StatusBadRequest, Err: err, Page: web.Error{
		Title:   "This sign-in link does not work",
		Message: message,
		Next:    "Go back to the application and start again. If it happens again, the application is set up wrongly: tell whoever runs it.",
	}}
}

// ClientLink is where a person can begin again with a client: its home page, or
// the host that it is answered at.
func ClientLink(c *broker.Client) string {
	if c.URI != "" {
		return c.URI
	}
	for _, uri := range c.RedirectURIs {
		if origin := originOf(uri); origin != "" {
			return origin + "/"
		}
	}
	return ""
}

// HostOf is the part of a redirect URI that a registration cannot invent and a
// person can judge.
func HostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return uri
	}
	return u.Host
}

// Page is the delivery channel of interactive endpoints: it makes a handler of
// an endpoint, and pages and log lines of its errors, once.
func (d *Desk) Page(endpoint audit.Endpoint, h httpx.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			d.showError(w, r, endpoint, err)
		}
	})
}

func (d *Desk) showError(w http.ResponseWriter, r *http.Request, endpoint audit.Endpoint, err error) {
	page, ok := errors.AsType[*PageError](err)
	if !ok {
		page = asPage(err)
	}
	var code oauth.Code
	if page.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		// A browser that has hung up is nobody's fault.
		code = oauth.ServerError
	}
	d.refusal(r, audit.Refusal{Endpoint: endpoint, Code: code, Connector: page.Connector, Reason: err})
	id := httpx.About(r.Context()).ID
	if page.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((page.RetryAfter+time.Second-1)/time.Second)))
	}
	if page.Over {
		if page.Client != nil {
			page.Page.BackURL = cmp.Or(InitiateURL(page.Client, d.Issuer, ""), page.Page.BackURL)
		}
		d.Pages.Over(w, web.Over{ClientName: page.Page.Title, BackURL: page.Page.BackURL, Reference: id})
		return
	}
	page.Page.Reference = id
	d.Pages.Error(w, page.Status, page.Page)
}

// asPage classifies what an endpoint did not.
func asPage(err error) *PageError {
	if oe, ok := errors.AsType[*oauth.Error](err); ok && oe.Status() < 500 {
		p := BadRequest(oe.Description, err)
		p.Status = oe.Status()
		if oe.RetryAfter > 0 {
			p.RetryAfter = oe.RetryAfter
			p.Page.Title, p.Page.Next = "Too many attempts", "Wait a little, then try again."
		}
		return p
	}
	if errors.Is(err, broker.ErrReadOnly) {
		return &PageError{Status: http.StatusServiceUnavailable, Err: err, Page: web.Error{
			Title:   "Nothing can be recorded at the moment",
			Message: "This service cannot write to its disk. Nothing was changed.",
			Next:    "Try again later, and give the reference number to whoever runs this service.",
		}}
	}
	return &PageError{Status: http.StatusInternalServerError, Err: err, Page: web.Error{
		Title:   "Something went wrong on our side",
		Message: "The request could not be completed. Nothing was changed.",
		Next:    "Try again in a moment. If it happens again, give the reference number to whoever runs this service.",
	}}
}
