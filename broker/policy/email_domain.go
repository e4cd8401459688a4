package policy

import (
	"errors"
	"slices"
	"strings"
)

// ErrEmailAddress: not an address whose domain can be told without doubt.
var ErrEmailAddress = errors.New("policy: not a plain e-mail address")

// The limits of RFC 5321 §4.5.3.1 for a local part and of RFC 1035 §2.3.4 for a domain and its labels.
const (
	maxLocalPart = 64
	maxDomain    = 253
	maxLabel     = 63
)

// ParseEmailDomain returns the domain of an address in lower case. It takes only what every mail system reads the same
// way: exactly one "@", a local part of RFC 5322 §3.2.3 dot-atoms in ASCII, and a domain of at least two labels of ASCII
// letters, digits and hyphens. Quoted local parts, comments, address literals, trailing dots, white space and
// internationalised addresses are refused with [ErrEmailAddress]: every one of them has been a way to make two programs
// see two different domains.
func ParseEmailDomain(address string) (string, error) {
	local, domain, found := strings.Cut(address, "@")
	if !found || !isDotAtom(local) || !isDomain(domain) {
		return "", ErrEmailAddress
	}
	return asciiLower(domain), nil
}

// isDotAtom reports whether s is atoms of RFC 5322 §3.2.3 joined by single dots.
func isDotAtom(s string) bool {
	if s == "" || len(s) > maxLocalPart || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '.' && !isAlphanumeric(c) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", rune(c)) {
			return false
		}
	}
	return true
}

// isDomain reports whether s is two or more LDH labels (RFC 5890 §2.3.1). A second "@" is not a letter, digit or hyphen.
func isDomain(s string) bool {
	if len(s) > maxDomain || !strings.Contains(s, ".") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && !isAlphanumeric(c) {
				return false
			}
		}
	}
	// RFC 3696 §2: a top-level domain is not all digits; what looks like an IPv4 address is one.
	return strings.Trim(s[strings.LastIndexByte(s, '.')+1:], "0123456789") != ""
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// asciiLower folds A to Z alone: strings.ToLower would turn the Kelvin sign into a k.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// inDomains reports whether the address is in one of the domains, each meaning itself and no subdomain.
func inDomains(address string, domains []string) bool {
	domain, err := ParseEmailDomain(address)
	if err != nil || isNoReply(address, domain) {
		return false
	}
	for _, allowed := range domains {
		if asciiLower(allowed) == domain {
			return true
		}
	}
	return false
}

// isNoReply reports whether nobody reads mail at the address: GitHub gives out name@users.noreply.github.com, and
// Enterprise Server the same below its own name. Such an address is chosen by the forge and proves no membership.
func isNoReply(address, domain string) bool {
	local, _, _ := strings.Cut(address, "@")
	switch asciiLower(local) {
	case "noreply", "no-reply":
		return true
	}
	return slices.Contains(strings.Split(domain, "."), "noreply")
}
