// Package recheck asks an upstream again about people who are not present, when
// one of their applications refreshes (DESIGN.md §4, "Upstream re-check").
//
// What an upstream handed out at the sign-in is kept sealed, one credential for
// each identity, and only where the connector re-checks. Asking takes three steps:
// the lease on the credential (a commit), the question to the upstream (outside
// any transaction), and the settlement, which goes into the commit of the refresh
// that asked. However many applications a person has and however many replicas
// serve them, one asks and the others wait for the lease to end.
//
// A definite no ends the grant and its session and everything else that rests on
// the identity. Silence keeps things as they are for the connector's outage_grace
// and refuses afterwards without revoking anything. A credential whose answer was
// lost is never presented again: the person signs in once more.
package recheck
