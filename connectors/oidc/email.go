package oidc

import (
	"cmp"

	"gatehouse/broker"
	"gatehouse/broker/jose"
)

// StandardEmail reads email and email_verified. The two count only together: the
// signed ones first; userinfo's flag speaks for userinfo's address alone, and
// never against what was signed.
func StandardEmail(c *Claims) (string, broker.EmailTrust) {
	return emailClaims{address: "email", verified: "email_verified"}.read(c)
}

// emailClaims are the names of an address and of the claim about it. asText lets
// the string "true" count as true, which a provider has to be known for.
type emailClaims struct {
	address, verified string
	asText            bool
}

func (n emailClaims) read(c *Claims) (string, broker.EmailTrust) {
	signed, told := n.of(c.ID), n.of(c.Userinfo)
	address := cmp.Or(signed, told)
	switch {
	case n.says(c.ID):
		evidence := n.trust(c.ID)
		c.Evidence(n.verified + " of the ID token is " + n.word(evidence))
		if signed == "" && evidence == broker.EmailVerified {
			// The signed flag does not say of which address; userinfo has to agree.
			evidence = n.trust(c.Userinfo)
			c.Evidence(n.verified + " of userinfo, which alone has the address, is " + n.word(evidence))
		}
		return address, evidence
	case told != "" && told == address:
		evidence := n.trust(c.Userinfo)
		c.Evidence(n.verified + " of userinfo is " + n.word(evidence))
		return address, evidence
	}
	c.Evidence("the upstream says nothing about the address")
	return address, broker.EmailUnknown
}

func (n emailClaims) of(c *jose.Claims) string {
	holder, member, there := locate(c, n.address)
	if there != present {
		return ""
	}
	address, _ := holder.String(member)
	return address
}

// says reports whether the flag is there. null is there too, and no evidence.
func (n emailClaims) says(c *jose.Claims) bool {
	if c == nil {
		return false
	}
	_, _, there := locate(c, n.verified)
	return there != absent || c.Has(n.verified)
}

// trust reads the flag: the JSON true and nothing else, unless this provider is
// known to send it as a string (ATTACKS UP-02).
func (n emailClaims) trust(c *jose.Claims) broker.EmailTrust {
	if !n.says(c) {
		return broker.EmailUnknown
	}
	holder, member, there := locate(c, n.verified)
	if there != present {
		return broker.EmailUnverified
	}
	if text, ok := holder.String(member); holder.Bool(member) || n.asText && ok && text == "true" {
		return broker.EmailVerified
	}
	return broker.EmailUnverified
}

func (emailClaims) word(t broker.EmailTrust) string {
	switch t {
	case broker.EmailVerified:
		return "true"
	case broker.EmailUnverified:
		return "not true"
	}
	return "absent"
}
