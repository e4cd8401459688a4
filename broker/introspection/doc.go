// Package introspection answers what a token is, and revokes it:
//
//	POST /introspect  RFC 7662
//	POST /revoke      RFC 7009
//
// Both look a token up in the same way. An access token is a JWT, but its word is
// not enough: its grant, or the client it is of, is read each time, so that a
// revocation is seen at once. Only the client that a token was issued to and, for
// introspection, the resource servers it is addressed to hear anything of it;
// everybody else hears what they would of a string that nobody has issued.
package introspection
