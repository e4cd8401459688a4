package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/time/rate"

	"gatehouse/broker"
	"gatehouse/broker/authorize"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/consent"
	"gatehouse/broker/device"
	"gatehouse/broker/discovery"
	"gatehouse/broker/external"
	"gatehouse/broker/flow"
	"gatehouse/broker/introspection"
	"gatehouse/broker/login"
	"gatehouse/broker/logo"
	"gatehouse/broker/logout"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/outbound"
	"gatehouse/broker/policy"
	"gatehouse/broker/recheck"
	"gatehouse/broker/registration"
	"gatehouse/broker/token"
	"gatehouse/broker/userinfo"
	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/internal/httpx"
	"gatehouse/session"
	"gatehouse/web"
)

// runtime is everything that follows from one loaded configuration. It is
// immutable.
type runtime struct {
	config *configs.Config
	// clients are those of the configuration, lookup finds those and whoever else there
	// is.
	clients clients
	lookup  broker.Clients
	// registered are those that registered themselves; nil where nobody may.
	registered *registration.Clients
	// fetch is the guarded client for what clients name, keys the cache of their keys.
	fetch      func(ctx context.Context, address string, types ...string) ([]byte, error)
	keys       *clientkeys.Cache
	subjects   policy.Subjects
	external   *external.Issuers
	connectors map[string]connectors.Connector
	upstreams  []connectors.Description
	handler    http.Handler
}

// clients are those of the configuration.
type clients map[string]*broker.Client

// Client implements broker.Clients.
func (c clients) Client(_ context.Context, id string) (*broker.Client, error) {
	if client, ok := c[id]; ok {
		return client, nil
	}
	return nil, broker.ErrNotFound
}

func (s *Server) newRuntime(c *configs.Config, pages *web.Pages) (*runtime, error) {
	rt := &runtime{config: c, clients: clients{}, connectors: map[string]connectors.Connector{}}
	configured, err := c.BrokerClients(s.hashes.Digest)
	if err != nil {
		return nil, err
	}
	for i := range configured {
		client := &configured[i]
		if len(client.Connectors) == 0 {
			// "All" means those there are. What rests on one that has been taken out of the
			// configuration is refused at use, and lives again if it comes back.
			client.Connectors = connectorIDs(c)
		}
		if len(client.Scopes) == 0 {
			// Likewise, and what belongs to a resource server has to be named: a new API must
			// not be open to every application there is.
			client.Scopes = discovery.Scopes()
		}
		rt.clients[client.ID] = client
	}
	if rt.external, err = s.externalIssuers(c); err != nil {
		return nil, err
	}
	env := connectors.Environment{Now: s.now, Log: s.log, Resolve: c.Resolve, Path: c.Path}
	for _, section := range c.Connectors {
		connector, err := section.Open(env)
		if err != nil {
			return nil, fmt.Errorf("connector %s: %w", section.Base().ID, err)
		}
		rt.connectors[section.Base().ID] = connector
		rt.upstreams = append(rt.upstreams, connector.Describe())
	}
	roots, err := c.OutboundTLS()
	if err != nil {
		return nil, err
	}
	if err := s.register(rt); err != nil {
		return nil, err
	}
	if rt.pairwise() {
		if rt.subjects.Salt, err = s.store.PairwiseSalt(context.Background()); err != nil {
			return nil, fmt.Errorf("salt of pairwise subjects: %w", err)
		}
	}
	rt.fetch = outbound.New(c.Outbound.AllowNetworks, roots, s.log).Fetch
	rt.keys = &clientkeys.Cache{Fetch: rt.fetch, Now: s.now}
	minter, err := mint.New(mint.Config{Issuer: c.Issuer, Ring: s.ring, Secrets: s.secrets, Subjects: rt.subjects, Keys: rt.keys, Clients: rt.lookup,
		IDTokenAlg: c.Signing.IDToken, AccessTokenAlg: c.Signing.AccessToken, Lifetimes: c.Lifetimes.Broker()})
	if err != nil {
		return nil, err
	}
	return rt, s.mount(rt, pages, minter)
}

func connectorIDs(c *configs.Config) []string {
	ids := make([]string, len(c.Connectors))
	for i, section := range c.Connectors {
		ids[i] = section.Base().ID
	}
	return ids
}

// mount makes the endpoints of a runtime and their routes.
func (s *Server) mount(rt *runtime, pages *web.Pages, minter *mint.Minter) error {
	c, limits, resources := rt.config, rt.config.Limits, rt.config.BrokerResources()
	front := &authorize.FrontChannel{Mint: minter, Resources: resources, Issuer: c.Issuer}
	desk := &flow.Desk{
		Issuer: c.Issuer, Clients: rt.lookup, Logins: s.store, Sessions: s.store, Cookies: session.New(c.Issuer),
		Jar: flow.NewJar(c.Issuer, s.secrets, s.now), Pages: pages, Audit: s.audit, Log: s.log, Now: s.now,
		Upstreams: rt.upstreams, Subjects: rt.subjects, Used: rt.used, Lifetimes: c.Lifetimes.Broker(), Outlives: outlives(rt), PerAccount: s.limiter(limits.Authorize.PerAccount),
		NewCode: minter.NewCode, NewAccountID: mint.NewAccountID,
		FrontChannel: front.Fields,
	}
	signIn := &login.Endpoint{Desk: desk, Clients: rt.lookup, States: flow.NewStates(s.secrets), Connectors: rt.connectors,
		PerAddress: s.limiter(limits.Login.PerAddress), PerPerson: s.limiter(limits.Login.PerAccount), Log: s.log, Now: s.now}
	desk.SignIn = signIn.SignIn
	upstreams := s.rechecker(rt)
	signIn.Keep = upstreams.Keep
	protect := http.NewCrossOriginProtection()
	if err := protect.AddTrustedOrigin(originOf(c.Issuer)); err != nil {
		return err
	}
	documents, err := discovery.New(discovery.Describe(c.Issuer, enabled(rt)), s.ring.JWKS)
	if err != nil {
		return err
	}
	callers := s.callers(rt)
	mux := http.NewServeMux()
	for _, endpoint := range []interface{ Mount(*http.ServeMux) }{
		&authorize.Endpoint{Desk: desk, Clients: rt.lookup,
			Objects: &authorize.RequestObjects{Keys: rt.keys, Fetch: rt.fetch, Issuer: c.Issuer, Now: s.now}, Supported: append(discovery.Scopes(), resources.Scopes()...), Resources: resources, Upstreams: rt.upstreams,
			Hint: hintReader(minter, s.now), Ready: front.Ready, PerAddress: s.limiter(limits.Authorize.PerAddress), Log: s.log, Now: s.now},
		signIn,
		&consent.Endpoint{Desk: desk, Protect: protect},
		&logout.Endpoint{Desk: desk, Clients: rt.lookup, Sessions: s.store, Protect: protect, Now: s.now,
			ReadHint: func(ctx context.Context, raw string) (logout.Hint, error) {
				hint, err := minter.ReadIDTokenHint(ctx, raw, s.now())
				return logout.Hint(hint), err
			}},
		s.tokenEndpoint(rt, minter, upstreams, callers),
		&introspection.Endpoint{Issuer: c.Issuer, Reception: s.reception(limits.Token, callers), Resources: resources, Tokens: s.lookup(rt, minter)},
		&userinfo.Endpoint{Issuer: c.Issuer, Clients: rt.lookup, Live: s.lookup(rt, minter).Access, Mint: minter, Audit: s.audit,
			PerAddress: s.limiter(limits.UserInfo.PerAddress), PerAccount: s.limiter(limits.UserInfo.PerAccount), Now: s.now},
		&logo.Endpoint{Clients: rt.lookup, Fetch: rt.fetch, PerAddress: s.limiter(limits.Login.PerAddress), Log: s.log, Now: s.now},
		documents,
	} {
		endpoint.Mount(mux)
	}
	if rt.registered != nil {
		s.registrar(rt).Mount(mux)
	}
	if rt.devices() {
		s.mountDevices(mux, rt, desk, protect, minter, callers)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		pages.Home(w, web.Home{Issuer: c.Issuer, DiscoveryURL: c.Issuer + "/.well-known/openid-configuration"})
	})
	rt.handler = s.front(c, pages, below(c.Issuer, cors(webOrigins(rt), routed(mux, pages)), documents, pages))
	return nil
}

// rechecker asks the upstreams of a runtime again. What it keeps, it keeps for as
// long as the longest refresh token may be used.
func (s *Server) rechecker(rt *runtime) *recheck.Checker {
	base := rt.config.Lifetimes.Broker()
	longest := base.RefreshToken
	for _, client := range rt.clients {
		longest = max(longest, client.Lifetimes.RefreshToken)
	}
	return &recheck.Checker{Connectors: rt.connectors, Credentials: s.store, Grants: s.store, Sessions: s.store,
		Box: recheck.NewBox(s.secrets), Audit: s.audit, Log: s.log, Now: s.now, Outlives: longest}
}

// callers authenticates clients, at every endpoint with the same limit for failures.
func (s *Server) callers(rt *runtime) *clientauth.Authenticator {
	issuer := rt.config.Issuer
	return &clientauth.Authenticator{Clients: rt.lookup, Secrets: s.hashes, Realm: issuer, Now: s.now,
		// OpenID Connect Core §9 addresses assertions to the token endpoint, RFC 7521 §5.1 to the server.
		Audiences: []string{issuer + "/token", issuer + "/introspect", issuer + "/revoke", issuer + "/device_authorization"},
		Keys:      rt.keys,
		Failures:  &httpx.Limiter{Rate: 1, Burst: 30, Now: s.now}}
}

func (s *Server) tokenEndpoint(rt *runtime, minter *mint.Minter, upstreams *recheck.Checker, callers *clientauth.Authenticator) *token.Endpoint {
	c, limits := rt.config, rt.config.Limits.Token
	perAccount := s.limiter(limits.PerAccount)
	targets := token.Targets{Resources: rt.config.BrokerResources(), Issuer: c.Issuer}
	grants := map[oauth.GrantType]token.GrantHandler{}
	for _, h := range append(s.exchanges(rt, minter, targets, perAccount), []token.GrantHandler{
		&token.AuthorizationCode{Codes: s.store, Mint: minter, Targets: targets, Lifetimes: c.Lifetimes.Broker(), PerAccount: perAccount},
		&token.RefreshToken{Tokens: s.store, Mint: minter, Targets: targets, Lifetimes: c.Lifetimes.Broker(), PerAccount: perAccount,
			Grants: s.store, Upstream: upstreams, Onces: s.store, Retry: c.RefreshTokens.RetryWindow},
		&token.ClientCredentials{Switches: s.store, Onces: s.store, Mint: minter, Targets: targets},
	}...) {
		grants[h.GrantType()] = h
	}
	if rt.devices() {
		h := &token.DeviceCode{Devices: s.store, Mint: minter, Targets: targets, Lifetimes: c.Lifetimes.Broker(), PerAccount: perAccount, Interval: device.Interval}
		grants[h.GrantType()] = h
	}
	return &token.Endpoint{Reception: s.reception(limits, callers), Grants: grants, Ready: minter.Ready, Used: rt.used}
}

// reception is what an endpoint that clients call does first, with limits of its own.
func (s *Server) reception(limits configs.TokenLimits, callers *clientauth.Authenticator) *clientauth.Reception {
	return &clientauth.Reception{Callers: callers, Audit: s.audit, Log: s.log, Now: s.now,
		PerAddress: s.limiter(limits.PerAddress), PerClient: s.limiter(limits.PerClient)}
}

// outlives is how long the last code given within a session, and what is issued for
// it, can live.
func outlives(rt *runtime) time.Duration {
	var waits time.Duration // a device may fetch its tokens later than an application
	if rt.devices() {
		waits = rt.config.Lifetimes.DeviceCode
	}
	of := func(l broker.Lifetimes) time.Duration { return max(l.Code, waits) + max(l.AccessToken, l.IDToken) }
	base := rt.config.Lifetimes.Broker()
	longest := of(base)
	for _, client := range rt.clients {
		longest = max(longest, of(client.Lifetimes.Or(base)))
	}
	return longest
}

// hintReader reads id_token_hints.
func hintReader(m *mint.Minter, now func() time.Time) func(context.Context, string) (string, string, error) {
	return func(ctx context.Context, raw string) (string, string, error) {
		hint, err := m.ReadIDTokenHint(ctx, raw, now())
		return hint.Subject, hint.ClientID, err
	}
}

// limiter is the token bucket of a configured rate; nil, which limits nothing,
// when it is off.
func (s *Server) limiter(r configs.Rate) *httpx.Limiter {
	if r.Off() {
		return nil
	}
	return &httpx.Limiter{Rate: rate.Limit(r.PerSecond()), Burst: r.Burst(), Now: s.now}
}

func originOf(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return issuer
	}
	return u.Scheme + "://" + u.Host
}
