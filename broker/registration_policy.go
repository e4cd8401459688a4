package broker

import (
	"time"

	"gatehouse/broker/oauth"
)

// RegistrationPolicy is what clients may register for. Its zero value lets nobody register, and
// no registered client do anything.
type RegistrationPolicy struct {
	// Open lets everybody register. Whoever presents an initial access token all the
	// same is held to it.
	Open bool
	// Tokens are the initial access tokens (RFC 7591 §1.2).
	Tokens []InitialToken
	// Scopes a client may have: those of its request that are not among them are left
	// out (RFC 7591 §2, §3.2.1), and one that asks for none by name gets all of them.
	Scopes oauth.Scopes
	// GrantTypes a client may have; asking for another is refused, so that it is told
	// when it registers and not when a person is waiting. Token exchange and jwt-bearer
	// are an operator's to give and refused whatever stands here.
	GrantTypes []oauth.GrantType
	// RedirectHosts are the hosts that people and answers may be sent to: exact, or
	// *.example.com for whatever is below example.com. Empty means any host that is not
	// this machine.
	RedirectHosts []string
	// Loopback admits redirect URIs with 127.0.0.1, [::1] or localhost, and
	// PrivateSchemes those such as com.example.app:/callback (RFC 8252 §7).
	Loopback       bool
	PrivateSchemes bool
	// PKCEOptional lets confidential clients omit the challenge.
	PKCEOptional bool
	// FullIDToken puts the claims of the scopes into ID tokens, and not at userinfo alone.
	FullIDToken bool
	// Unused is how long a client may go unused before it is forgotten; zero is for ever.
	Unused time.Duration
	// Connectors the people of registered clients may come from; empty means all.
	Connectors []string
}

// InitialToken admits whoever presents it (RFC 7591 §3).
type InitialToken struct {
	Digest Digest
	// Limit is how many clients it registers in all; zero is any number.
	Limit uint64
	// Expires is the first moment at which it is no longer good; zero is never.
	Expires time.Time
	// Name is what audit records call it.
	Name string
}
