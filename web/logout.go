package web

import "net/http"

// LogoutConfirm is the page that asks whether to sign out, for a request that
// does not prove who sent it (RP-Initiated Logout §2). It posts the field
// decision with the value "sign_out" or "stay".
type LogoutConfirm struct {
	// Action is the path of ours to which the form is posted.
	Action string
	// Fields are hidden fields, returned as they are.
	Fields []Field
	// AccountName and AccountEmail say who is signed in.
	AccountName, AccountEmail string
	// ClientName is the application that asks, when known.
	ClientName string
}

// Initial stands beside the account's name.
func (l LogoutConfirm) Initial() string { return initial(l.AccountName, l.AccountEmail) }

var logoutConfirmSpecimen = specimen{name: "logout_confirm.html", form: formToClient, data: LogoutConfirm{
	Action: "/logout", Fields: []Field{{"flow", "flow"}}, AccountName: "Ada Lovelace", AccountEmail: "ada@example.com", ClientName: "Wiki",
}}

// LogoutConfirm writes the page with status 200.
func (p *Pages) LogoutConfirm(w http.ResponseWriter, l LogoutConfirm) {
	cleanNames(&l.AccountName, &l.AccountEmail, &l.ClientName)
	cleanLinks(&l.Action)
	p.write(w, logoutConfirmSpecimen, http.StatusOK, l)
}

// SignedOut is the page after signing out, where no client takes over.
type SignedOut struct {
	// ClientName and BackURL lead back to an application; no link when BackURL is empty.
	ClientName, BackURL string
	// StillSignedInAt names the upstreams whose own sessions live on, as signing
	// out here does not end those.
	StillSignedInAt []string
}

var signedOutSpecimen = specimen{name: "signed_out.html", form: noForm, data: SignedOut{
	ClientName: "Wiki", BackURL: "https://wiki.example.com/", StillSignedInAt: []string{"Google"},
}}

// SignedOut writes the page with status 200.
func (p *Pages) SignedOut(w http.ResponseWriter, s SignedOut) {
	cleanClient(&s.ClientName, new(string))
	cleanLinks(&s.BackURL)
	names := make([]string, len(s.StillSignedInAt))
	for i, name := range s.StillSignedInAt {
		names[i] = clean(name, maxName)
	}
	s.StillSignedInAt = names
	p.write(w, signedOutSpecimen, http.StatusOK, s)
}
