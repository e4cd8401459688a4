package oidc

import (
	"cmp"
	"slices"

	"gatehouse/connectors"
)

// ClaimNames are the names of the claims that are read, where a provider has its
// own. One that begins with a slash is a JSON pointer (RFC 6901), such as
// /realm_access/roles. The subject is always sub.
type ClaimNames struct {
	Name              string `yaml:"name"`
	GivenName         string `yaml:"given_name"`
	FamilyName        string `yaml:"family_name"`
	PreferredUsername string `yaml:"preferred_username"`
	Email             string `yaml:"email"`
	EmailVerified     string `yaml:"email_verified"`
	Groups            string `yaml:"groups"`
	Picture           string `yaml:"picture"`
	Locale            string `yaml:"locale"`
}

// fields are the keys with their values.
func (n *ClaimNames) fields() []struct {
	key   string
	value *string
} {
	return []struct {
		key   string
		value *string
	}{
		{"name", &n.Name}, {"given_name", &n.GivenName}, {"family_name", &n.FamilyName},
		{"preferred_username", &n.PreferredUsername}, {"email", &n.Email}, {"email_verified", &n.EmailVerified},
		{"groups", &n.Groups}, {"picture", &n.Picture}, {"locale", &n.Locale},
	}
}

// protocol are claims that say something to the protocol. An upstream fills them as
// it must, and nobody is called or grouped by them (ATTACKS UP-26).
func protocol() []string {
	return []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "acr", "amr", "azp", "auth_time", "at_hash", "c_hash", "s_hash",
		"sid", "act", "may_act", "cnf", "scope", "client_id", "events", "sub_id", "sub_jwk", "typ", "ver",
		"_claim_names", "_claim_sources", "__proto__",
	}
}

// problems returns what is wrong with the names.
func (n ClaimNames) problems() []connectors.Problem {
	var out []connectors.Problem
	for _, f := range n.fields() {
		if msg := claimProblem(*f.value); *f.value != "" && msg != "" {
			out = append(out, connectors.Problem{Path: "claims." + f.key, Message: msg})
		}
	}
	return out
}

// claimProblem is what is wrong with the name of a claim.
func claimProblem(name string) string {
	path, ok := segments(name)
	switch {
	case !ok || slices.Contains(path, "") || !connectors.IsText(name):
		return "is not the name of a claim: write the name itself, or a JSON pointer such as /realm_access/roles"
	case slices.Contains(protocol(), path[0]):
		return "names a claim of the protocol, which says nothing about a person's profile"
	}
	return ""
}

// names are the names of the claims with the defaults filled in.
func (c *Config) names() ClaimNames {
	n := c.Claims
	n.Groups = cmp.Or(n.Groups, c.GroupsClaim)
	for _, f := range n.fields() {
		*f.value = cmp.Or(*f.value, f.key)
	}
	return n
}
