package oidc

import (
	"context"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

func (p *Provider) groups(ctx context.Context, c *Claims, api API) ([]string, error) {
	if p.quirks.Groups != nil {
		return p.quirks.Groups(ctx, c, api)
	}
	return ClaimedGroups(c, p.names.Groups)
}

// ClaimedGroups reads a groups claim: an array of strings, or one string. Absent
// means none; unreadable is a failed sign-in, never none. Groups that are kept
// elsewhere (_claim_names) have the cause connectors.ErrGroupsIncomplete. A name that
// begins with a slash is a JSON pointer.
func ClaimedGroups(c *Claims, name string) ([]string, error) {
	for _, s := range c.sources() {
		holder, member, there := locate(s.claims, name)
		switch there {
		case unreadable:
			return nil, broken(nil, "the claim %q is not a list of group names", name)
		case absent:
			continue
		case present:
		}
		groups, ok := holder.Strings(member)
		if !ok {
			return nil, broken(nil, "the claim %q is not a list of group names", name)
		}
		for _, g := range groups {
			if len(g) > maxText || !connectors.IsText(g) {
				return nil, broken(nil, "the claim %q holds something that is not a group name", name)
			}
		}
		c.found("the claim " + name + " of " + s.name)
		return groups, nil
	}
	if elsewhere(c, name) {
		return nil, &connectors.Error{
			Kind: connectors.Operator, Err: connectors.ErrGroupsIncomplete,
			Hint: "the upstream keeps this person's groups elsewhere (_claim_names), and an address in a token is never fetched: have it send them in the token or at userinfo",
		}
	}
	c.found("nowhere: neither the ID token nor userinfo has the claim " + name)
	return nil, nil
}

func (c *Claims) found(source string) {
	if c.report != nil {
		c.report.GroupSource = source
	}
}

// elsewhere reports whether a claim is an aggregated or distributed one (OIDC
// Core §5.6.2).
func elsewhere(c *Claims, claim string) bool {
	path, _ := segments(claim)
	for _, s := range c.sources() {
		if s.claims == nil || !s.claims.Has("_claim_names") {
			continue
		}
		names, err := jose.StrictObject(s.claims.Raw["_claim_names"])
		if err != nil {
			return true
		}
		if _, named := names[path[0]]; named {
			return true
		}
	}
	return false
}

// unspoken is the error for a refresh without an ID token whose userinfo answer
// does not speak of groups, although there were some: they may have stood in the ID
// token alone, so this is not the news that there are none.
func (p *Provider) unspoken(c *Claims, prior *broker.Identity) error {
	if prior == nil || !c.unsigned || p.quirks.Groups != nil || len(prior.Profile.Groups) == 0 {
		return nil
	}
	if _, _, there := locate(c.Userinfo, p.names.Groups); there != absent {
		return nil
	}
	return &connectors.Error{
		Kind: connectors.Operator, Err: connectors.ErrGroupsIncomplete,
		Hint: "the upstream refreshes without an ID token, and its userinfo does not tell the groups: have it do either",
	}
}
