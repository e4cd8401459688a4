package login

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/flow"
	"gatehouse/connectors"
	"gatehouse/web"
)

// entry is one line of the chooser: a connector, or one of its choices.
type entry struct {
	via    connectors.Description
	choice connectors.Choice
}

// entries are the lines of connectors, in configured order.
func (e *Endpoint) entries(ids []string) []entry {
	var out []entry
	for _, id := range ids {
		d, ok := e.Desk.Upstream(id)
		if !ok {
			continue
		}
		if len(d.Choices) == 0 {
			out = append(out, entry{via: d})
		}
		for _, choice := range d.Choices {
			out = append(out, entry{via: d, choice: choice})
		}
	}
	return out
}

// pick finds the entry that a URL of the chooser names.
func pick(list []entry, connector, choice string) (entry, bool) {
	i := slices.IndexFunc(list, func(o entry) bool { return o.via.ID == connector && o.choice.Key == choice })
	if i < 0 {
		return entry{}, false
	}
	return list[i], true
}

func (o entry) name() string {
	if o.choice.Key == "" {
		return o.via.Name
	}
	return o.choice.Name + " (" + o.via.Name + ")"
}

// belongs reports whether people with such an e-mail address come from the
// connector. Which domains there are is configuration: whether an account exists is
// not looked at, so that nobody learns of one here.
func belongs(d connectors.Description, address string) bool {
	domain, ok := connectors.EmailDomain(address)
	return ok && slices.Contains(d.Domains, domain)
}

// routed keeps the connectors that an address belongs to.
func (e *Endpoint) routed(ids []string, address string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		d, ok := e.Desk.Upstream(id)
		return !ok || !belongs(d, address)
	})
}

// SignIn sends a person to the only entry of the step, or has them choose. A
// login_hint with an address of somebody's domain chooses for them.
func (e *Endpoint) SignIn(w http.ResponseWriter, r *http.Request, f *flow.Flow, client *broker.Client, s flow.Step) error {
	if own := e.routed(s.Connectors, f.Request.LoginHint); len(own) > 0 {
		return e.among(w, r, f, client, s, own)
	}
	return e.among(w, r, f, client, s, s.Connectors)
}

// among goes on with some of the connectors of a step.
func (e *Endpoint) among(w http.ResponseWriter, r *http.Request, f *flow.Flow, client *broker.Client, s flow.Step, ids []string) error {
	offered := e.entries(ids)
	if len(offered) == 1 {
		return e.visit(w, r, f, client, s, offered[0])
	}
	if !e.Desk.Park(w, r, f, client) {
		return nil
	}
	page := e.page(r, f, client, s, offered)
	if len(ids) < len(s.Connectors) {
		page.OthersURL, page.Email = e.Desk.ChooserURL("", f, s.SelectAccount), nil
	}
	e.Desk.Pages.Chooser(w, page)
	return nil
}

// choose shows the chooser page of a flow again, whoever is signed in, and takes
// the address that was typed there.
func (e *Endpoint) choose(w http.ResponseWriter, r *http.Request) error {
	if query := r.URL.Query(); query.Has("client_id") && !query.Has("flow") {
		return e.initiate(w, r)
	}
	f, client, step, err := e.resume(r)
	if err != nil {
		return err
	}
	if step.Action != flow.SignIn {
		e.Desk.Refuse(w, r, f, client, step.Err)
		return nil
	}
	page := e.page(r, f, client, step, e.entries(step.Connectors))
	if query := r.URL.Query(); query.Has("email") && page.Email != nil {
		address := strings.TrimSpace(query.Get("email"))
		if own := e.routed(step.Connectors, address); len(own) > 0 {
			f.Address = address
			return e.among(w, r, f, client, step, own)
		}
		page.Email.Address, page.Email.Problem = address, unrouted(address)
	}
	e.Desk.Pages.Chooser(w, page)
	return nil
}

// unrouted says why an address leads nowhere.
func unrouted(address string) string {
	domain, ok := connectors.EmailDomain(address)
	if !ok {
		return "This is not an e-mail address such as ada@example.com."
	}
	return "No way to sign in is known for addresses at " + domain + ". Choose one above, or try another address."
}

// page is the chooser with the entries in order, the one of last time first.
func (e *Endpoint) page(r *http.Request, f *flow.Flow, client *broker.Client, s flow.Step, offered []entry) web.Chooser {
	page := web.Chooser{ClientName: cmp.Or(client.Name, client.ID), ClientHost: flow.HostOf(f.Request.RedirectURI),
		LogoURL: e.Desk.LogoURL(client), SelfRegistered: client.Registered, PolicyURI: client.PolicyURI, TermsURI: client.TermsURI}
	last := e.Desk.LastUsed(r)
	for _, o := range offered {
		to := e.Desk.ChooserURL("/"+url.PathEscape(o.via.ID), f, s.SelectAccount)
		if o.choice.Key != "" {
			to += "&choice=" + url.QueryEscape(o.choice.Key)
		}
		choice := web.Choice{Name: o.name(), Type: o.via.Type, URL: to, Down: e.down(r.Context(), o.via.ID),
			Last: len(offered) > 1 && last == flow.LastUsed{Connector: o.via.ID, Choice: o.choice.Key}}
		if choice.Last {
			page.Choices = slices.Insert(page.Choices, 0, choice)
		} else {
			page.Choices = append(page.Choices, choice)
		}
		if len(o.via.Domains) > 0 && len(offered) > 1 && page.Email == nil {
			page.Email = &web.EmailField{Action: e.Desk.Issuer + "/login", Fields: e.Desk.ChooserFields(f, s.SelectAccount)}
		}
	}
	return page
}

// down reports whether the upstream could last not be reached, or refused us. It
// asks nobody: that is for the next person who tries.
func (e *Endpoint) down(ctx context.Context, id string) bool {
	connector, ok := e.Connectors[id]
	if !ok {
		return false
	}
	trouble, ok := errors.AsType[*connectors.Error](connector.Check(ctx))
	return ok && (trouble.Kind == connectors.Transient || trouble.Kind == connectors.Operator)
}
