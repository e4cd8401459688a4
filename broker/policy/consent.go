package policy

import (
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// claimConsent marks a claim among what somebody has agreed to; no scope begins so, as a colon there would follow
// a scheme's name.
const claimConsent = "claim:"

// ConsentTo lists what a person has to have agreed to: the scopes, and each claim that was asked for by itself.
func ConsentTo(scopes oauth.Scopes, claims broker.ClaimsRequest) []string {
	out := slices.Clone(scopes)
	for _, name := range slices.Concat(claims.IDToken, claims.UserInfo) {
		if !slices.Contains(out, claimConsent+name) {
			out = append(out, claimConsent+name)
		}
	}
	return out
}
