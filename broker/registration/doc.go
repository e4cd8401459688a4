// Package registration lets clients register themselves, and look after what they
// have registered:
//
//	POST   /register              RFC 7591 §3, OpenID Connect Registration §3
//	GET    /register/{client_id}  RFC 7592 §2.1
//	PUT    /register/{client_id}  RFC 7592 §2.2
//	DELETE /register/{client_id}  RFC 7592 §2.3
//
// Who may register, and for what, a [Policy] says; what a document says of a client
// is judged by package metadata, as it is for clients of the configuration. An update
// is judged like a registration. What an operator grants (skip_consent, connectors,
// allow, token exchange, lifetimes …) is no metadata: it is ignored like every member
// nobody knows, and so is a software_statement, as nobody is trusted to make one
// (RFC 7591 §2, §2.3).
//
// [Clients] finds registered clients beside the configured ones. It holds them to the
// policy of today: what it no longer allows is refused at use.
package registration
