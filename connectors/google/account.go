package google

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"gatehouse/connectors"
)

const (
	// assertionLife is the longest that Google accepts.
	assertionLife = time.Hour
	// tokenSpare is how long before its end an access token is replaced. The metadata
	// server hands out the same one until four minutes before.
	tokenSpare = 3 * time.Minute
	// lastUse is how long before its end an access token is no longer sent.
	lastUse = 10 * time.Second
)

// account is the service account that asks Google's APIs. It is safe for concurrent
// use.
type account struct {
	config  ServiceAccount
	fetcher *connectors.Fetcher
	now     func() time.Time
	// file is the credentials file; nil where the machine itself runs as the account.
	file   *connectors.File[credential]
	tokens connectors.Kept[tokenKey, string]
}

// tokenKey: an access token is for one scope and one administrator. Those of a
// credentials file that was replaced are not used again.
type tokenKey struct {
	scope, subject string
	credential     credential
}

// issued is an access token and its end.
type issued struct {
	token   string
	expires time.Time
}

// principal is a service account as its credentials make it.
type principal interface {
	// address is the account's e-mail address.
	address(ctx context.Context) (string, error)
	// access returns an access token of the account itself.
	access(ctx context.Context, scope string) (issued, error)
	// sign returns claims as a JWT that Google takes for the account's own.
	sign(ctx context.Context, claims assertion) (string, error)
}

// openAccount reads the credentials file for the first time. It asks nobody.
func openAccount(c *Config, env connectors.Environment, fetcher *connectors.Fetcher) (*account, error) {
	a := &account{config: *c.ServiceAccount, fetcher: fetcher, now: env.Now, tokens: connectors.Kept[tokenKey, string]{Now: env.Now}}
	path := a.config.Credentials
	if path == defaultCredentials {
		var err error
		// "How Application Default Credentials works": the file that the environment
		// names comes before the machine's own account. Without the variable there is none.
		if path, err = env.Resolve("env:" + credentialsVariable); err != nil || path == "" {
			return a, nil
		}
	}
	a.file = &connectors.File[credential]{
		Path: env.Path(path), Key: "service_account.credentials", Connector: c.ID,
		Parse: a.urls().parse, Now: env.Now, Log: env.Log,
	}
	if err := a.file.Open(); err != nil {
		return nil, err
	}
	return a, a.complete(a.file.Current())
}

func (a *account) urls() parser { return parser{sts: a.config.STSURL, iam: a.config.IAMURL} }

// complete: who signs for a service account has to know which.
func (a *account) complete(c credential) error {
	if c.external != nil && a.config.delegated() && cmp.Or(a.config.Email, c.external.address()) == "" {
		return fmt.Errorf("service_account.email: required: the credentials name no service account to act as")
	}
	return nil
}

// token returns an access token for a scope, as the administrator subject, or as
// the account itself where that is empty.
func (a *account) token(ctx context.Context, scope, subject string) (string, error) {
	p, held := a.principal()
	return a.tokens.Get(ctx, tokenKey{scope, subject, held}, func(ctx context.Context) (connectors.Fetched[string], error) {
		var t issued
		var err error
		if subject == "" {
			t, err = p.access(ctx, scope)
		} else {
			t, err = a.delegate(ctx, p, scope, subject)
		}
		return connectors.Fetched[string]{Value: t.token, Renew: t.expires.Add(-tokenSpare), Until: t.expires.Add(-lastUse)}, err
	})
}

// forget drops an access token that an API did not accept.
func (a *account) forget(scope, subject, token string) {
	_, held := a.principal()
	a.tokens.Forget(tokenKey{scope, subject, held}, func(kept string) bool { return kept == token })
}

func (a *account) principal() (principal, credential) {
	if a.file == nil {
		return attached{a}, credential{}
	}
	c := a.file.Current()
	if c.key != nil {
		return keyed{a, c.key}, c
	}
	return federated{a, c.external}, c
}

// delegate is domain-wide delegation: the account asserts that it acts for the
// administrator ("Using OAuth 2.0 for Server to Server Applications").
func (a *account) delegate(ctx context.Context, p principal, scope, subject string) (issued, error) {
	address, err := p.address(ctx)
	if err != nil {
		return issued{}, err
	}
	claims := a.assertion(address, scope, a.tokenURL(p))
	claims.Subject = subject
	signed, err := p.sign(ctx, claims)
	if err != nil {
		return issued{}, err
	}
	return a.exchange(ctx, claims, signed, a.describe(p, address))
}

// describe names the account as the page on delegation wants it: by its number.
func (a *account) describe(p principal, address string) string {
	if k, ok := p.(keyed); ok && k.key.account != "" {
		return k.key.account
	}
	return "the unique ID of " + address
}

func (a *account) tokenURL(p principal) string {
	if k, ok := p.(keyed); ok {
		return cmp.Or(a.config.TokenURL, k.key.tokenURL, publicTokenURL)
	}
	return cmp.Or(a.config.TokenURL, publicTokenURL)
}

// keyed is an account whose key we have.
type keyed struct {
	*account
	key *key
}

func (k keyed) address(context.Context) (string, error) { return k.key.address, nil }

func (k keyed) sign(_ context.Context, claims assertion) (string, error) {
	header := map[string]string{}
	if k.key.id != "" {
		header["kid"] = k.key.id
	}
	signed, err := k.key.signer.Sign(header, claims)
	if err != nil {
		return "", &connectors.Error{Kind: connectors.Operator, Hint: "the service account's key cannot sign"}
	}
	return signed, nil
}

func (k keyed) access(ctx context.Context, scope string) (issued, error) {
	claims := k.assertion(k.key.address, scope, k.tokenURL(k))
	signed, err := k.sign(ctx, claims)
	if err != nil {
		return issued{}, err
	}
	return k.exchange(ctx, claims, signed, k.describe(k, k.key.address))
}
