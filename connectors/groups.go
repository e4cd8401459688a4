package connectors

import "slices"

// Apply returns the groups of an upstream under the names they have here: those
// that Allow lists, or all when it is empty, each behind the prefix. Names are
// compared byte for byte. Repeated and empty ones are dropped.
//
// Every connector passes its groups through here, so that none can assert
// another's (DESIGN.md §4).
func (r GroupRules) Apply(connectorID string, groups []string) []string {
	prefix := connectorID + ":"
	// Without an allow-list an empty prefix would let the upstream choose any name
	// at all; Problems refuses that, and here it falls back to the safe one.
	if r.Prefix != nil && (*r.Prefix != "" || len(r.Allow) > 0) {
		prefix = *r.Prefix
	}
	var out []string
	seen := make(map[string]bool, len(groups))
	for _, g := range groups {
		if g == "" || seen[g] || len(r.Allow) > 0 && !slices.Contains(r.Allow, g) {
			continue
		}
		seen[g] = true
		out = append(out, prefix+g)
	}
	return out
}

// Problems returns what is wrong with the rules.
func (r GroupRules) Problems() []Problem {
	var out []Problem
	if r.Prefix != nil && *r.Prefix == "" && len(r.Allow) == 0 {
		out = append(out, Problem{"groups.prefix", "may be empty only together with groups.allow: otherwise this upstream could assert any group of another"})
	}
	if slices.Contains(r.Allow, "") {
		out = append(out, Problem{"groups.allow", "holds an empty name"})
	}
	return out
}
