package web

import "net/http"

// Error is a page about something that went wrong. It says what happened, what
// to do next, and how to ask for help; it never holds the cause.
type Error struct {
	// Title is the heading; Message one or two sentences on what happened; Next one
	// on what the person can do. Empty ones are filled in.
	Title, Message, Next string
	// Reference is the number under which the log has the cause.
	Reference string
	// RetryURL and BackURL become links when they are http, https or paths of ours:
	// to try again, and to return to the application. Labels have defaults.
	RetryURL, RetryLabel string
	BackURL, BackLabel   string
}

var errorSpecimen = specimen{name: "error.html", form: noForm, data: Error{
	Title: "Something went wrong", Message: "Message.", Next: "Next.", Reference: "01ABC",
	RetryURL: "/authorize", RetryLabel: "Try again", BackURL: "https://wiki.example.com/", BackLabel: "Back",
}}

// Error writes the page with the given status.
func (p *Pages) Error(w http.ResponseWriter, status int, e Error) {
	cleanNames(&e.Title, &e.Reference, &e.RetryLabel, &e.BackLabel)
	cleanTexts(&e.Message, &e.Next)
	cleanLinks(&e.RetryURL, &e.BackURL)
	fill(&e.Title, "Something went wrong")
	fill(&e.Next, "Go back to the application and sign in again. If that does not help, tell whoever runs this service.")
	fill(&e.RetryLabel, "Try again")
	fill(&e.BackLabel, "Back to the application")
	p.write(w, errorSpecimen, status, e)
}

// Message is a page that tells something without being an error.
type Message struct {
	Title, Message, Next string
	// LinkURL becomes a link when it is http, https or a path of ours.
	LinkURL, LinkLabel string
}

var messageSpecimen = specimen{name: "message.html", form: noForm, data: Message{
	Title: "Title", Message: "Message.", Next: "Next.", LinkURL: "/", LinkLabel: "Continue",
}}

// Message writes the page with the given status.
func (p *Pages) Message(w http.ResponseWriter, status int, m Message) {
	cleanNames(&m.Title, &m.LinkLabel)
	cleanTexts(&m.Message, &m.Next)
	cleanLinks(&m.LinkURL)
	fill(&m.Title, "Gatehouse")
	fill(&m.LinkLabel, "Continue")
	p.write(w, messageSpecimen, status, m)
}

// Over is the page at which a stale, evicted or bookmarked sign-in ends.
type Over struct {
	// ClientName and BackURL lead back to the application that began it, when that
	// is known.
	ClientName, BackURL string
	// Reference is the number under which the log has the reason; may be empty.
	Reference string
}

var overSpecimen = specimen{name: "over.html", form: noForm, data: Over{ClientName: "Wiki", BackURL: "https://wiki.example.com/", Reference: "01ABC"}}

// Over writes the page with status 400.
func (p *Pages) Over(w http.ResponseWriter, o Over) {
	cleanNames(&o.Reference)
	cleanClient(&o.ClientName, new(string))
	cleanLinks(&o.BackURL)
	p.write(w, overSpecimen, http.StatusBadRequest, o)
}

// Home is the small page at the root of the issuer.
type Home struct {
	// Issuer is the issuer identifier; DiscoveryURL its metadata document.
	Issuer, DiscoveryURL string
}

var homeSpecimen = specimen{name: "home.html", form: noForm, data: Home{
	Issuer: "https://sso.example.com", DiscoveryURL: "https://sso.example.com/.well-known/openid-configuration",
}}

// Home writes the page with status 200.
func (p *Pages) Home(w http.ResponseWriter, h Home) {
	h.Issuer = clean(h.Issuer, maxText)
	cleanLinks(&h.DiscoveryURL)
	p.write(w, homeSpecimen, http.StatusOK, h)
}

// fill gives an empty text its default.
func fill(s *string, otherwise string) {
	if *s == "" {
		*s = otherwise
	}
}
