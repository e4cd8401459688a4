// Package clientkeys finds the public keys of clients, and of whoever else publishes
// keys as they do: those of their jwks, parsed once, and those at their jwks_uri,
// fetched through the guarded client of package outbound (RFC 7591 §2). With them is
// verified what their owner has signed, and what is for its eyes alone is encrypted.
//
// What is fetched is kept for a while and fetched again when a token names a key
// that is not there, at most once per cool-down, so that a client can rotate its
// keys without telling us and nobody can make us ask all the time. Requests for one
// address wait for one another. A failed fetch leaves the last good keys in use.
package clientkeys
