package web

import "net/http"

// maxAddress is the longest e-mail address, in bytes (RFC 5321 §4.5.3.1).
const maxAddress = 64 + 1 + 255

// Chooser is the page that asks which upstream to sign in with.
type Chooser struct {
	// ClientName and ClientHost name the application that is signed in to; the host
	// is that of its redirect URI.
	ClientName, ClientHost string
	// LogoURL is where the application's logo is served by us; no logo when empty.
	// SelfRegistered says that nobody here vouches for either name or logo.
	LogoURL        string
	SelfRegistered bool
	// PolicyURI and TermsURI are the client's, shown as links when http or https
	// (OIDC Registration §2).
	PolicyURI, TermsURI string
	// Choices in the order to show them.
	Choices []Choice
	// Email asks for the address that tells which upstream it is; no field when nil.
	Email *EmailField
	// OthersURL leads to the page with every choice, when these are some of them; no
	// link when empty.
	OthersURL string
	// CancelURL is a path of ours that ends the sign-in; no link when empty.
	CancelURL string
}

// EmailField is a form of one field, email, which is sent by GET: asking changes
// nothing.
type EmailField struct {
	// Action is a path of ours; Fields are hidden fields.
	Action string
	Fields []Field
	// Address is what was typed before, and Problem why it leads nowhere; both may be
	// empty.
	Address, Problem string
}

// Choice is one upstream.
type Choice struct {
	// Name completes "Continue with …". Type is the connector's type and picks the
	// drawing beside it.
	Name, Type string
	// URL is where the link leads: a path of ours.
	URL string
	// Note is a short line below the name, such as the organisation; may be empty.
	Note string
	// Last marks the one that was used last with this browser, Down one that is known
	// not to answer.
	Last, Down bool
}

// Initial is the sign of an upstream without a drawing: its first character.
func (c Choice) Initial() string { return initial(c.Name) }

// Mark is the class of the sign.
func (c Choice) Mark() string {
	switch c.Type {
	case "google", "azuread", "okta", "github", "oidc":
		return "mark-" + c.Type
	}
	return "mark-other"
}

// Without an address field the page has no form. With one there is no form-action:
// the answer may redirect to an upstream.
var (
	chooserSpecimen      = specimen{name: "chooser.html", form: noForm, data: sampleChooser(nil)}
	chooserEmailSpecimen = specimen{name: "chooser.html", form: formToClient, data: sampleChooser(&EmailField{
		Action: "/login", Fields: []Field{{"flow", "flow"}}, Address: "ada@example.org", Problem: "No way to sign in is known for addresses at example.org."})}
)

func sampleChooser(email *EmailField) Chooser {
	return Chooser{
		ClientName: "Wiki", ClientHost: "wiki.example.com", LogoURL: "/logo/wiki", SelfRegistered: true, PolicyURI: "https://wiki.example.com/privacy", TermsURI: "https://wiki.example.com/terms",
		Choices: []Choice{
			{Name: "Google", Type: "google", URL: "/login/google", Note: "example.com", Last: true},
			{Name: "Acme (Microsoft)", Type: "azuread", URL: "/login/entra", Down: true},
			{Name: "Okta", Type: "okta", URL: "/login/okta"}, {Name: "GitHub", Type: "github", URL: "/login/github"},
			{Name: "Corp", Type: "oidc", URL: "/login/corp"}, {Name: "Élan", Type: "other", URL: "/login/elan"},
		},
		Email: email, OthersURL: "/login", CancelURL: "/login/cancel",
	}
}

// Chooser writes the page with status 200. The entries are links: choosing
// changes nothing by itself.
func (p *Pages) Chooser(w http.ResponseWriter, c Chooser) {
	cleanClient(&c.ClientName, &c.ClientHost)
	cleanLinks(&c.LogoURL, &c.PolicyURI, &c.TermsURI, &c.OthersURL, &c.CancelURL)
	choices := make([]Choice, len(c.Choices))
	for i, choice := range c.Choices {
		cleanNames(&choice.Name, &choice.Note)
		cleanLinks(&choice.URL)
		choices[i] = choice
	}
	c.Choices = choices
	variant := chooserSpecimen
	if c.Email != nil {
		field := *c.Email
		cleanLinks(&field.Action)
		cleanTexts(&field.Problem)
		if field.Address = clean(field.Address, maxAddress+1); len(field.Address) > maxAddress {
			// What is too long for an address is not worth typing over.
			field.Address = ""
		}
		c.Email, variant = &field, chooserEmailSpecimen
	}
	p.write(w, variant, http.StatusOK, c)
}
