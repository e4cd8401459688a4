// Package introspection answers what a token is, and revokes it:
//
//	POST /introspect  RFC 7662, and RFC 9701 for who wants the answer as a JWT
//	POST /revoke      RFC 7009
//
// Both look a token up in the same way. An access token says what it is, in all of its
// forms, but its word is not enough: its grant, or the client it is of, is read each
// time, so that a revocation is seen at once. Only the client that a token was issued to and, for
// introspection, the resource servers it is addressed to hear anything of it;
// everybody else hears what they would of a string that nobody has issued.
package introspection
