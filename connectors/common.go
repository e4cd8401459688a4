package connectors

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Problems returns what is wrong with the keys every connector has. A connector's
// Validate begins with it.
func (c *Common) Problems() []Problem {
	var out []Problem
	add := func(path, format string, args ...any) {
		out = append(out, Problem{path, fmt.Sprintf(format, args...)})
	}
	if !isConnectorID(c.ID) {
		add("id", "must be 1 to 63 characters out of a-z, 0-9 and -, beginning with a letter or digit")
	}
	if c.ClientID == "" {
		add("client_id", "required: the identifier the upstream gave this broker when it was registered there")
	}
	for i, s := range c.Scopes {
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			add(fmt.Sprintf("scopes[%d]", i), "is not one scope: each entry is a single word")
		}
	}
	if c.Reauthentication != "" && c.Reauthentication != "best_effort" {
		add("reauthentication", "must be absent (strict) or best_effort")
	}
	for i, d := range c.TrustedEmailDomains {
		if !isHostName(d) {
			add(fmt.Sprintf("trusted_email_domains[%d]", i), "must be a domain such as example.com")
		}
	}
	for i, d := range c.Domains {
		if !isHostName(d) || d != lowerASCII(d) {
			add(fmt.Sprintf("domains[%d]", i), "must be a domain in lower case, such as example.com")
		}
	}
	out = append(out, c.recheckProblems()...)
	out = append(out, c.Assurance.Problems()...)
	out = append(out, c.OnGroupFailure.Problems()...)
	return append(out, c.Groups.Problems()...)
}

// BestEffort reports whether the operator accepts less than proof that a person
// authenticated again.
func (c *Common) BestEffort() bool { return c.Reauthentication == "best_effort" }

// The least and the default of the re-check's durations.
const (
	minRecheck         = time.Minute
	defaultOutageGrace = time.Hour
)

// Recheck is the configured re-check; its Interval is zero when it is off.
func (c *Common) Recheck() Recheck {
	if c.RecheckInterval == 0 {
		return Recheck{}
	}
	grace := defaultOutageGrace
	if c.OutageGrace != nil {
		grace = *c.OutageGrace
	}
	return Recheck{Interval: c.RecheckInterval, OutageGrace: grace}
}

func (c *Common) recheckProblems() []Problem {
	var out []Problem
	switch {
	case c.RecheckInterval < 0 || c.RecheckInterval > 0 && c.RecheckInterval < minRecheck:
		out = append(out, Problem{"recheck_interval", "must be at least 1m: the upstream is asked this often about everybody whose applications refresh"})
	case c.RecheckInterval == 0 && c.OutageGrace != nil:
		out = append(out, Problem{"outage_grace", "is for upstream re-check: set recheck_interval too"})
	}
	if c.OutageGrace != nil && *c.OutageGrace < 0 {
		out = append(out, Problem{"outage_grace", "must not be negative"})
	}
	return out
}

func isConnectorID(id string) bool {
	if id == "" || len(id) > 63 || id[0] == '-' {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// CheckBaseURL returns what is wrong with a configured base URL: empty when it is
// an absolute https URL without query, fragment or credentials. Plain http is for
// loopback addresses alone.
func CheckBaseURL(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return "must be an absolute URL such as https://idp.example.com"
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(address, "#"):
		return "must have no credentials, query or fragment"
	case u.Scheme == "http" && !IsLoopback(u.Hostname()):
		return "must be https; http is for loopback addresses only"
	case u.Scheme != "https" && u.Scheme != "http":
		return "must be https"
	}
	return ""
}

// IsLoopback reports whether the host is localhost or a loopback address, without
// asking anybody.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
