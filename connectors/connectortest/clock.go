package connectortest

import (
	"bytes"
	"sync"
	"time"

	"gatehouse/internal/clocktest"
)

// Clock is a bench's time.
type Clock = clocktest.Clock

// NewClock starts where the fixtures' clock stands.
func NewClock() *Clock { return clocktest.New(time.Unix(1795132800, 0).UTC()) }

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
