package configs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/external"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// Patterns are one pattern or several, of which one has to match the whole of a claim. In YAML a single one need not be
// a list.
type Patterns []string

// UnmarshalText reads the form that is one word.
func (p *Patterns) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("is empty: write what the claim has to be")
	}
	*p = Patterns{string(text)}
	return nil
}

// ExternalIssuer is a CI system or a cluster whose JWTs say which workload is calling (RFC 8693, RFC 7523).
type ExternalIssuer struct {
	// ID is ours, and in the sub of tokens.
	ID string `yaml:"id"`
	// Issuer is the exact iss.
	Issuer string `yaml:"issuer"`
	// JWKS, or JWKSURI where it is to be fetched; with neither it is discovered.
	JWKS    *JWKS  `yaml:"jwks"`
	JWKSURI string `yaml:"jwks_uri"`
	// CAFile is a PEM bundle that is trusted when fetching, instead of the system's.
	CAFile string `yaml:"ca_file"`
	// Audiences of which one has to be in aud; the broker's issuer when absent.
	Audiences []string `yaml:"audiences"`
	// Claims by name, or by JSON pointer. All have to hold.
	Claims map[string]Patterns `yaml:"claims"`
	// Clients that may present its JWTs.
	Clients []string `yaml:"clients"`
	// Scopes its workloads may have, and Resources they are for; all of the scopes' when absent.
	Scopes    []string `yaml:"scopes"`
	Resources []string `yaml:"resources"`
	// MaxAge is how long ago a JWT may have been issued, MaxLifetime how long what we issue for it lives at most.
	MaxAge      *time.Duration `yaml:"max_age"`
	MaxLifetime *time.Duration `yaml:"max_lifetime"`
	// Once takes each JWT a single time.
	Once bool `yaml:"once"`
}

const (
	defaultExternalAge      = time.Hour
	defaultExternalLifetime = 15 * time.Minute
	maxExternalTime         = 24 * time.Hour
)

// validateExternalIssuers checks every entry against the others, the clients and the resource servers.
func (c *Config) validateExternalIssuers() []connectors.Problem {
	var f faults
	for i := range c.ExternalIssuers {
		e := &c.ExternalIssuers[i]
		f.under(element("", i), e.validate(c.Issuer))
		f.under(element("", i), c.validateExternalReach(e))
		for j := range c.ExternalIssuers[:i] {
			other := &c.ExternalIssuers[j]
			if other.ID == e.ID && e.ID != "" {
				f.add(element("", i)+".id", "is that of external_issuers[%d] too: choose another", j)
			}
			for k, id := range e.Clients {
				if other.Issuer == e.Issuer && slices.Contains(other.Clients, id) {
					f.add(element(element("", i)+".clients", k), "external_issuers[%d] is of the same issuer and names this client too: which of them is meant would not be clear", j)
				}
			}
		}
	}
	return f
}

// validate checks what the entry says by itself.
func (e *ExternalIssuer) validate(own string) []connectors.Problem {
	var f faults
	if !externalID(e.ID) {
		f.add("id", "required: a name of lower-case letters, digits and hyphens, such as github; it is in every token")
	}
	discovered := e.JWKS == nil && e.JWKSURI == ""
	switch {
	case e.Issuer == "" || !isWord(e.Issuer):
		f.add("issuer", "required: the iss of its JWTs, byte for byte")
	case e.Issuer == own:
		f.add("issuer", "is this broker: its own tokens are exchanged without an entry")
	case discovered && external.CheckURL(e.Issuer, "") != nil:
		f.add("issuer", "must be an https URL, or have jwks or jwks_uri beside it")
	}
	switch {
	case e.JWKS != nil && e.JWKSURI != "":
		f.add("jwks_uri", "cannot be combined with jwks")
	case e.JWKSURI != "" && external.CheckURL(e.JWKSURI, "") != nil:
		f.add("jwks_uri", "must be an https URL (http only on localhost)")
	case e.JWKS != nil && e.CAFile != "":
		f.add("ca_file", "is for keys that are fetched")
	}
	if e.JWKS != nil && e.JWKS.Path == "" {
		if err := metadata.CheckKeySet(e.JWKS.Text, true); err != nil {
			f.add("jwks", "%v", err)
		}
	}
	if e.Audiences != nil && (len(e.Audiences) == 0 || slices.Contains(e.Audiences, "")) {
		f.add("audiences", "is an empty list or has an empty entry: name audiences, or remove it for the broker's issuer")
	}
	e.validateClaims(&f)
	for _, d := range []struct {
		key   string
		value *time.Duration
	}{{"max_age", e.MaxAge}, {"max_lifetime", e.MaxLifetime}} {
		if d.value != nil && (*d.value < time.Minute || *d.value > maxExternalTime) {
			f.add(d.key, "must be from 1m to 24h")
		}
	}
	return f
}

// validateClaims: at least one condition has to narrow something. A public CI system signs for everybody.
func (e *ExternalIssuer) validateClaims(f *faults) {
	narrows := false
	for _, name := range sortedKeys(e.Claims) {
		patterns, path := e.Claims[name], join("claims", name)
		if !external.ValidName(name) {
			f.add(path, "is neither the name of a claim nor a JSON pointer such as /kubernetes.io/namespace")
		}
		if len(patterns) == 0 {
			f.add(path, "is an empty list, which nothing can meet")
		}
		literal := len(patterns) > 0
		for _, p := range patterns {
			if !external.ValidPattern(p) {
				f.add(path, "must be at most 512 bytes of text, in which * and ** stand for anything, at most 16 times")
			}
			literal = literal && external.Literal(p)
		}
		narrows = narrows || literal
	}
	if !narrows {
		f.add("claims", "required, with a pattern that is more than stars: without one everybody that the issuer signs for would be admitted")
	}
}

// validateExternalReach checks what the entry's workloads may have.
func (c *Config) validateExternalReach(e *ExternalIssuer) []connectors.Problem {
	var f faults
	if len(e.Clients) == 0 {
		f.add("clients", "required: the clients that may present its JWTs")
	}
	for i, id := range e.Clients {
		at := slices.IndexFunc(c.Clients, func(o Client) bool { return o.ClientID == id })
		switch path := element("clients", i); {
		case at < 0:
			f.add(path, "is no client_id of the clients section")
		case slices.Contains(e.Clients[:i], id):
			f.add(path, "is in the list already: remove it")
		case !c.Clients[at].grants(oauth.GrantTypeTokenExchange) && !c.Clients[at].grants(oauth.GrantTypeJWTBearer):
			f.add(path, "needs %s or %s among its grant_types", oauth.GrantTypeTokenExchange, oauth.GrantTypeJWTBearer)
		case !c.Clients[at].sharesScope(e.Scopes):
			f.add(path, "is registered for none of the scopes: add some to its scope")
		}
	}
	for i := range c.Clients {
		if e.ID != "" && strings.HasPrefix(c.Clients[i].ClientID, e.ID+":") {
			f.add("id", "the client_id of clients[%d] begins with it and a colon, as the sub of a workload does: choose another", i)
		}
	}
	if len(e.Scopes) == 0 {
		f.add("scopes", "required: what its workloads may have")
	}
	for i, s := range e.Scopes {
		if !slices.ContainsFunc(c.Resources, func(r Resource) bool { return slices.Contains(r.Scopes, s) }) {
			f.add(element("scopes", i), "is no scope of the resources section")
		}
	}
	if e.Resources != nil && len(e.Resources) == 0 {
		f.add("resources", "is an empty list, which would be for nobody: remove it for all that the scopes belong to")
	}
	for i, uri := range e.Resources {
		if !slices.ContainsFunc(c.Resources, func(r Resource) bool { return r.Resource == uri }) {
			f.add(element("resources", i), "is no resource of the resources section")
		}
	}
	return f
}

// sharesScope reports whether the client's registration names one of the scopes.
func (c *Client) sharesScope(list []string) bool {
	if c.Scope == nil {
		return false
	}
	own, err := oauth.ParseScopes(*c.Scope)
	return err != nil || len(list) == 0 || slices.ContainsFunc(list, own.Has)
}

// externalID: it is in front of the colon in a sub.
func externalID(id string) bool {
	return id != "" && len(id) <= 63 && id[0] != '-' && !strings.ContainsFunc(id, func(r rune) bool {
		return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

func sortedKeys(claims map[string]Patterns) []string {
	names := make([]string, 0, len(claims))
	for name := range claims {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// BrokerExternalIssuers returns the external issuers as the rest of the program knows them. An error is about a key set
// that can no longer be read.
func (c *Config) BrokerExternalIssuers() ([]broker.ExternalIssuer, error) {
	out := make([]broker.ExternalIssuer, len(c.ExternalIssuers))
	for i := range c.ExternalIssuers {
		e := &c.ExternalIssuers[i]
		out[i] = broker.ExternalIssuer{ID: e.ID, Issuer: e.Issuer, Audiences: orList(slices.Clone(e.Audiences), []string{c.Issuer}),
			Clients: slices.Clone(e.Clients), Scopes: slices.Clone(e.Scopes), Resources: slices.Clone(e.Resources),
			MaxAge: defaultExternalAge, MaxLifetime: defaultExternalLifetime, Once: e.Once, JWKSURI: e.JWKSURI, CAFile: c.Path(e.CAFile)}
		if e.MaxAge != nil {
			out[i].MaxAge = *e.MaxAge
		}
		if e.MaxLifetime != nil {
			out[i].MaxLifetime = *e.MaxLifetime
		}
		for _, name := range sortedKeys(e.Claims) {
			out[i].Claims = append(out[i].Claims, broker.ClaimRule{Name: name, Patterns: slices.Clone(e.Claims[name])})
		}
		if e.JWKS != nil {
			var err error
			if out[i].JWKS, err = c.readJWKS(e.JWKS); err != nil {
				return nil, fmt.Errorf("external issuer %s: jwks: %w", e.ID, err)
			}
		}
	}
	return out, nil
}

// checkExternalFiles looks for what the entries refer to beside key sets.
func (c *Config) checkExternalFiles(f *faults) {
	for i := range c.ExternalIssuers {
		e, path := &c.ExternalIssuers[i], element("external_issuers", i)
		if e.CAFile != "" {
			if _, err := connectors.NewFetcher(c.Path(e.CAFile)); err != nil {
				f.add(path+".ca_file", "%v", err)
			}
		}
	}
}
