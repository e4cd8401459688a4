package okta

import (
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// classify knows the codes of Okta's two shapes of errors. The descriptions that
// come with them are not matched on: Okta promises none of their words. Where one
// code stands for several mistakes, the hint names each.
func (c *Config) classify(f oidc.Failure) *connectors.Error {
	operator := func(hint string) *connectors.Error { return &connectors.Error{Kind: connectors.Operator, Hint: hint} }
	switch f.Code {
	case "E0000047":
		return &connectors.Error{Kind: connectors.Transient, Hint: "Okta limits our requests"}
	case "E0000007", "E0000022":
		return operator("Okta does not know this authorization server or endpoint: check issuer, and the server's ID in it (Security > API > Authorization Servers)")
	case "access_denied":
		return &connectors.Error{Kind: connectors.Declined, Hint: deniedHint}
	case "invalid_client":
		return operator("Okta does not accept client_id with client_secret or client_key: compare them with the application's General tab, " +
			"whether the secret is active there, and whether client authentication is by secret or by public key")
	case "unauthorized_client", "unsupported_grant_type":
		return operator("the application at Okta lacks a grant type: on its General tab allow Authorization Code, and Refresh Token where recheck_interval is set")
	case "invalid_scope":
		return operator("a scope is not defined on the authorization server: a custom one needs the scope groups added (Scopes tab), and offline_access allowed " +
			"by its access policy; or set scopes, or read groups with groups_from: api")
	case "invalid_dpop_proof":
		return operator("the application at Okta demands proof of possession: on its General tab turn off Require Demonstrating Proof of Possession (DPoP)")
	case "invalid_request":
		if !c.asksAPI() && (f.Step == oidc.AtToken || f.Step == oidc.AtRefresh || f.Step == oidc.AtUserinfo) {
			return operator("Okta made no tokens: it refuses where the groups claim matches more than 100 groups of the person. Narrow the claim's filter, or set groups_from: api")
		}
	}
	return nil
}

const deniedHint = "the person is not assigned to the application at Okta (User is not assigned to the client application: see its Assignments tab), " +
	"or no rule of the authorization server's access policies admits them (Policy evaluation failed for this request: Security > API > the server > Access Policies), or they said no"
