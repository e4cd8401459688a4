package registration

import (
	"crypto/rand"
	"crypto/subtle"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/oauth"
	"gatehouse/broker/seal"
)

// What the broker makes for a registered client says by its prefix what it is, so that
// one that turns up in a log or a repository can be recognised.
const (
	idPrefix     = "reg_"
	tokenPrefix  = "gm_" // to manage the registration with
	secretPrefix = "gs_"
	idLength     = len(idPrefix) + 26 // of rand.Text
)

// newID returns a random client ID: 130 bits, and nothing that the ID of a Basic
// header could stumble over (RFC 6749 §2.3.1).
func newID() string { return idPrefix + strings.ToLower(rand.Text()) }

// isID reports whether newID may have made the ID. Anything else never gets to the
// store.
func isID(id string) bool { return len(id) == idLength && strings.HasPrefix(id, idPrefix) }

// newToken returns a registration access token (RFC 7592 §3).
func newToken() string { return tokenPrefix + seal.NewSecret() }

// equip gives the registration the secret that its authentication method rests on,
// and returns it if it is a new one. One that does for the new method too is kept, and
// one that is no longer needed goes.
func equip(r *broker.Registration, method oauth.AuthMethod) (secret string) {
	switch {
	case !method.UsesSecret():
		r.Secret, r.MACSecret = "", nil
	case method == oauth.AuthMethodClientSecretJWT && len(r.MACSecret) == 0:
		// Signatures are verified with the secret itself, and HS512 takes one of 64 bytes
		// (RFC 7518 §3.2). What is kept of another secret is its hash.
		secret = secretPrefix + seal.NewSecret() + seal.NewSecret()
		r.Secret, r.MACSecret = "", []byte(secret)
	case method == oauth.AuthMethodClientSecretJWT:
	case len(r.MACSecret) > 0:
		r.Secret, r.MACSecret = clientauth.Hash(string(r.MACSecret)), nil
	case r.Secret == "":
		secret = secretPrefix + seal.NewSecret()
		r.Secret = clientauth.Hash(secret)
	}
	return secret
}

// hasSecret reports whether the client's secret is the one presented.
func hasSecret(r *broker.Registration, presented string) bool {
	stored := r.Secret
	if len(r.MACSecret) > 0 {
		stored = clientauth.Hash(string(r.MACSecret))
	}
	return subtle.ConstantTimeCompare([]byte(stored), []byte(clientauth.Hash(presented))) == 1
}
