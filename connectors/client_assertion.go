package connectors

import (
	"crypto/rand"
	"net/url"
	"time"
)

const (
	// assertionLife is how long a client assertion is good. Each is used at once and
	// once.
	assertionLife = 5 * time.Minute
	// assertionType is RFC 7523 §2.2.
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// ClientAssertion is what proves who we are to a token endpoint that has our public
// key (RFC 7523 §2.2).
type ClientAssertion struct {
	ClientID, Audience string
	// KeyID and Thumbprint are the header members kid and x5t#S256; empty for none.
	KeyID, Thumbprint string
}

// Params signs the assertion and returns what is added to the token request. Its
// error says nothing of the key.
func (a ClientAssertion) Params(s *Signer, now time.Time) (url.Values, error) {
	header := map[string]string{}
	if a.KeyID != "" {
		header["kid"] = a.KeyID
	}
	if a.Thumbprint != "" {
		header["x5t#S256"] = a.Thumbprint
	}
	// RFC 7523 §3 and OIDC Core §9; Entra ID documents nbf as well.
	signed, err := s.Sign(header, map[string]any{
		"iss": a.ClientID, "sub": a.ClientID, "aud": a.Audience,
		"jti": rand.Text(), "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return nil, err
	}
	return AssertionParams(signed), nil
}

// AssertionParams are those of an assertion that is signed already.
func AssertionParams(signed string) url.Values {
	return url.Values{"client_assertion_type": {assertionType}, "client_assertion": {signed}}
}
