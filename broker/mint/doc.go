// Package mint makes what clients hold, and reads it back: authorization codes, refresh tokens, access tokens and ID
// tokens. It keeps no records; what it makes is a grant's, and whoever reads it back asks the store whether the grant
// still lives.
//
//	code           gc_ base64url(grant ‖ random ‖ sum)                      RFC 6749 §4.1.2, opaque
//	refresh token  gr_ base64url(grant ‖ generation ‖ random ‖ sum)         RFC 6749 §1.5, opaque
//	access token   JWT, typ at+jwt                                          RFC 9068
//	               ga_ base64url(sealed claims)                             opaque, where the client wants that
//	               JWE around the JWT, sealed claims in the header          RFC 9068 §6, where the resource server does
//	ID token       JWT, typ JWT, perhaps in a JWE                           OpenID Connect Core §2, §10.2
//	answers        JWT, perhaps in a JWE; no tokens, and never read back    OpenID Connect Core §5.3.2, RFC 9701
//
// The laws:
//   - An opaque value has one spelling and an authentication code: truncated, extended or altered in a single character
//     it is refused before any record is looked for (TK-17). Of codes and refresh tokens only digests are kept.
//   - A JWT is taken back only for what it was made for: the type, the issuer and the audience are compared at each
//     entrance (RFC 8725 §3.11, §3.12), so that an ID token is no access token and neither is a hint of the other.
//   - Every payload is checked again, by code that shares nothing with what composed it, before a key touches it
//     (lint.go). What a payload may hold is a closed list.
//   - The grant's ID travels in access tokens as the claim grant_id. It is not a secret; it lets the broker see a
//     revocation at once.
//   - Nothing that is encrypted is decrypted here: no key of ours could. An encrypted access token is known by what is
//     sealed in its header, and by that alone: what follows the header has the right form, but only the resource server,
//     which decrypts it, can say whether it was altered. The sealed part is good nowhere else.
//   - Whoever wants something encrypted gets it encrypted or not at all, and whoever knows people by pairwise subjects
//     never gets the account's name.
package mint
