package azuread

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// The tenants that are not one directory.
const (
	tenantCommon        = "common"
	tenantOrganizations = "organizations"
	tenantConsumers     = "consumers"
	// personalAccounts is the directory of personal Microsoft accounts.
	personalAccounts = "9188040d-6c67-4c5b-b112-36a304b66dad"
	// placeholder stands for the directory in shared discovery documents and keys.
	placeholder = "{tenantid}"
)

// Tenant is a directory whose people are admitted.
type Tenant struct {
	// ID is the directory's, a GUID in lower case.
	ID string `yaml:"id"`
	// Name is what the chooser calls it; empty where it is not offered.
	Name string `yaml:"name"`
}

// UnmarshalText reads the form that is the ID alone.
func (t *Tenant) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("is empty: a directory's ID is required")
	}
	*t = Tenant{ID: string(text)}
	return nil
}

// maxTenantName bounds a name in the chooser, in bytes.
const maxTenantName = 100

func (c *Config) tenantProblems(out *problems) {
	other := func(t Tenant) bool { return t.ID != c.tenant() }
	switch tenant := c.tenant(); {
	case tenant == "":
		out.add("tenant", "required unless allowed_tenants is set: the directory's ID from the overview page of Entra ID")
	case tenant == tenantCommon, tenant == tenantOrganizations:
		if len(c.AllowedTenants) == 0 {
			out.add("allowed_tenants", "required with tenant: %s, or every directory in the world could sign in", tenant)
		}
	case tenant == tenantConsumers:
		if slices.ContainsFunc(c.AllowedTenants, func(t Tenant) bool { return t.ID != personalAccounts }) {
			out.add("allowed_tenants", "must be absent with tenant: consumers, which is personal accounts alone")
		}
	case !isGUID(tenant):
		out.add("tenant", "must be the directory's ID (a GUID in lower case), organizations, common or consumers; a domain can move to another directory, so look up the ID on the overview page of Entra ID")
	case slices.ContainsFunc(c.AllowedTenants, other):
		out.add("allowed_tenants", "lists other directories than tenant: set tenant: organizations to admit several")
	}
	named := slices.ContainsFunc(c.AllowedTenants, func(t Tenant) bool { return t.Name != "" })
	for i, t := range c.AllowedTenants {
		at := fmt.Sprintf("allowed_tenants[%d]", i)
		same := func(other Tenant) bool { return other.ID == t.ID }
		switch {
		case !isGUID(t.ID):
			out.add(at, "must be a directory's ID (a GUID in lower case)")
		case slices.ContainsFunc(c.AllowedTenants[:i], same):
			out.add(at, "is listed twice")
		}
		switch {
		case named && t.Name == "":
			out.add(at+".name", "required, as others have one: the chooser would not offer this directory")
		case len(t.Name) > maxTenantName || !connectors.IsText(t.Name) || strings.TrimSpace(t.Name) != t.Name:
			out.add(at+".name", "must be a name of one line and at most %d bytes", maxTenantName)
		}
	}
}

// tenant is the segment of the endpoints.
func (c *Config) tenant() string {
	if c.Tenant == "" && len(c.AllowedTenants) > 0 {
		return tenantOrganizations
	}
	return c.Tenant
}

// directory is the rule, and the directory that the discovery document names:
// shared ones name the placeholder.
func (c *Config) directory() (d directory, documented string) {
	d = directory{authority: c.authority(), allowed: map[string]bool{}}
	for _, t := range c.AllowedTenants {
		d.allowed[t.ID] = true
	}
	switch tenant := c.tenant(); tenant {
	case tenantCommon, tenantOrganizations:
		return d, placeholder
	case tenantConsumers:
		d.allowed[personalAccounts] = true
		return d, personalAccounts
	default:
		d.allowed[tenant] = true
		return d, tenant
	}
}

// directory is which tokens are believed: those of the allowed directories under
// one authority.
type directory struct {
	authority string
	allowed   map[string]bool
}

// issuer is the issuer of one directory's tokens, or of the placeholder.
func (d directory) issuer(tenant string) string {
	return d.authority + "/" + tenant + "/v2.0"
}

// documents are the issuers that a discovery document may name: documented's and
// those of the allowed directories. Entra names the placeholder at an endpoint that
// several share, but servers that stand in for it and have one directory name that.
// The rule for tokens is the same either way.
func (d directory) documents(documented string) []string {
	out := []string{d.issuer(documented)}
	for tenant := range d.allowed {
		out = append(out, d.issuer(tenant))
	}
	return out
}

// check is the rule for every token, however many directories are allowed: tid is
// a GUID, iss is the template filled in with that tid and nothing else, the key
// may sign for that directory, and the directory is on the list (ATTACKS UP-08).
// The shared endpoints use one set of keys for the whole world, so a good signature
// says only that some directory issued the token.
func (d directory) check(c *oidc.Claims) error {
	tenant, _ := c.ID.String("tid")
	switch {
	case strings.HasPrefix(c.ID.Issuer, "https://sts.windows.net/"):
		return broken("the ID token is of version 1.0: have the application registration issue version 2.0 tokens")
	case !isGUID(tenant):
		return broken("the ID token's tid is not the ID of a directory")
	case c.ID.Issuer != d.issuer(tenant):
		return broken("the ID token's issuer is not that of its directory")
	case c.KeyIssuer != "" && strings.ReplaceAll(c.KeyIssuer, placeholder, tenant) != c.ID.Issuer:
		return broken("the ID token is signed with the key of another directory")
	case !d.allowed[tenant]:
		return d.notAllowed(tenant)
	}
	return nil
}

func (d directory) notAllowed(tenant string) *connectors.Error {
	return &connectors.Error{Kind: connectors.NotAllowed, Code: "tenant", Hint: "the person's directory is not among allowed_tenants: " + tenant}
}

// answers checks the callback's iss, should Entra ever send one (RFC 9207).
func (d directory) answers(iss string) bool {
	for tenant := range d.allowed {
		if iss == d.issuer(tenant) {
			return true
		}
	}
	return false
}

// key is the identity: the object's ID within its directory. The issuer holds the
// directory's ID, so (issuer, oid) is the pair of tid and oid. sub would do too,
// but it is another one for every application registration: replacing that would
// make everybody a new person.
func (d directory) key(c *oidc.Claims) (issuer, subject string, err error) {
	oid, _ := c.ID.String("oid")
	if !isGUID(oid) {
		return "", "", broken("the ID token has no oid: the scope profile has to be among scopes")
	}
	return c.ID.Issuer, oid, nil
}

// isGUID accepts the one spelling that Entra uses, in lower case, because IDs are
// compared byte for byte.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func broken(hint string) *connectors.Error {
	return &connectors.Error{Kind: connectors.Broken, Hint: hint}
}
