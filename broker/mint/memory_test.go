package mint

import (
	"crypto/sha256"
	"strconv"
	"sync"
	"testing"
)

func digestOf(i int) [sha256.Size]byte { return sha256.Sum256([]byte(strconv.Itoa(i))) }

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := newMemory(100)
	for i := range 10_000 {
		m.add(digestOf(i), remembered{keyID: strconv.Itoa(i)})
		if n := len(m.young) + len(m.old); n > 100 {
			t.Fatalf("%d tokens are remembered", n)
		}
	}
	if got, ok := m.find(digestOf(9_999)); !ok || got.keyID != "9999" {
		t.Errorf("the newest: %+v, %v", got, ok)
	}
	if _, ok := m.find(digestOf(0)); ok {
		t.Error("the oldest is still there")
	}
}

func TestMemoryKeepsWhatIsInUse(t *testing.T) {
	t.Parallel()
	m := newMemory(100)
	m.add(digestOf(-1), remembered{keyID: "in use"})
	for i := range 10_000 {
		m.add(digestOf(i), remembered{})
		if i%40 == 0 {
			if got, ok := m.find(digestOf(-1)); !ok || got.keyID != "in use" {
				t.Fatalf("forgotten after %d others", i)
			}
		}
	}
	if n := len(m.young) + len(m.old); n > 100 {
		t.Errorf("%d tokens are remembered", n)
	}
}

func TestMemoryIsShared(t *testing.T) {
	t.Parallel()
	m := newMemory(64)
	var workers sync.WaitGroup
	for range 32 {
		workers.Go(func() {
			for i := range 2_000 {
				m.add(digestOf(i%200), remembered{keyID: strconv.Itoa(i % 200)})
				if got, ok := m.find(digestOf(i % 150)); ok && got.keyID != strconv.Itoa(i%150) {
					t.Errorf("%d is remembered as %s", i%150, got.keyID)
				}
			}
		})
	}
	workers.Wait()
	if n := len(m.young) + len(m.old); n > 64 {
		t.Errorf("%d tokens are remembered", n)
	}
}
