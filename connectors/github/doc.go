// Package github is the connector to GitHub: github.com, GitHub Enterprise Cloud
// with data residency (SUB.ghe.com) and GitHub Enterprise Server, through an OAuth
// App or a GitHub App.
//
// GitHub is OAuth 2 and a REST API, not OpenID Connect: there is no discovery, no
// ID token, no nonce, and nothing signed. What binds an answer to the browser is
// the state and PKCE; who somebody is comes from /user, asked with the token that
// was just issued to us, and is the numeric ID at that host. Logins can be renamed
// and taken by somebody else, and so can the names of organisations and teams:
// rules hold on to numbers, configured or seen first.
//
// Membership is looked up for the configured organisations one by one where lists
// are silent, because GitHub leaves out of lists what a token may not see. A
// pending invitation is not membership. A rule that cannot be read admits nobody,
// whatever on_group_failure says.
//
// A person who is not present is asked about with the token that was kept. An OAuth
// App's works until it is revoked; a GitHub App's is renewed with a refresh token
// that can be used once, and the new pair is handed out even if the API is silent
// afterwards.
//
// GitHub can neither ask for the password again nor say when and how somebody
// signed in, so re-authentication and assurance levels are impossible here.
package github
