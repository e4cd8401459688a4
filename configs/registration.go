package configs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// Registration is how clients register themselves, and for what (RFC 7591, RFC 7592). Without open and without initial
// access tokens nobody registers.
type Registration struct {
	// Open admits everybody.
	Open bool `yaml:"open"`
	// InitialAccessTokens admit whoever presents one (RFC 7591 §3).
	InitialAccessTokens []InitialAccessToken `yaml:"initial_access_tokens"`
	// Scopes and GrantTypes that a client can have.
	Scopes     []string `yaml:"scopes"`
	GrantTypes []string `yaml:"grant_types"`
	// RedirectHosts are the hosts that people may be sent to, each exact or *.example.com; any that is not the person's own
	// machine when nil.
	RedirectHosts []string `yaml:"redirect_hosts"`
	// RedirectLoopback admits redirect URIs on the person's own machine, RedirectSchemes those with a scheme of their own
	// (RFC 8252 §7).
	RedirectLoopback bool `yaml:"redirect_loopback"`
	RedirectSchemes  bool `yaml:"redirect_schemes"`
	// RequirePKCE is true when nil. Public clients send a challenge in any case.
	RequirePKCE *bool `yaml:"require_pkce"`
	// IDTokenClaims is minimal (also when empty), which leaves claims about the person to userinfo (OpenID Connect Core
	// §5.4), or full.
	IDTokenClaims string `yaml:"id_token_claims"`
	// Unused is how long a client may go unused before it is forgotten; zero is for ever.
	Unused time.Duration `yaml:"unused"`
	// Connectors the people of such clients may come from; nil means all.
	Connectors []string `yaml:"connectors"`
}

// InitialAccessToken is one token and what it is good for.
type InitialAccessToken struct {
	// Name is what audit records call it; its place in the file when empty.
	Name  string `yaml:"name"`
	Token Secret `yaml:"token"`
	// Clients is how many it registers in all; any number when nil.
	Clients *uint64 `yaml:"clients"`
	// Expires is its last day, of UTC; the zero value is never.
	Expires connectors.Date `yaml:"expires"`
}

const (
	defaultUnused    = 90 * day
	maxUnused        = 10 * 366 * day
	maxTokens        = 100 // a presented one is compared with all of them
	minToken         = 16  // characters
	maxTokenName     = 100 // bytes
	maxTokenClients  = 1_000_000
	maxRedirectHosts = 200
)

func defaultRegistration() Registration {
	return Registration{
		// Groups are the operator's affair, and so are resource servers: they have to be named.
		Scopes:     []string{oauth.OpenID, oauth.Profile, oauth.Email, oauth.OfflineAccess},
		GrantTypes: defaultGrantTypes(),
		Unused:     defaultUnused,
	}
}

// Enabled reports whether anybody can register.
func (r *Registration) Enabled() bool { return r.Open || len(r.InitialAccessTokens) > 0 }

// validateRegistration checks the section against the connectors and resource servers.
func (c *Config) validateRegistration() []connectors.Problem {
	var f faults
	r := &c.Registration
	if !r.Enabled() && !reflect.DeepEqual(*r, defaultRegistration()) {
		f.add("", "lets nobody register: set initial_access_tokens or open: true, or remove the section")
	}
	r.validateTokens(&f)
	r.validateReach(&f, c.scopes())
	r.validateRedirects(&f)
	if r.Unused != 0 && (r.Unused < time.Hour || r.Unused > maxUnused) {
		f.add("unused", "must be from 1h to %s, or 0s for ever", short(maxUnused))
	}
	if v := r.IDTokenClaims; v != "" && v != claimsFull && v != claimsMinimal {
		f.add("id_token_claims", "must be full or minimal")
	}
	if r.Connectors != nil && len(r.Connectors) == 0 {
		f.add("connectors", "is an empty list, which would admit nobody: name connectors, or remove it to admit people of all")
	}
	f = append(f, c.unknownConnectors(r.Connectors, "connectors")...)
	return f
}

func (r *Registration) validateTokens(f *faults) {
	if len(r.InitialAccessTokens) > maxTokens {
		f.add("initial_access_tokens", "must have at most %d entries", maxTokens)
	}
	for i := range r.InitialAccessTokens {
		t, path := &r.InitialAccessTokens[i], element("initial_access_tokens", i)
		same := func(o InitialAccessToken) bool { return o.Token == t.Token }
		switch {
		case t.Token == "":
			f.add(join(path, "token"), "required: env:NAME, file:PATH or what broker secret prints")
		case slices.ContainsFunc(r.InitialAccessTokens[:i], same):
			f.add(join(path, "token"), "is in the list already: an entry is a token of its own")
		}
		if len(t.Name) > maxTokenName {
			f.add(join(path, "name"), "must be at most %d bytes", maxTokenName)
		}
		if t.Clients != nil && (*t.Clients == 0 || *t.Clients > maxTokenClients) {
			f.add(join(path, "clients"), "must be from 1 to %d: remove it for any number", maxTokenClients)
		}
	}
}

// registrable are the grant types that may be open to clients that register themselves. What workloads and exchanged
// tokens may do is granted client by client.
func registrable() []string {
	return []string{string(oauth.GrantTypeAuthorizationCode), string(oauth.GrantTypeRefreshToken), string(oauth.GrantTypeImplicit),
		string(oauth.GrantTypeClientCredentials), string(oauth.GrantTypeDeviceCode)}
}

// validateReach checks what such clients may have.
func (r *Registration) validateReach(f *faults, known oauth.Scopes) {
	for _, l := range []struct {
		key    string
		list   []string
		known  []string
		remedy string
	}{
		{"scopes", r.Scopes, known, "is no scope of the broker or of the resources section"},
		{"grant_types", r.GrantTypes, registrable(), "must be one of " + strings.Join(registrable(), ", ")},
	} {
		if len(l.list) == 0 {
			f.add(l.key, "is an empty list: name some, or remove it")
		}
		for i, one := range l.list {
			switch {
			case !slices.Contains(l.known, one):
				f.add(element(l.key, i), "%s", l.remedy)
			case slices.Contains(l.list[:i], one):
				f.add(element(l.key, i), "is in the list already: remove it")
			}
		}
	}
}

func (r *Registration) validateRedirects(f *faults) {
	if r.RedirectHosts != nil && len(r.RedirectHosts) == 0 {
		f.add("redirect_hosts", "is an empty list: name hosts, or remove it to allow any")
	}
	if len(r.RedirectHosts) > maxRedirectHosts {
		f.add("redirect_hosts", "must have at most %d entries", maxRedirectHosts)
	}
	for i, pattern := range r.RedirectHosts {
		name, wild := strings.CutPrefix(pattern, "*.")
		switch {
		case connectors.IsLoopback(name):
			f.add(element("redirect_hosts", i), "is the person's own machine: set redirect_loopback")
		case !isHostName(name) || name != strings.ToLower(name), wild && !strings.Contains(name, "."):
			// Below a top-level domain is everybody.
			f.add(element("redirect_hosts", i), "must be a host in lower case such as app.example.com, or *.example.com for those below one")
		}
	}
}

// checkInitialAccessTokens looks at what their references stand for.
func (c *Config) checkInitialAccessTokens(f *faults) {
	seen := make(map[broker.Digest]int)
	for i, t := range c.Registration.InitialAccessTokens {
		if t.Token == "" {
			continue
		}
		path := element("registration.initial_access_tokens", i) + ".token"
		value, err := c.Resolve(string(t.Token))
		if err != nil {
			f.add(path, "%v", err)
			continue
		}
		other, again := seen[broker.DigestOf(value)]
		switch {
		case isHashed(value):
			f.add(path, "is a hash, and the token itself is needed")
		case len(value) < minToken:
			f.add(path, "has fewer than %d characters, and whoever guesses it registers clients: take what broker secret prints", minToken)
		case !isBearer(value):
			// RFC 6750 §2.1: what does not fit into the header nobody could present.
			f.add(path, "must be made of letters, digits and - . _ ~ + /, with = at its end alone")
		case again && c.Registration.InitialAccessTokens[other].Token != t.Token:
			f.add(path, "is the same as that of initial_access_tokens[%d]: an entry is a token of its own", other)
		}
		seen[broker.DigestOf(value)] = i
	}
}

// isBearer reports whether s is a b64token (RFC 6750 §2.1).
func isBearer(s string) bool {
	s = strings.TrimRight(s, "=")
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/") == ""
}

// warnOfRegistration tells of registration that is open wide.
func (c *Config) warnOfRegistration(w *faults) {
	r := &c.Registration
	if !r.Open {
		return
	}
	w.add("registration.open", "whoever reaches this broker registers clients, which people may take for yours: initial_access_tokens keep strangers out")
	if r.RedirectHosts == nil {
		w.add("registration.redirect_hosts", "is absent while registration is open: strangers have codes sent to any host")
	}
	if r.Unused == 0 {
		w.add("registration.unused", "0s while registration is open: what strangers register stays for ever")
	}
}

// RegistrationPolicy is the section with its tokens resolved. An error is about one that can no longer be read.
func (c *Config) RegistrationPolicy() (broker.RegistrationPolicy, error) {
	r := &c.Registration
	out := broker.RegistrationPolicy{
		Open: r.Open, Scopes: slices.Clone(r.Scopes), RedirectHosts: slices.Clone(r.RedirectHosts), Loopback: r.RedirectLoopback,
		PrivateSchemes: r.RedirectSchemes, PKCEOptional: r.RequirePKCE != nil && !*r.RequirePKCE, FullIDToken: r.IDTokenClaims == claimsFull, Unused: r.Unused, Connectors: slices.Clone(r.Connectors),
	}
	for _, g := range r.GrantTypes {
		out.GrantTypes = append(out.GrantTypes, oauth.GrantType(g))
	}
	for i, t := range r.InitialAccessTokens {
		place := element("initial_access_tokens", i)
		value, err := c.Resolve(string(t.Token))
		if err != nil {
			return broker.RegistrationPolicy{}, fmt.Errorf("registration: %s: %w", place, err)
		}
		token := broker.InitialToken{Digest: broker.DigestOf(value), Name: orElse(t.Name, place)}
		if t.Clients != nil {
			token.Limit = *t.Clients
		}
		if !t.Expires.IsZero() {
			token.Expires = t.Expires.Add(time.Second) // a Date is the last second of its day
		}
		out.Tokens = append(out.Tokens, token)
	}
	return out, nil
}
