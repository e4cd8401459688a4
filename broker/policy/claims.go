package policy

import (
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// Claims are the standard claims about a person (OpenID Connect Core §5.1) that a client may see, and the groups. The
// zero value of a field is left out of what is sent. The set is closed: what is not a field here cannot be sent, and a
// reserved claim is not a field.
type Claims struct {
	Name              string `json:"name,omitempty"`
	GivenName         string `json:"given_name,omitempty"`
	FamilyName        string `json:"family_name,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"`
	Picture           string `json:"picture,omitempty"`
	Locale            string `json:"locale,omitempty"`
	Email             string `json:"email,omitempty"`
	// EmailVerified is never nil beside an Email. Without one it says that there is an address that was not asked for.
	EmailVerified *bool    `json:"email_verified,omitempty"`
	Groups        []string `json:"groups,omitempty"`
}

// standard are the claims there are, each with the scope that grants it (OpenID Connect Core §5.4) and how it is taken
// from a profile.
var standard = []struct {
	name, scope string
	take        func(*Claims, broker.Profile)
}{
	{"name", oauth.Profile, func(c *Claims, p broker.Profile) { c.Name = meaningful(p.Name) }},
	{"given_name", oauth.Profile, func(c *Claims, p broker.Profile) { c.GivenName = meaningful(p.GivenName) }},
	{"family_name", oauth.Profile, func(c *Claims, p broker.Profile) { c.FamilyName = meaningful(p.FamilyName) }},
	{"preferred_username", oauth.Profile, func(c *Claims, p broker.Profile) { c.PreferredUsername = meaningful(p.PreferredUsername) }},
	{"picture", oauth.Profile, func(c *Claims, p broker.Profile) { c.Picture = webAddress(p.Picture) }},
	{"locale", oauth.Profile, func(c *Claims, p broker.Profile) { c.Locale = meaningful(p.Locale) }},
	{"email", oauth.Email, email},
	{"email_verified", oauth.Email, emailStanding},
	{"groups", oauth.Groups, groups},
}

// ClaimsFor returns the claims of p that the scopes grant (OpenID Connect Core §5.4), which are those of profile, email
// and groups, and those that were asked for by name (§5.5). Other scopes and names have none.
func ClaimsFor(scopes oauth.Scopes, p broker.Profile, named ...string) Claims {
	var c Claims
	for _, s := range standard {
		if scopes.Has(s.scope) || slices.Contains(named, s.name) {
			s.take(&c, p)
		}
	}
	return c
}

// ClaimNames are the names of the claims there are, in the order of [Claims].
func ClaimNames() []string {
	names := make([]string, len(standard))
	for i, s := range standard {
		names[i] = s.name
	}
	return names
}

// ClaimScope returns the scope that a claim belongs to: who may not have the one may not have the other. It is empty for
// a claim there is not.
func ClaimScope(name string) string {
	for _, s := range standard {
		if s.name == name {
			return s.scope
		}
	}
	return ""
}

// email never comes without its standing: applications take an address that nothing is said of for a verified one.
func email(c *Claims, p broker.Profile) {
	c.Email = meaningful(p.Email)
	emailStanding(c, p)
}

func emailStanding(c *Claims, p broker.Profile) {
	if meaningful(p.Email) != "" {
		c.EmailVerified = new(emailVerified(p))
	}
}

func groups(c *Claims, p broker.Profile) {
	c.Groups = p.Groups
	if slices.ContainsFunc(p.Groups, func(g string) bool { return meaningful(g) == "" }) {
		c.Groups = slices.DeleteFunc(slices.Clone(p.Groups), func(g string) bool { return meaningful(g) == "" })
	}
}

// emailVerified is true only on evidence. An address that mail systems could read in two ways is never called
// verified, whatever an upstream says: the client that splits it differently would trust another mailbox.
func emailVerified(p broker.Profile) bool {
	if p.EmailTrust != broker.EmailVerified {
		return false
	}
	_, err := ParseEmailDomain(p.Email)
	return err == nil
}

// meaningful returns s, or nothing for a text that says nothing: upstreams send blanks and the word null for members
// they do not know, and clients would show them. A text with a NUL is one that readers do not agree on.
func meaningful(s string) string {
	if strings.TrimSpace(s) == "" || s == "null" || strings.IndexByte(s, 0) >= 0 {
		return ""
	}
	return s
}

// webAddress returns s if it is an absolute http or https URL: clients put it into pages, where other schemes run code.
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	return s
}
