package mint

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"strings"
)

// ErrMalformed: not a code or token that this broker has made. It does not say why: whoever asks is guessing.
var ErrMalformed = errors.New("mint: not one of ours")

// sumSize is the length in bytes of the authentication code at the end of an opaque value.
const sumSize = 16

// encodeOpaque spells a value: a prefix that says what it is, so that one that turns up in a log or a repository can be
// recognised, and base64url.
func encodeOpaque(prefix string, raw []byte) string {
	return prefix + base64.RawURLEncoding.EncodeToString(raw)
}

// decodeOpaque reads exactly what encodeOpaque wrote for size bytes.
func decodeOpaque(prefix, value string, size int) ([]byte, bool) {
	text, found := strings.CutPrefix(value, prefix)
	// The length settles padding and the line breaks that encoding/base64 skips; Strict the bits left over at the end.
	if !found || len(text) != base64.RawURLEncoding.EncodedLen(size) {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return raw, err == nil && len(raw) == size
}

// NewJTI returns a JWT ID (RFC 7519 §4.1.7) of 128 random bits.
func NewJTI() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: a process without randomness is ended by the runtime
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// NewAccountID returns a random account ID in the form of broker.IdentityKey.ProposedAccountID, for an identity whose
// proposed one is taken: 160 bits in base32, 32 characters that survive every system's idea of a user name.
func NewAccountID() string {
	var b [20]byte
	_, _ = rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}
