package external

import (
	"encoding/json"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/jose"
)

// ValidName reports whether a rule can have the name: that of a claim or, with a
// slash in front, a JSON pointer to a member of one (RFC 6901 §3).
func ValidName(name string) bool {
	if name == "" || len(name) > maxPattern {
		return false
	}
	for _, part := range pointer(name) {
		rest := strings.ReplaceAll(strings.ReplaceAll(part, "~0", ""), "~1", "")
		if part == "" || strings.HasPrefix(name, "/") && strings.Contains(rest, "~") {
			return false
		}
	}
	return true
}

// pointer splits a name. The parts are still escaped.
func pointer(name string) []string {
	if rest, ok := strings.CutPrefix(name, "/"); ok {
		return strings.Split(rest, "/")
	}
	return []string{name}
}

// holds reports whether a claim is what a rule wants. Text is compared, and what is
// true or false as such; anything else, an absent claim and a list included, does
// not hold: which entry of a list was meant nobody has said.
func holds(rule broker.ClaimRule, claims map[string]json.RawMessage) bool {
	value, ok := find(rule.Name, claims)
	return ok && slices.ContainsFunc(rule.Patterns, func(p string) bool { return Match(p, value) })
}

func find(name string, claims map[string]json.RawMessage) (string, bool) {
	parts := pointer(name)
	for i, part := range parts {
		if strings.HasPrefix(name, "/") {
			part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		}
		raw, ok := claims[part]
		if !ok {
			return "", false
		}
		if i == len(parts)-1 {
			return scalar(raw)
		}
		var err error
		if claims, err = jose.StrictObject(raw); err != nil {
			return "", false
		}
	}
	return "", false
}

func scalar(raw json.RawMessage) (string, bool) {
	switch text := string(raw); text {
	case "true", "false":
		return text, true
	}
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, s != ""
}
