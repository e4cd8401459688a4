package metadata

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

// validateKeys: whoever signs needs keys (RFC 7591 §2).
func (c *Client) validateKeys(p *problems, r Rules) {
	method, inline := oauth.AuthMethod(c.AuthMethod), c.JWKS != nil || r.KeysApart
	switch {
	case inline && c.JWKSURI != "":
		p.add("jwks_uri", "cannot be combined with jwks")
	case method == oauth.AuthMethodPrivateKeyJWT && !inline && c.JWKSURI == "":
		p.add("jwks", "required with private_key_jwt: the client's public keys, or jwks_uri where they are")
	case c.signsRequests() && !inline && c.JWKSURI == "":
		p.add("jwks", "required where the client signs requests, or jwks_uri")
	case len(c.keyAlgorithms()) > 0 && !inline && c.JWKSURI == "":
		p.add("jwks", "required where something is encrypted for the client, or jwks_uri")
	}
	if c.JWKS != nil {
		signs := method == oauth.AuthMethodPrivateKeyJWT || c.signsRequests()
		if err := CheckKeySet(c.JWKS, signs, c.keyAlgorithms()...); err != nil {
			p.add("jwks", "%s", err)
		}
	}
	if c.JWKSURI != "" && !isHTTPS(c.JWKSURI) {
		p.add("jwks_uri", "must be an https URL")
	}
	for i, uri := range c.RequestURIs {
		if !isHTTPS(uri) {
			p.add(element("request_uris", i), "must be an https URL")
		}
	}
	if alg := c.RequestObjectAlg; alg != "" && !slices.Contains(jose.Recommended(), jose.Algorithm(alg)) {
		p.add("request_object_signing_alg", "must be one of RS256, PS256, ES256, ES384 and EdDSA")
	}
	c.validateAssertions(p)
}

func (c *Client) signsRequests() bool { return c.RequestURIs != nil || c.RequestObjectAlg != "" }

// validateAssertions checks with what the client proves who it is.
func (c *Client) validateAssertions(p *problems) {
	method, alg := oauth.AuthMethod(c.AuthMethod), jose.Algorithm(c.AssertionAlg)
	signs := method == oauth.AuthMethodPrivateKeyJWT || method == oauth.AuthMethodClientSecretJWT
	switch {
	case alg == "":
	case !signs:
		p.add("token_endpoint_auth_signing_alg", "is for private_key_jwt and client_secret_jwt")
	case !slices.Contains(assertionAlgorithms(), alg), strings.HasPrefix(string(alg), "HS") != (method == oauth.AuthMethodClientSecretJWT):
		p.add("token_endpoint_auth_signing_alg", "is not an algorithm for %s", method)
	}
}

// assertionAlgorithms are those that package clientauth verifies.
func assertionAlgorithms() []jose.Algorithm {
	return append(jose.Recommended(), jose.HS256, jose.HS384, jose.HS512)
}

// CheckKeySet refuses a JWK set that holds what nobody should have sent, and one that
// does not do for what it is there for: signs says that signatures are verified with it,
// and algs are those with which something is encrypted to it. A client's weak or private
// keys are its mistake, and it should hear of it before it uses them (RFC 8725 §3.5).
func CheckKeySet(text []byte, signs bool, algs ...string) error {
	set, err := jose.ParseKeySet(text)
	switch {
	case errors.Is(err, jose.ErrKey):
		return errors.New("holds a private or symmetric key, or two keys with one kid: give the public keys, each with a kid of its own")
	case err != nil:
		return errors.New("is not a JWK set")
	case len(set.Refused()) > 0:
		return errors.New("holds a key that is too weak or malformed: RSA needs 2048 bits, EC one of P-256, P-384 and P-521")
	case signs && len(set.All()) == 0:
		return errors.New("holds no key that can verify a signature")
	}
	return keysFor(set, algs)
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Zone() == "" && ip.Unmap().IsLoopback()
}
