// Package token serves the token endpoint (RFC 6749 §3.2):
//
//	POST /token
//
// It is one pipeline and one file per grant. The pipeline reads the form,
// authenticates the client, checks that the client may use the grant type and
// counts it against its limit; a grant handler then redeems what the client
// presents. A grant cannot forget a shared step, because it never sees a request
// that has not been through all of them, and it cannot skip the authorisation of
// package policy, because the store's verbs take it as an argument.
//
// A parameter of one grant type has no effect on another: handlers read what is
// theirs and nothing else.
package token
