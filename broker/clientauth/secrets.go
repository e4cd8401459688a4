package clientauth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// The forms of a stored secret, told apart by how they begin.
const (
	keyedPrefix  = "keyed:"
	sha256Prefix = "sha256:"
	argonPrefix  = "$argon2id$"
)

// ErrSecretForm: a pre-hashed secret is in none of the forms we can verify.
var ErrSecretForm = errors.New("secret hash is neither bcrypt nor argon2id, or its cost is out of bounds")

// Secrets makes and verifies stored forms of client secrets. Keyed digests are
// good for the life of the process only.
type Secrets struct {
	key [32]byte
	// slow lets one deliberately slow hash run per core and no more.
	slow chan struct{}

	mu       sync.Mutex
	verified map[string]string // stored slow hash -> keyed digest of the secret that matched
}

// NewSecrets returns a verifier with a fresh key.
func NewSecrets() *Secrets {
	s := &Secrets{slow: make(chan struct{}, 2), verified: make(map[string]string)}
	rand.Read(s.key[:])
	return s
}

// Digest returns the stored form of a configured secret: itself if it is a
// bcrypt or argon2id hash, else a keyed digest.
func (s *Secrets) Digest(secret string) (string, error) {
	switch {
	case secret == "":
		return "", errors.New("secret is empty")
	case isBcrypt(secret):
		if cost, err := bcrypt.Cost([]byte(secret)); err != nil || cost > 14 {
			return "", ErrSecretForm
		}
		return secret, nil
	case strings.HasPrefix(secret, argonPrefix):
		_, err := parseArgon(secret)
		return secret, err
	case strings.HasPrefix(secret, "$argon2"):
		// argon2i or argon2d: taken literally, the hash would be the secret.
		return "", ErrSecretForm
	}
	return s.keyed(secret), nil
}

// Hash returns the stored form of a secret with 256 random bits made by us.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return sha256Prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// Costly reports whether it takes a slow hash to verify a secret against the
// stored form: it is one, and no secret has matched it yet.
func (s *Secrets) Costly(stored string) bool {
	if strings.HasPrefix(stored, keyedPrefix) || strings.HasPrefix(stored, sha256Prefix) {
		return false
	}
	_, ok := s.matched(stored)
	return !ok
}

// Verify reports whether the presented secret is the stored one. An empty one
// never is, whatever is stored. Nobody matches once ctx is done: slow hashes wait
// for one another, and a caller that has gone is not waited for.
func (s *Secrets) Verify(ctx context.Context, stored, presented string) bool {
	switch {
	case presented == "" || stored == "":
		return false
	case strings.HasPrefix(stored, keyedPrefix):
		return equal(stored, s.keyed(presented))
	case strings.HasPrefix(stored, sha256Prefix):
		return equal(stored, Hash(presented))
	}
	return s.verifySlow(ctx, stored, presented)
}

func (s *Secrets) verifySlow(ctx context.Context, stored, presented string) bool {
	digest := s.keyed(presented)
	if known, ok := s.matched(stored); ok {
		// One secret matches a hash; another that is not it need not be hashed.
		return equal(known, digest)
	}
	select {
	case s.slow <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-s.slow }()
	if known, ok := s.matched(stored); ok { // by another request, meanwhile
		return equal(known, digest)
	}
	if !matchesSlow(stored, presented) {
		return false
	}
	s.mu.Lock()
	s.verified[stored] = digest
	s.mu.Unlock()
	return true
}

// matched returns the keyed digest of the secret that a slow hash is known to be of.
func (s *Secrets) matched(stored string) (digest string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	digest, ok = s.verified[stored]
	return digest, ok
}

func matchesSlow(stored, presented string) bool {
	if isBcrypt(stored) {
		// bcrypt ignores what lies beyond 72 bytes: a longer secret would match by its
		// beginning alone.
		return len(presented) <= 72 && bcrypt.CompareHashAndPassword([]byte(stored), []byte(presented)) == nil
	}
	a, err := parseArgon(stored)
	if err != nil {
		return false
	}
	sum := argon2.IDKey([]byte(presented), a.salt, a.time, a.memory, a.threads, uint32(len(a.hash)))
	return subtle.ConstantTimeCompare(sum, a.hash) == 1
}

// argon is a parsed argon2id hash in the PHC string format.
type argon struct {
	memory, time uint32
	threads      uint8
	salt, hash   []byte
}

const argonParams = "m=%d,t=%d,p=%d"

func parseArgon(s string) (argon, error) {
	var a argon
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || strings.ContainsAny(s, "\r\n") {
		return a, ErrSecretForm // the decoder of base64 skips line breaks
	}
	if parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return a, ErrSecretForm
	}
	_, err := fmt.Sscanf(parts[3], argonParams, &a.memory, &a.time, &a.threads)
	if err != nil || fmt.Sprintf(argonParams, a.memory, a.time, a.threads) != parts[3] {
		return a, ErrSecretForm // Sscanf also takes signs, spaces and a tail
	}
	if a.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil {
		return a, ErrSecretForm
	}
	if a.hash, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil {
		return a, ErrSecretForm
	}
	// 256 MiB and 16 passes are far beyond any recommendation (RFC 9106 §4).
	if a.memory > 256<<10 || a.time == 0 || a.time > 16 || a.threads == 0 || len(a.salt) < 8 || len(a.hash) < 16 || len(a.hash) > 64 {
		return a, ErrSecretForm
	}
	return a, nil
}

func isBcrypt(s string) bool {
	return strings.HasPrefix(s, "$2a$") || strings.HasPrefix(s, "$2b$") || strings.HasPrefix(s, "$2y$")
}

func (s *Secrets) keyed(secret string) string {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(secret))
	return keyedPrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
