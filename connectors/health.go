package connectors

import (
	"context"
	"errors"
	"sync"
)

// Health remembers why an upstream could last not be used. The zero value is
// healthy. It is safe for concurrent use.
type Health struct {
	mu  sync.Mutex
	err error
}

// Note records the outcome of a conversation. What one person may or may not do
// says nothing about the upstream, nor does somebody who closed the browser.
func (h *Health) Note(err error) {
	var e *Error
	if errors.As(err, &e) {
		about := e.Kind == Operator || e.Kind == Transient && !errors.Is(e.Err, context.Canceled)
		if !about {
			return
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
}

// Err returns nil, or why the last conversation that said something failed.
func (h *Health) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}
