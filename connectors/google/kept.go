package google

import (
	"context"
	"sync"
	"time"

	"gatehouse/connectors"
)

// maxKept bounds how much a kept remembers.
const maxKept = 4096

// fetched is a value with how long it serves: from Renew on a new one is tried for,
// and until Until the old one is used when that fails.
type fetched[V any] struct {
	value        V
	renew, until time.Time
}

// kept remembers what was fetched. One fetch runs at a time for each key, whoever
// is waiting for it, and goes on when they have left. The zero value with a clock
// is ready; it is safe for concurrent use.
type kept[K comparable, V any] struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[K]fetched[V]
	flights map[K]*flight[V]
}

// flight is one fetch and all who wait for it.
type flight[V any] struct {
	done   chan struct{}
	result fetched[V]
	err    error
}

// get returns what is remembered for key, or what fetch brings.
func (k *kept[K, V]) get(ctx context.Context, key K, fetch func(context.Context) (fetched[V], error)) (V, error) {
	k.mu.Lock()
	now := k.now()
	have, known := k.entries[key]
	if known && now.Before(have.renew) {
		k.mu.Unlock()
		return have.value, nil
	}
	f := k.flights[key]
	if f == nil {
		f = k.launch(ctx, key, fetch)
	}
	k.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		return *new(V), &connectors.Error{Kind: connectors.Transient, Hint: "nobody waited for Google's answer", Err: ctx.Err()}
	}
	if f.err != nil && known && now.Before(have.until) {
		return have.value, nil
	}
	return f.result.value, f.err
}

// launch starts a fetch. k.mu is held.
func (k *kept[K, V]) launch(ctx context.Context, key K, fetch func(context.Context) (fetched[V], error)) *flight[V] {
	f := &flight[V]{done: make(chan struct{})}
	if k.flights == nil {
		k.flights, k.entries = map[K]*flight[V]{}, map[K]fetched[V]{}
	}
	k.flights[key] = f
	// Whoever came first may leave; the others still wait.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectors.ExchangeTimeout)
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
func (k *kept[K, V]) put(key K, v fetched[V]) {
	if len(k.entries) >= maxKept {
		now := k.now()
		for other, e := range k.entries {
			if !now.Before(e.until) {
				delete(k.entries, other)
			}
		}
		if len(k.entries) >= maxKept {
			clear(k.entries)
		}
	}
	k.entries[key] = v
}

// forget drops the value of key if it is still the one that wrong selects.
func (k *kept[K, V]) forget(key K, wrong func(V) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, known := k.entries[key]; known && wrong(e.value) {
		delete(k.entries, key)
	}
}
