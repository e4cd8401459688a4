// Package clocktest has a clock that stands still until a test moves it. What is
// made with its Now runs through days in no time and comes to the same end on every
// machine.
package clocktest

import (
	"sync"
	"time"
)

// Clock is a time that moves when told to, also backwards. It is safe for concurrent
// use.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// New returns a clock that shows a time.
func New(at time.Time) *Clock { return &Clock{at: at} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the time.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
