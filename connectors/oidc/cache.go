package oidc

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/connectors"
)

const (
	// freshMin and freshMax clamp what Cache-Control says: an upstream can neither
	// make us ask all the time nor keep a withdrawn key alive for the 44 days that
	// Okta asks for.
	freshMin = 5 * time.Minute
	freshMax = time.Hour
	// staleRetry is the pause between attempts to refresh what has a last good
	// version, and staleMax how old that may become.
	staleRetry = time.Minute
	staleMax   = 24 * time.Hour
)

// snapshot is one fetched version. It never changes.
type snapshot[T any] struct {
	value     T
	serial    uint64 // counts successful fetches
	at        time.Time
	refreshAt time.Time
}

// cached is a document that is fetched when first needed and kept, refreshed by
// one request at a time whoever is waiting for it.
type cached[T any] struct {
	now func() time.Time
	// load fetches; prior is the last good value or nil.
	load func(ctx context.Context, prior *T) (T, time.Duration, error)
	// kept is told why a refresh failed when the last good version stays in use.
	kept func(error)
	// cooldown is the least time between two calls of renew that fetch for one reason.
	cooldown time.Duration

	mu        sync.Mutex
	current   *snapshot[T]
	flight    *flight[T]
	renewedAt [reasons]time.Time
}

// reason is why a version does not suffice. Each has a cool-down of its own, so
// that tokens with wrong signatures cannot keep us from following a rotation.
type reason int

const (
	unknownKey reason = iota
	wrongSignature
	reasons // how many there are
)

// flight is one fetch and all who wait for it.
type flight[T any] struct {
	done   chan struct{}
	result *snapshot[T]
	err    error
}

// get returns the current version, fetched if there is none or it is due. A
// failed refresh leaves the last good version in use.
func (c *cached[T]) get(ctx context.Context) (*snapshot[T], error) {
	c.mu.Lock()
	s, now := c.current, c.now()
	usable := s != nil && now.Sub(s.at) <= staleMax
	// What is to be refreshed later than any answer may say is from before the clock was
	// put back.
	if usable && now.Before(s.refreshAt) && s.refreshAt.Sub(now) <= freshMax {
		c.mu.Unlock()
		return s, nil
	}
	f := c.launch(ctx)
	c.mu.Unlock()
	fresh, err := f.wait(ctx)
	if err != nil && usable {
		return s, nil
	}
	return fresh, err
}

// serial is the number of the current version, 0 when there is none.
func (c *cached[T]) serial() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil {
		return 0
	}
	return c.current.serial
}

// renew fetches anew because seen turned out not to suffice. It returns seen
// itself when it may not: because the last renewal for that reason was less than
// the cool-down ago, or because seen was fetched after the question arose, when the serial was
// asked, so that asking again cannot help.
func (c *cached[T]) renew(ctx context.Context, why reason, seen *snapshot[T], asked uint64) (*snapshot[T], error) {
	c.mu.Lock()
	if c.current.serial != seen.serial {
		s := c.current
		c.mu.Unlock()
		return s, nil
	}
	now := c.now()
	if since := now.Sub(c.renewedAt[why]); since >= 0 && since < c.cooldown {
		c.mu.Unlock()
		return seen, nil
	}
	c.renewedAt[why] = now
	if seen.serial != asked {
		c.mu.Unlock()
		return seen, nil
	}
	f := c.launch(ctx)
	c.mu.Unlock()
	return f.wait(ctx)
}

// launch joins the fetch under way or starts one. The mutex is held. The fetch
// does not end with the request that started it, since others wait for it.
func (c *cached[T]) launch(ctx context.Context) *flight[T] {
	if c.flight != nil {
		return c.flight
	}
	f := &flight[T]{done: make(chan struct{})}
	c.flight = f
	prior := c.current
	ctx = context.WithoutCancel(ctx)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, connectors.ExchangeTimeout)
		defer cancel()
		c.land(ctx, f, prior)
	}()
	return f
}

func (c *cached[T]) land(ctx context.Context, f *flight[T], prior *snapshot[T]) {
	var last *T
	if prior != nil {
		last = &prior.value
	}
	value, fresh, err := c.load(ctx, last)
	now := c.now()
	c.mu.Lock()
	switch {
	case err == nil:
		c.current = &snapshot[T]{value: value, serial: 1, at: now, refreshAt: now.Add(fresh)}
		if prior != nil {
			c.current.serial = prior.serial + 1
		}
		f.result = c.current
	case prior != nil:
		c.current = &snapshot[T]{value: prior.value, serial: prior.serial, at: prior.at, refreshAt: now.Add(staleRetry)}
		f.err = err
	default:
		f.err = err
	}
	c.flight = nil
	c.mu.Unlock()
	if err != nil && prior != nil {
		c.kept(err)
	}
	close(f.done)
}

func (f *flight[T]) wait(ctx context.Context) (*snapshot[T], error) {
	select {
	case <-f.done:
		return f.result, f.err
	case <-ctx.Done():
		return nil, &connectors.Error{Kind: connectors.Transient, Hint: "the upstream's documents did not arrive in time", Err: ctx.Err()}
	}
}

// freshness is how long an answer may be used without asking again: its max-age,
// clamped.
func freshness(h http.Header) time.Duration {
	for _, directive := range strings.Split(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return freshMin
		case "max-age":
			if n, err := strconv.Atoi(strings.Trim(value, `"`)); err == nil {
				return min(max(time.Duration(min(n, 1<<30))*time.Second, freshMin), freshMax)
			}
		}
	}
	return freshMax
}
