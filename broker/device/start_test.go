package device

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
)

// RFC 8628 §3.2: what a device is answered, and what is remembered of it.
func TestADeviceIsGivenCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, answered := w.ask("tv", "scope", "openid unknown offline_access openid")
	if answered.Code != 200 || answered.Header().Get("Cache-Control") != "no-store" || answered.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", answered.Code, answered.Header())
	}
	code, ok := ParseUserCode(got.UserCode)
	if !ok || got.UserCode != shown(code) || !strings.HasPrefix(got.DeviceCode, "gd_") || got.VerificationURI != issuer+"/device" ||
		got.VerificationURIComplete != issuer+"/device?user_code="+got.UserCode || got.ExpiresIn != 600 || got.Interval != 5 {
		t.Errorf("%+v", got)
	}
	d := w.device("tv", got)
	if d.Scopes.String() != "openid offline_access" || d.Address != "198.51.100.7" || d.Agent != "Television/1.0" || !d.StartedAt.Equal(w.now) ||
		!d.Expires.Equal(w.now.Add(10*time.Minute)) || !d.Key.Forget().After(d.Expires) || d.Decision != broker.DevicePending {
		t.Errorf("%+v", d)
	}
	if log := w.log.String(); strings.Contains(log, got.DeviceCode) || strings.Contains(log, got.UserCode) || strings.Contains(log, code) || !strings.Contains(log, "device_started") {
		t.Errorf("DV-05: the log\n%s", log)
	}
	if again := w.begun("tv"); again.DeviceCode == got.DeviceCode || again.UserCode == got.UserCode {
		t.Error("two devices have one code")
	}
}

// I11: what anybody can start in the name of a public client is recorded, so there is
// less of it than of polls. Who has to prove to be the client counts as at /token.
func TestI11StrangersStartFewDevices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start.PerAddress = &httpx.Limiter{Rate: rate.Every(time.Minute), Burst: 3, Now: func() time.Time { return w.now }}
	digest, err := w.start.Reception.Callers.Secrets.Digest("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	w.clients["secret"] = &broker.Client{ID: "secret", Secrets: []string{digest}, GrantTypes: deviceGrants()}
	w.ask("tv", "scope", "unknown") // refused, and recorded nowhere
	w.begun("tv")
	w.begun("staff")
	w.begun("tv")
	before := w.store.Commits()
	got, answered := w.ask("tv")
	if answered.Code != http.StatusTooManyRequests || got.Error != "temporarily_unavailable" || answered.Header().Get("Retry-After") != "60" || w.store.Commits() != before {
		t.Errorf("%d %v %s", answered.Code, answered.Header(), answered.Body)
	}
	for range 5 {
		if _, answered := w.ask("secret", "client_secret", "s3cret"); answered.Code != http.StatusOK {
			t.Errorf("a client that proved itself: %d %s", answered.Code, answered.Body)
		}
	}
	w.now = w.now.Add(time.Minute)
	w.begun("tv")
}

// RFC 8628 §3.1: what is checked, as at the other endpoints of clients.
func TestRequestsOfDevicesAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clients["narrow"] = &broker.Client{ID: "narrow", AuthMethod: oauth.AuthMethodNone, GrantTypes: deviceGrants(), Scopes: oauth.Scopes{"openid"}}
	digest, err := w.start.Reception.Callers.Secrets.Digest("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	w.clients["secret"] = &broker.Client{ID: "secret", Secrets: []string{digest}, GrantTypes: deviceGrants()}
	w.clients["cli"] = &broker.Client{ID: "cli", AuthMethod: oauth.AuthMethodNone, GrantTypes: []oauth.GrantType{oauth.GrantTypeAuthorizationCode}}
	const api = "https://api.example"
	for _, row := range []struct {
		name, client string
		params       []string
		want         string
		scopes       string
		resources    []string
	}{
		{"not registered for the grant", "wiki", nil, "invalid_client", "", nil},
		{"not registered for the grant, but public", "cli", nil, "unauthorized_client", "", nil},
		{"nobody", "nobody", nil, "invalid_client", "", nil},
		{"DV-07: a confidential client that does not prove itself", "secret", nil, "invalid_client", "", nil},
		{"a confidential client that does", "secret", []string{"client_secret", "s3cret"}, "", "openid offline_access", nil},
		{"with the wrong secret", "secret", []string{"client_secret", "x"}, "invalid_client", "", nil},
		{"no scope", "tv", []string{"scope", ""}, "invalid_scope", "", nil},
		{"only scopes there are not", "tv", []string{"scope", "unknown"}, "invalid_scope", "", nil},
		{"a scope that is none", "tv", []string{"scope", `a"b`}, "invalid_scope", "", nil},
		{"scopes beyond the registration", "narrow", []string{"scope", "openid email"}, "", "openid", nil},
		{"offline_access without the refresh_token grant", "ours", nil, "", "openid", nil},
		{"scope twice", "tv", []string{"scope", "openid", "scope", "email"}, "invalid_request", "", nil},
		{"a resource", "tv", []string{"scope", "openid api:read", "resource", api}, "", "openid api:read", []string{api}},
		{"two resources, one of them twice", "tv", []string{"scope", "openid api:read", "resource", api, "resource", issuer, "resource", api}, "", "openid api:read", []string{api, issuer}},
		{"a resource that none of the scopes is for", "tv", []string{"resource", api}, "invalid_target", "", nil},
		{"scopes of another resource than is named", "tv", []string{"scope", "openid api:read", "resource", issuer}, "", "openid", []string{issuer}},
		{"a resource there is not", "tv", []string{"resource", "https://evil.example"}, "invalid_target", "", nil},
	} {
		before := w.store.Commits()
		got, answered := w.ask(row.client, row.params...)
		if got.Error != row.want || (answered.Code == 200) != (row.want == "") || answered.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", row.name, answered.Code, answered.Body)
		}
		if row.want != "" {
			if n := w.store.Commits() - before; n != 0 || got.DeviceCode != "" {
				t.Errorf("%s: a refusal is %d commits", row.name, n)
			}
			continue
		}
		if d := w.device(row.client, got); d.Scopes.String() != row.scopes || !slices.Equal(d.Resources, row.resources) {
			t.Errorf("%s: %q for %q", row.name, d.Scopes, d.Resources)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		b := w.browser()
		r, err := http.NewRequest(method, "/device_authorization", nil)
		if err != nil {
			t.Fatal(err)
		}
		if answered := b.send(r); answered.Code != 405 {
			t.Errorf("%s: %d", method, answered.Code)
		}
	}
}

// crowded is a store in which the first codes are somebody's.
type crowded struct {
	broker.Devices
	taken int
	err   error
	asked []broker.DeviceStart
}

func (c *crowded) StartDevice(_ context.Context, s broker.DeviceStart) error {
	c.asked = append(c.asked, s)
	if len(c.asked) <= c.taken {
		return broker.ErrExists
	}
	return c.err
}

// A code that somebody has is not given away twice; what cannot be stored is refused.
func TestCodesThatAreTakenAreMadeAnew(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		taken  int
		err    error
		want   string
		status int
		asked  int
	}{
		{"the first is free", 0, nil, "", 200, 1},
		{"the third is free", 2, nil, "", 200, 3},
		{"none is free", 99, nil, "temporarily_unavailable", 503, attempts},
		{"the client's assertion was used before", 1, broker.ErrOnceUsed, "invalid_client", 401, 2},
		{"a disk that takes no writes", 0, broker.ErrReadOnly, "temporarily_unavailable", 503, 1},
		{"a fault of ours", 0, errors.New("CANARY"), "server_error", 500, 1},
	} {
		w := newWorld(t)
		store := &crowded{taken: row.taken, err: row.err}
		w.start.Devices = store
		got, answered := w.ask("tv")
		if got.Error != row.want || answered.Code != row.status || len(store.asked) != row.asked || strings.Contains(answered.Body.String(), "CANARY") {
			t.Errorf("%s: %d %s after %d attempts", row.name, answered.Code, answered.Body, len(store.asked))
		}
		for i, s := range store.asked[1:] {
			if s.Device.UserCode == store.asked[i].Device.UserCode || s.Device.Key == store.asked[i].Device.Key {
				t.Errorf("%s: attempt %d has the codes of the one before", row.name, i+1)
			}
		}
	}
}

// Who is shown as where it was started is what the connection and the program say,
// made fit for a page and the log.
func TestTheAgentOfADeviceIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agent = "\u202e" + strings.Repeat("x", 4000)
	if d := w.device("tv", w.begun("tv")); len(d.Agent) > 140 || strings.Contains(d.Agent, "\u202e") {
		t.Errorf("%d bytes of agent", len(d.Agent))
	}
}
