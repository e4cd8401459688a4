package clientkeys

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
)

const (
	// fresh is how long fetched keys are used without asking again; stale how long they
	// are used when asking again fails.
	fresh = 5 * time.Minute
	stale = 24 * time.Hour
	// cooldown is the least time between two fetches of one address because of an
	// unknown key or a failure.
	cooldown = 15 * time.Second
	// maxEntries bounds how many clients' keys are kept.
	maxEntries = 4096
)

// Cache is safe for concurrent use.
type Cache struct {
	// Fetch reads a jwks_uri; outbound.Client's.
	Fetch func(ctx context.Context, address string, types ...string) ([]byte, error)
	Now   func() time.Time

	mu      sync.Mutex
	entries map[string]*entry
}

// entry is the keys of one client.
type entry struct {
	// document and address are what the entry was made of.
	document []byte
	address  string

	mu      sync.Mutex // never held while fetching
	set     *jose.KeySet
	err     error
	at      time.Time // of the last good fetch
	triedAt time.Time
	// fetching is there while somebody fetches, and closed afterwards.
	fetching chan struct{}
}

// Source returns the keys of a client. One without keys has a source that finds
// none.
func (c *Cache) Source(client *broker.Client) jose.KeySource {
	return jose.KeySourceFunc(func(ctx context.Context, kid string, alg jose.Algorithm) ([]jose.Key, error) {
		set, err := c.find(ctx, client, func(s *jose.KeySet) bool { return len(s.Find(kid, alg)) > 0 })
		if err != nil {
			return nil, err
		}
		return set.Keys(ctx, kid, alg)
	})
}

// find returns the client's keys, fetched anew if suits says that those at hand do
// not do. Whoever is served by those at hand never waits for a fetch: a stranger who
// makes keys up would hold up the client, for as long as a slow site takes.
func (c *Cache) find(ctx context.Context, client *broker.Client, suits func(*jose.KeySet) bool) (*jose.KeySet, error) {
	e := c.entry(client)
	if e.address == "" {
		return e.set, e.err
	}
	for {
		wait, mine := e.begin(c.Now(), suits)
		switch {
		case wait == nil:
			return e.known(c.Now())
		case mine:
			c.fetch(ctx, e)
			return e.known(c.Now())
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// begin answers nil if the keys at hand have to do, and else what is closed when
// better ones may be there: mine says that the caller is the one to fetch them.
func (e *entry) begin(now time.Time, suits func(*jose.KeySet) bool) (wait <-chan struct{}, mine bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.set != nil && now.Sub(e.at) < fresh && suits(e.set):
		return nil, false
	case e.fetching != nil:
		return e.fetching, false
	case !e.triedAt.IsZero() && now.Sub(e.triedAt) < cooldown && !now.Before(e.triedAt):
		return nil, false
	}
	e.triedAt, e.fetching = now, make(chan struct{})
	return e.fetching, true
}

// known is what has been fetched last, unless that is too long ago.
func (e *entry) known(now time.Time) (*jose.KeySet, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.set == nil || now.Sub(e.at) >= stale {
		return nil, cmp.Or(e.err, errStale)
	}
	return e.set, nil
}

// errStale: nothing has been fetched for longer than keys are believed.
var errStale = errors.New("the client's keys are too old")

// fetch does not end with the request that started it: others wait for it.
func (c *Cache) fetch(ctx context.Context, e *entry) {
	now := c.Now()
	var set *jose.KeySet
	err := errStale
	defer func() { // also if it panics: the others must not wait forever
		e.mu.Lock()
		defer e.mu.Unlock()
		if err == nil {
			e.set, e.at = set, now
		} else {
			e.err = err
		}
		close(e.fetching)
		e.fetching = nil
	}()
	var document []byte
	if document, err = c.Fetch(context.WithoutCancel(ctx), e.address); err == nil {
		set, err = jose.ParseKeySet(document)
	}
}

// entry finds the client's entry, or makes one where there is none or its metadata
// have changed since.
func (c *Cache) entry(client *broker.Client) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[client.ID]; ok && e.address == client.JWKSURI && bytes.Equal(e.document, client.JWKS) {
		return e
	}
	e := &entry{document: client.JWKS, address: client.JWKSURI}
	switch {
	case e.address != "":
	case len(e.document) > 0:
		e.set, e.err = jose.ParseKeySet(e.document)
	default:
		e.set, e.err = jose.NewKeySet()
	}
	if c.entries == nil || len(c.entries) >= maxEntries {
		// Whoever is still active is back with one fetch; nothing is ever searched for victims.
		c.entries = make(map[string]*entry)
	}
	c.entries[client.ID] = e
	return e
}
