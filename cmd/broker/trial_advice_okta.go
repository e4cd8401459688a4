package main

import "gatehouse/connectors"

// oktaAdvice follows "Create OpenID Connect app integrations", "Customize tokens returned from Okta with a Groups
// claim" and "Authorization servers" of Okta's documentation.
func oktaAdvice() advice {
	const uris = "Okta Admin Console: Applications > Applications > the app > General > General Settings > Edit > Sign-in redirect URIs"
	const assign = "Applications > Applications > the app > Assignments > Assign: give it to the person or to one of their groups."
	return advice{
		title:    "Okta",
		register: uris,
		hurry:    "Okta's codes are good for a minute",
		pages: []shownPage{
			{"400 Bad Request: The 'redirect_uri' parameter must be a Login redirect URI", uris + ": add {redirect_uri}."},
			{"400 Bad Request: invalid_client, Invalid value for 'client_id'", "This authorization server's org knows no app {client_id}: compare client_id with the app's General tab, and issuer with the org."},
			{"User is not assigned to this application", assign},
			{"404 Page Not Found", "There is no authorization server at issuer: compare it with Security > API > Authorization Servers > Issuer URI."},
		},
		mistakes: []mistake{
			{hint: "api_client_id", what: "Okta gives the service app no access token",
				fix: "Applications > Applications > the API Services app: General > Client Credentials has the public key of api_client_key, and DPoP is off; Okta API Scopes > okta.users.read is granted; Admin roles has one that may view users and groups."},
			{codes: []string{"invalid_dpop_proof"}, what: "The app wants a proof of possession, which is not supported",
				fix: "Applications > Applications > the app > General > General Settings > Edit: take the tick from Require Demonstrating Proof of Possession (DPoP) header in token requests."},
			{codes: []string{"access_denied"}, what: "The person is not assigned to the application, pressed Cancel, or no access policy rule matches",
				fix: assign + " With a custom authorization server (issuer with /oauth2/ in it) also: Security > API > Authorization Servers > the server > Access Policies: a policy for this client, with a rule for the grant type Authorization Code, these users and these scopes."},
			{codes: []string{"invalid_scope"}, what: "A scope is not defined on the authorization server",
				fix: "Security > API > Authorization Servers > the server > Scopes > Add Scope (for groups: name it groups, and Claims > Add Claim with value type Groups). Or take it out of scopes. The org's own server knows openid, profile, email, groups and offline_access."},
			{codes: []string{"invalid_client"}, what: "Okta does not accept how the broker authenticates",
				fix: "Applications > Applications > the app > General > Client Credentials: compare client ID, the secrets that are Active, and the method (client secret or public key / private key) with client_secret or client_key, and token_endpoint_auth_method."},
			{codes: []string{"unauthorized_client"}, what: "The app may not use the grant type",
				fix: "Applications > Applications > the app > General > General Settings > Edit > Grant type: tick Authorization Code, and Refresh Token with recheck_interval."},
			{codes: []string{"E0000007", "E0000022"}, what: "Okta has no such authorization server", fix: "Compare issuer with Security > API > Authorization Servers > Issuer URI."},
			{codes: []string{"invalid_request"}, hint: "more than 100", what: "The groups claim matches more than 100 groups of the person",
				fix: "Narrow the claim's filter (Sign On > OpenID Connect ID Token, or the server's Claims), or set groups_from: api."},
			{codes: []string{"E0000006", "E0000011"}, what: "Okta's API refuses to tell groups",
				fix: "An API token needs an administrator who may see groups (Security > API > Tokens; tokens die after 30 days without use). A service app needs Okta API Scopes > okta.users.read granted, and an admin role."},
			{hint: "names another issuer", what: "issuer is not what Okta calls itself",
				fix: "Copy Security > API > Authorization Servers > Issuer URI. The org's own server is https://ORG.okta.com without a path; /oauth2/default is another one. With a custom domain: the server's Settings > Issuer."},
			{codes: []string{"unmet_authentication_requirements"}, what: "Okta could not authenticate as strongly as was demanded",
				fix: "Security > Authenticators: have one that meets the acr value (urn:okta:loa:2fa:any takes two factors, phr and phrh a phishing-resistant one), and let the person enrol it."},
			{kinds: []connectors.Kind{connectors.Gone}, what: "Okta no longer vouches for the person",
				fix: "Directory > People: is the person Active and assigned? Applications > the app > General > Refresh Token: with rotation, a token that was presented twice ends all of them."},
		},
	}
}
