package oidc

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"gatehouse/connectors"
)

// maxParam bounds the value of a configured parameter, in bytes.
const maxParam = 512

// harmlessParams are what providers take in an authorization request beside the
// protocol: where to send people, and how the page looks. None of them changes what
// the answer means or where it goes.
func harmlessParams() []string {
	return []string{
		"access_type", "audience", "connection", "domain_hint", "hd", "idp", "idp_hint", "idp_scope", "include_granted_scopes",
		"kc_idp_hint", "login_channel", "organization", "resource", "screen_hint", "service", "ui_hint",
	}
}

// paramProblems returns what is wrong with authorization_params.
func paramProblems(params map[string]string) []connectors.Problem {
	var out []connectors.Problem
	for _, name := range slices.Sorted(maps.Keys(params)) {
		path := "authorization_params." + name
		if !slices.Contains(harmlessParams(), name) {
			out = append(out, connectors.Problem{Path: path, Message: "is not known to be harmless: known are " + strings.Join(harmlessParams(), ", ")})
		} else if value := params[name]; value == "" || len(value) > maxParam || !connectors.IsText(value) {
			out = append(out, connectors.Problem{Path: path, Message: "must be one line of at most 512 bytes"})
		}
	}
	return out
}

// params are the parameters of an authorization request beyond the fixed ones.
func (p *Provider) params(l connectors.Login) url.Values {
	v := standardParams(l, p.quirks.MaxAgeForLogin)
	if values := p.config.Assurance.Request(l.ACRValues); len(values) > 0 {
		if p.quirks.Demand != nil {
			p.quirks.Demand(values, v)
		} else {
			v.Set("acr_values", strings.Join(values, " "))
		}
	}
	for name, value := range p.config.AuthorizationParams {
		v.Set(name, value)
	}
	if p.quirks.Params != nil {
		p.quirks.Params(l, v)
	}
	if p.rechecks() {
		p.offline(v)
	}
	return v
}

// offline adds what makes the provider hand out a refresh token. The words of prompt
// are added to those that are there (OIDC Core §3.1.2.1).
func (p *Provider) offline(v url.Values) {
	for name := range p.quirks.OfflineParams {
		value := p.quirks.OfflineParams.Get(name)
		if name != "prompt" {
			v.Set(name, value)
			continue
		}
		words := strings.Fields(v.Get(name))
		for _, word := range strings.Fields(value) {
			if !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
		v.Set(name, strings.Join(words, " "))
	}
}

// rechecks reports whether people are asked about again when they are not present.
func (p *Provider) rechecks() bool { return p.config.Recheck().Interval > 0 }
