package oidc

import (
	"cmp"
	"context"
	"encoding/json"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// identity maps verified claims to what the broker keeps. Only the claims named
// here are read: an upstream cannot smuggle in others.
func (p *Provider) identity(ctx context.Context, c *Claims, api API) (broker.Identity, error) {
	issuer, subject := p.config.Issuer, c.ID.Subject
	if p.quirks.Key != nil {
		var err error
		if issuer, subject, err = p.quirks.Key(c); err != nil {
			return broker.Identity{}, err
		}
	}
	id := broker.Identity{
		Key: broker.IdentityKey{Connector: p.config.ID, Issuer: issuer, Subject: subject},
		Profile: broker.Profile{
			Name: c.Text("name"), GivenName: c.Text("given_name"), FamilyName: c.Text("family_name"),
			PreferredUsername: c.Text("preferred_username"), Picture: c.Text("picture"), Locale: c.Text("locale"),
		},
		Authentication: authentication(c.ID),
	}
	email := StandardEmail
	if p.quirks.Email != nil {
		email = p.quirks.Email
	}
	address, evidence := email(c)
	p.config.Address(&id.Profile, address, evidence)

	names, err := p.groups(ctx, c, api)
	if err != nil {
		return broker.Identity{}, err
	}
	id.Profile.Groups = p.config.Groups.Apply(p.config.ID, names)
	return id, nil
}

// authentication reads how the person authenticated from the signed token alone;
// a claim of a wrong type asserts nothing.
func authentication(t *jose.Claims) broker.Authentication {
	var a broker.Authentication
	a.Time, _ = t.Time("auth_time")
	if acr, ok := t.String("acr"); ok && len(acr) <= maxText && connectors.IsText(acr) {
		a.ACR = acr
	}
	// RFC 8176 §2: amr is an array; a lone string is not one.
	var amr []string
	if raw := t.Raw["amr"]; len(raw) > 0 && json.Unmarshal(raw, &amr) == nil {
		for _, m := range amr {
			if m != "" && len(m) <= 64 && connectors.IsText(m) {
				a.AMR = append(a.AMR, m)
			}
		}
	}
	return a
}

// StandardEmail reads email and email_verified. The two count only together: the
// signed ones first; userinfo's flag speaks for userinfo's address alone, and
// never against what was signed.
func StandardEmail(c *Claims) (string, broker.EmailTrust) {
	signed, _ := c.ID.String("email")
	var told string
	if c.Userinfo != nil {
		told, _ = c.Userinfo.String("email")
	}
	address := cmp.Or(signed, told)
	switch {
	case c.ID.Has("email_verified"):
		evidence := trust(c.ID)
		if signed == "" && evidence == broker.EmailVerified {
			// The signed flag does not say of which address; userinfo has to agree.
			evidence = trust(c.Userinfo)
		}
		return address, evidence
	case told != "" && told == address:
		return address, trust(c.Userinfo)
	}
	return address, broker.EmailUnknown
}

// trust reads email_verified: the JSON true and nothing else (ATTACKS UP-02).
func trust(c *jose.Claims) broker.EmailTrust {
	switch {
	case c == nil || !c.Has("email_verified"):
		return broker.EmailUnknown
	case c.Bool("email_verified"):
		return broker.EmailVerified
	}
	return broker.EmailUnverified
}

func (p *Provider) groupsClaim() string { return cmp.Or(p.config.GroupsClaim, defaultGroupsClaim) }

func (p *Provider) groups(ctx context.Context, c *Claims, api API) ([]string, error) {
	if p.quirks.Groups != nil {
		return p.quirks.Groups(ctx, c, api)
	}
	return ClaimedGroups(c, p.groupsClaim())
}

// ClaimedGroups reads a groups claim: an array of strings, or one string. Absent
// means none; unreadable is a failed sign-in, never none.
func ClaimedGroups(c *Claims, name string) ([]string, error) {
	for _, source := range []*jose.Claims{c.ID, c.Userinfo} {
		if source == nil || !source.Has(name) || string(source.Raw[name]) == "null" {
			continue
		}
		groups, ok := source.Strings(name)
		if !ok {
			return nil, broken(nil, "the claim %q is not a list of group names", name)
		}
		for _, g := range groups {
			if len(g) > maxText || !connectors.IsText(g) {
				return nil, broken(nil, "the claim %q holds something that is not a group name", name)
			}
		}
		return groups, nil
	}
	if elsewhere(c, name) {
		return nil, &connectors.Error{Kind: connectors.Operator, Hint: "the upstream keeps this person's groups elsewhere (_claim_names), and an address in a token is never fetched: have it send them in the token or at userinfo"}
	}
	return nil, nil
}

// elsewhere reports whether a claim is an aggregated or distributed one (OIDC
// Core §5.6.2).
func elsewhere(c *Claims, claim string) bool {
	for _, source := range []*jose.Claims{c.ID, c.Userinfo} {
		if source == nil || !source.Has("_claim_names") {
			continue
		}
		names, err := jose.StrictObject(source.Raw["_claim_names"])
		if _, named := names[claim]; named || err != nil {
			return true
		}
	}
	return false
}
