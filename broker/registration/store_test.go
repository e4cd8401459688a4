package registration

import (
	"context"
	"sync"
	"testing"
	"time"

	"gatehouse/broker"
)

func openStore(*testing.T) broker.Registrations {
	return &memory{records: map[string]broker.Registration{}, used: map[broker.Digest]uint64{}}
}

type memory struct {
	mu      sync.Mutex
	records map[string]broker.Registration
	used    map[broker.Digest]uint64
}

func (m *memory) Register(_ context.Context, r broker.Registration, q *broker.Quota, _ broker.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.records[r.ClientID]; ok {
		return broker.ErrExists
	}
	if q != nil {
		if m.used[q.Token] >= q.Limit {
			return broker.ErrExhausted
		}
		m.used[q.Token]++
	}
	m.records[r.ClientID] = r
	return nil
}

func (m *memory) Registration(_ context.Context, id string, now time.Time) (broker.Registration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[id]
	if !ok || r.Expired(now) {
		return r, broker.ErrNotFound
	}
	return r, nil
}

func (m *memory) ReplaceRegistration(_ context.Context, r broker.Registration, _ broker.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.records[r.ClientID]
	if !ok {
		return broker.ErrNotFound
	}
	if old.Revision+1 != r.Revision {
		return broker.ErrConflict
	}
	m.records[r.ClientID] = r
	return nil
}

func (m *memory) UseRegistration(_ context.Context, id string, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[id]
	if !ok || r.Expired(now) {
		return broker.ErrNotFound
	}
	r.UsedAt = now
	m.records[id] = r
	return nil
}

func (m *memory) Unregister(_ context.Context, id string, _ broker.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.records[id]; !ok {
		return broker.ErrNotFound
	}
	delete(m.records, id)
	return nil
}
