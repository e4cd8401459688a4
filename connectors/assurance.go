package connectors

import (
	"fmt"
	"slices"
	"strings"
)

// AssuranceRule says what proves one level.
type AssuranceRule struct {
	// Level is what clients ask for and what their tokens carry as acr.
	Level string `yaml:"level"`
	// ACR are values of the upstream, any of which proves the level; AMR are
	// authentication methods (RFC 8176), all of which do.
	ACR []string `yaml:"acr"`
	AMR []string `yaml:"amr"`
	// Request is what to ask the upstream for in order to get it; the first of ACR
	// when absent.
	Request string `yaml:"request"`
}

// Assurance is a connector's table of levels, strongest first. Empty, the
// upstream's own words are passed on both ways.
type Assurance []AssuranceRule

// Level returns the strongest level that the upstream's answer proves, and empty
// if there is none. Without a table it is the first of acr.
func (a Assurance) Level(acr, amr []string) string {
	if len(a) == 0 {
		if len(acr) > 0 {
			return acr[0]
		}
		return ""
	}
	for _, rule := range a {
		if rule.proven(acr, amr) {
			return rule.Level
		}
	}
	return ""
}

func (r AssuranceRule) proven(acr, amr []string) bool {
	if slices.ContainsFunc(acr, func(v string) bool { return slices.Contains(r.ACR, v) }) {
		return true
	}
	missing := func(m string) bool { return !slices.Contains(amr, m) }
	return len(r.AMR) > 0 && !slices.ContainsFunc(r.AMR, missing)
}

// Request translates the levels a client asks for into what the upstream is asked
// for, in the same order. Levels that are not in the table are left out: they mean
// nothing there. Without a table they are passed on.
func (a Assurance) Request(levels []string) []string {
	if len(a) == 0 {
		return levels
	}
	var out []string
	for _, level := range levels {
		for _, rule := range a {
			if rule.Level != level {
				continue
			}
			if value := rule.request(); value != "" && !slices.Contains(out, value) {
				out = append(out, value)
			}
		}
	}
	return out
}

func (r AssuranceRule) request() string {
	if r.Request == "" && len(r.ACR) > 0 {
		return r.ACR[0]
	}
	return r.Request
}

// Levels are those of the table, strongest first.
func (a Assurance) Levels() []string {
	var out []string
	for _, rule := range a {
		if !slices.Contains(out, rule.Level) {
			out = append(out, rule.Level)
		}
	}
	return out
}

// Problems returns what is wrong with the table.
func (a Assurance) Problems() []Problem {
	var out []Problem
	word := func(s string) bool {
		return s != "" && len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	}
	for i, rule := range a {
		path := fmt.Sprintf("assurance[%d]", i)
		if !word(rule.Level) {
			out = append(out, Problem{path + ".level", "required: the acr value that clients ask for, a single word"})
		}
		if len(rule.ACR) == 0 && len(rule.AMR) == 0 {
			out = append(out, Problem{path, "needs acr or amr: without either nothing proves the level"})
		}
		for _, list := range []struct {
			key    string
			values []string
		}{{"acr", rule.ACR}, {"amr", rule.AMR}} {
			for j, v := range list.values {
				if !word(v) {
					out = append(out, Problem{fmt.Sprintf("%s.%s[%d]", path, list.key, j), "must be a single word"})
				}
			}
		}
		if rule.Request != "" && !word(rule.Request) {
			out = append(out, Problem{path + ".request", "must be a single word"})
		}
	}
	return out
}
