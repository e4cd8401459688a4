package metadata

import (
	"bytes"
	"cmp"
	"fmt"

	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

// Decode reads the JSON object of a registration (RFC 7591 §3.1), strictly: what has
// more than one reading, or a member of a wrong type, is [jose.ErrMalformed]. Members
// that are not metadata of a client are ignored (§2), among them all that an operator
// grants; null means absent. The caller bounds the size of the document.
func Decode(document []byte) (Client, error) {
	var c Client
	if !bytes.HasPrefix(bytes.TrimLeft(document, " \t\r\n"), []byte("{")) {
		return c, fmt.Errorf("%w: client metadata are a JSON object", jose.ErrMalformed)
	}
	if err := jose.StrictUnmarshal(document, &c); err != nil {
		return Client{}, fmt.Errorf("client metadata: %w", err)
	}
	if string(c.JWKS) == "null" {
		c.JWKS = nil
	}
	return c, nil
}

// WithRegistrationDefaults returns the metadata with what a client that registers
// itself means by leaving members out (RFC 7591 §2, OpenID Connect Registration §2),
// to be validated, stored and sent back to it.
func (c *Client) WithRegistrationDefaults() Client {
	out := *c
	if out.GrantTypes == nil {
		out.GrantTypes = []string{string(oauth.GrantTypeAuthorizationCode)}
	}
	if out.ResponseTypes == nil && out.codes() {
		out.ResponseTypes = []string{string(oauth.ResponseTypeCode)}
	}
	out.AuthMethod = cmp.Or(out.AuthMethod, string(oauth.AuthMethodClientSecretBasic))
	out.ApplicationType = cmp.Or(out.ApplicationType, "web")
	out.IDTokenAlg = cmp.Or(out.IDTokenAlg, string(jose.RS256))
	out.IDTokenEnc = defaultEnc(out.IDTokenKeyAlg, out.IDTokenEnc)
	out.UserInfoEnc = defaultEnc(out.UserInfoKeyAlg, out.UserInfoEnc)
	out.IntrospectionEnc = defaultEnc(out.IntrospectKeyAlg, out.IntrospectionEnc)
	return out
}
