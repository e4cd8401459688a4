package azuread

import (
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
		return &connectors.Error{Kind: connectors.NotAllowed, Code: "tenant", Hint: "the person's directory is not among allowed_tenants: " + tenant}
	}
	return nil
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
