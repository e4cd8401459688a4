package configs

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// What a hash may cost to check. Whoever knows a client_id can have it checked, so the file must not ask for minutes.
const (
	maxBcryptCost   = 14
	maxArgonMemory  = 256 << 10 // KiB
	maxArgonTime    = 16
	maxArgonThreads = 16
)

// isHashed reports whether a secret is meant as a hash of the form $name$…, which passes to the store as it is.
func isHashed(secret string) bool {
	for _, prefix := range []string{"$2a$", "$2b$", "$2y$", "$argon2"} {
		if strings.HasPrefix(secret, prefix) {
			return true
		}
	}
	return false
}

// minSigning is the length of a secret that HS256 takes (RFC 7518 §3.2), in bytes.
const minSigning = 32

// checkClientSecret looks at what a client's secret resolved to. signs says that the client signs with it.
func checkClientSecret(secret string, signs bool) error {
	switch {
	case signs && isHashed(secret):
		return errors.New("is a hash, and client_secret_jwt needs the secret itself to verify signatures")
	case signs && len(secret) < minSigning:
		return fmt.Errorf("is too short to sign with: client_secret_jwt needs at least %d bytes, as broker secret prints", minSigning)
	case !isHashed(secret):
		return nil
	case strings.HasPrefix(secret, "$argon2"):
		return checkArgon2id(secret)
	}
	cost, err := bcrypt.Cost([]byte(secret))
	switch {
	case err != nil || len(secret) != 60:
		return errors.New("looks like a bcrypt hash but is not one: hash the secret again")
	case cost > maxBcryptCost:
		return fmt.Errorf("has a bcrypt cost of %d: at most %d, or every attempt to guess it takes seconds of processor time", cost, maxBcryptCost)
	}
	return nil
}

// checkArgon2id reads the PHC string format: $argon2id$v=19$m=65536,t=3,p=4$salt$hash.
func checkArgon2id(secret string) error {
	parts := strings.Split(secret, "$")
	malformed := errors.New("looks like an argon2id hash but is not one: it should be $argon2id$v=19$m=…,t=…,p=…$salt$hash")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != "v=19" {
		return malformed
	}
	var memory, time, threads uint32
	n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads)
	if err != nil || n != 3 || fmt.Sprintf("m=%d,t=%d,p=%d", memory, time, threads) != parts[3] {
		return malformed
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	hash, err2 := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err := errors.Join(err1, err2); err != nil || len(salt) < 8 || len(hash) < 16 || len(hash) > 64 || threads == 0 || time == 0 || memory < 8*threads {
		return malformed
	}
	if memory > maxArgonMemory || time > maxArgonTime || threads > maxArgonThreads {
		return fmt.Errorf("has argon2id parameters beyond m=%d,t=%d,p=%d: every attempt to guess it would cost that much", maxArgonMemory, maxArgonTime, maxArgonThreads)
	}
	return nil
}
