// Package authorize is the front of the authorization endpoint (RFC 6749 §3.1,
// OpenID Connect Core §3.1.2):
//
//	GET  /authorize           check a request and decide about it
//	POST /authorize           the same, sealed and answered 303 to the GET
//	GET  /authorize?flow=ID   go on with a request sealed before
//
// Checks are functions, one per rule, in an order that can be read off a table.
// Until the redirect URI is validated their errors are pages, because nothing
// says that whoever would be redirected to is the client (RFC 9700 §4.11);
// afterwards they are redirects. The two are two types.
//
// What has passed becomes a broker.AuthorizationRequest and goes to the desk of
// package flow, which alone decides what happens next. Nothing is stored.
package authorize
