package github

import (
	"cmp"
	"net/url"
	"strings"

	"gatehouse/connectors"
)

const (
	publicURL = "https://github.com"
	// tenantSuffix ends the host of GitHub Enterprise Cloud with data residency.
	tenantSuffix = ".ghe.com"
)

// hostKind is what the three kinds of GitHub differ by.
type hostKind uint8

const (
	publicHost hostKind = iota // github.com
	tenantHost                 // SUB.ghe.com
	serverHost                 // an Enterprise Server
)

func kindOf(base string) hostKind {
	switch {
	case base == publicURL:
		return publicHost
	case strings.HasSuffix(hostOf(base), tenantSuffix):
		return tenantHost
	}
	return serverHost
}

// deriveAPI returns the API of a base URL: github.com and SUB.ghe.com have a host
// of their own for it, an Enterprise Server a path.
func deriveAPI(base string) string {
	switch kindOf(base) {
	case publicHost:
		return "https://api.github.com"
	case tenantHost:
		return "https://api." + hostOf(base)
	}
	return base + "/api/v3"
}

// hostProblems returns what is wrong with base_url and api_url.
func (c *Config) hostProblems(add func(path, format string, args ...any)) {
	if c.BaseURL != "" {
		if msg := baseProblem(c.BaseURL); msg != "" {
			add("base_url", "%s", msg)
			return // what api_url should be follows from it
		}
	}
	if c.APIURL == "" {
		return
	}
	if msg := connectors.CheckBaseURL(c.APIURL); msg != "" {
		add("api_url", "%s", msg)
		return
	}
	// The token goes there. Only a server can have its API at an address of its own;
	// SUB.ghe.com taken for a server is the usual mistake.
	base := canonicalURL(cmp.Or(c.BaseURL, publicURL))
	if want := deriveAPI(base); kindOf(base) != serverHost && canonicalURL(c.APIURL) != want {
		add("api_url", "must be absent or %s: that is the API of %s", want, base)
	}
}

func baseProblem(address string) string {
	if msg := connectors.CheckBaseURL(address); msg != "" {
		return msg
	}
	base := canonicalURL(address)
	host := hostOf(base)
	bare := base == "https://"+host
	switch {
	case strings.HasPrefix(host, "api."):
		return "is where people sign in; the API's address goes into api_url"
	case host == "github.com" && base != publicURL, strings.HasSuffix(host, ".github.com"):
		return "must be " + publicURL + ", or absent"
	case host == "ghe.com", strings.HasSuffix(host, tenantSuffix) && !bare:
		return "must be https://SUB.ghe.com with your enterprise's subdomain, and nothing behind it"
	}
	return ""
}

// canonicalURL is the base URL in its one spelling; it is part of every identity.
func canonicalURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // Validate has refused it
	}
	u.Host = lower(u.Host)
	if u.Scheme == "https" {
		u.Host = strings.TrimSuffix(u.Host, ":443")
	} else {
		u.Host = strings.TrimSuffix(u.Host, ":80")
	}
	return strings.TrimRight(u.String(), "/")
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return lower(u.Host)
}

// lower folds A to Z alone, as GitHub's names are ASCII.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
