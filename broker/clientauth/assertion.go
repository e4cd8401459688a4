package clientauth

import (
	"context"
	"fmt"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

const (
	// assertionSkew is how far a client's clock may differ from ours.
	assertionSkew = 30 * time.Second
	// maxAssertionLifetime is how long an assertion may be good, so that its jti need
	// not be remembered for longer.
	maxAssertionLifetime = time.Hour
	maxAssertion         = 16 << 10
	maxAssertionID       = 256
)

// assertionAlgorithms are those of private_key_jwt and of client_secret_jwt.
func assertionAlgorithms() []jose.Algorithm { return jose.Recommended() }

func macAlgorithms() []jose.Algorithm {
	return []jose.Algorithm{jose.HS256, jose.HS384, jose.HS512}
}

// AssertionAlgorithms are what discovery says as
// token_endpoint_auth_signing_alg_values_supported.
func AssertionAlgorithms() []string {
	var out []string
	for _, a := range append(assertionAlgorithms(), macAlgorithms()...) {
		out = append(out, string(a))
	}
	return out
}

// readAssertion finds out whom an assertion is said to be from, without believing
// it (RFC 7523 §3, RFC 7521 §4.2).
func readAssertion(form oauth.Params) (credentials, error) {
	if form.Get("client_assertion_type") != oauth.ClientAssertionType || !form.Has("client_assertion") {
		return credentials{}, oauth.Errorf(oauth.InvalidClient, "client_assertion_type is not supported, or there is no client_assertion")
	}
	token, err := jose.Peek(form.Get("client_assertion"), jose.Limits{Size: maxAssertion})
	if err != nil {
		return credentials{}, oauth.Errorf(oauth.InvalidClient, "the client assertion cannot be read").Because(err)
	}
	// RFC 7521 §4.2: client_id is not needed, but must be the same if it is there.
	if named := form.Get("client_id"); named != "" && named != token.Claims.Subject {
		return credentials{}, oauth.Errorf(oauth.InvalidClient, "client_id differs from the subject of the client assertion")
	}
	c := credentials{id: token.Claims.Subject, method: oauth.AuthMethodPrivateKeyJWT, assertion: token}
	if token.Header.Algorithm.Symmetric() {
		c.method = oauth.AuthMethodClientSecretJWT
	}
	if c.id == "" {
		return c, oauth.Errorf(oauth.InvalidClient, "the client assertion has no subject")
	}
	return c, nil
}

// proveAssertion checks an assertion against the client's own keys or secrets and
// returns the one-time key of its jti (RFC 7523 §3).
func (a *Authenticator) proveAssertion(ctx context.Context, client *broker.Client, c credentials) ([]broker.Once, error) {
	if client.AuthMethod != c.method {
		// What the client is registered for decides, not what was sent (RFC 8725 §3.1): a
		// public key must never serve as a secret.
		return nil, fmt.Errorf("the client is registered for %q", client.AuthMethod)
	}
	expect := jose.Expectation{
		Types:  []string{"", "JWT", "client-authentication+jwt"},
		Issuer: client.ID, Subject: client.ID, Audience: a.Realm, OtherAudiences: a.Audiences,
		Require: []string{"jti", "exp", "sub"}, MaxLifetime: maxAssertionLifetime,
		Now: a.Now(), Skew: assertionSkew,
	}
	token, err := a.verifyAssertion(ctx, client, c, expect)
	if err != nil {
		return nil, err
	}
	if len(token.Claims.ID) > maxAssertionID {
		return nil, fmt.Errorf("jti is longer than %d bytes", maxAssertionID)
	}
	return []broker.Once{{
		Key:     broker.DigestOf("client assertion\x00" + client.ID + "\x00" + token.Claims.ID),
		Expires: token.Claims.Expiry.Add(2 * assertionSkew),
	}}, nil
}

func (a *Authenticator) verifyAssertion(ctx context.Context, client *broker.Client, c credentials, expect jose.Expectation) (*jose.Token, error) {
	if c.method == oauth.AuthMethodPrivateKeyJWT {
		expect.Algorithms = chosen(assertionAlgorithms(), client.AssertionAlg)
		return c.assertion.Verify(ctx, a.Keys.Source(clientkeys.OwnerOf(client)), expect)
	}
	expect.Algorithms = chosen(macAlgorithms(), client.AssertionAlg)
	var last error = jose.ErrNoKey
	for _, secret := range client.MACSecrets {
		token, err := c.assertion.VerifyMAC(secret, expect)
		if err == nil {
			return token, nil
		}
		last = err
	}
	return nil, last
}

// chosen narrows algorithms to the one a client has registered. One that is not
// among them leaves a list that nothing matches.
func chosen(all []jose.Algorithm, registered string) []jose.Algorithm {
	if registered == "" {
		return all
	}
	return []jose.Algorithm{jose.Algorithm(registered)}
}
