package fake

import "time"

// OktaOptions are Okta's switches.
type OktaOptions struct {
	// AuthorizationServers are the ids of the custom authorization servers;
	// {"default"} when nil. The org authorization server always exists.
	AuthorizationServers []string
	// FatIDToken is the setting "always include in ID token" for the groups claim,
	// and puts email_verified and the profile there too.
	FatIDToken bool
	// RotateRefreshTokens and RotationGrace are the application's refresh-token
	// settings. Within the grace (30 s when zero, none when negative) a replaced token
	// still works; after it, presenting one revokes the newest.
	RotateRefreshTokens bool
	RotationGrace       time.Duration
	// IssuerMode is OktaIssuerOrg (default), OktaIssuerCustom or OktaIssuerDynamic, and
	// says what issuers look like once there is a custom domain (Okta.SetCustomDomain).
	IssuerMode string
	// APITokens are the SSWS tokens of the management API. Each acts for an
	// administrator, who is no sample person.
	APITokens []string
	// ServiceScopes are the scopes granted to service apps, by client ID. Such an app is
	// one of Clients with AssertionKeys.
	ServiceScopes map[string][]string
	// GroupPage is how many groups a page of the management API holds; 200 when zero.
	GroupPage int
}
