package oauth

import (
	"slices"
	"strings"
)

// The scope values with a meaning of their own (OpenID Connect Core §3.1.2.1, §5.4, §11). Groups is not standard but
// is what applications have come to ask for.
const (
	OpenID        = "openid"
	Profile       = "profile"
	Email         = "email"
	Address       = "address"
	Phone         = "phone"
	Groups        = "groups"
	OfflineAccess = "offline_access"
)

// Limits of a scope parameter. Every scope is compared with every allowed one, so their number is a cost that a
// stranger chooses.
const (
	maxScopes     = 100
	maxScopeBytes = 4 << 10
)

// Scopes is a set of scope values in the order in which they were asked for. The zero value is the empty set.
type Scopes []string

// ParseScopes reads a scope parameter (RFC 6749 §3.3): values separated by spaces. Superfluous spaces are ignored and
// repeated values kept once, as the set is what counts; a character outside the grammar, more than 100 different
// values or more than 4 KiB are invalid_scope.
func ParseScopes(s string) (Scopes, error) {
	if len(s) > maxScopeBytes {
		return nil, Errorf(InvalidScope, "scope is longer than %d bytes", maxScopeBytes)
	}
	var set Scopes
	for word := range strings.SplitSeq(s, " ") {
		if word == "" || slices.Contains(set, word) {
			continue
		}
		if !isScopeToken(word) {
			return nil, Errorf(InvalidScope, "scope contains a character that is not allowed")
		}
		if len(set) == maxScopes {
			return nil, Errorf(InvalidScope, "scope has more than %d values", maxScopes)
		}
		set = append(set, word)
	}
	return set, nil
}

// isScopeToken reports whether s is made of %x21 / %x23-5B / %x5D-7E (RFC 6749 §3.3).
func isScopeToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x21 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

// Has reports whether name is in the set.
func (s Scopes) Has(name string) bool { return slices.Contains(s, name) }

// Contains reports whether all of other is in the set; the empty set always is.
func (s Scopes) Contains(other Scopes) bool {
	for _, name := range other {
		if !s.Has(name) {
			return false
		}
	}
	return true
}

// Intersect returns what is in both sets, in the order of s.
func (s Scopes) Intersect(other Scopes) Scopes {
	var both Scopes
	for _, name := range s {
		if other.Has(name) {
			both = append(both, name)
		}
	}
	return both
}

// Without returns s less the named values.
func (s Scopes) Without(names ...string) Scopes {
	var rest Scopes
	for _, name := range s {
		if !slices.Contains(names, name) {
			rest = append(rest, name)
		}
	}
	return rest
}

// String is the set as a scope parameter.
func (s Scopes) String() string { return strings.Join(s, " ") }
