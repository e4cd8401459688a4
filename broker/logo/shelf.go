package logo

import (
	"context"
	"sync"
	"time"
)

const (
	// fresh is how long a logo is served without fetching it again.
	fresh = 24 * time.Hour
	// cooldown is the least time between two fetches for one client, whatever came of
	// the first and whatever address the client names by now.
	cooldown = 5 * time.Minute
	// maxEntries and maxBytes bound a shelf: how many clients it knows, and how much
	// their logos weigh together.
	maxEntries = 1024
	maxBytes   = 16 << 20
	// maxFetching bounds the fetches of a shelf at one time.
	maxFetching = 8
)

// shelf keeps logos by the ID of their client. The zero value is empty.
type shelf struct {
	mu       sync.Mutex // never held while fetching
	entries  map[string]*entry
	bytes    int
	fetching int
}

// entry is what is known of a client's logo. It is guarded by its shelf's mutex.
type entry struct {
	// address is what the logo was fetched from.
	address string
	// png is nil when there is none: nothing was to be had, or others needed the room.
	png []byte
	// triedAt is when fetching began the last time.
	triedAt time.Time
	// fetching is there while somebody fetches, and closed afterwards.
	fetching chan struct{}
}

// find returns the logo of a client at an address, or nil when it has none. Whoever
// asks first fetches it, the others wait for that.
func (s *shelf) find(ctx context.Context, id, address string, now func() time.Time, fetch func(context.Context) []byte) []byte {
	for {
		png, wait, e := s.begin(id, address, now)
		if e != nil {
			return s.fill(ctx, e, fetch)
		}
		if wait == nil {
			return png
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil
		}
	}
}

// begin answers the logo, or else what is closed when it may be there, or else the
// entry that the caller has to fill.
func (s *shelf) begin(id, address string, clock func() time.Time) (png []byte, wait <-chan struct{}, mine *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := clock() // in here, or one who waited would come from before the fetch
	e := s.entries[id]
	switch {
	case e == nil:
	case e.fetching != nil:
		return nil, e.fetching, nil
	case e.png != nil && e.address == address && within(e.triedAt, now, fresh):
		return e.png, nil, nil
	case within(e.triedAt, now, cooldown):
		return nil, nil, nil
	}
	// Whoever has many slow sites takes up some of our connections, and no more.
	if s.fetching >= maxFetching || e == nil && !s.room(now) {
		return nil, nil, nil
	}
	if e == nil {
		e = &entry{}
		s.entries[id] = e
	}
	s.drop(e)
	e.address, e.triedAt, e.fetching = address, now, make(chan struct{})
	s.fetching++
	return nil, nil, e
}

// within reports whether less than d has passed. A clock that was put back makes
// nothing recent.
func within(at, now time.Time, d time.Duration) bool { return !now.Before(at) && now.Sub(at) < d }

// fill does not end with the request that began it: others wait for it. After a panic
// there is no logo, and nobody waits.
func (s *shelf) fill(ctx context.Context, e *entry, fetch func(context.Context) []byte) (png []byte) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.put(e, png)
		close(e.fetching)
		e.fetching = nil
		s.fetching--
	}()
	return fetch(context.WithoutCancel(ctx))
}

// put keeps a logo, at the expense of those that were fetched longest ago.
func (s *shelf) put(e *entry, png []byte) {
	for s.bytes+len(png) > maxBytes {
		oldest := s.oldest(func(other *entry) bool { return other.png != nil })
		if oldest == "" {
			return
		}
		s.drop(s.entries[oldest])
	}
	e.png = png
	s.bytes += len(png)
}

func (s *shelf) drop(e *entry) {
	s.bytes -= len(e.png)
	e.png = nil
}

// room makes room for one more client. One whose cool-down lasts is not forgotten, or
// it would be fetched for again: without another there is no room.
func (s *shelf) room(now time.Time) bool {
	if s.entries == nil {
		s.entries = map[string]*entry{}
	}
	if len(s.entries) < maxEntries {
		return true
	}
	victim := s.oldest(func(e *entry) bool { return e.fetching == nil && !within(e.triedAt, now, cooldown) })
	if victim == "" {
		return false
	}
	s.drop(s.entries[victim])
	delete(s.entries, victim)
	return true
}

// oldest is the client whose logo was fetched longest ago among those that suit, empty
// when none does. A look at all of them is little beside the fetch that it is for.
func (s *shelf) oldest(suits func(*entry) bool) string {
	found := ""
	for id, e := range s.entries {
		if suits(e) && (found == "" || e.triedAt.Before(s.entries[found].triedAt)) {
			found = id
		}
	}
	return found
}
