package connectors

import (
	"context"
	"sync"
	"time"
)

// maxKept bounds how much a Kept remembers.
const maxKept = 4096

// Fetched is a value with how long it serves: from Renew on a new one is tried for,
// and until Until the old one is used when that fails.
type Fetched[V any] struct {
	Value        V
	Renew, Until time.Time
}

// Kept remembers what was fetched, such as access tokens of our own. One fetch runs
// at a time for each key, whoever is waiting for it, and goes on when they have left.
// The zero value with a clock is ready; it is safe for concurrent use.
type Kept[K comparable, V any] struct {
	Now func() time.Time

	mu      sync.Mutex
	entries map[K]Fetched[V]
	flights map[K]*flight[V]
}

// flight is one fetch and all who wait for it.
type flight[V any] struct {
	done   chan struct{}
	result Fetched[V]
	err    error
}

// Get returns what is remembered for key, or what fetch brings. It fails as fetch
// does, or is Transient when ctx ends before.
func (k *Kept[K, V]) Get(ctx context.Context, key K, fetch func(context.Context) (Fetched[V], error)) (V, error) {
	k.mu.Lock()
	now := k.Now()
	have, known := k.entries[key]
	if known && now.Before(have.Renew) {
		k.mu.Unlock()
		return have.Value, nil
	}
	f := k.flights[key]
	if f == nil {
		f = k.launch(ctx, key, fetch)
	}
	k.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		return *new(V), &Error{Kind: Transient, Hint: "nobody waited for the upstream's answer", Err: ctx.Err()}
	}
	if f.err != nil && known && now.Before(have.Until) {
		return have.Value, nil
	}
	return f.result.Value, f.err
}

// launch starts a fetch. k.mu is held.
func (k *Kept[K, V]) launch(ctx context.Context, key K, fetch func(context.Context) (Fetched[V], error)) *flight[V] {
	f := &flight[V]{done: make(chan struct{})}
	if k.flights == nil {
		k.flights, k.entries = map[K]*flight[V]{}, map[K]Fetched[V]{}
	}
	k.flights[key] = f
	// Whoever came first may leave; the others still wait.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ExchangeTimeout)
	go func() {
		defer cancel()
		f.result, f.err = fetch(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.flights, key)
		if f.err == nil {
			k.put(key, f.result)
		}
		close(f.done)
	}()
	return f
}

// put makes room by forgetting what no longer serves, and everything where that is
// not enough. k.mu is held.
func (k *Kept[K, V]) put(key K, v Fetched[V]) {
	if len(k.entries) >= maxKept {
		now := k.Now()
		for other, e := range k.entries {
			if !now.Before(e.Until) {
				delete(k.entries, other)
			}
		}
		if len(k.entries) >= maxKept {
			clear(k.entries)
		}
	}
	k.entries[key] = v
}

// Forget drops the value of key if it is still the one that wrong selects.
func (k *Kept[K, V]) Forget(key K, wrong func(V) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, known := k.entries[key]; known && wrong(e.Value) {
		delete(k.entries, key)
	}
}
