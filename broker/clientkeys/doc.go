// Package clientkeys finds the public keys of clients: those of their jwks, parsed
// once, and those at their jwks_uri, fetched through the guarded client of package
// outbound (RFC 7591 §2).
//
// What is fetched is kept for a while and fetched again when a token names a key
// that is not there, at most once per cool-down, so that a client can rotate its
// keys without telling us and nobody can make us ask all the time. Requests for one
// address wait for one another. A failed fetch leaves the last good keys in use.
package clientkeys
