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
	// EmailVerified is nil exactly when Email is empty.
	EmailVerified *bool    `json:"email_verified,omitempty"`
	Groups        []string `json:"groups,omitempty"`
}

// ClaimsFor returns the claims of p that the scopes grant (OpenID Connect Core §5.4): profile, email and groups. The
// others have none.
func ClaimsFor(scopes oauth.Scopes, p broker.Profile) Claims {
	var c Claims
	if scopes.Has(oauth.Profile) {
		c.Name = meaningful(p.Name)
		c.GivenName = meaningful(p.GivenName)
		c.FamilyName = meaningful(p.FamilyName)
		c.PreferredUsername = meaningful(p.PreferredUsername)
		c.Picture = webAddress(p.Picture)
		c.Locale = meaningful(p.Locale)
	}
	if scopes.Has(oauth.Email) {
		c.Email = meaningful(p.Email)
		if c.Email != "" {
			c.EmailVerified = new(emailVerified(p))
		}
	}
	if scopes.Has(oauth.Groups) {
		c.Groups = p.Groups
		if slices.ContainsFunc(p.Groups, func(g string) bool { return meaningful(g) == "" }) {
			c.Groups = slices.DeleteFunc(slices.Clone(p.Groups), func(g string) bool { return meaningful(g) == "" })
		}
	}
	return c
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
