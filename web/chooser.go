package web

import "net/http"

// Chooser is the page that asks which upstream to sign in with.
type Chooser struct {
	// ClientName and ClientHost name the application that is signed in to; the host
	// is that of its redirect URI.
	ClientName, ClientHost string
	// PolicyURI and TermsURI are the client's, shown as links when http or https
	// (OIDC Registration §2).
	PolicyURI, TermsURI string
	// Choices in the order to show them.
	Choices []Choice
	// CancelURL is a path of ours that ends the sign-in; no link when empty.
	CancelURL string
}

// Choice is one upstream.
type Choice struct {
	// Name completes "Continue with …". Type is the connector's type and picks the colour.
	Name, Type string
	// URL is where the link leads: a path of ours.
	URL string
	// Note is a short line below the name, such as the organisation; may be empty.
	Note string
}

// Initial is the sign shown beside the name: its first character.
func (c Choice) Initial() string { return initial(c.Name) }

// Mark is the class that picks the sign's colour.
func (c Choice) Mark() string {
	switch c.Type {
	case "google", "azuread", "okta", "github", "oidc":
		return "mark-" + c.Type
	}
	return "mark-other"
}

var chooserSpecimen = specimen{name: "chooser.html", form: noForm, data: Chooser{
	ClientName: "Wiki", ClientHost: "wiki.example.com", PolicyURI: "https://wiki.example.com/privacy", TermsURI: "https://wiki.example.com/terms",
	Choices:   []Choice{{Name: "Google", Type: "google", URL: "/login/google", Note: "example.com"}},
	CancelURL: "/login/cancel",
}}

// Chooser writes the page with status 200. The entries are links: choosing
// changes nothing by itself.
func (p *Pages) Chooser(w http.ResponseWriter, c Chooser) {
	cleanClient(&c.ClientName, &c.ClientHost)
	cleanLinks(&c.PolicyURI, &c.TermsURI, &c.CancelURL)
	choices := make([]Choice, len(c.Choices))
	for i, choice := range c.Choices {
		cleanNames(&choice.Name, &choice.Note)
		cleanLinks(&choice.URL)
		choices[i] = choice
	}
	c.Choices = choices
	p.write(w, chooserSpecimen.name, http.StatusOK, c)
}
