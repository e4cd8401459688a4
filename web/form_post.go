package web

import (
	"net/http"
	"net/url"
)

// FormPost is the page that carries an authorization response to a client
// (OAuth 2.0 Form Post Response Mode §2).
type FormPost struct {
	// Action is the validated redirect URI; http or https.
	Action string
	// ClientName is shown where scripts do not run; may be empty.
	ClientName string
	Fields     []Field
}

var formPostSpecimen = specimen{name: "form_post.html", form: formToClient, data: FormPost{
	Action: "https://wiki.example.com/callback", ClientName: "Wiki", Fields: []Field{{"code", "code"}},
}}

// FormPost writes the page with status 200. It submits itself where scripts
// run and shows a button where they do not. An action that is not an http or
// https URL is answered with an error page: javascript: is how a registered
// redirect URI would run code here.
func (p *Pages) FormPost(w http.ResponseWriter, f FormPost) {
	u, err := url.Parse(f.Action)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		p.Error(w, http.StatusBadRequest, Error{
			Title:   "This application cannot be reached",
			Message: "The address to which it wants its answer cannot receive a form.",
			Next:    "Tell whoever runs the application.",
		})
		return
	}
	cleanClient(&f.ClientName, &u.Host)
	p.write(w, formPostSpecimen, http.StatusOK, f)
}
