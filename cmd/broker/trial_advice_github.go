package main

import "gatehouse/connectors"

// githubAdvice follows "Creating an OAuth app", "Troubleshooting authorization request errors", "Troubleshooting OAuth
// app access token request errors" and "About OAuth app access restrictions" of GitHub's documentation.
func githubAdvice() advice {
	const callback = "GitHub: the owner's Settings > Developer settings > OAuth Apps (or GitHub Apps) > the app > Authorization callback URL"
	const policy = "The organization's Settings > Third-party Access > OAuth app policy: an owner approves the app. An app that the organization owns is approved."
	return advice{
		title:       "GitHub",
		register:    callback,
		oneCallback: true,
		pages: []shownPage{
			{"404 on the way to sign in", "GitHub at base_url knows no app with client_id {client_id}: compare it with Settings > Developer settings, and base_url with where the app is registered."},
			{"The redirect_uri is not associated with this application", callback + ": set it to {redirect_uri}."},
			{"your own address with error=redirect_uri_mismatch", callback + ": set it to {redirect_uri}; an OAuth app has one only. Pasting that address here says the same."},
			{"Organization access: Request, or a red cross, beside your organization", policy},
		},
		mistakes: []mistake{
			{codes: []string{"redirect_uri_mismatch"}, what: "The callback URL is another one", fix: callback + ": set it to {redirect_uri}. An OAuth app has one; a GitHub App can have ten."},
			{codes: []string{"incorrect_client_credentials", "invalid_client"}, what: "GitHub does not accept client_id and client_secret",
				fix: "Settings > Developer settings > the app: compare the client ID, and Generate a new client secret. It is shown once. Put the new one in front of the old in a list until the old one is deleted. For an Enterprise Server or ghe.com compare base_url as well."},
			{codes: []string{"bad_verification_code"}, what: "GitHub did not accept the code", fix: "A code is good once and for ten minutes: run the command again."},
			{codes: []string{"access_denied"}, what: "The person did not authorize the application", fix: "Press Authorize on GitHub's page."},
			{codes: []string{"unverified_user_email"}, what: "The person has no verified primary e-mail address", fix: "GitHub: Settings > Emails: verify the primary address."},
			{codes: []string{"application_suspended"}, what: "GitHub has suspended the application", fix: "Ask GitHub Support: only they can lift it."},
			{codes: []string{"insufficient_scope"}, what: "The person granted less than was asked for",
				fix: "user:email is needed, and read:org with organizations. Revoke the app under Settings > Applications > Authorized OAuth Apps, and sign in again without taking anything away."},
			{codes: []string{"sso_required"}, what: "An organization wants a SAML sign-in first",
				fix: "Sign in to the organization (https://github.com/orgs/NAME/sso) in the same browser, then run the command again; on GitHub's page press Authorize beside the organization."},
			{hint: "not an active member", what: "The person is no active member of organizations, as far as this application may see",
				fix: "An invitation has to be accepted first. If the person is a member, the application may not see it: " + policy + " A GitHub App has to be installed in the organization, with the permission Members: read."},
			{hint: "the name has changed hands", what: "A name stands for another organization or team than its configured number",
				fix: "Somebody else may have taken the name: look before you change id. https://api.github.com/orgs/NAME tells an organization's."},
			{hint: "GitHub knows no organisation", what: "There is no such organization", fix: "Compare organizations with the address of its page; it may have been renamed. With its number in id a rename does no harm."},
			{hint: "OAuth app policy", what: "GitHub does not let the application read memberships (OAuth app access restrictions)", fix: policy + " A GitHub App has to be installed there, with the organization permission Members: read."},
			{hint: "Members (read-only)", what: "The GitHub App may not read memberships",
				fix: "The app > Permissions & events > Organization permissions > Members: Read-only. Then the organization's owner installs it, or accepts the new permission (the organization's Settings > GitHub Apps)."},
			{hint: "does not show the app e-mail addresses", what: "The GitHub App may not read e-mail addresses",
				fix: "The app > Permissions & events > Account permissions > Email addresses: Read-only. People accept it at their next sign-in."},
			{hint: "client_id belongs to", what: "app says another kind of application than client_id is of", fix: "Set app: github for a GitHub App, app: oauth for an OAuth app, or leave it away."},
			{codes: []string{"bad_refresh_token"}, what: "The refresh token is used up or too old",
				fix: "Refresh tokens of a GitHub App are good once and for six months. The person signs in again."},
			{hint: "has another name now", what: "An organization has been renamed, or api_url leads elsewhere", fix: "Compare organizations and api_url with GitHub."},
			{kinds: []connectors.Kind{connectors.Gone}, what: "GitHub no longer accepts the token",
				fix: "Ten tokens per person and app live at a time: signing in elsewhere can end an older one. A GitHub App's token ends after eight hours, its refresh token after six months; both are good once."},
		},
	}
}
