package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
)

// MinSum is the least length in bytes of a truncated sum: 128 bits, half of SHA-256 (RFC 2104 §5).
const MinSum = 16

// MAC authenticates data for one purpose with HMAC-SHA256. It is immutable and safe for concurrent use.
type MAC struct {
	redacted
	keys [][]byte // the first sums
	size int
}

// MAC returns the authenticator for a purpose, with full 32-byte sums. Make it once and keep it.
func (k *Keyring) MAC(purpose string) *MAC { return k.TruncatedMAC(purpose, sha256.Size) }

// TruncatedMAC is [Keyring.MAC] with sums of size bytes, [MinSum] to 32; another size is a mistake in the program and
// panics. The size is part of the derivation: a long sum cut short is not a short sum.
func (k *Keyring) TruncatedMAC(purpose string, size int) *MAC {
	if size < MinSum || size > sha256.Size {
		panic(fmt.Sprintf("seal: a sum of %d bytes: choose %d to %d", size, MinSum, sha256.Size))
	}
	m := &MAC{keys: make([][]byte, len(k.prks)), size: size}
	for i, prk := range k.prks {
		m.keys[i] = expand(prk, macLabel+strconv.Itoa(size)+"/"+purpose, keySize)
	}
	return m
}

// Sum authenticates the parts under the first key. Each part goes in with its length in front, so that ("ab", "c") and
// ("a", "bc") have different sums.
func (m *MAC) Sum(parts ...[]byte) []byte { return m.sum(m.keys[0], parts) }

// Verify says whether sum is that of the parts under any key of the ring, in time that does not depend on where they
// differ. A sum of another length is refused.
func (m *MAC) Verify(sum []byte, parts ...[]byte) bool {
	for _, key := range m.keys {
		if hmac.Equal(m.sum(key, parts), sum) {
			return true
		}
	}
	return false
}

func (m *MAC) sum(key []byte, parts [][]byte) []byte {
	h := hmac.New(sha256.New, key)
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	return h.Sum(make([]byte, 0, sha256.Size))[:m.size]
}
