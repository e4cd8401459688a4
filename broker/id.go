package broker

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// Digest is the SHA-256 of a secret: codes, refresh tokens and cookie secrets
// are kept only in this form.
type Digest [sha256.Size]byte

// DigestOf returns the digest of a secret as it travels on the wire.
func DigestOf(secret string) Digest { return sha256.Sum256([]byte(secret)) }

// Equal compares in constant time. The zero Digest equals nothing, so that an
// unset digest never admits anybody.
func (d Digest) Equal(other Digest) bool {
	return d != Digest{} && subtle.ConstantTimeCompare(d[:], other[:]) == 1
}

// IsZero reports whether the digest is unset.
func (d Digest) IsZero() bool { return d == Digest{} }

// idEncoding keeps the order of the bytes it encodes, so that an identifier
// sorts as its expiry does.
var idEncoding = base32.HexEncoding.WithPadding(base32.NoPadding)

const (
	idTimeBytes   = 5
	idRandomBytes = 16
	// IDLength is the length of an identifier made by NewID.
	IDLength = ((idTimeBytes+idRandomBytes)*8 + 4) / 5
)

// NewID returns a public identifier with 128 random bits. It begins with the
// second from which its record may be forgotten, so that records in key order
// are in order of expiry and new ones go to the end. It is not a secret.
func NewID(forget time.Time) string {
	var b [idTimeBytes + idRandomBytes]byte
	putTime(b[:idTimeBytes], forget)
	rand.Read(b[idTimeBytes:])
	return idEncoding.EncodeToString(b[:])
}

// IDForget returns the moment at the head of an identifier made by NewID. It
// reports false for a string that is not one.
func IDForget(id string) (time.Time, bool) {
	if len(id) != IDLength {
		return time.Time{}, false
	}
	b, err := idEncoding.DecodeString(id)
	if err != nil || len(b) != idTimeBytes+idRandomBytes || idEncoding.EncodeToString(b) != id {
		return time.Time{}, false
	}
	return takeTime(b[:idTimeBytes]), true
}

// putTime writes whole seconds since 1970 big-endian into five bytes.
func putTime(dst []byte, t time.Time) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(max(t.Unix(), 0)))
	copy(dst, b[8-idTimeBytes:])
}

func takeTime(src []byte) time.Time {
	var b [8]byte
	copy(b[8-idTimeBytes:], src)
	return time.Unix(int64(binary.BigEndian.Uint64(b[:])), 0)
}

// ExpiringKey is the key of a record found by the digest of a secret: five
// bytes of expiry, then the digest. The secret on the wire carries the expiry
// too, so that its holder can be looked up without an index.
type ExpiringKey [idTimeBytes + sha256.Size]byte

// NewExpiringKey joins the moment a record may be forgotten and a digest.
func NewExpiringKey(forget time.Time, d Digest) ExpiringKey {
	var k ExpiringKey
	putTime(k[:idTimeBytes], forget)
	copy(k[idTimeBytes:], d[:])
	return k
}

// Forget returns the moment from which the record may be forgotten.
func (k ExpiringKey) Forget() time.Time { return takeTime(k[:idTimeBytes]) }

// Digest returns the digest within the key.
func (k ExpiringKey) Digest() Digest { return Digest(k[idTimeBytes:]) }
