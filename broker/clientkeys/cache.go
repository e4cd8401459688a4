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
	// maxEntries bounds how many owners' keys are kept.
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

// Owner is whose keys are looked for. Its ID is that of its entry, and no two owners
// of one cache share one.
type Owner struct {
	ID string
	// JWKS is a JWK set, or JWKSURI where it is.
	JWKS    []byte
	JWKSURI string
}

// OwnerOf returns a client as the owner of its keys.
func OwnerOf(client *broker.Client) Owner {
	return Owner{ID: client.ID, JWKS: client.JWKS, JWKSURI: client.JWKSURI}
}

// entry is the keys of one owner.
type entry struct {
	// document and address are what the entry was made of.
	document []byte
	address  string
	once     sync.Once // for document

	mu      sync.Mutex // never held while fetching
	set     *jose.KeySet
	err     error
	at      time.Time // of the last good fetch
	triedAt time.Time
	// fetching is there while somebody fetches, and closed afterwards.
	fetching chan struct{}
}

// Source returns the keys that verify what an owner has signed. One without keys has
// a source that finds none.
func (c *Cache) Source(owner Owner) jose.KeySource {
	return jose.KeySourceFunc(func(ctx context.Context, kid string, alg jose.Algorithm) ([]jose.Key, error) {
		set, err := c.find(ctx, owner, func(s *jose.KeySet) bool { return len(s.Find(kid, alg)) > 0 })
		if err != nil {
			return nil, err
		}
		return set.Keys(ctx, kid, alg)
	})
}

// Recipient returns the key to encrypt to with the algorithm what is for an owner, as
// [jose.KeySet.Recipient] chooses it, or [jose.ErrNoKey]. One that the owner has
// replaced is used for five minutes at most, as long as its keys can be fetched; if
// they cannot, the last good ones serve.
func (c *Cache) Recipient(ctx context.Context, owner Owner, alg jose.KeyAlgorithm) (jose.Recipient, error) {
	set, err := c.find(ctx, owner, func(s *jose.KeySet) bool {
		_, err := s.Recipient(alg)
		return err == nil
	})
	if err != nil {
		return jose.Recipient{}, err
	}
	return set.Recipient(alg)
}

// find returns the owner's keys, fetched anew if suits says that those at hand do
// not do. Whoever is served by those at hand never waits for a fetch: a stranger who
// makes keys up would hold up the client, for as long as a slow site takes.
func (c *Cache) find(ctx context.Context, owner Owner, suits func(*jose.KeySet) bool) (*jose.KeySet, error) {
	e := c.entry(owner)
	if e.address == "" {
		return e.inline()
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
	case e.set != nil && !now.Before(e.at) && now.Sub(e.at) < fresh && suits(e.set): // a clock that was put back makes nothing fresh
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
var errStale = errors.New("clientkeys: the keys are too old")

// errUnread: reading them has ended in a panic.
var errUnread = errors.New("clientkeys: the keys could not be read")

// fetch does not end with the request that started it: others wait for it.
func (c *Cache) fetch(ctx context.Context, e *entry) {
	now := c.Now()
	// What a panic leaves behind is a failure like any other: the others must not wait
	// forever, and the last good keys stay.
	var set *jose.KeySet
	err := errUnread
	defer func() {
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
	set, err = c.read(context.WithoutCancel(ctx), e.address)
}

func (c *Cache) read(ctx context.Context, address string) (*jose.KeySet, error) {
	document, err := c.Fetch(ctx, address)
	if err != nil {
		return nil, err
	}
	return jose.ParseKeySet(document)
}

// entry finds the owner's entry, or makes one where there is none or its metadata
// have changed since.
func (c *Cache) entry(owner Owner) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[owner.ID]; ok && e.address == owner.JWKSURI && bytes.Equal(e.document, owner.JWKS) {
		return e
	}
	e := &entry{document: owner.JWKS, address: owner.JWKSURI}
	if c.entries == nil || len(c.entries) >= maxEntries {
		// Whoever is still active is back with one fetch; nothing is ever searched for victims.
		c.entries = make(map[string]*entry)
	}
	c.entries[owner.ID] = e
	return e
}

// inline is the keys of an owner who has them in its metadata: read once, and not
// while others wait for the cache.
func (e *entry) inline() (*jose.KeySet, error) {
	e.once.Do(func() {
		e.err = errUnread
		if len(e.document) > 0 {
			e.set, e.err = jose.ParseKeySet(e.document)
		} else {
			e.set, e.err = jose.NewKeySet()
		}
	})
	return e.set, e.err
}
