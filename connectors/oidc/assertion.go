package oidc

import (
	"cmp"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"gatehouse/connectors"
)

// maxAssertion bounds an assertion that we pass on, in bytes.
const maxAssertion = 16 << 10

// asserter makes what is sent in the place of a secret (RFC 7523 §2.2).
type asserter struct {
	clientID string
	audience string // empty for the token endpoint's address
	keyID    string
	now      func() time.Time

	key         *connectors.File[*connectors.Signer]
	certificate *connectors.File[*connectors.Certificate] // nil for none
	// file holds somebody else's assertion and is used instead of a key.
	file string

	mu   sync.Mutex
	pair keyPair
}

// keyPair is a key and, where there is one, its certificate.
type keyPair struct {
	signer      *connectors.Signer
	certificate *connectors.Certificate
}

// openAsserter reads the key and the certificate; nil where a secret is used.
func openAsserter(c *Config, env connectors.Environment) (*asserter, error) {
	a := &asserter{clientID: c.ClientID, keyID: c.ClientKeyID, now: env.Now}
	if c.ClientAssertionAudience == audienceIssuer {
		a.audience = c.Issuer
	}
	if c.ClientAssertionFile != "" {
		a.file = env.Path(c.ClientAssertionFile)
		return a, nil
	}
	alg := c.ClientKeyAlg
	a.key = &connectors.File[*connectors.Signer]{
		Path: env.Path(c.ClientKey), Key: "client_key", Connector: c.ID, Now: env.Now, Log: env.Log,
		Parse: func(content []byte) (*connectors.Signer, error) { return connectors.ParseSigner(content, alg) },
	}
	if err := a.key.Open(); err != nil {
		return nil, err
	}
	a.pair.signer = a.key.Last()
	if c.ClientCertificate == "" {
		return a, nil
	}
	a.certificate = &connectors.File[*connectors.Certificate]{
		Path: env.Path(c.ClientCertificate), Key: "client_certificate", Connector: c.ID, Now: env.Now, Log: env.Log,
		Parse: connectors.ParseCertificate,
	}
	if err := a.certificate.Open(); err != nil {
		return nil, err
	}
	if a.pair.certificate = a.certificate.Last(); !a.pair.signer.Fits(a.pair.certificate) {
		return nil, errors.New("client_certificate: is not the certificate of client_key")
	}
	return a, nil
}

// current is the newest key and certificate that belong together: they are two
// files, and are not replaced in one moment.
func (a *asserter) current() keyPair {
	newest := keyPair{signer: a.key.Current()}
	if a.certificate != nil {
		newest.certificate = a.certificate.Current()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if newest.certificate == nil || newest.signer.Fits(newest.certificate) {
		a.pair = newest
	}
	return a.pair
}

// params are the assertion and its type, for one request to a token endpoint.
func (a *asserter) params(tokenEndpoint string) (url.Values, error) {
	if a.file != "" {
		assertion, err := a.foreign()
		return connectors.AssertionParams(assertion), err
	}
	pair := a.current()
	claims := connectors.ClientAssertion{ClientID: a.clientID, Audience: cmp.Or(a.audience, tokenEndpoint), KeyID: a.keyID}
	if pair.certificate != nil {
		claims.Thumbprint = pair.certificate.Thumbprint
	}
	params, err := claims.Params(pair.signer, a.now())
	if err != nil {
		return nil, &connectors.Error{Kind: connectors.Operator, Hint: "client_key cannot sign", Unspent: true}
	}
	return params, nil
}

// foreign reads an assertion that somebody else renews. What it holds is theirs to
// say; only that it is one word is ours, lest it is an error page of theirs.
func (a *asserter) foreign() (string, error) {
	refuse := func(hint string, cause error) (string, error) {
		return "", &connectors.Error{Kind: connectors.Operator, Hint: "client_assertion_file " + hint, Err: cause, Unspent: true}
	}
	content, err := connectors.ReadFile(a.file, maxAssertion)
	if err != nil {
		return refuse("cannot be read", err)
	}
	assertion := strings.TrimSpace(string(content))
	word := func(r rune) bool { return r <= ' ' || r > '~' }
	if assertion == "" || strings.ContainsFunc(assertion, word) {
		return refuse("holds no assertion", nil)
	}
	return assertion, nil
}

// expirations lists the certificate's end.
func (a *asserter) expirations() []connectors.Expiration {
	if a == nil || a.certificate == nil {
		return nil
	}
	return []connectors.Expiration{{What: "client_certificate", At: a.current().certificate.Expires}}
}
