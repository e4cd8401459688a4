package seal

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// NewSecret makes a fresh secret: 256 random bits in base64url without padding, 43 characters, as [ParseSecret] reads.
func NewSecret() string {
	var b [MinSecret]byte
	_, _ = rand.Read(b[:]) // never fails: a process without randomness is ended by the runtime
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ParseSecret reads a secret as an operator writes it: hex, base64url or base64 (with or without padding) of at least
// [MinSecret] bytes, or any other text that is itself that long. White space around it, such as the line break at the
// end of a file, is not part of it. The first of these that fits is taken, in this order, so one spelling always
// means the same bytes. The error says what to do and holds no part of the secret.
func ParseSecret(s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	if b, err := hex.DecodeString(s); err == nil && len(b) >= MinSecret {
		return b, nil
	}
	if !strings.ContainsAny(s, "\r\n") {
		unpadded := strings.TrimRight(s, "=")
		for _, enc := range []*base64.Encoding{base64.RawURLEncoding, base64.RawStdEncoding} {
			if b, err := enc.Strict().DecodeString(unpadded); err == nil && len(b) >= MinSecret {
				return b, nil
			}
		}
	}
	if len(s) >= MinSecret {
		return []byte(s), nil
	}
	return nil, fmt.Errorf("seal: the secret has %d characters: use 32 random bytes in base64 or hex, or a text of at least %d characters (broker secret prints one)",
		len(s), MinSecret)
}
