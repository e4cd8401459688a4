package web

import "net/http"

// Consent is the page on which a person lets an application use their account,
// or does not (RFC 6749 §4.1.1). It posts the field decision with the value
// "allow" or "deny".
type Consent struct {
	// Action is the path of ours to which the form is posted.
	Action string
	// Flow is the value of the hidden field flow.
	Flow string
	// Fields are further hidden fields.
	Fields []Field
	// ClientName and ClientHost name the application; the host, that of its redirect
	// URI, is the part a registration cannot invent, and always shown.
	ClientName, ClientHost string
	// LogoURL is where the application's logo is served by us; no logo when empty.
	// SelfRegistered says that nobody here vouches for either name or logo.
	LogoURL        string
	SelfRegistered bool
	// ClientURI, PolicyURI and TermsURI are shown as links when http or https.
	ClientURI, PolicyURI, TermsURI string
	// AccountName and AccountEmail say whose account it is, ConnectorName where the
	// person signed in.
	AccountName, AccountEmail, ConnectorName string
	Scopes                                   []ScopeLine
	// SwitchURL leads to signing in as somebody else; no link when empty.
	SwitchURL string
}

// Initial stands beside the account's name.
func (c Consent) Initial() string { return initial(c.AccountName, c.AccountEmail) }

// ScopeLine is one scope and what it lets the application do. An empty sentence
// is filled in by ScopeSentence; a line without a scope, as for a claim that was
// asked for by itself, brings its own.
type ScopeLine struct{ Scope, Sentence string }

// Field is a hidden field of a form. Its value is sent exactly as given.
type Field struct{ Name, Value string }

var consentSpecimen = specimen{name: "consent.html", form: formToClient, data: Consent{
	Action: "/consent", Flow: "flow", Fields: []Field{{"account", "1"}},
	ClientName: "Wiki", ClientHost: "wiki.example.com", LogoURL: "/logo/wiki", SelfRegistered: true, ClientURI: "https://wiki.example.com/",
	PolicyURI: "https://wiki.example.com/privacy", TermsURI: "https://wiki.example.com/terms",
	AccountName: "Ada Lovelace", AccountEmail: "ada@example.com", ConnectorName: "Google",
	Scopes: []ScopeLine{{Scope: "openid"}}, SwitchURL: "/login",
}}

// Consent writes the page with status 200.
func (p *Pages) Consent(w http.ResponseWriter, c Consent) {
	cleanClient(&c.ClientName, &c.ClientHost)
	cleanNames(&c.AccountName, &c.AccountEmail, &c.ConnectorName)
	cleanLinks(&c.Action, &c.LogoURL, &c.ClientURI, &c.PolicyURI, &c.TermsURI, &c.SwitchURL)
	c.Scopes = scopeLines(c.Scopes)
	p.write(w, consentSpecimen, http.StatusOK, c)
}

// scopeLines are the lines as they may be shown.
func scopeLines(given []ScopeLine) []ScopeLine {
	lines := make([]ScopeLine, len(given))
	for i, line := range given {
		if line.Sentence == "" {
			line.Sentence = ScopeSentence(line.Scope)
		}
		lines[i] = ScopeLine{Scope: clean(line.Scope, maxName), Sentence: clean(line.Sentence, maxText)}
	}
	return lines
}
