package connectortest

import (
	"bytes"
	"sync"
	"time"
)

// Clock is a time that moves when told to.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock starts where the fixtures' clock stands.
func NewClock() *Clock { return &Clock{at: time.Unix(1795132800, 0).UTC()} }

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

// Log collects log lines.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns everything logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Clear forgets what was logged.
func (l *Log) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Reset()
}
