// Package consent asks people whether an application may know what it asks for
// (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.4):
//
//	GET  /consent?flow=ID   the page
//	POST /consent           the answer
//
// The form names the account it was rendered for: an answer given while somebody
// else is signed in counts for nobody. Cross-origin posts are refused, an answer
// counts once, and "no" ends the flow. What was agreed to is remembered in the
// commit that issues the code.
package consent

import (
	"cmp"
	"errors"
	"net/http"

	"gatehouse/broker/audit"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/internal/httpx"
	"gatehouse/web"
)

const maxForm = 8 << 10

// Endpoint serves /consent.
type Endpoint struct {
	Desk *flow.Desk
	// Protect refuses cross-origin posts.
	Protect *http.CrossOriginProtection
}

var (
	errOtherAccount = errors.New("consent form was rendered for another account")
	errDecision     = errors.New("consent form has no decision")
)

// Mount adds the endpoint's routes.
func (e *Endpoint) Mount(mux *http.ServeMux) {
	mux.Handle("GET /consent", httpx.Interactive(e.Desk.Page(audit.Consent, e.ask)))
	mux.Handle("POST /consent", e.Desk.Page(audit.Consent, e.answer))
}

// ask shows the page, if consent is still what is missing.
func (e *Endpoint) ask(w http.ResponseWriter, r *http.Request) error {
	s, err := e.situation(r, r.URL.Query().Get("flow"))
	if err != nil {
		return err
	}
	step := flow.Next(s)
	if step.Action != flow.AskConsent {
		return e.Desk.Act(w, r, s, step)
	}
	e.Desk.Pages.Consent(w, e.page(s))
	return nil
}

func (e *Endpoint) page(s flow.Situation) web.Consent {
	profile, client := s.State.Identity.Profile, s.Client
	upstream, _ := e.Desk.Upstream(s.Connector)
	page := web.Consent{
		Action: e.Desk.Issuer + "/consent", Flow: s.Flow.ID,
		Fields:     []web.Field{{Name: "account", Value: s.State.Account.ID}},
		ClientName: cmp.Or(client.Name, client.ID), ClientHost: flow.HostOf(s.Flow.Request.RedirectURI),
		LogoURL: e.Desk.LogoURL(client), SelfRegistered: client.Registered,
		ClientURI: client.URI, PolicyURI: client.PolicyURI, TermsURI: client.TermsURI,
		AccountName: cmp.Or(profile.Name, profile.PreferredUsername, profile.Email), AccountEmail: profile.Email,
		ConnectorName: upstream.Name,
		SwitchURL:     e.Desk.ChooserURL("", s.Flow, true),
	}
	for _, scope := range s.Flow.Request.Scopes {
		page.Scopes = append(page.Scopes, web.ScopeLine{Scope: scope})
	}
	for _, claim := range policy.ClaimsBeyond(s.Flow.Request.Scopes, s.Flow.Request.Claims) {
		page.Scopes = append(page.Scopes, web.ScopeLine{Sentence: web.ClaimSentence(claim)})
	}
	return page
}

// answer takes the decision.
func (e *Endpoint) answer(w http.ResponseWriter, r *http.Request) error {
	if err := e.Protect.Check(r); err != nil {
		return flow.FromAnotherSite(err, "Nothing was allowed.", "")
	}
	form, err := oauth.ParseForm(w, r, maxForm)
	if err != nil {
		return flow.BadRequest("The form cannot be read.", err)
	}
	s, err := e.situation(r, form.Get("flow"))
	if err != nil {
		return err
	}
	switch form.Get("decision") {
	case "deny":
		if s.Flow.Kind != flow.ForClient {
			return e.Desk.Act(w, r, s, flow.Next(s)) // what it is for has a page, and an end, of its own
		}
		e.Desk.Refuse(w, r, s.Flow, s.Client, oauth.Errorf(oauth.AccessDenied, "the person did not agree"))
		return nil
	case "allow":
	default:
		return flow.BadRequest("The form says neither yes nor no.", errDecision)
	}
	step := flow.Next(s)
	if step.Action == flow.AskConsent {
		if form.Get("account") != s.State.Account.ID {
			return flow.Over(s.Client, errOtherAccount)
		}
		s.Consented = true
		step = flow.Next(s)
	}
	return e.Desk.Act(w, r, s, step)
}

func (e *Endpoint) situation(r *http.Request, id string) (flow.Situation, error) {
	f, err := e.Desk.Jar.Take(r, id)
	if err != nil {
		return flow.Situation{}, flow.Over(nil, err)
	}
	client, err := e.Desk.Client(r.Context(), f)
	if err != nil {
		return flow.Situation{}, err
	}
	return e.Desk.Situation(r, f, client)
}
