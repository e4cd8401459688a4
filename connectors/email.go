package connectors

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse/broker"
)

// maxEmail is the longest address that is kept, in bytes (RFC 5321 §4.5.3.1).
const maxEmail = 64 + 1 + 255

// EmailDomain returns the domain of an address in lower case, and false if the
// address leaves any doubt about it: it must have exactly one @, something before
// it without quotes, spaces or control characters, and an ASCII host name of at
// least two labels behind it. Quoted local parts, address literals, trailing dots
// and second @s are where parsers disagree (GHSA-c5c4 in oauth2-proxy).
func EmailDomain(address string) (string, bool) {
	local, domain, found := strings.Cut(address, "@")
	if !found || local == "" || len(address) > maxEmail || !utf8.ValidString(local) {
		return "", false
	}
	for _, r := range local {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`"(),:;<>\[]`, r) {
			return "", false
		}
	}
	if !isHostName(domain) {
		return "", false
	}
	return lowerASCII(domain), true
}

// isHostName accepts letters, digits and inner hyphens in two or more labels. A
// second @ is refused here too.
func isHostName(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 || len(s) > 253 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for i := range len(l) {
			if c := l[i]; c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}

// lowerASCII leaves everything but A to Z alone: strings.ToLower would turn the
// Kelvin sign into a k.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}

// Address fills in the e-mail part of a profile from what the upstream sent and
// the evidence for it. An operator's trusted_email_domains count as evidence; an
// address that is not clearly one address is never verified, and one that could
// not be displayed safely is left out.
func (c *Common) Address(p *broker.Profile, address string, evidence broker.EmailTrust) {
	p.Email, p.EmailTrust = "", broker.EmailUnknown
	if address == "" || len(address) > maxEmail || !IsText(address) {
		return
	}
	domain, sound := EmailDomain(address)
	switch {
	case !sound && evidence == broker.EmailVerified:
		evidence = broker.EmailUnverified
	case sound && slices.ContainsFunc(c.TrustedEmailDomains, func(d string) bool { return lowerASCII(d) == domain }):
		evidence = broker.EmailVerified
	}
	p.Email, p.EmailTrust = address, evidence
}

// IsText reports whether s can be shown and logged on one line: valid UTF-8
// without control characters.
func IsText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}
