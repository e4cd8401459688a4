package oidc

import (
	"context"
	"net/url"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// defaultCooldown is the least time between two fetches of the keys because of
// an unknown key ID.
const defaultCooldown = time.Minute

// Quirks are how one vendor differs from the specifications. The zero value of
// every member is the specifications' way.
type Quirks struct {
	// Type and Name are those of connectors.Description; Config.Name overrides Name.
	Type, Name       string
	Reauthentication connectors.Reauthentication

	// DiscoveryURL is where the discovery document is; below the issuer when empty.
	DiscoveryURL string
	// DocumentIssuers are the issuers the document may name, byte for byte;
	// Config.Issuer alone when empty.
	DocumentIssuers []string
	// SecretInBody prefers client_secret_post to client_secret_basic, unless discovery
	// offers that alone.
	SecretInBody bool
	// KeyCooldown is the least time between two fetches of the keys because of an
	// unknown key ID; a minute when zero.
	KeyCooldown time.Duration

	// DefaultScopes are asked for when none are configured, given what discovery
	// says it supports. openid is added in any case.
	DefaultScopes func(supported []string) []string
	// MaxAgeForLogin adds max_age=0 to prompt=login, which obliges a provider to put
	// auth_time into the ID token (OIDC Core §3.1.2.1); others need no reminding.
	MaxAgeForLogin bool
	// Params may change the parameters of the authorization request.
	Params func(l connectors.Login, params url.Values)

	// Demand writes what an assurance level is asked for with (Assurance.Request) into
	// the authorization request; as acr_values when nil.
	Demand func(values []string, params url.Values)
	// ACR returns what the token says of how the person authenticated beside acr and
	// amr, such as Entra's acrs; nothing when nil.
	ACR func(c *Claims) []string
	// NoACR: the vendor knows nothing of the kind (connectors.Description.NoACR).
	NoACR bool
	// Endpoint returns the address to use instead of one of discovery's for the Choice
	// that a person made; the same when nil.
	Endpoint func(address, choice string) string

	// OfflineScope is what has to be asked for to be given a refresh token, where
	// re-check is on: offline_access when empty, nothing when it is "-".
	// OfflineParams are added to the authorization request then.
	OfflineScope  string
	OfflineParams url.Values
	// StaticRefresh: a refresh token stays good after its use, so that it may be
	// presented again when the answer is lost.
	StaticRefresh bool
	// Granted reports whether a scope that was asked for is among those that were
	// granted, where the vendor gives scopes other names in its answer; equality when
	// nil. It is for Report.Notes alone.
	Granted func(asked string, granted []string) bool

	// Issuer checks the ID token's issuer; exactly Config.Issuer when nil.
	Issuer func(c *Claims) error
	// ResponseIssuer checks the callback's iss (RFC 9207); exactly Config.Issuer when nil.
	ResponseIssuer func(iss string) bool
	// Admit applies the rules of the connector, before userinfo is asked.
	Admit func(c *Claims, l connectors.Login) error
	// Recheck asks the vendor besides, at a re-check, whether it still vouches for the
	// person: a Gone error says that it does not. The tokens have been refreshed.
	Recheck func(ctx context.Context, c *Claims, api API) error
	// Key returns the canonical issuer and the subject; Config.Issuer and sub when nil.
	Key func(c *Claims) (issuer, subject string, err error)
	// Email returns the address and the evidence for it; the standard claims when nil.
	Email func(c *Claims) (address string, evidence broker.EmailTrust)
	// Groups returns the upstream's groups; the configured claim when nil. api may be
	// asked where the claims do not hold them.
	Groups func(ctx context.Context, c *Claims, api API) ([]string, error)
	// Classify knows the vendor's error codes; nil for what it does not know.
	Classify func(f Failure) *connectors.Error
}

func (q *Quirks) classify(f Failure) *connectors.Error {
	if q.Classify == nil {
		return nil
	}
	return q.Classify(f)
}
