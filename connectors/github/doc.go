// Package github is the connector to GitHub: github.com, GitHub Enterprise Cloud
// with data residency (SUB.ghe.com) and GitHub Enterprise Server.
//
// GitHub is OAuth 2 and a REST API, not OpenID Connect: there is no discovery, no
// ID token, no nonce, and nothing signed. What binds an answer to the browser is
// the state and PKCE; who somebody is comes from /user, asked with the token that
// was just issued to us, and is the numeric ID at that host. Logins can be renamed
// and taken by somebody else, so they are for display only.
//
// Membership is looked up for the configured organisations one by one where lists
// are silent, because GitHub leaves out of lists what a token may not see. A
// pending invitation is not membership, and a page that cannot be read is a failed
// sign-in, never a smaller list.
//
// GitHub can neither ask for the password again nor say when somebody signed in,
// so re-authentication is impossible here.
package github
