package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// ChallengeMethodS256 is the only code_challenge_method there is here: plain protects nothing once the request is seen
// (RFC 9700 §2.1.1).
const ChallengeMethodS256 = "S256"

// Lengths of RFC 7636 §4.1 and §4.2. A challenge is the base64url of a SHA-256, never longer or shorter.
const (
	challengeLen   = 43
	minVerifierLen = 43
	maxVerifierLen = 128
)

// ValidateChallenge checks the code_challenge and code_challenge_method of an authorization request; empty is absent,
// and both absent is right here: whether the client must use PKCE is the caller's question. Faults are invalid_request
// (RFC 7636 §4.4.1).
func ValidateChallenge(challenge, method string) error {
	switch {
	case challenge == "" && method == "":
		return nil
	case challenge == "":
		// Somebody took the challenge out, or the client is wrong about being protected.
		return Errorf(InvalidRequest, "code_challenge_method was sent without code_challenge")
	case method == "":
		// RFC 7636 §4.3: an absent method means plain.
		return Errorf(InvalidRequest, "code_challenge_method is missing; S256 is required")
	case method != ChallengeMethodS256:
		return Errorf(InvalidRequest, "code_challenge_method must be S256")
	case len(challenge) != challengeLen || !isBase64URL(challenge):
		return Errorf(InvalidRequest, "code_challenge must be 43 characters of base64url")
	default:
		return nil
	}
}

// VerifyPKCE checks the code_verifier of a token request against the challenge the code was issued under; empty is
// absent. Every failure is invalid_grant (RFC 7636 §4.6).
func VerifyPKCE(challenge, verifier string) error {
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge == "":
		// The client believes that its request was protected, so its challenge was removed on the way: RFC 9700 §4.8.2.
		return Errorf(InvalidGrant, "code_verifier was sent but the code was issued without code_challenge")
	case verifier == "":
		// A missing verifier fails too: the challenge was promised at /authorize (RFC 7636 §4.6).
		return Errorf(InvalidGrant, "code_verifier is missing")
	case !isVerifier(verifier):
		return Errorf(InvalidGrant, "code_verifier must be 43 to 128 unreserved characters")
	case subtle.ConstantTimeCompare([]byte(S256(verifier)), []byte(challenge)) != 1:
		return Errorf(InvalidGrant, "code_verifier does not match")
	default:
		return nil
	}
}

// S256 is the code_challenge of verifier under the method S256 (RFC 7636 §4.2).
func S256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// NewVerifier returns a fresh code_verifier of 256 random bits (RFC 7636 §7.1).
func NewVerifier() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: without randomness it ends the program
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// isVerifier reports whether s is 43*128unreserved (RFC 7636 §4.1).
func isVerifier(s string) bool {
	if len(s) < minVerifierLen || len(s) > maxVerifierLen {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	return true
}

// isBase64URL reports whether s is made of the base64url alphabet, without padding.
func isBase64URL(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// isAlphanumeric reports whether c is an ASCII letter or digit.
func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
