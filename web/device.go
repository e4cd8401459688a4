package web

import "net/http"

// DeviceCode is the page on which a person types the code that a device shows
// (RFC 8628 §3.3). It posts the field user_code, and never by itself.
type DeviceCode struct {
	// Action is a path of ours.
	Action string
	// UserCode stands in the field already: from the link that the device showed, or as
	// it was typed before. FromLink asks to compare it.
	UserCode string
	FromLink bool
	// Problem says why a code leads nowhere; may be empty.
	Problem string
}

// maxUserCode is room for a code in any spelling, and more.
const maxUserCode = 40

// The answer to a code may redirect to an upstream, hence no form-action; so may
// that of the next page, when the person was signed out meanwhile.
var deviceCodeSpecimen = specimen{name: "device_code.html", form: formToClient, data: DeviceCode{
	Action: "/device", UserCode: "WDJB-MJHT", FromLink: true, Problem: "There is no such code. Look again.",
}}

// DeviceCode writes the page with the given status.
func (p *Pages) DeviceCode(w http.ResponseWriter, status int, d DeviceCode) {
	cleanLinks(&d.Action)
	cleanTexts(&d.Problem)
	d.UserCode = clean(d.UserCode, maxUserCode)
	p.write(w, deviceCodeSpecimen, status, d)
}

// ClientStanding is how much is known of who asked in a client's name.
type ClientStanding uint8

const (
	// ClientUnverified: a public client, whose name any program can use. It is the zero
	// value.
	ClientUnverified ClientStanding = iota
	// ClientSelfRegistered has registered itself, under a name of its choice.
	ClientSelfRegistered
	// ClientVerified proved to be the client that the operator knows.
	ClientVerified
)

// DeviceConfirm is the page on which a person lets a device use their account, or
// does not. It posts the field decision with the value "allow" or "deny".
type DeviceConfirm struct {
	// Action is a path of ours; Flow is the value of the hidden field flow, Fields are
	// further ones.
	Action, Flow string
	Fields       []Field
	// UserCode is to be compared with what the device shows.
	UserCode string
	// ClientName names the application; ClientHost is where it lives, empty where
	// nobody vouches for that. Standing says how far to believe either.
	ClientName, ClientHost string
	Standing               ClientStanding
	// LogoURL is where the application's logo is served by us; no logo when empty.
	LogoURL string
	// ClientURI, PolicyURI and TermsURI are shown as links when http or https.
	ClientURI, PolicyURI, TermsURI string
	// AccountName and AccountEmail say whose account it is, ConnectorName where the
	// person signed in.
	AccountName, AccountEmail, ConnectorName string
	Scopes                                   []ScopeLine
	// When, Address and Agent are where the device asked from. The agent is its own
	// word. Elsewhere says that the address is another than the person's.
	When, Address, Agent string
	Elsewhere            bool
	// SwitchURL leads to signing in as somebody else; no link when empty.
	SwitchURL string
}

// Initial stands beside the account's name.
func (d DeviceConfirm) Initial() string { return initial(d.AccountName, d.AccountEmail) }

// Verified reports whether the client proved to be the one that the operator knows.
func (d DeviceConfirm) Verified() bool { return d.Standing == ClientVerified }

// SelfRegistered reports whether the client chose its name itself.
func (d DeviceConfirm) SelfRegistered() bool { return d.Standing == ClientSelfRegistered }

var deviceConfirmSpecimen = specimen{name: "device_confirm.html", form: formToClient, data: DeviceConfirm{
	Action: "/device/confirm", Flow: "flow", Fields: []Field{{"account", "1"}}, UserCode: "WDJB-MJHT",
	ClientName: "Television", ClientHost: "tv.example.com", LogoURL: "/logo/tv", ClientURI: "https://tv.example.com/",
	PolicyURI: "https://tv.example.com/privacy", TermsURI: "https://tv.example.com/terms",
	AccountName: "Ada Lovelace", AccountEmail: "ada@example.com", ConnectorName: "Google",
	Scopes: []ScopeLine{{Scope: "openid"}, {Scope: "profile"}}, When: "2 minutes ago", Address: "192.0.2.7", Agent: "Television/1.0", Elsewhere: true,
	SwitchURL: "/login",
}}

// DeviceConfirm writes the page with status 200.
func (p *Pages) DeviceConfirm(w http.ResponseWriter, d DeviceConfirm) {
	cleanClient(&d.ClientName, &d.ClientHost)
	cleanNames(&d.AccountName, &d.AccountEmail, &d.ConnectorName, &d.UserCode, &d.When, &d.Address, &d.Agent)
	cleanLinks(&d.Action, &d.LogoURL, &d.ClientURI, &d.PolicyURI, &d.TermsURI, &d.SwitchURL)
	d.Scopes = scopeLines(d.Scopes)
	p.write(w, deviceConfirmSpecimen, http.StatusOK, d)
}
