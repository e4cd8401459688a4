package token

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/keys"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/seal"
)

// keyStore keeps the one set of keys.
type keyStore struct{ set []broker.Key }

func (s *keyStore) Keys(context.Context) ([]broker.Key, uint64, error) { return s.set, 0, nil }
func (s *keyStore) ReplaceKeys(_ context.Context, _ uint64, set []broker.Key, _ broker.Event) error {
	s.set = slices.Clone(set)
	return nil
}

// devices is one device authorization, of the client "tv", and its grant.
type devices struct {
	broker.Devices
	mu       sync.Mutex
	device   broker.DeviceAuthorization
	state    broker.State
	redeemed []broker.DeviceRedemption
}

func (d *devices) Device(_ context.Context, key broker.ExpiringKey, clientID string) (broker.DeviceAuthorization, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if key != d.device.Key || clientID != d.device.ClientID {
		return broker.DeviceAuthorization{}, broker.ErrNotFound
	}
	return d.device, nil
}

func (d *devices) RedeemDevice(_ context.Context, r broker.DeviceRedemption, check func(broker.State) error) (broker.Outcome, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.device.Spent:
		return broker.Outcome{}, broker.ErrNotFound
	case d.device.Decision == broker.DeviceDenied:
		return broker.Outcome{}, broker.ErrDeviceDenied
	case !r.Now.Before(d.device.Expires):
		return broker.Outcome{}, broker.ErrDeviceExpired
	case d.device.Decision == broker.DevicePending:
		return broker.Outcome{}, broker.ErrDevicePending
	}
	if err := check(d.state); err != nil {
		return broker.Outcome{}, err
	}
	d.device.Spent = true
	d.redeemed = append(d.redeemed, r)
	return broker.Outcome{State: d.state, Event: r.Event}, nil
}

// polled is a handler, the device that polls it and the code it has.
type polled struct {
	*DeviceCode
	devices *devices
	code    string
	now     time.Time
}

func newPolled(t testing.TB) *polled {
	t.Helper()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	secrets, err := seal.New([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(t.Context(), keys.Config{Store: &keyStore{}, Schedule: keys.Schedule{Algorithms: []string{"ES256"}},
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	lifetimes := broker.Lifetimes{AccessToken: time.Hour, IDToken: time.Hour, RefreshToken: 24 * time.Hour}
	minter, err := mint.New(mint.Config{Issuer: "https://sso.example", Ring: ring, Secrets: secrets, IDTokenAlg: "ES256", Lifetimes: lifetimes})
	if err != nil {
		t.Fatal(err)
	}
	code, key, err := minter.NewDeviceCode(now.Add(20 * time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	id := broker.IdentityKey{Connector: "corp", Issuer: "https://idp.example", Subject: "ada"}
	grant := broker.Grant{ID: broker.NewID(now.Add(time.Hour)), ClientID: "tv", AccountID: "acct", Connector: "corp", Identity: id.Digest(),
		Scopes: oauth.Scopes{"openid", "offline_access"}, Offline: true, CreatedAt: now, AuthTime: now}
	p := &polled{code: code, now: now, devices: &devices{
		device: broker.DeviceAuthorization{Key: key, ClientID: "tv", Scopes: grant.Scopes, StartedAt: now, Expires: now.Add(10 * time.Minute)},
		state: broker.State{Now: now, Account: &broker.Account{ID: "acct"}, Identity: &broker.LinkedIdentity{Key: id, AccountID: "acct"},
			Consent: &broker.Consent{AccountID: "acct", ClientID: "tv", Scopes: grant.Scopes}, Grant: &grant}}}
	p.DeviceCode = &DeviceCode{Devices: p.devices, Mint: minter, Targets: Targets{Issuer: "https://sso.example"}, Lifetimes: lifetimes, Interval: 5 * time.Second}
	return p
}

func (p *polled) decide(d broker.DeviceDecision) {
	p.devices.device.Decision = d
	if d == broker.DeviceApproved {
		p.devices.device.GrantID = p.devices.state.Grant.ID
	}
}

// poll presents a code for a client, and answers tokens or the error code.
func (p *polled) poll(t testing.TB, client, code string) (Tokens, oauth.Code) {
	t.Helper()
	form, err := oauth.ParseQuery("grant_type=x&device_code=" + code)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := p.Redeem(t.Context(), Request{Client: &broker.Client{ID: client, AuthMethod: oauth.AuthMethodNone}, Form: form, Now: p.now,
		Once: []broker.Once{{Key: broker.DigestOf("jti"), Expires: p.now}}})
	if err == nil {
		return tokens, ""
	}
	oe, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		t.Fatalf("not an answer: %v", err)
	}
	if p.code != "" && strings.Contains(oe.Error(), p.code) {
		t.Errorf("the error names the code: %v", oe)
	}
	return tokens, oe.Code
}

// RFC 8628 §3.5: what a poll is answered.
func TestPollsAreAnswered(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		client string
		change func(*polled)
		want   oauth.Code
	}{
		{"nobody has decided", "tv", func(*polled) {}, oauth.AuthorizationPending},
		{"the person said no", "tv", func(p *polled) { p.decide(broker.DeviceDenied) }, oauth.AccessDenied},
		{"nobody has decided in time", "tv", func(p *polled) { p.now = p.devices.device.Expires }, oauth.ExpiredToken},
		{"it was allowed, and fetched too late", "tv", func(p *polled) { p.decide(broker.DeviceApproved); p.now = p.devices.device.Expires }, oauth.ExpiredToken},
		{"a missing code", "tv", func(p *polled) { p.code = "" }, oauth.InvalidRequest},
		{"a made-up code", "tv", func(p *polled) { p.code = "gd_" + strings.Repeat("A", 50) }, oauth.InvalidGrant},
		{"the user code", "tv", func(p *polled) { p.code = "BCDF-GHJK" }, oauth.InvalidGrant},
		{"another device's code, which there is no more", "tv", func(p *polled) { p.devices.device.Key = broker.ExpiringKey{} }, oauth.InvalidGrant},
		{"DV-04: another client", "other", func(p *polled) { p.decide(broker.DeviceApproved) }, oauth.InvalidGrant},
		{"DV-04: another client, while nobody has decided", "other", func(*polled) {}, oauth.InvalidGrant},
		{"it was allowed", "tv", func(p *polled) { p.decide(broker.DeviceApproved) }, ""},
		{"it was allowed by somebody who is disabled since", "tv", func(p *polled) { p.decide(broker.DeviceApproved); p.devices.state.Account.Disabled = true }, oauth.InvalidGrant},
		{"it was allowed, and consent was withdrawn since", "tv", func(p *polled) { p.decide(broker.DeviceApproved); p.devices.state.Consent = nil }, oauth.InvalidGrant},
	} {
		p := newPolled(t)
		row.change(p)
		if _, got := p.poll(t, row.client, p.code); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if redeemed := len(p.devices.redeemed); (redeemed == 1) != (row.want == "") {
			t.Errorf("%s: redeemed %d times", row.name, redeemed)
		}
	}
}

// What was allowed is handed out once, whole, in the commit that consumes what the
// client has authenticated with.
func TestADeviceGetsItsTokensOnce(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	p.decide(broker.DeviceApproved)
	tokens, code := p.poll(t, "tv", p.code)
	if code != "" || tokens.AccessToken == "" || tokens.IDToken == "" || tokens.RefreshToken == "" || tokens.Scopes.String() != "openid offline_access" ||
		tokens.Event.Type != broker.EventDeviceRedeemed {
		t.Fatalf("%q: %+v", code, tokens)
	}
	r := p.devices.redeemed[0]
	if refresh, err := p.Mint.ParseRefreshToken(tokens.RefreshToken); err != nil || refresh.GrantID != p.devices.state.Grant.ID || refresh.Digest != r.Next.Digest {
		t.Errorf("refresh token of %q, %v", refresh.GrantID, err)
	}
	if len(r.Once) != 1 || r.ClientID != "tv" || !r.Now.Equal(p.now) {
		t.Errorf("%+v", r)
	}
	if again, code := p.poll(t, "tv", p.code); code != oauth.InvalidGrant || again.AccessToken != "" || again.Event.Type != "" {
		t.Errorf("again: %q, %+v", code, again)
	}
	p = newPolled(t)
	p.decide(broker.DeviceApproved)
	p.devices.state.Grant.Offline, p.devices.state.Grant.Scopes = false, oauth.Scopes{"email"}
	p.devices.state.Session, p.devices.state.Consent.Scopes = &broker.Session{}, []string{"email"}
	if tokens, code := p.poll(t, "tv", p.code); code != "" || tokens.RefreshToken != "" || tokens.IDToken != "" || tokens.AccessToken == "" {
		t.Errorf("neither offline nor openid: %q, %+v", code, tokens)
	}
}

// RFC 8628 §3.5: each poll that comes too early makes the interval five seconds
// longer, for it and all that follow.
func TestDV04SlowDownIsForGood(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	for i, step := range []struct {
		after time.Duration
		want  oauth.Code
	}{
		{0, oauth.AuthorizationPending},
		{5 * time.Second, oauth.AuthorizationPending},
		{4600 * time.Millisecond, oauth.AuthorizationPending}, // the network hurried it
		{4 * time.Second, oauth.SlowDown},                     // 10 s from here on
		{9 * time.Second, oauth.SlowDown},                     // 15 s
		{15 * time.Second, oauth.AuthorizationPending},
		{14 * time.Second, oauth.SlowDown}, // 20 s
		{15 * time.Second, oauth.SlowDown}, // 25 s
		{25 * time.Second, oauth.AuthorizationPending},
		{-time.Minute, oauth.AuthorizationPending}, // a clock that was set back
		{24 * time.Second, oauth.SlowDown},         // 30 s
	} {
		p.now = p.now.Add(step.after)
		if _, got := p.poll(t, "tv", p.code); got != step.want {
			t.Errorf("poll %d: %q, want %q", i, got, step.want)
		}
	}
	if _, err := p.Redeem(t.Context(), Request{Client: &broker.Client{ID: "other"}, Now: p.now}); err == nil {
		t.Error("nothing was presented")
	}
	// What there is to tell is told at once, however fast the poll (§3.5 knows slow_down for what is pending alone).
	p.decide(broker.DeviceApproved)
	if _, got := p.poll(t, "tv", p.code); got != "" {
		t.Errorf("allowed: %q", got)
	}
}

// DV-04: of fifty polls at once one is answered; the others are told to slow down, or
// that there is nothing any more.
func TestDV04ParallelPolls(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	burst := func() map[oauth.Code]int {
		var mu sync.Mutex
		var all sync.WaitGroup
		got := map[oauth.Code]int{}
		for range 50 {
			all.Go(func() {
				_, code := p.poll(t, "tv", p.code)
				mu.Lock()
				defer mu.Unlock()
				got[code]++
			})
		}
		all.Wait()
		return got
	}
	if got := burst(); got[oauth.AuthorizationPending] != 1 || got[oauth.SlowDown] != 49 {
		t.Errorf("while nobody has decided: %v", got)
	}
	p.now = p.now.Add((5 + 49*5) * time.Second)
	if _, got := p.poll(t, "tv", p.code); got != oauth.AuthorizationPending {
		t.Errorf("after the whole interval: %q", got)
	}
	p.decide(broker.DeviceApproved)
	if got := burst(); got[""] != 1 || got[oauth.InvalidGrant] != 49 || len(p.devices.redeemed) != 1 {
		t.Errorf("once it was allowed: %v, redeemed %d times", got, len(p.devices.redeemed))
	}
}

// What is remembered of polls ends with what they poll for, and is bounded (I11).
func TestPacesAreForgotten(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	p.poll(t, "tv", p.code)
	if len(p.paces.of) != 1 {
		t.Fatalf("%d are remembered", len(p.paces.of))
	}
	p.decide(broker.DeviceDenied)
	if p.poll(t, "tv", p.code); len(p.paces.of) != 0 {
		t.Error("a code that was decided about is remembered")
	}
	for i := range 3 * maxPaces {
		p.paces.poll(broker.DigestOf(fmt.Sprint(i)), p.now, p.now.Add(time.Hour), time.Second)
	}
	if n := len(p.paces.of); n > maxPaces || n < maxPaces/2 {
		t.Errorf("%d are remembered", n)
	}
	p.paces.poll(broker.DigestOf("new"), p.now.Add(2*time.Hour), p.now.Add(3*time.Hour), time.Second)
	if n := len(p.paces.of); n != 1 {
		t.Errorf("%d are remembered that have expired", n-1)
	}
}
