package token

import (
	"context"
	"errors"
	"sync"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
)

// DeviceCode redeems device codes once a person has said yes (RFC 8628 §3.4). It must
// not be copied.
type DeviceCode struct {
	Devices   broker.Devices
	Mint      *mint.Minter
	Targets   Targets
	Lifetimes broker.Lifetimes
	// PerAccount bounds tokens for one person.
	PerAccount *httpx.Limiter
	// Interval is how long a device has to wait between two polls, until it is told to
	// slow down.
	Interval time.Duration

	paces paces
}

// GrantType is that of RFC 8628 §3.4.
func (h *DeviceCode) GrantType() oauth.GrantType { return oauth.GrantTypeDeviceCode }

// Redeem answers a poll: tokens, once, or why there are none (yet).
func (h *DeviceCode) Redeem(ctx context.Context, r Request) (Tokens, error) {
	code := r.Form.Get("device_code")
	if code == "" {
		return Tokens{}, oauth.Errorf(oauth.InvalidRequest, "device_code is missing")
	}
	key, err := h.Mint.ParseDeviceCode(code)
	if err != nil {
		return Tokens{}, oauth.Errorf(oauth.InvalidGrant, "the device_code is not valid").Because(err)
	}
	device, err := h.Devices.Device(ctx, key, r.Client.ID)
	if err != nil {
		return Tokens{}, refused(err)
	}
	if device.Decision == broker.DevicePending && r.Now.Before(device.Expires) {
		return Tokens{}, h.pending(key, device.Expires, r.Now)
	}
	h.paces.forget(key.Digest())
	var refresh string
	var next broker.NewRefresh
	if device.GrantID != "" { // else it was denied or has expired, and there is nothing to refresh
		if refresh, next, err = newRefresh(h.Mint, r, h.Lifetimes, device.GrantID, 1); err != nil {
			return Tokens{}, err
		}
	}
	r.Event.Type = broker.EventDeviceRedeemed
	outcome, err := h.Targets.prepared(ctx, h.Mint, func(to Targets) (broker.Outcome, error) {
		return h.Devices.RedeemDevice(ctx, broker.DeviceRedemption{Now: r.Now, Once: r.Once, Key: key, ClientID: r.Client.ID, Next: next, Event: r.Event},
			func(s broker.State) error { return authorize(r, to, s, s.Grant.Scopes, h.PerAccount) })
	})
	if err != nil {
		return Tokens{}, deviceRefused(err)
	}
	tokens, err := tokensOf(ctx, h.Mint, h.Targets, r, outcome, outcome.Grant.Scopes, "")
	if outcome.Grant.Offline {
		tokens.RefreshToken = refresh
	}
	return tokens, err
}

// pending answers a poll that finds no decision. It changes nothing but how soon the
// next may come (RFC 8628 §3.5).
func (h *DeviceCode) pending(key broker.ExpiringKey, expires, now time.Time) error {
	interval, patient := h.paces.poll(key.Digest(), now, expires, h.Interval)
	if !patient {
		return oauth.Errorf(oauth.SlowDown, "poll no more often than every %d seconds", int64(interval/time.Second))
	}
	return oauth.Errorf(oauth.AuthorizationPending, "nobody has decided yet").Because(broker.ErrDevicePending)
}

// deviceRefused makes an answer of what the verb said.
func deviceRefused(err error) error {
	switch {
	case errors.Is(err, broker.ErrDevicePending):
		return oauth.Errorf(oauth.AuthorizationPending, "nobody has decided yet").Because(err)
	case errors.Is(err, broker.ErrDeviceDenied):
		return oauth.Errorf(oauth.AccessDenied, "the person did not allow it").Because(err)
	case errors.Is(err, broker.ErrDeviceExpired):
		return oauth.Errorf(oauth.ExpiredToken, "the device_code has expired; start again").Because(err)
	}
	return refused(err)
}

const (
	// slower is what each poll that comes too early adds to the interval, for good (RFC
	// 8628 §3.5).
	slower = 5 * time.Second
	// leeway forgives a poll that the network has hurried.
	leeway = 500 * time.Millisecond
	// maxPaces bounds what is remembered, to about 2 MiB (I11). What is forgotten too
	// early may poll as if for the first time.
	maxPaces = 1 << 14
	// sweepEvery is how often what has expired is looked for.
	sweepEvery = time.Minute
)

// paces remembers how each device that waits has polled. The zero value is ready.
type paces struct {
	mu    sync.Mutex
	of    map[broker.Digest]pace
	swept time.Time
}

type pace struct {
	polled   time.Time
	interval time.Duration
	expires  time.Time
}

// poll records a poll and reports the interval that counts from now on, and whether
// this one kept to it.
func (p *paces) poll(code broker.Digest, now, expires time.Time, interval time.Duration) (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.of[code]
	if !known {
		p.makeRoom(now)
		last.interval = interval
	}
	since := now.Sub(last.polled)
	// A negative time is a clock that was set back, which is not the device's doing.
	patient := !known || since < 0 || since >= last.interval-leeway
	if !patient {
		last.interval += slower
	}
	p.of[code] = pace{polled: now, interval: last.interval, expires: expires}
	return last.interval, patient
}

// forget is for a code that will not be pending again.
func (p *paces) forget(code broker.Digest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.of, code)
}

// makeRoom forgets what has expired, now and then or when there is no room, and
// arbitrary ones if that is not enough.
func (p *paces) makeRoom(now time.Time) {
	if p.of == nil {
		p.of = make(map[broker.Digest]pace)
	}
	full := len(p.of) >= maxPaces
	if !full && now.Sub(p.swept) < sweepEvery {
		return
	}
	p.swept = now
	for code, one := range p.of {
		if !now.Before(one.expires) {
			delete(p.of, code)
		}
	}
	for code := range p.of {
		if !full || len(p.of) <= maxPaces-maxPaces/8 { // not one at a time: each search looks at all
			return
		}
		delete(p.of, code)
	}
}
