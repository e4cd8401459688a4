package github

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// signInTimeout bounds a whole sign-in, which is several requests and may have to
// wait for a token to become valid; each request has connectors.ExchangeTimeout.
const signInTimeout = 20 * time.Second

// Connector is a connector to one GitHub. It is safe for concurrent use.
type Connector struct {
	config  Config
	base    string // canonical
	api     string
	oauth   oauth2.Config
	fetcher *connectors.Fetcher
	now     func() time.Time
	health  connectors.Health
	// pause waits between attempts with a fresh token.
	pause func(ctx context.Context, d time.Duration) error
}

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
	g := &Connector{config: *c, base: base, fetcher: fetcher, now: env.Now, pause: pause}
	g.api = canonicalURL(cmp.Or(c.APIURL, deriveAPI(base)))
	g.oauth = oauth2.Config{
		ClientID: c.ClientID, ClientSecret: secrets.Current()[0], Scopes: c.scopes(),
		Endpoint: oauth2.Endpoint{
			AuthURL: base + "/login/oauth/authorize", TokenURL: base + "/login/oauth/access_token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
	return g, nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Describe implements connectors.Connector.
func (g *Connector) Describe() connectors.Description {
	return connectors.Description{
		ID: g.config.ID, Type: "github", Name: cmp.Or(g.config.Name, "GitHub"),
		Reauthentication: connectors.ReauthImpossible, BestEffort: g.config.BestEffort(),
	}
}

// Check implements connectors.Connector.
func (g *Connector) Check(context.Context) error { return g.health.Err() }

// AuthorizationURL implements connectors.Connector. It does no I/O. A nonce has
// nowhere to go at GitHub: state and PKCE bind the answer.
func (g *Connector) AuthorizationURL(_ context.Context, l connectors.Login) (string, error) {
	if err := l.Complete(); err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(l.CodeVerifier)}
	if l.SelectAccount {
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	if l.LoginHint != "" && len(l.LoginHint) <= 256 && connectors.IsText(l.LoginHint) {
		options = append(options, oauth2.SetAuthURLParam("login", l.LoginHint))
	}
	return g.at(l).AuthCodeURL(l.State, options...), nil
}

// at is the x/oauth2 configuration for one sign-in.
func (g *Connector) at(l connectors.Login) *oauth2.Config {
	c := g.oauth
	c.RedirectURL = l.RedirectURI
	return &c
}

// Identify implements connectors.Connector.
func (g *Connector) Identify(ctx context.Context, callback url.Values, l connectors.Login) (broker.Identity, connectors.Upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, signInTimeout)
	defer cancel()
	identity, upstream, err := g.identify(ctx, callback, l)
	g.health.Note(err)
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
	s := &session{g: g, token: up.AccessToken}
	id, err = s.identity(ctx)
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
		return "", refused(r.Refusal)
	}
	return r.Code, nil
}

func (g *Connector) isIssuer(iss string) bool {
	return strings.TrimSuffix(iss, "/login/oauth") == g.base
}
