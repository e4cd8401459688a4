package policy

import (
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// claimConsent marks a claim among what somebody has agreed to. No scope begins so, whatever is configured: a scope has
// no space (RFC 6749 §3.3).
const claimConsent = "claim "

// ConsentTo lists what a person has to have agreed to: the scopes, and each claim that [ClaimsBeyond] them.
func ConsentTo(scopes oauth.Scopes, claims broker.ClaimsRequest) []string {
	return consentTo(scopes, ClaimsBeyond(scopes, claims))
}

func consentTo(scopes oauth.Scopes, names []string) []string {
	out := slices.Clone(scopes)
	for _, name := range names {
		out = append(out, claimConsent+name)
	}
	return out
}

// ClaimsBeyond lists, each once, the claims that were asked for by name and that the scopes do not grant anyway.
func ClaimsBeyond(scopes oauth.Scopes, claims broker.ClaimsRequest) []string {
	var out []string
	for _, name := range slices.Concat(claims.IDToken, claims.UserInfo) {
		if !scopes.Has(ClaimScope(name)) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
