package broker

import "gatehouse/broker/oauth"

// Resource is a resource server (RFC 8707): who takes access tokens besides the
// broker itself.
type Resource struct {
	// URI is its resource indicator, the aud of tokens for it.
	URI string
	// ClientID is the client entry with which the resource server introspects; empty
	// for one that does not.
	ClientID string
	// Scopes are those that mean something to it. Several may share one.
	Scopes oauth.Scopes
	// Encryption is how access tokens for it are encrypted, with the keys of its client
	// entry.
	Encryption Encryption
}
