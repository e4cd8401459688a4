package device

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/internal/httpx"
)

const (
	// Interval is how long a device waits between two polls at least.
	Interval = 5 * time.Second
	// remembered is how much longer than its life a device code is known, so that who
	// polls late is told that it has expired.
	remembered = 10 * time.Minute

	maxForm = 64 << 10
	// attempts at finding a user code that nobody has: among a million live ones the
	// fifth is needed once in 10^17 times.
	attempts = 5
)

// Start serves /device_authorization.
type Start struct {
	Reception *clientauth.Reception
	Devices   broker.Devices
	Issuer    string
	// Lifetime is how long a person may take to decide, and the device may poll.
	Lifetime  time.Duration
	Resources policy.Resources
	// Supported are the scopes there are; others are ignored.
	Supported oauth.Scopes
	// PerAddress bounds what one address starts for public clients. Anybody can name
	// them, and what is started is recorded, unlike a request at /token (I11).
	PerAddress *httpx.Limiter
	// NewCode makes a device code and the key it is stored under: the minter's.
	NewCode func(forget time.Time) (string, broker.ExpiringKey, error)
}

// Mount adds the endpoint's route.
func (s *Start) Mount(mux *http.ServeMux) {
	reception := s.Reception.At(audit.Device, maxForm, "client_id", "scope", "resource")
	mux.HandleFunc("POST /device_authorization", func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, reception) })
}

func (s *Start) serve(w http.ResponseWriter, r *http.Request, reception *clientauth.Reception) {
	visit, err := reception.Admit(w, r)
	if err != nil {
		reception.Refuse(w, r, visit, err)
		return
	}
	a, event, err := s.start(r, visit)
	if err != nil {
		reception.Refuse(w, r, visit, err)
		return
	}
	reception.Audit.Committed(r.Context(), event)
	a.write(w)
}

// answer is RFC 8628 §3.2.
type answer struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int64  `json:"expires_in"`
	Interval                int64  `json:"interval"`
}

func (a answer) write(w http.ResponseWriter) {
	// Strings and numbers: encoding cannot fail.
	encoded, _ := json.Marshal(a)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	oauth.Uncached(h) // RFC 8628 §3.2
	// If this fails the client has gone, and asks again.
	_, _ = w.Write(encoded)
}

func (s *Start) start(r *http.Request, v clientauth.Visit) (answer, broker.Event, error) {
	device, err := s.request(v)
	if err != nil {
		return answer{}, broker.Event{}, err
	}
	if v.Client.Public() {
		if wait, ok := s.PerAddress.Allow(httpx.LimitKey(httpx.About(r.Context()).Address)); !ok {
			return answer{}, broker.Event{}, oauth.Errorf(oauth.TemporarilyUnavailable, "too many devices were started from this address").WithRetryAfter(wait)
		}
	}
	// A person is shown these; the rest of what the request says is the client's word.
	device.Address, device.Agent = v.Event.Address, audit.Identifier(r.UserAgent())
	v.Event.Type = broker.EventDeviceStarted
	code, userCode, err := s.store(r.Context(), v, device)
	if err != nil {
		return answer{}, broker.Event{}, err
	}
	page := s.Issuer + "/device"
	return answer{DeviceCode: code, UserCode: shown(userCode), VerificationURI: page,
		VerificationURIComplete: page + "?user_code=" + url.QueryEscape(shown(userCode)),
		ExpiresIn:               int64(s.Lifetime / time.Second), Interval: int64(Interval / time.Second)}, v.Event, nil
}

// request checks what is asked for (RFC 8628 §3.1), as at /authorize.
func (s *Start) request(v clientauth.Visit) (broker.DeviceAuthorization, error) {
	client := v.Client
	if !client.AllowsGrantType(oauth.GrantTypeDeviceCode) {
		return broker.DeviceAuthorization{}, oauth.Errorf(oauth.UnauthorizedClient, "the client is not registered for the device grant")
	}
	asked, err := oauth.ParseScopes(v.Form.Get("scope"))
	if err != nil {
		return broker.DeviceAuthorization{}, err
	}
	scopes := asked.Intersect(s.Supported)
	if len(client.Scopes) > 0 {
		scopes = scopes.Intersect(client.Scopes)
	}
	if !client.AllowsGrantType(oauth.GrantTypeRefreshToken) {
		scopes = scopes.Without(oauth.OfflineAccess)
	}
	resources, scopes, err := s.Resources.Asked(s.Issuer, scopes, v.Form.Values("resource"))
	if err != nil {
		return broker.DeviceAuthorization{}, err
	}
	if len(scopes) == 0 {
		return broker.DeviceAuthorization{}, oauth.Errorf(oauth.InvalidScope, "none of the requested scopes can be granted")
	}
	return broker.DeviceAuthorization{ClientID: client.ID, Scopes: scopes, Resources: resources, StartedAt: v.Now, Expires: v.Now.Add(s.Lifetime)}, nil
}

// store finds codes that nobody has and stores the request under them.
func (s *Start) store(ctx context.Context, v clientauth.Visit, device broker.DeviceAuthorization) (code, userCode string, err error) {
	for range attempts {
		if code, device.Key, err = s.NewCode(device.Expires.Add(remembered)); err != nil {
			return "", "", err
		}
		userCode = newUserCode()
		device.UserCode = flow.UserCodeDigest(userCode)
		err = s.Devices.StartDevice(ctx, broker.DeviceStart{Now: v.Now, Once: v.Once, Device: device, Event: v.Event})
		if !errors.Is(err, broker.ErrExists) {
			break
		}
	}
	switch {
	case err == nil:
		return code, userCode, nil
	case errors.Is(err, broker.ErrOnceUsed):
		return "", "", clientauth.UsedBefore(err)
	case errors.Is(err, broker.ErrExists), errors.Is(err, broker.ErrReadOnly), errors.Is(err, broker.ErrConflict):
		return "", "", oauth.Errorf(oauth.TemporarilyUnavailable, "the request cannot be carried out at the moment").Because(err)
	}
	return "", "", err
}
