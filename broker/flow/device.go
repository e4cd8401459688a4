package flow

import (
	"cmp"
	"net/http"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
	"gatehouse/web"
)

// UserCodeDigest is what a user code, in the spelling in which it is compared, is
// stored and looked up under.
func UserCodeDigest(userCode string) broker.Digest {
	return broker.DigestOf("user code\x00" + userCode)
}

// deviceIssuance prepares the grant that a device will fetch; there is no code.
func deviceIssuance(f *Flow, l broker.Lifetimes, now time.Time) broker.Issuance {
	r := f.Request
	// The device may come as late as it waits, and what it then gets lives from there.
	fetched := time.Unix(f.DeviceEnds, 0)
	if fetched.Before(now) {
		fetched = now
	}
	forget := fetched.Add(max(l.AccessToken, l.IDToken) + forgetMargin)
	return broker.Issuance{Device: UserCodeDigest(f.Device), Grant: broker.Grant{ID: broker.NewID(forget), ClientID: r.ClientID,
		Scopes: r.Scopes, Resources: r.Resources, CreatedAt: now, Offline: r.Scopes.Has(oauth.OfflineAccess), Forget: forget}}
}

// approved ends a flow whose device may now fetch its tokens.
func (d *Desk) approved(w http.ResponseWriter, f *Flow, client *broker.Client) {
	d.Jar.Drop(w, f)
	d.Pages.Message(w, http.StatusOK, web.Message{
		Title:   "You can go back to your device",
		Message: cmp.Or(client.Name, client.ID) + " can now use your account there. It may take a few seconds to notice.",
		Next:    "You can close this page.",
	})
}

// DeviceOver is the page for a user code that nobody waits with any more.
func (d *Desk) DeviceOver(err error) *PageError {
	return &PageError{Status: http.StatusBadRequest, Err: err, Page: web.Error{
		Title:   "This code can no longer be used",
		Message: "It has expired, it was decided about already, or you were signed out meanwhile. This changed nothing: if you have just answered, that answer counts.",
		Next:    "If the device is still waiting, have it show a new code and enter that one.",
		BackURL: d.Issuer + "/device", BackLabel: "Enter a code",
	}}
}

// deviceWords are what a person is told who may not connect a device, or cannot.
type deviceWords struct {
	status               int
	title, message, next string
	// another says that a different account may help.
	another bool
}

func wordsForDevice(code oauth.Code) deviceWords {
	switch code {
	case oauth.AccessDenied:
		return deviceWords{http.StatusForbidden, "You cannot use this application", "The account you signed in with may not use it, so nothing was allowed.",
			"Use another account, or give the reference number to whoever runs this service. The device gives up by itself.", true}
	case oauth.LoginRequired, oauth.UnmetAuthenticationRequirements:
		return deviceWords{http.StatusForbidden, "This sign-in is not enough", "The application demands a more recent or a stronger sign-in than the identity provider gave, so nothing was allowed.",
			"Sign in again. If that does not help, give the reference number to whoever runs this service.", true}
	case oauth.TemporarilyUnavailable:
		return deviceWords{http.StatusServiceUnavailable, "Nothing can be recorded at the moment", "Nothing was allowed.",
			"Try again in a minute with a new code of the device.", false}
	}
	return deviceWords{http.StatusBadRequest, "The device cannot be connected", "Its request cannot be answered, so nothing was allowed.",
		"Start again on the device. If it happens again, give the reference number to whoever runs this service.", false}
}

// refuseDevice tells the person, never a client: whoever polls learns no more than
// that nobody has decided, until the code expires.
func (d *Desk) refuseDevice(w http.ResponseWriter, r *http.Request, f *Flow, client *broker.Client, err *oauth.Error) {
	d.refusal(r, audit.Refusal{Endpoint: audit.Device, Code: err.Code, ClientID: client.ID, Connector: f.SignedIn, Reason: err})
	said := wordsForDevice(err.Code)
	page := web.Error{Title: said.title, Message: cmp.Or(client.Name, client.ID) + ": " + said.message, Next: said.next, Reference: httpx.About(r.Context()).ID,
		BackURL: d.Issuer + "/device", BackLabel: "Enter another code"}
	f.Attempt, f.SignedIn = nil, ""
	if said.another && d.Jar.Put(w, r, f) == nil {
		page.RetryURL, page.RetryLabel = d.ChooserURL("", f, true), "Use another account"
	} else {
		d.Jar.Drop(w, f)
	}
	d.Pages.Error(w, said.status, page)
}
