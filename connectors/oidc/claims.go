package oidc

import (
	"strings"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// maxText bounds what is kept of a name or a picture's address, in bytes.
const maxText = 2 << 10

// Claims are what a sign-in rests on.
type Claims struct {
	// ID is the ID token, verified: signature, audience, times, nonce and subject.
	// The issuer is for Quirks.Issuer to check. Where a refresh came without an ID
	// token it has the subject that userinfo repeated, and nothing else.
	ID *jose.Claims
	// Userinfo is the userinfo answer, whose sub has been found equal; nil when it
	// was not asked for. It is no evidence of who somebody is.
	Userinfo *jose.Claims
	// KeyIssuer is the "issuer" member of the key that signed, which Entra ID has;
	// usually empty.
	KeyIssuer string

	report *connectors.Report
	// unsigned: there was no ID token.
	unsigned bool
}

// Evidence says what the trust in the e-mail address rests on, in words for
// Report.EmailEvidence. Quirks.Email calls it.
func (c *Claims) Evidence(words string) {
	if c.report != nil {
		c.report.EmailEvidence = words
	}
}

// sources are where claims are looked for, the signed ones first, with their names.
func (c *Claims) sources() []source {
	return []source{{"the ID token", c.ID}, {"userinfo", c.Userinfo}}
}

type source struct {
	name   string
	claims *jose.Claims
}

// Text returns a claim for display: the signed one, else userinfo's; empty when
// absent, not a string, or not fit for one line. A name that begins with a slash is
// a JSON pointer (RFC 6901).
func (c *Claims) Text(name string) string {
	for _, s := range c.sources() {
		holder, member, there := locate(s.claims, name)
		if there != present {
			continue
		}
		if text, ok := holder.String(member); ok && len(text) <= maxText && connectors.IsText(text) {
			return text
		}
	}
	return ""
}

// presence is what became of looking for a claim.
type presence uint8

const (
	absent presence = iota
	present
	// unreadable: the way to it leads through something that is not an object.
	unreadable
)

// locate finds the object that holds a claim, and the claim's name there.
func locate(c *jose.Claims, name string) (holder *jose.Claims, member string, there presence) {
	if c == nil {
		return nil, "", absent
	}
	path, ok := segments(name)
	if !ok {
		return nil, "", unreadable
	}
	for holder = c; ; path = path[1:] {
		member = path[0]
		switch {
		case !holder.Has(member) || string(holder.Raw[member]) == "null":
			return nil, "", absent
		case len(path) == 1:
			return holder, member, present
		}
		below, err := jose.StrictObject(holder.Raw[member])
		if err != nil {
			return nil, "", unreadable
		}
		holder = &jose.Claims{Raw: below}
	}
}

// segments splits the name of a claim: a JSON pointer if it begins with a slash (RFC
// 6901 §3), else the name itself.
func segments(name string) ([]string, bool) {
	pointer, ok := strings.CutPrefix(name, "/")
	if !ok {
		return []string{name}, true
	}
	path := strings.Split(pointer, "/")
	for i, segment := range path {
		plain, ok := unescape(segment)
		if !ok {
			return nil, false
		}
		path[i] = plain
	}
	return path, true
}

// unescape is RFC 6901 §4: ~1 is a slash and ~0 a tilde, and no other tilde stands
// alone.
func unescape(segment string) (string, bool) {
	rest := strings.NewReplacer("~0", "", "~1", "").Replace(segment)
	if strings.Contains(rest, "~") {
		return "", false
	}
	// In this order, so that ~01 becomes ~1 and not a slash.
	return strings.ReplaceAll(strings.ReplaceAll(segment, "~1", "/"), "~0", "~"), true
}
