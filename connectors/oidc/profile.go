package oidc

import (
	"cmp"
	"context"
	"encoding/json"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// key says who verified claims are about. prior is who the refreshed tokens were
// about, nil at a sign-in: anybody else is not them.
func (p *Provider) key(c *Claims, prior *broker.Identity) (broker.IdentityKey, error) {
	issuer, subject := p.config.Issuer, c.ID.Subject
	if p.quirks.Key != nil {
		var err error
		if issuer, subject, err = p.quirks.Key(c); err != nil {
			return broker.IdentityKey{}, err
		}
	}
	key := broker.IdentityKey{Connector: p.config.ID, Issuer: issuer, Subject: subject}
	if prior != nil && prior.Key != key {
		return broker.IdentityKey{}, &connectors.Error{Kind: connectors.Gone, Hint: "the upstream refreshed the tokens of somebody else"}
	}
	return key, nil
}

// identity maps verified claims to what the broker keeps. Only the claims named
// here are read: an upstream cannot smuggle in others. prior is who the person was,
// where they are known already: what is not repeated is taken from it.
func (p *Provider) identity(ctx context.Context, key broker.IdentityKey, c *Claims, api API, prior *broker.Identity) (broker.Identity, error) {
	id := broker.Identity{Key: key, Profile: p.profile(c), Authentication: p.authentication(c)}
	if prior != nil {
		id.Authentication = prior.Authentication // nobody has authenticated since
		inherit(&id.Profile, prior.Profile)
	}
	p.address(&id.Profile, c, prior)

	names, err := p.groups(ctx, c, api)
	if err == nil {
		err = p.unspoken(c, prior)
	}
	if err := p.config.SettleGroups(&id, names, err, p.log); err != nil {
		return broker.Identity{}, err
	}
	return id, nil
}

func (p *Provider) profile(c *Claims) broker.Profile {
	n := p.names
	return broker.Profile{
		Name: c.Text(n.Name), GivenName: c.Text(n.GivenName), FamilyName: c.Text(n.FamilyName),
		PreferredUsername: c.Text(n.PreferredUsername), Picture: c.Text(n.Picture), Locale: c.Text(n.Locale),
	}
}

// inherit takes over what a refresh did not repeat.
func inherit(p *broker.Profile, prior broker.Profile) {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&p.Name, prior.Name}, {&p.GivenName, prior.GivenName}, {&p.FamilyName, prior.FamilyName},
		{&p.PreferredUsername, prior.PreferredUsername}, {&p.Picture, prior.Picture}, {&p.Locale, prior.Locale},
	} {
		*f.to = cmp.Or(*f.to, f.from)
	}
}

// address settles the e-mail address and what it is worth.
func (p *Provider) address(profile *broker.Profile, c *Claims, prior *broker.Identity) {
	n := emailClaims{address: p.names.Email, verified: p.names.EmailVerified, asText: p.config.EmailVerifiedAsString}
	read := n.read
	if p.quirks.Email != nil {
		read = p.quirks.Email
	}
	address, evidence := read(c)
	repeated := prior != nil && (address == "" || address == prior.Profile.Email)
	// A refresh may repeat the address and not the flag, or neither.
	silent := address == "" || p.quirks.Email == nil && !n.says(c.ID) && !n.says(c.Userinfo)
	if repeated && silent {
		profile.Email, profile.EmailTrust = prior.Profile.Email, prior.Profile.EmailTrust
		c.Evidence("not repeated: what was known stays")
		return
	}
	p.config.Address(profile, address, evidence)
	if profile.EmailTrust == broker.EmailVerified && evidence != broker.EmailVerified {
		c.Evidence("the domain is among trusted_email_domains")
	}
}

// authentication reads how the person authenticated from the signed token alone;
// a claim of a wrong type asserts nothing. The level is the configured translation of
// what the upstream said; whether it suffices is not decided here.
func (p *Provider) authentication(c *Claims) broker.Authentication {
	a := signedAuthentication(c.ID)
	var values []string
	if a.ACR != "" {
		values = append(values, a.ACR)
	}
	if p.quirks.ACR != nil {
		values = append(values, p.quirks.ACR(c)...)
	}
	a.ACR = p.config.Assurance.Level(values, a.AMR)
	return a
}

func signedAuthentication(t *jose.Claims) broker.Authentication {
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
