package main

// googleAdvice follows "Manage OAuth Clients" and "Manage App Audience" of the Google Cloud help, "Using OAuth 2.0 for
// Web Server Applications" for the errors, and "Setting up the Groups API" for groups.
func googleAdvice() advice {
	const clients = "Google Cloud console: Google Auth Platform > Clients > the client > Authorized redirect URIs"
	return advice{
		title:    "Google",
		register: clients,
		pages: []shownPage{
			{"Error 400: redirect_uri_mismatch", clients + ": add {redirect_uri}. It can take some minutes to count."},
			{"Error 403: org_internal", "Google Auth Platform > Audience: the user type is Internal and this account is of another organization. Use one of yours."},
			{"Error 400: admin_policy_enforced", "Admin console (admin.google.com): Security > Access and data control > API controls > Manage app access: configure the client ID {client_id} as Trusted."},
			{"Error 403: access_denied, has not completed the verification process", "Google Auth Platform > Audience: the publishing status is Testing. Add the account under Test users, or publish the app."},
			{"Error 401: invalid_client", "Google knows no client {client_id}: compare client_id with Google Auth Platform > Clients."},
			{"Error 401: deleted_client", "The client was deleted. Restore it, or create another, under Google Auth Platform > Clients."},
			{"Error 400: invalid_scope", "Google knows one of scopes not: it has openid, email and profile, and full addresses such as https://www.googleapis.com/auth/cloud-identity.groups.readonly; no offline_access."},
			{"Error 403: disallowed_useragent", "Google refuses embedded browsers: open the address in an ordinary one."},
		},
		mistakes: []mistake{
			{codes: []string{"hosted_domain"}, what: "The account is of none of hosted_domains",
				fix: "Sign in with an account of the Workspace. An account that only has an address in the domain does not count. Other domains of yours go into hosted_domains, as Admin console > Account > Domains has them."},
			{codes: []string{"org_internal"}, what: "The application is Internal, and the account is of another organization",
				fix: "Use an account of the organization that owns the project, or change Google Auth Platform > Audience to External."},
			{codes: []string{"admin_policy_enforced"}, what: "The Workspace administrator blocks the application",
				fix: "Admin console: Security > Access and data control > API controls > Manage app access: configure the client ID {client_id} as Trusted."},
			{codes: []string{"redirect_uri_mismatch"}, what: "The redirect URI is not registered", fix: clients + ": add {redirect_uri}."},
			{codes: []string{"invalid_client"}, what: "Google does not accept the client secret",
				fix: "Google Auth Platform > Clients > the client > Client secrets: compare what is enabled with client_secret, or Add secret. A secret is shown once. Put the new one in front of the old in a list until the old one is disabled."},
			{codes: []string{"access_denied"}, what: "The person pressed Cancel, or may not test the application",
				fix: "Agree on Google's page. If it does not ask: Google Auth Platform > Audience > Test users."},
			{codes: []string{"invalid_grant"}, what: "Google did not accept the code, or the refresh token is dead",
				fix: "Run the command again; a code is good once. With re-check: refresh tokens of an app whose publishing status is Testing die after 7 days (Google Auth Platform > Audience > Publish app)."},
			{codes: []string{"disallowed_useragent"}, what: "Google refuses embedded browsers", fix: "Open the address in an ordinary browser."},
		},
	}
}
