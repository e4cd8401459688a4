package device

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
	"gatehouse/web"
)

// maxPageForm bounds what our own pages post.
const maxPageForm = 8 << 10

// Endpoint serves /device and /device/confirm.
type Endpoint struct {
	Desk    *flow.Desk
	Clients broker.Clients
	Devices broker.Devices
	// Protect refuses cross-origin posts.
	Protect *http.CrossOriginProtection
	// PerAddress, PerAccount and Anonymous bound how many codes are tried: by one
	// address, by one person who is signed in, and by all together who are not, so that
	// those who guess from everywhere do not shut out people who have signed in.
	PerAddress *httpx.Limiter
	PerAccount *httpx.Limiter
	Anonymous  *httpx.Limiter
	// Lifetime is what people are told of how long a code is good: that of [Start].
	Lifetime time.Duration
	Now      func() time.Time
}

var (
	errSpelling     = errors.New("what was typed is no user code")
	errNoCode       = errors.New("no device waits with this user code")
	errOtherAccount = errors.New("device form was rendered for another account")
	errDecision     = errors.New("device form has no decision")
)

// Mount adds the endpoint's routes.
func (e *Endpoint) Mount(mux *http.ServeMux) {
	mux.Handle("GET /device", httpx.Interactive(e.Desk.Page(audit.Device, e.page)))
	mux.Handle("POST /device", e.Desk.Page(audit.Device, e.enter))
	mux.Handle("GET /device/confirm", httpx.Interactive(e.Desk.Page(audit.Device, e.ask)))
	mux.Handle("POST /device/confirm", e.Desk.Page(audit.Device, e.answer))
}

// page is where a code is typed. One that the URL holds stands in the field, and is
// looked up when the person says so: whoever made the link may not be who opens it
// (RFC 8628 §3.3.1).
func (e *Endpoint) page(w http.ResponseWriter, r *http.Request) error {
	given := r.URL.Query().Get("user_code")
	code, ok := ParseUserCode(given)
	if ok {
		given = shown(code)
	}
	e.Desk.Pages.DeviceCode(w, http.StatusOK, web.DeviceCode{Action: e.Desk.Issuer + "/device", UserCode: given, FromLink: ok})
	return nil
}

// form reads what a page of ours posts.
func (e *Endpoint) form(w http.ResponseWriter, r *http.Request) (oauth.Params, error) {
	if err := e.Protect.Check(r); err != nil {
		return oauth.Params{}, flow.FromAnotherSite(err, "Nothing was allowed.", "If you started something on a device, open the address that it shows.")
	}
	form, err := oauth.ParseForm(w, r, maxPageForm)
	if err != nil {
		return form, flow.BadRequest("The form cannot be read.", err)
	}
	return form, nil
}

// enter finds the device that waits with the code that was typed, and goes on as for
// any client.
func (e *Endpoint) enter(w http.ResponseWriter, r *http.Request) error {
	form, err := e.form(w, r)
	if err != nil {
		return err
	}
	typed := form.Get("user_code")
	code, ok := ParseUserCode(typed)
	if !ok {
		e.again(w, r, typed, errSpelling, "A code has eight letters, like XXXX-XXXX, and neither digits nor vowels. Look at your device again.")
		return nil
	}
	if err := e.admit(r); err != nil {
		return err
	}
	device, client, err := e.find(r, code)
	if errors.Is(err, broker.ErrNotFound) {
		e.again(w, r, shown(code), errNoCode, "There is no such code. Look at your device again: a code can be used once, within "+
			strconv.Itoa(int(e.Lifetime/time.Minute))+" minutes. If yours is older, have the device show a new one.")
		return nil
	}
	if err != nil {
		return err
	}
	return e.Desk.Continue(w, r, flow.NewForDevice(e.Now(), code, device.Expires, &broker.AuthorizationRequest{
		ClientID: client.ID, Scopes: device.Scopes, Resources: device.Resources,
		// The client's word on every sign-in (OpenID Connect Registration §2), as at /authorize.
		MaxAge: client.DefaultMaxAge, HasMaxAge: client.DefaultMaxAge > 0, ACRValues: client.DefaultACRValues,
	}))
}

// find answers ErrNotFound for every code that leads nowhere, whatever the reason.
func (e *Endpoint) find(r *http.Request, code string) (broker.DeviceAuthorization, *broker.Client, error) {
	device, err := e.Devices.DeviceByUserCode(r.Context(), flow.UserCodeDigest(code), e.Now())
	if err != nil {
		return device, nil, err
	}
	client, err := e.Clients.Client(r.Context(), device.ClientID)
	if err == nil && !client.AllowsGrantType(oauth.GrantTypeDeviceCode) {
		err = broker.ErrNotFound // the configuration has changed since
	}
	return device, client, err
}

// again shows the page with what was typed and what is wrong with it.
func (e *Endpoint) again(w http.ResponseWriter, r *http.Request, typed string, why error, problem string) {
	about := httpx.About(r.Context())
	e.Desk.Audit.Refused(r.Context(), audit.Refusal{Endpoint: audit.Device, Reason: why, RequestID: about.ID, Address: about.Address.String()})
	e.Desk.Pages.DeviceCode(w, http.StatusBadRequest, web.DeviceCode{Action: e.Desk.Issuer + "/device", UserCode: typed, Problem: problem})
}

// admit counts an attempt before it is made: of a thousand at once none has failed
// yet (RFC 8628 §5.1, DV-03).
func (e *Endpoint) admit(r *http.Request) error {
	wait, ok := e.PerAddress.Allow(httpx.LimitKey(httpx.About(r.Context()).Address))
	if ok {
		person, err := e.person(r)
		switch {
		case err != nil:
			return err
		case person != "":
			wait, ok = e.PerAccount.Allow(person)
		default:
			wait, ok = e.Anonymous.Allow("")
		}
	}
	if !ok {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "too many codes were tried").WithRetryAfter(wait)
	}
	return nil
}

// person is the account that is signed in with this browser, or nothing.
func (e *Endpoint) person(r *http.Request) (string, error) {
	ref := e.Desk.Cookies.Ref(r)
	if ref.IsZero() {
		return "", nil
	}
	state, err := e.Desk.Sessions.Session(r.Context(), ref, "", "", e.Now())
	if errors.Is(err, broker.ErrNotFound) || err == nil && state.Account == nil {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return state.Account.ID, nil
}
