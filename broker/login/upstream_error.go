package login

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"

	"gatehouse/broker"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/internal/httpx"
	"gatehouse/web"
)

// wording is what a person is told about a kind of trouble with an upstream.
// "%s" does not appear: names go into the title.
type wording struct {
	status               int
	title, message, next string
	retry                bool
}

// words has an entry for every connectors.Kind.
var words = map[connectors.Kind]wording{
	connectors.Declined: {http.StatusForbidden, "Sign-in was cancelled", "The sign-in was cancelled, or the provider declined it.",
		"You can try again, choose another way to sign in, or go back to the application.", true},
	connectors.NotAllowed: {http.StatusForbidden, "This account cannot be used here", "You signed in, but accounts like this one are not admitted.",
		"Use your organisation's account. If this is it, ask whoever runs this service to admit it, and give them the reference number.", true},
	connectors.Operator: {http.StatusBadGateway, "The provider is not set up correctly", "The identity provider refused this service, not you.",
		"Trying again will not help. Tell whoever runs this service, and give them the reference number.", false},
	connectors.Transient: {http.StatusServiceUnavailable, "The provider is not answering", "The identity provider cannot be reached, or asks to be left alone for a moment.",
		"Try again in a minute.", true},
	connectors.Interaction: {http.StatusForbidden, "The provider needs your attention", "The identity provider wants to ask you something first.",
		"Try again and answer what it asks.", true},
	connectors.Unmet: {http.StatusForbidden, "A stronger sign-in is needed", "The identity provider did not authenticate you as strongly as the application demands.",
		"Try again with your second factor.", true},
	connectors.Gone: {http.StatusForbidden, "The provider no longer knows this sign-in", "The identity provider has ended it, or the account.",
		"Try again. If it happens again, ask whoever looks after your account there.", true},
	connectors.Broken: {http.StatusBadRequest, "The sign-in could not be verified", "The answer of the identity provider did not pass our checks, so you were not signed in.",
		"Try again. If it happens again, tell whoever runs this service, and give them the reference number.", true},
}

// groupsUnknown is what a person hears whose groups the upstream could not tell,
// while none are known from before (on_group_failure: keep_last). What they may use
// hangs on their groups, so that nobody is signed in.
var groupsUnknown = wording{http.StatusServiceUnavailable, "Your groups could not be read",
	"You signed in, but the identity provider could not tell which groups you are in, and they are not known from before. Nothing was changed.",
	"Try again in a few minutes. If it happens again, give the reference number to whoever runs this service.", true}

// failed ends a visit that brought nobody. The flow goes on without it, so that
// the person may try again or choose another upstream.
func (e *Endpoint) failed(w http.ResponseWriter, r *http.Request, f *flow.Flow, client *broker.Client, via connectors.Description, err error) error {
	ce, classified := errors.AsType[*connectors.Error](err)
	if classified && ce.Kind == connectors.Unmet {
		// The client asked for it and is told (OpenID Connect Core Unmet Authentication
		// Requirements 1.0 §2): it alone knows whether less will do.
		e.Desk.Refuse(w, r, f, client, oauth.Errorf(oauth.UnmetAuthenticationRequirements, "the identity provider did not authenticate the person as was demanded").Because(err))
		return nil
	}
	page := e.upstreamError(f, client, via, err)
	if classified && ce.Kind == connectors.Operator {
		// The operator has to act: this line stands out from refusals of people.
		e.Log.LogAttrs(r.Context(), slog.LevelError, "upstream refuses us", slog.String("request", httpx.About(r.Context()).ID),
			slog.String("connector", via.ID), slog.String("code", ce.Code), slog.String("hint", ce.Hint))
	}
	f.Attempt, f.SignedIn = nil, ""
	if !e.Desk.Park(w, r, f, client) {
		return nil
	}
	return page
}

// upstreamError is the page for trouble with an upstream.
func (e *Endpoint) upstreamError(f *flow.Flow, client *broker.Client, via connectors.Description, err error) error {
	ce, ok := errors.AsType[*connectors.Error](err)
	if !ok {
		ce = &connectors.Error{Kind: connectors.Broken, Err: err}
	}
	said := words[ce.Kind]
	if errors.Is(err, broker.ErrGroupsUnknown) {
		said = groupsUnknown
	}
	page := &flow.PageError{Status: said.status, Connector: via.ID, RetryAfter: ce.RetryAfter, Err: err, Page: web.Error{
		Title: said.title, Next: said.next,
		Message: via.Name + ": " + said.message,
		BackURL: e.declined(f), BackLabel: "Back to " + cmp.Or(client.Name, client.ID),
	}}
	if ce.Code != "" {
		page.Page.Message += " (" + ce.Code + ")"
	}
	if said.retry {
		// An account that is not admitted would be chosen again silently.
		page.Page.RetryURL = e.Desk.ChooserURL("", f, ce.Kind == connectors.NotAllowed)
	}
	return page
}

// declined is the way back to the client with its request answered, for the
// response modes that are a link.
func (e *Endpoint) declined(f *flow.Flow) string {
	if m := f.Request.ResponseMode; m == oauth.ResponseModeFormPost || m == oauth.ResponseModeWebMessage {
		return ""
	}
	return e.Desk.Refusal(f.Request, oauth.Errorf(oauth.AccessDenied, "the person did not sign in")).Location()
}
