package clientkeys

import (
	"bytes"
	"context"
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

	mu      sync.Mutex // held while fetching: the others wait for the result
	set     *jose.KeySet
	err     error
	at      time.Time // of the last good fetch
	triedAt time.Time
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
// not do.
func (c *Cache) find(ctx context.Context, client *broker.Client, suits func(*jose.KeySet) bool) (*jose.KeySet, error) {
	e := c.entry(client)
	if e.address == "" {
		return e.set, e.err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := c.Now()
	if e.set != nil && now.Sub(e.at) < fresh && suits(e.set) {
		return e.set, nil
	}
	if e.triedAt.IsZero() || now.Sub(e.triedAt) >= cooldown || now.Before(e.triedAt) {
		e.triedAt = now
		if set, err := c.fetch(ctx, e.address); err == nil {
			e.set, e.at = set, now
		} else {
			e.err = err
		}
	}
	if e.set == nil || now.Sub(e.at) >= stale {
		return nil, e.err
	}
	return e.set, nil
}

// fetch does not end with the request that started it: others wait for it.
func (c *Cache) fetch(ctx context.Context, address string) (*jose.KeySet, error) {
	document, err := c.Fetch(context.WithoutCancel(ctx), address)
	if err != nil {
		return nil, err
	}
	return jose.ParseKeySet(document)
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
