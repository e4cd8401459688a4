package mint

import (
	"crypto/sha256"
	"sync"
)

// maxRemembered is how many verified access tokens are remembered: about 6 MiB of them.
const maxRemembered = 8192

// memory remembers access tokens whose signature has been verified, by the digest of the whole token, because a client
// presents one again and again and verifying is most of what that costs. It proves nothing but that: expiry, the key's
// standing and the grant's are looked at each time.
//
// It has two generations. When the young one is full it becomes the old one and the old one is dropped, so that the
// bound holds, what is in use stays and nothing is ever searched for victims.
type memory struct {
	mu         sync.Mutex
	young, old map[[sha256.Size]byte]remembered
	limit      int // of each generation
}

type remembered struct {
	token AccessToken
	keyID string
}

// newMemory makes a memory of at most limit tokens.
func newMemory(limit int) *memory {
	return &memory{young: make(map[[sha256.Size]byte]remembered), limit: max(limit/2, 1)}
}

func (m *memory) find(digest [sha256.Size]byte) (remembered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.young[digest]
	if ok {
		return r, true
	}
	if r, ok = m.old[digest]; ok {
		m.put(digest, r)
	}
	return r, ok
}

func (m *memory) add(digest [sha256.Size]byte, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(digest, r)
}

func (m *memory) put(digest [sha256.Size]byte, r remembered) {
	if _, there := m.young[digest]; !there && len(m.young) >= m.limit {
		m.young, m.old = make(map[[sha256.Size]byte]remembered, m.limit), m.young
	}
	m.young[digest] = r
}
