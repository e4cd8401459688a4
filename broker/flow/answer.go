package flow

import (
	"net/http"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/web"
)

// Answer is an authorization response on its way to a client: the registered
// redirect URI, the response mode and the parameters (RFC 6749 §4.1.2).
type Answer struct {
	URI    string
	Mode   oauth.ResponseMode
	Fields []oauth.Field
}

// answer begins a response to r with what every one carries: state as it came
// and iss (RFC 9207 §2), errors included.
func (d *Desk) answer(r *broker.AuthorizationRequest, fields ...oauth.Field) Answer {
	if r.State != "" {
		fields = append(fields, oauth.Field{Name: "state", Value: r.State})
	}
	fields = append(fields, oauth.Field{Name: "iss", Value: d.Issuer})
	return Answer{URI: r.RedirectURI, Mode: r.ResponseMode, Fields: fields}
}

// Refusal is the error response to r.
func (d *Desk) Refusal(r *broker.AuthorizationRequest, err *oauth.Error) Answer {
	fields := []oauth.Field{{Name: "error", Value: string(err.Code)}}
	if err.Description != "" {
		fields = append(fields, oauth.Field{Name: "error_description", Value: err.Description})
	}
	return d.answer(r, fields...)
}

// Location is the URL of the answer, for the modes that have one. It is empty where
// there is no redirect URI to answer at, as for a device.
func (a Answer) Location() string {
	if a.URI == "" {
		return ""
	}
	if a.Mode == oauth.ResponseModeFragment {
		return oauth.AppendFragment(a.URI, a.Fields...)
	}
	return oauth.AppendQuery(a.URI, a.Fields...)
}

// senders are the response modes that are a page; the others are a redirect.
var senders = map[oauth.ResponseMode]func(*Desk, http.ResponseWriter, *broker.Client, Answer){
	oauth.ResponseModeFormPost: func(d *Desk, w http.ResponseWriter, client *broker.Client, a Answer) {
		d.Pages.FormPost(w, web.FormPost{Action: a.URI, ClientName: client.Name, Fields: a.fields()})
	},
	oauth.ResponseModeWebMessage: func(d *Desk, w http.ResponseWriter, client *broker.Client, a Answer) {
		d.Pages.WebMessage(w, web.WebMessage{URI: a.URI, ClientName: client.Name, Fields: a.fields()})
	},
}

func (a Answer) fields() []web.Field {
	var out []web.Field
	for _, f := range a.Fields {
		out = append(out, web.Field(f))
	}
	return out
}

// Send writes the answer.
func (d *Desk) Send(w http.ResponseWriter, client *broker.Client, a Answer) {
	if send, ok := senders[a.Mode]; ok {
		send(d, w, client, a)
		return
	}
	Redirect(w, a.Location())
}
