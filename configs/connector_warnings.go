package configs

import (
	"slices"
	"strings"

	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// warnOfConnectors tells of keys of connectors that trade safety for something else, or have no effect.
func (c *Config) warnOfConnectors(w *faults) {
	for i, one := range c.Connectors {
		if one == nil {
			continue
		}
		path, base := element("connectors", i), one.Base()
		g := base.OnGroupFailure
		if slices.Contains([]connectors.GroupFailure{g.Unavailable, g.Denied, g.Incomplete}, connectors.NoGroups) {
			w.add(path+".on_group_failure", "none: people come in without groups while these cannot be read")
		}
		if base.RecheckInterval > 0 && len(c.Clients) > 0 && !slices.ContainsFunc(c.Clients, func(client Client) bool { return client.refreshesVia(base.ID) }) {
			w.add(path+".recheck_interval", "no client of this connector can refresh (grant_types, scope, connectors): the provider is never asked again")
		}
		warnOfAssurance(w, path, base.Assurance)
	}
}

// refreshesVia reports whether an application's people may come from a connector and it may get refresh tokens for them.
func (c *Client) refreshesVia(connector string) bool {
	return (c.Connectors == nil || slices.Contains(c.Connectors, connector)) &&
		slices.Contains(orList(c.GrantTypes, defaultGrantTypes()), string(oauth.GrantTypeRefreshToken)) &&
		(c.Scope == nil || slices.Contains(strings.Fields(*c.Scope), oauth.OfflineAccess))
}

// warnOfAssurance tells of levels that nobody ever has, because whatever proves them proves a stronger one first.
func warnOfAssurance(w *faults, path string, table connectors.Assurance) {
	for i, rule := range table {
		for _, above := range table[:i] {
			if above.Level != rule.Level && provesToo(above, rule) {
				w.add(element(path+".assurance", i), "level %s is never reached: whatever proves it proves %s, which stands above it; write the strongest first", rule.Level, above.Level)
				break
			}
		}
	}
}

// provesToo reports whether above is proven whenever rule is.
func provesToo(above, rule connectors.AssuranceRule) bool {
	for _, acr := range rule.ACR {
		if !slices.Contains(above.ACR, acr) {
			return false
		}
	}
	if len(rule.AMR) == 0 {
		return true
	}
	if len(above.AMR) == 0 {
		return false
	}
	return !slices.ContainsFunc(above.AMR, func(method string) bool { return !slices.Contains(rule.AMR, method) })
}
