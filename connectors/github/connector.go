package github

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// signInTimeout bounds a whole sign-in, which is several requests and may have to
// wait for a token to become valid; each request has connectors.ExchangeTimeout. A
// re-check has as long.
const signInTimeout = 20 * time.Second

// Connector is a connector to one GitHub. It is safe for concurrent use.
type Connector struct {
	config  Config
	base    string // canonical
	api     string
	oauth   oauth2.Config // without a secret: see SecretSource.Try
	secrets *connectors.SecretSource
	fetcher *connectors.Fetcher
	now     func() time.Time
	log     *slog.Logger
	health  connectors.Health
	pins    pins
	parents hierarchy
	// pause waits between attempts with a fresh token.
	pause func(ctx context.Context, d time.Duration) error
}

var (
	_ connectors.Refresher = (*Connector)(nil)
	_ connectors.Expirer   = (*Connector)(nil)
)

// Open implements connectors.Config.
func (c *Config) Open(env connectors.Environment) (connectors.Connector, error) {
	fetcher, err := c.OpenFetcher(env)
	if err != nil {
		return nil, err
	}
	secrets, err := c.OpenSecrets(env)
	if err != nil {
		return nil, err
	}
	base := canonicalURL(cmp.Or(c.BaseURL, publicURL))
	g := &Connector{config: *c, base: base, secrets: secrets, fetcher: fetcher, now: env.Now, log: env.Log, pause: pause}
	g.parents.now = env.Now
	g.api = canonicalURL(cmp.Or(c.APIURL, deriveAPI(base)))
	g.oauth = oauth2.Config{
		ClientID: c.ClientID, Scopes: c.scopes(),
		Endpoint: oauth2.Endpoint{
			AuthURL: base + "/login/oauth/authorize", TokenURL: base + "/login/oauth/access_token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
	return g, nil
}

// Scopes implements connectors.Scoper.
func (g *Connector) Scopes() []string { return g.oauth.Scopes }

func pause(ctx context.Context, d time.Duration) error {
	if !connectors.Pause(ctx, d) {
		return ctx.Err()
	}
	return nil
}

// Describe implements connectors.Connector.
func (g *Connector) Describe() connectors.Description {
	return connectors.Description{
		ID: g.config.ID, Type: "github", Name: cmp.Or(g.config.Name, "GitHub"),
		Reauthentication: connectors.ReauthImpossible, BestEffort: g.config.BestEffort(), NoACR: true,
		Domains: g.config.Domains, Recheck: g.config.Recheck(),
	}
}

// Check implements connectors.Connector.
func (g *Connector) Check(context.Context) error { return g.health.Err() }

// Expirations implements connectors.Expirer.
func (g *Connector) Expirations() []connectors.Expiration { return g.config.Expirations() }

// note records what a conversation says about GitHub. That one person lacks a SAML
// session, or that a stranger came before any member, says nothing.
func (g *Connector) note(err error) {
	if errors.Is(err, errSAMLSession) || errors.Is(err, errUnsighted) {
		return
	}
	g.health.Note(err)
}

// AuthorizationURL implements connectors.Connector. It does no I/O. A nonce has
// nowhere to go at GitHub: state and PKCE bind the answer.
func (g *Connector) AuthorizationURL(_ context.Context, l connectors.Login) (string, error) {
	if err := l.Complete(); err != nil {
		return "", err
	}
	// Always, and whatever the server's version: one that does not know PKCE ignores it.
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(l.CodeVerifier)}
	if l.SelectAccount {
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	if l.LoginHint != "" && len(l.LoginHint) <= 256 && connectors.IsText(l.LoginHint) {
		options = append(options, oauth2.SetAuthURLParam("login", l.LoginHint))
	}
	return g.at(l.RedirectURI, "").AuthCodeURL(l.State, options...), nil
}

// at is the x/oauth2 configuration with one of the secrets.
func (g *Connector) at(redirectURI, secret string) *oauth2.Config {
	c := g.oauth
	c.RedirectURL, c.ClientSecret = redirectURI, secret
	return &c
}

// Identify implements connectors.Connector.
func (g *Connector) Identify(ctx context.Context, callback url.Values, l connectors.Login) (broker.Identity, connectors.Upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, signInTimeout)
	defer cancel()
	identity, upstream, err := g.identify(ctx, callback, l)
	g.note(err)
	if err != nil {
		return broker.Identity{}, connectors.Upstream{}, err
	}
	return identity, upstream, nil
}

func (g *Connector) identify(ctx context.Context, callback url.Values, l connectors.Login) (id broker.Identity, up connectors.Upstream, err error) {
	code, err := g.code(callback, l)
	if err != nil {
		return id, up, err
	}
	if up, err = g.redeem(ctx, code, l); err != nil {
		return id, up, err
	}
	if g.config.Recheck().Interval == 0 {
		up.RefreshToken = "" // GitHub Apps hand one out unasked, and nobody has a use for it
	}
	s := &session{g: g, token: up.AccessToken}
	id, err = s.identity(ctx)
	up.Report = s.report
	return id, up, err
}

// code reads the callback.
func (g *Connector) code(callback url.Values, l connectors.Login) (string, error) {
	r, err := connectors.ReadResponse(callback, l)
	switch {
	case err != nil:
		return "", err
	case r.HasIssuer && !g.isIssuer(r.Issuer):
		// GitHub does not promise an iss; another server's is a mix-up (RFC 9207 §2.4).
		return "", &connectors.Error{Kind: connectors.Broken, Hint: "the callback comes from another issuer"}
	case r.Refusal != "":
		return "", refused(r.Refusal, l.RedirectURI)
	}
	return r.Code, nil
}

func (g *Connector) isIssuer(iss string) bool {
	return strings.TrimSuffix(iss, "/login/oauth") == g.base
}
