package device

import (
	"cmp"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
	"gatehouse/web"
)

// ask shows the page that asks about the device, if that is still what is missing.
func (e *Endpoint) ask(w http.ResponseWriter, r *http.Request) error {
	s, err := e.situation(r, r.URL.Query().Get("flow"))
	if err != nil {
		return err
	}
	step := flow.Next(s)
	if step.Action != flow.ConfirmDevice {
		return e.Desk.Act(w, r, s, step)
	}
	device, err := e.Devices.DeviceByUserCode(r.Context(), flow.UserCodeDigest(s.Flow.Device), s.State.Now)
	if err == nil && (device.ClientID != s.Client.ID || device.Expires.Unix() != s.Flow.DeviceEnds) {
		err = broker.ErrNotFound // the code is another device's by now
	}
	if errors.Is(err, broker.ErrNotFound) {
		e.Desk.Jar.Drop(w, s.Flow)
		return e.Desk.DeviceOver(err)
	}
	if err != nil {
		return err
	}
	e.Desk.Pages.DeviceConfirm(w, e.confirmation(r, s, device))
	return nil
}

func (e *Endpoint) confirmation(r *http.Request, s flow.Situation, device broker.DeviceAuthorization) web.DeviceConfirm {
	profile, client := s.State.Identity.Profile, s.Client
	upstream, _ := e.Desk.Upstream(s.Connector)
	page := web.DeviceConfirm{
		Action: e.Desk.Issuer + "/device/confirm", Flow: s.Flow.ID,
		Fields:     []web.Field{{Name: "account", Value: s.State.Account.ID}},
		UserCode:   shown(s.Flow.Device),
		ClientName: cmp.Or(client.Name, client.ID), ClientURI: client.URI, PolicyURI: client.PolicyURI, TermsURI: client.TermsURI,
		Standing: standing(client), LogoURL: e.Desk.LogoURL(client),
		AccountName: cmp.Or(profile.Name, profile.PreferredUsername, profile.Email), AccountEmail: profile.Email,
		ConnectorName: upstream.Name,
		When:          ago(s.State.Now.Sub(device.StartedAt)), Agent: device.Agent,
		SwitchURL: e.Desk.ChooserURL("", s.Flow, true),
	}
	if !client.Registered && client.URI != "" {
		page.ClientHost = flow.HostOf(client.URI)
	}
	if at, err := netip.ParseAddr(device.Address); err == nil {
		page.Address = device.Address
		page.Elsewhere = httpx.LimitKey(at) != httpx.LimitKey(httpx.About(r.Context()).Address)
	}
	for _, scope := range s.Flow.Request.Scopes {
		page.Scopes = append(page.Scopes, web.ScopeLine{Scope: scope})
	}
	return page
}

// standing is how much a client's name is worth: nobody has looked at one that
// registered itself, and a public one did not prove to be itself when it started
// (DV-07). Of one that is both the first says more: there may be no such application.
func standing(client *broker.Client) web.ClientStanding {
	switch {
	case client.Registered:
		return web.ClientSelfRegistered
	case client.Public():
		return web.ClientUnverified
	}
	return web.ClientVerified
}

func ago(d time.Duration) string {
	switch minutes := int(d / time.Minute); {
	case minutes < 1:
		return "less than a minute ago"
	case minutes == 1:
		return "a minute ago"
	default:
		return strconv.Itoa(minutes) + " minutes ago"
	}
}

// answer takes the decision.
func (e *Endpoint) answer(w http.ResponseWriter, r *http.Request) error {
	form, err := e.form(w, r)
	if err != nil {
		return err
	}
	s, err := e.situation(r, form.Get("flow"))
	if err != nil {
		return err
	}
	decision := form.Get("decision")
	if decision != "allow" && decision != "deny" {
		return flow.BadRequest("The form says neither yes nor no.", errDecision)
	}
	step := flow.Next(s)
	if step.Action != flow.ConfirmDevice {
		return e.Desk.Act(w, r, s, step)
	}
	if form.Get("account") != s.State.Account.ID {
		return e.otherAccount(s.Flow)
	}
	if decision == "deny" {
		return e.deny(w, r, s)
	}
	s.Consented = true
	return e.Desk.Act(w, r, s, flow.Next(s))
}

// otherAccount refuses a form that was rendered for somebody else (DV-06).
func (e *Endpoint) otherAccount(f *flow.Flow) error {
	return &flow.PageError{Status: http.StatusForbidden, Err: errOtherAccount, Page: web.Error{
		Title: "Somebody else is signed in now", Message: "The page was about another account than the one that is signed in with this browser. Nothing was allowed.",
		Next: "Look at the page again and decide for this account.", RetryURL: e.Desk.DecisionURL(f), RetryLabel: "Look again",
	}}
}

// deny records the no, which is final.
func (e *Endpoint) deny(w http.ResponseWriter, r *http.Request, s flow.Situation) error {
	event := e.Desk.Event(r, broker.EventDeviceDenied)
	event.AccountID, event.ClientID, event.Connector, event.SessionID = s.State.Account.ID, s.Client.ID, s.Connector, s.State.Session.ID
	err := e.Devices.DenyDevice(r.Context(), broker.DeviceRefusal{Now: s.State.Now, Presented: e.Desk.Cookies.Ref(r),
		UserCode: flow.UserCodeDigest(s.Flow.Device), ClientID: s.Client.ID, Event: event})
	if errors.Is(err, broker.ErrNotFound) {
		e.Desk.Jar.Drop(w, s.Flow)
		return e.Desk.DeviceOver(err)
	}
	if err != nil {
		return err
	}
	e.Desk.Audit.Committed(r.Context(), event)
	e.Desk.Jar.Drop(w, s.Flow)
	e.Desk.Pages.Message(w, http.StatusOK, web.Message{
		Title:   "Nothing was allowed",
		Message: "The device cannot use your account. If someone sent you the code or the link, tell whoever looks after security where you work.",
		Next:    "You can close this page.",
	})
	return nil
}

// situation finds the flow of this browser and who is signed in with it.
func (e *Endpoint) situation(r *http.Request, id string) (flow.Situation, error) {
	f, err := e.Desk.Jar.Take(r, id)
	if err == nil && f.Kind != flow.ForDevice {
		err = flow.ErrNoFlow
	}
	if err != nil {
		return flow.Situation{}, e.Desk.DeviceOver(err)
	}
	client, err := e.Desk.Client(r.Context(), f)
	if err != nil {
		return flow.Situation{}, err
	}
	if !client.AllowsGrantType(oauth.GrantTypeDeviceCode) {
		// The configuration has changed since: nothing could be fetched.
		return flow.Situation{}, e.Desk.DeviceOver(broker.ErrNotFound)
	}
	return e.Desk.Situation(r, f, client)
}
