package oidc

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"gatehouse/connectors"
)

// Provider is a connector to one OpenID Provider. It is safe for concurrent use.
type Provider struct {
	config  Config
	quirks  Quirks
	secrets *connectors.SecretSource // nil for a public client
	fetcher *connectors.Fetcher
	now     func() time.Time
	log     *slog.Logger
	timeout time.Duration

	metadata *cached[metadata]
	keys     *cached[keySet]
	health   connectors.Health
}

// Open makes a connector of a configuration that has passed Validate and of a
// vendor's quirks. It does no network I/O; it reads ca_file and the secret.
func Open(c Config, q Quirks, env connectors.Environment) (*Provider, error) {
	fetcher, err := c.OpenFetcher(env)
	if err != nil {
		return nil, err
	}
	var secrets *connectors.SecretSource
	if c.TokenEndpointAuthMethod != noClientAuth {
		if secrets, err = c.OpenSecrets(env); err != nil {
			return nil, err
		}
	}
	if len(q.DocumentIssuers) == 0 {
		q.DocumentIssuers = []string{c.Issuer}
	}
	q.DiscoveryURL = cmp.Or(q.DiscoveryURL, discoveryURL(c.Issuer))
	c.Scopes = slices.Clone(c.Scopes)
	p := &Provider{
		config: c, quirks: q, secrets: secrets, fetcher: fetcher,
		now: env.Now, log: env.Log, timeout: connectors.ExchangeTimeout,
	}
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
	}
}

// Check implements connectors.Connector: it reports how the last conversation
// went and starts none.
func (p *Provider) Check(context.Context) error { return p.health.Err() }
