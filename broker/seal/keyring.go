package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// MinSecret is the least number of bytes a secret may have: 256 bits, the strength of the keys derived from it.
const MinSecret = 32

// The labels keep the key families apart: a MAC key is never a box key, even for the same purpose.
const (
	extractSalt  = "gatehouse/seal/v1"
	boxLabel     = "gatehouse/seal/v1/box/"
	derivedLabel = "gatehouse/seal/v1/derived-box/"
	macLabel     = "gatehouse/seal/v1/mac/"
)

// Keyring is the configured list of secrets, made ready for deriving. The first one seals, all of them open.
// It is immutable and safe for concurrent use.
type Keyring struct {
	redacted
	prks [][]byte // one HKDF pseudorandom key per secret; the secrets themselves are not kept
}

// New makes a Keyring of the secrets, newest first. Each needs at least [MinSecret] bytes and none may occur twice
// (a repeated secret is a rotation that did not happen). The error says what to do and holds no part of a secret.
func New(secrets ...[]byte) (*Keyring, error) {
	if len(secrets) == 0 {
		return nil, errors.New("seal: no secret: configure at least one of 32 random bytes or more (broker secret prints one)")
	}
	k := &Keyring{prks: make([][]byte, 0, len(secrets))}
	seen := make(map[[sha256.Size]byte]int, len(secrets))
	for i, secret := range secrets {
		if len(secret) < MinSecret {
			return nil, fmt.Errorf("seal: secret %d has %d bytes, at least %d are needed: replace it by a random one (broker secret prints one)",
				i+1, len(secret), MinSecret)
		}
		digest := sha256.Sum256(secret)
		if first, ok := seen[digest]; ok {
			return nil, fmt.Errorf("seal: secret %d is the same as secret %d: to rotate, put a new one first and keep the old one behind it",
				i+1, first)
		}
		seen[digest] = i + 1
		prk, err := hkdf.Extract(sha256.New, secret, []byte(extractSalt))
		if err != nil {
			return nil, fmt.Errorf("seal: secret %d: %w", i+1, err)
		}
		k.prks = append(k.prks, prk)
	}
	return k, nil
}

// Box returns the box for a purpose. Deriving costs some microseconds per secret: make a box once and keep it.
// The purpose is a constant of the program, such as "flow-cookie"; it is not secret.
func (k *Keyring) Box(purpose string) *Box {
	keys := make([]boxKey, len(k.prks))
	for i, prk := range k.prks {
		keys[i] = newBoxKey(expand(prk, boxLabel+purpose, boxMaterial))
	}
	return &Box{keys: keys}
}

// expand is HKDF-Expand with SHA-256. It fails only when more than 255 hashes of output are asked for, which no
// constant in this package does, or when a FIPS-only process refuses the pseudorandom key, which is always 32 bytes.
func expand(prk []byte, info string, length int) []byte {
	out, err := hkdf.Expand(sha256.New, prk, info, length)
	if err != nil {
		panic(fmt.Sprintf("seal: deriving a key: %v", err))
	}
	return out
}

// redacted, embedded, keeps key material out of every fmt verb and every log line.
type redacted struct{}

// Format writes a placeholder for every verb, %#v included.
func (redacted) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[REDACTED]") }

// LogValue is what slog prints.
func (redacted) LogValue() slog.Value { return slog.StringValue("[REDACTED]") }
