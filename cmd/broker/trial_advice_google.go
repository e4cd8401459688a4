package main

import "slices"

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
		mistakes: slices.Concat(googleGroupMistakes(), []mistake{
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
			{codes: []string{"deleted_client", "disabled_client"}, what: "The client is not there any more",
				fix: "Google Auth Platform > Clients: restore it within 30 days, or create another. If Google disabled it, its owners have an e-mail."},
			{codes: []string{"restricted_client"}, what: "The application may not ask for one of the scopes", fix: "Google Auth Platform > Data Access > Add or remove scopes."},
			{codes: []string{"suspended", "archived"}, what: "The account is suspended or archived",
				fix: "Admin console > Directory > Users says who did that. For this person the answer is right."},
		}),
	}
}

// googleGroupMistakes come first: their codes mean something else where groups are asked for.
func googleGroupMistakes() []mistake {
	const (
		delegation = "Admin console: Security > Access and data control > API controls > Manage Domain Wide Delegation > Add new: the service account's Client ID (a number) and the scopes that the reason above names. It can take a day to count."
		role       = "Admin console > Account > Admin roles > Groups Reader > Admins: assign it to the account that asks (admin_email, or the service account itself under Assign service accounts)."
		viewable   = "Groups have to be viewable by the organization (groups.google.com > the group > Group settings > Who can view members), or: "
		readScope  = "https://www.googleapis.com/auth/cloud-identity.groups.readonly"
	)
	return []mistake{
		{hint: "domain-wide delegation is missing", what: "The service account may not act for an administrator", fix: delegation},
		{hint: "Google does not accept the service account", what: "Google does not accept the service account",
			fix: "Google Cloud console > IAM & Admin > Service Accounts > the account > Keys: is the key still there, and the account enabled? admin_email has to be an active account, and the clock right."},
		{hint: "the service account was deleted or disabled", what: "The service account is gone", fix: "Google Cloud console > IAM & Admin > Service Accounts: enable it, or make another and its key."},
		{hint: "roles/iam.serviceAccountTokenCreator", what: "The workload may not act as the service account",
			fix: "Google Cloud console > IAM & Admin > Service Accounts > the account > Permissions > Grant access: Service Account Token Creator, to whom the reason above names."},
		{hint: "enable it in the Cloud console", what: "The API is not enabled in the project",
			fix: "Google Cloud console > APIs & Services > Library > the API that the reason above names > Enable, in the project of the client or of the service account."},
		{hint: "the access token lacks the scope", what: "The scope for groups is missing",
			fix: "Google Auth Platform > Data Access > Add or remove scopes: " + readScope + ". On Google's page the person has to leave its box ticked. A service account gets it by domain-wide delegation."},
		{codes: []string{"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}, what: "The scope for groups is missing",
			fix: "Google Auth Platform > Data Access > Add or remove scopes: " + readScope + ". On Google's page the person has to leave its box ticked."},
		{hint: "nested groups", what: "The Workspace's edition does not tell nested groups",
			fix: "Enterprise Standard or Plus, Education, or Cloud Identity Premium do. Otherwise nested_groups: false, or groups_from: directory."},
		{hint: "may not read these memberships", what: "Whoever asks may not view the groups", fix: viewable + role},
		{codes: []string{"4013", "3005"}, what: "Whoever asks may not view the groups", fix: viewable + role},
		{hint: "must be an administrator of the person's Workspace", what: "admin_email is no administrator who may read this", fix: role},
		{hint: "does not know the person", what: "The directory of admin_email does not know the person",
			fix: "Several Workspaces have an administrator each: service_account.admin_emails. Compare with Admin console > Account > Domains."},
		{codes: []string{"email_unverified"}, what: "Google does not vouch for the person's address, by which groups know them",
			fix: "Use an account of the Workspace. People without one are in no Google Group that counts here."},
	}
}
