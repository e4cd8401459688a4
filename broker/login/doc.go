// Package login signs people in through the upstreams:
//
//	GET /login?flow=ID              the chooser page
//	GET /login/{connector}?flow=ID  go to an upstream
//	GET /callback/{connector}       come back from it
//
// With account=other the upstream is to ask which account. choice=KEY is one of the
// choices of a connector, and email=ADDRESS at the chooser goes to the upstream that
// addresses of its domain belong to.
//
// It makes state, nonce and PKCE verifier for every connector, fresh for every
// visit, and binds all three to the browser through the flow's cookie: an answer
// counts only in the browser that asked, for the connector that was asked, once
// (RFC 9700 §4.4, §4.7). Who signed in goes to the desk of package flow, which
// decides and commits.
package login
