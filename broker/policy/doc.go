// Package policy decides what may be said about a person and to whom.
//
// [Authorize] is the one authorisation function: every issuance runs it on current records, whatever the grant
// (invariant I5), so that a rule cannot hold at sign-in and be forgotten at refresh. It is pure, as the store's deciders
// have to be.
//
// [ClaimsFor] turns what an upstream said into claims. Nothing an upstream sends reaches a token except through the
// fields of [Claims]: there is no map of claims to copy from, so an upstream cannot set iss, sub, acr or any other
// reserved claim by sending one of that name.
//
// Its laws on e-mail:
//   - An address never says who somebody is (invariant I1). It is a claim, and evidence for a domain rule.
//   - Only an address with evidence of belonging to the person is called verified or satisfies a rule.
//   - A domain rule compares whole domains, in ASCII, after parsing that allows one reading only ([ParseEmailDomain]).
package policy
