package login

import (
	"cmp"
	"errors"
	"net/http"

	"gatehouse/broker"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/web"
)

// maxHint is what of a login_hint is passed on here: room for any e-mail address.
const maxHint = 512

// initiate begins a sign-in for an application without one of its requests: from a
// bookmark, a portal, a page that has lost its flow. The application is asked to
// send its own request (OpenID Connect Core §4); one that cannot be asked is linked
// to. Where to is never taken from the URL.
func (e *Endpoint) initiate(w http.ResponseWriter, r *http.Request) error {
	if err := e.admit(r); err != nil {
		return err
	}
	params, err := oauth.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return flow.BadRequest("The link cannot be read.", err)
	}
	client, err := e.Clients.Client(r.Context(), params.Get("client_id"))
	if errors.Is(err, broker.ErrNotFound) {
		return flow.BadRequest("No application is registered here under this client_id.", err)
	}
	if err != nil {
		return err
	}
	hint := params.Get("login_hint")
	if len(hint) > maxHint {
		hint = ""
	}
	if to := flow.InitiateURL(client, e.Desk.Issuer, hint); to != "" {
		flow.Redirect(w, to)
		return nil
	}
	name := cmp.Or(client.Name, client.ID)
	e.Desk.Pages.Message(w, http.StatusOK, web.Message{
		Title: "Sign in at " + name, Message: "This application begins sign-ins itself.",
		LinkURL: flow.ClientLink(client), LinkLabel: "Go to " + name,
	})
	return nil
}
