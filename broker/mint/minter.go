package mint

import (
	"errors"
	"fmt"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/keys"
	"gatehouse/broker/policy"
	"gatehouse/broker/seal"
)

// DefaultMaxLifetime is how long a JWT may live where [Config] does not say: what a lifetime of some hours, mistyped as
// days, does not fit into.
const DefaultMaxLifetime = 24 * time.Hour

// Config is what a [Minter] is made of.
type Config struct {
	// Issuer is the broker's issuer identifier, the iss of every JWT.
	Issuer string
	// Audiences are accepted in access tokens besides Issuer, which is the aud they get.
	Audiences []string
	Ring      *keys.Ring
	Secrets   *seal.Keyring
	// IDTokenAlg and AccessTokenAlg sign for clients that name none; empty means RS256 (OIDC Core §15.1) and ES256.
	IDTokenAlg     string
	AccessTokenAlg string
	// Lifetimes are those of clients that set none. AccessToken and IDToken have to be positive.
	Lifetimes broker.Lifetimes
	// Subjects tells by which sub clients know people (OIDC Core §8).
	Subjects policy.Subjects
	// Keys finds the keys that something is encrypted to, Clients the client entry of a resource server. Without them
	// nothing is issued to those who want it encrypted.
	Keys    *clientkeys.Cache
	Clients broker.Clients
	// MaxLifetime bounds exp - iat of every JWT, whatever a client's lifetimes say; zero means DefaultMaxLifetime.
	MaxLifetime time.Duration
}

// Minter makes tokens and reads them back. It is immutable but for a bounded memory of verified tokens, and safe for
// concurrent use.
type Minter struct {
	issuer         string
	audiences      []string
	ring           *keys.Ring
	idTokenAlg     string
	accessTokenAlg string
	lifetimes      broker.Lifetimes
	linter         linter
	// introspectionAlg signs answers for clients that name none.
	introspectionAlg string
	subjects         policy.Subjects
	keys             *clientkeys.Cache
	clients          broker.Clients

	codes    *seal.MAC
	refresh  *seal.MAC
	opaque   *seal.Box
	verified *memory
}

// New makes a Minter. The error says what is missing or contradicts itself.
func New(c Config) (*Minter, error) {
	m := &Minter{
		issuer: c.Issuer, audiences: c.Audiences, ring: c.Ring,
		idTokenAlg: or(c.IDTokenAlg, "RS256"), accessTokenAlg: or(c.AccessTokenAlg, "ES256"),
		lifetimes: c.Lifetimes, subjects: c.Subjects, keys: c.Keys, clients: c.Clients,
		linter:   newLinter(c.Issuer, or(c.MaxLifetime, DefaultMaxLifetime)),
		verified: newMemory(maxRemembered),
	}
	switch {
	case c.Issuer == "":
		return nil, errors.New("mint: no issuer")
	case c.Ring == nil || c.Secrets == nil:
		return nil, errors.New("mint: no keys or no secrets")
	case c.Lifetimes.AccessToken <= 0 || c.Lifetimes.IDToken <= 0:
		return nil, errors.New("mint: lifetimes of access and ID tokens have to be positive")
	case c.Lifetimes.AccessToken > m.linter.maxLifetime || c.Lifetimes.IDToken > m.linter.maxLifetime:
		return nil, fmt.Errorf("mint: a lifetime is longer than the %v that a JWT may live", m.linter.maxLifetime)
	}
	for _, alg := range []string{m.idTokenAlg, m.accessTokenAlg} {
		if !c.Ring.Signs(alg) {
			return nil, fmt.Errorf("mint: %s is not one of the algorithms that the keys are for: %v", alg, c.Ring.Algorithms())
		}
	}
	m.codes = c.Secrets.TruncatedMAC("authorization-code", sumSize)
	m.refresh = c.Secrets.TruncatedMAC("refresh-token", sumSize)
	m.opaque = c.Secrets.Box("opaque access token")
	if m.introspectionAlg = m.idTokenAlg; c.Ring.Signs("RS256") { // RFC 9701 §6: the default
		m.introspectionAlg = "RS256"
	}
	return m, nil
}

// Subject returns the sub by which a client knows an account: pairwise for a client that has a sector (OpenID Connect
// Core §8). Whoever has a token of ours and asks whether it is about an account compares the token's Subject with this;
// the token's own is what it says and is never translated. Without a salt a client with a sector knows nobody: "".
func (m *Minter) Subject(client *broker.Client, accountID string) string {
	if client.Sector != "" && len(m.subjects.Salt) == 0 {
		return ""
	}
	return m.subjects.Of(client, accountID)
}

// about is the intent of what is issued to a client about an account.
func (m *Minter) about(client *broker.Client, accountID string) intent {
	i := intent{subject: m.Subject(client, accountID), clientID: client.ID}
	if client.Sector != "" {
		i.hidden = accountID
	}
	return i
}

// or returns value, or otherwise where value is zero.
func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
