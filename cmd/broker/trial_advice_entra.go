package main

import "gatehouse/connectors"

// entraAdvice follows "How to add a redirect URI", "Add credentials to your application", "Redirect URI (reply URL)
// restrictions", "Configure optional claims" and the reference of error codes of Microsoft's documentation.
func entraAdvice() advice {
	const (
		redirects   = "Microsoft Entra admin center: Entra ID > App registrations > the app > Authentication: a redirect URI of platform Web"
		overview    = "Compare client_id with Overview > Application (client) ID, and tenant with Overview > Directory (tenant) ID."
		consent     = "App registrations > the app > API permissions > Grant admin consent for your directory. For another directory, its administrator opens https://login.microsoftonline.com/THEIR-DIRECTORY-ID/adminconsent?client_id={client_id}"
		assign      = "Entra ID > Enterprise apps > the app > Users and groups > Add user/group; or Properties > Assignment required: No."
		invite      = "Use an account of the directory, invite this one as a guest, or admit its directory: an app registration for several, tenant: organizations, and its ID in allowed_tenants."
		conditional = "Entra ID > Conditional Access: sign-in logs say which policy, and what it wants of this person and device."
	)
	return advice{
		title:        "Microsoft Entra ID",
		register:     redirects,
		loopbackHost: "localhost", // the console's text box refuses http://127.0.0.1
		pages: []shownPage{
			{"AADSTS50011", redirects + " is {redirect_uri}, to the byte. One of platform Single-page application does not do."},
			{"AADSTS500113", "No redirect URI is registered at all. " + redirects + ": add {redirect_uri}."},
			{"AADSTS700016", "The directory knows no app {client_id}. " + overview},
			{"AADSTS90002", "There is no such directory. " + overview},
			{"AADSTS50020", invite},
			{"AADSTS50105", assign},
			{"Need admin approval, or AADSTS90094", consent},
			{"AADSTS53003, You cannot access this right now", conditional},
		},
		mistakes: entraMistakes(redirects, overview, consent, assign, invite, conditional),
	}
}

func entraMistakes(redirects, overview, consent, assign, invite, conditional string) []mistake {
	return []mistake{
		{codes: []string{"AADSTS50011"}, what: "The redirect URI is not registered", fix: redirects + ": add {redirect_uri}."},
		{codes: []string{"AADSTS7000215"}, what: "The client secret is wrong",
			fix: "App registrations > the app > Certificates & secrets > Client secrets: client_secret is the Value, not the Secret ID. The Value is shown once: if it is lost, New client secret."},
		{codes: []string{"AADSTS7000222"}, what: "The client secret has expired",
			fix: "App registrations > the app > Certificates & secrets > Client secrets > New client secret: put its Value in front of the old one in client_secret, and its end into client_secret_expires."},
		{codes: []string{"AADSTS700027", "AADSTS700024", "AADSTS700023", "AADSTS50012", "AADSTS50027"}, what: "Entra does not accept how the broker authenticates",
			fix: "Certificates & secrets > Certificates: the certificate there has to be client_certificate, with client_key its key, and not expired; the clock has to be right. Or set client_secret."},
		{codes: []string{"AADSTS700211", "AADSTS700212", "AADSTS700213", "AADSTS70021"}, what: "No federated credential matches the workload's token",
			fix: "Certificates & secrets > Federated credentials: issuer, subject and audience (api://AzureADTokenExchange) have to be those of the token in the file, to the letter."},
		{codes: []string{"AADSTS65001", "AADSTS90094", "AADSTS90095"}, what: "Consent is missing", fix: consent},
		{codes: []string{"AADSTS65004"}, what: "The person did not consent", fix: "Press Accept on Microsoft's page, or have an administrator consent for everybody: " + consent},
		{codes: []string{"AADSTS700016", "AADSTS90002", "AADSTS900023"}, what: "The directory, or the app in it, does not exist", fix: overview},
		{codes: []string{"AADSTS650053", "AADSTS70011"}, what: "A scope does not exist",
			fix: "Scopes are openid, profile, email, offline_access, and Microsoft Graph's such as User.Read and GroupMember.Read.All; all of one resource."},
		{codes: []string{"AADSTS50020"}, what: "The account is not in the directory", fix: invite},
		{codes: []string{"AADSTS50105"}, what: "The person is not assigned to the application", fix: assign},
		{codes: []string{"AADSTS50034", "AADSTS50053", "AADSTS50057"}, what: "The account is unknown, locked or disabled", fix: "Entra ID > Users: look at the account, and whether its sign-in is blocked."},
		{codes: []string{"AADSTS53000", "AADSTS53001", "AADSTS53002", "AADSTS53003", "AADSTS53004", "AADSTS530003"},
			what: "A Conditional Access policy blocks the sign-in", fix: conditional},
		{codes: []string{"AADSTS50072", "AADSTS50074", "AADSTS50076", "AADSTS50078", "AADSTS50079"}, what: "Entra wants a second factor",
			fix: "Run the command again and give it. If it happens when the provider is asked again only: a Conditional Access policy came into force after the sign-in."},
		{codes: []string{"AADSTS54005", "AADSTS70008"}, what: "The code was used before, or has expired", fix: "Run the command again: a code is good once and for ten minutes."},
		{codes: []string{"AADSTS50173", "AADSTS70043", "AADSTS700082"}, what: "What was granted has been revoked or has expired", fix: "Sign in again: a password was reset, sessions were revoked, or a sign-in frequency has run out."},
		{codes: []string{"tenant"}, what: "The person's directory is not among allowed_tenants", fix: "If it is to be admitted, add its ID (in the reason above) to allowed_tenants."},
		{codes: []string{"groups_overage"}, what: "The person is in more groups than a token holds",
			fix: "App registrations > the app > Token configuration > Edit groups claim: Groups assigned to the application. Or set group_claims: graph (API permissions: Microsoft Graph, delegated, User.Read and GroupMember.Read.All; Grant admin consent)."},
		{hint: "GroupMember.Read.All", what: "Microsoft Graph refuses to tell groups, or what they are called: admin consent is missing",
			fix: "API permissions > Add a permission > Microsoft Graph > Delegated permissions: User.Read and GroupMember.Read.All. Then " + consent},
		{codes: []string{"msgraph_host"}, what: "Microsoft Graph of another cloud", fix: "The directory lives in a national cloud: set authority to that of the cloud, or graph_url."},
		{hint: "graph_url", what: "Microsoft Graph does not accept the token", fix: "graph_url has to be that of the cloud of authority: leave both away for the public cloud."},
		{hint: "set graph_method to transitiveMemberOf", what: "The person is in more groups than one answer holds", fix: "Set graph_method: transitiveMemberOf."},
		{codes: []string{"group_name"}, what: "A group is called like an app role",
			fix: "With app_roles a group's name may not begin with role:. Have the registration send IDs (Token configuration > groups claim > Group ID), or leave app_roles away."},
		{codes: []string{"group_names"}, what: "The token has names already", fix: "Leave group_names away, or have the registration send IDs (Token configuration > groups claim > Group ID)."},
		{codes: []string{"personal_account"}, what: "Personal Microsoft accounts have no groups",
			fix: "Take 9188040d-6c67-4c5b-b112-36a304b66dad off allowed_tenants, or set group_claims: token or none."},
		{hint: "of version 1.0", what: "The app registration issues tokens of version 1.0", fix: "App registrations > the app > Manifest: set requestedAccessTokenVersion (api) to 2."},
		{hint: "no oid", what: "The token does not say who it is about", fix: "Have profile among scopes."},
		{codes: []string{"AADSTS50194"}, what: "The app is registered for one directory alone",
			fix: "Set tenant to Overview > Directory (tenant) ID, or Authentication > Supported account types: Accounts in any organizational directory."},
		{codes: []string{"AADSTS7000112", "AADSTS70001"}, what: "The application is disabled in the directory", fix: "Entra ID > Enterprise apps > the app > Properties > Enabled for users to sign-in: Yes."},
		{codes: []string{"AADSTS7000218", "AADSTS700025"}, what: "The app is registered as a public client", fix: redirects + " is {redirect_uri}, and none of another platform."},
		{kinds: []connectors.Kind{connectors.Gone}, what: "Entra no longer vouches for the person",
			fix: "Entra ID > Users: is the account enabled? A password reset or Revoke sessions ends refresh tokens: the person signs in again."},
		{codes: []string{"AADSTS*"}, what: "Entra refuses", fix: "Do what the reason above says. https://login.microsoftonline.com/error says what the number means, in Microsoft's words."},
	}
}
