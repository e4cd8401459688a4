package oidc

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"gatehouse/connectors"
)

// Provider is a connector to one OpenID Provider. It is safe for concurrent use.
type Provider struct {
	config Config
	quirks Quirks
	names  ClaimNames // with the defaults filled in
	// secrets and asserter are how the client authenticates; both are nil for a public
	// one.
	secrets  *connectors.SecretSource
	asserter *asserter
	fetcher  *connectors.Fetcher
	now      func() time.Time
	log      *slog.Logger
	timeout  time.Duration

	metadata *cached[metadata]
	keys     *cached[keySet]
	health   connectors.Health
	// warned: it was logged that there are no refresh tokens.
	warned atomic.Bool
}

// Open makes a connector of a configuration that has passed Validate and of a
// vendor's quirks. It does no network I/O; it reads ca_file and the secret.
func Open(c Config, q Quirks, env connectors.Environment) (*Provider, error) {
	fetcher, err := c.OpenFetcher(env)
	if err != nil {
		return nil, err
	}
	p := &Provider{fetcher: fetcher, now: env.Now, log: env.Log, timeout: connectors.ExchangeTimeout}
	switch {
	case c.Asserts():
		p.asserter, err = openAsserter(&c, env)
	case c.TokenEndpointAuthMethod != noClientAuth:
		p.secrets, err = c.OpenSecrets(env)
	}
	if err != nil {
		return nil, err
	}
	if len(q.DocumentIssuers) == 0 {
		q.DocumentIssuers = []string{c.Issuer}
	}
	q.DiscoveryURL = cmp.Or(q.DiscoveryURL, discoveryURL(c.Issuer))
	c.Scopes = slices.Clone(c.Scopes)
	p.config, p.quirks, p.names = c, q, c.names()
	p.metadata = &cached[metadata]{now: env.Now, load: p.loadMetadata, kept: p.keptLastGood("discovery document")}
	p.keys = &cached[keySet]{now: env.Now, load: p.loadKeys, kept: p.keptLastGood("keys"), cooldown: cmp.Or(q.KeyCooldown, defaultCooldown)}
	return p, nil
}

func (p *Provider) keptLastGood(what string) func(error) {
	return func(err error) {
		p.log.Error("an upstream's "+what+" could not be refreshed; the last good version stays in use",
			"connector", p.config.ID, "error", err)
	}
}

// Describe implements connectors.Connector.
func (p *Provider) Describe() connectors.Description {
	return connectors.Description{
		ID: p.config.ID, Type: p.quirks.Type, Name: cmp.Or(p.config.Name, p.quirks.Name),
		Reauthentication: p.quirks.Reauthentication, BestEffort: p.config.BestEffort(),
		Levels: p.config.Assurance.Levels(), NoACR: p.quirks.NoACR, Domains: p.config.Domains, Recheck: p.config.Recheck(),
	}
}

// Expirations implements connectors.Expirer.
func (p *Provider) Expirations() []connectors.Expiration {
	return append(p.config.Expirations(), p.asserter.expirations()...)
}

// Check implements connectors.Connector: it reports how the last conversation
// went and starts none.
func (p *Provider) Check(context.Context) error { return p.health.Err() }
