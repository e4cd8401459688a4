// Package external believes JWTs of issuers outside: CI systems and Kubernetes
// clusters that say which workload is calling, so that it needs no secret of ours
// (RFC 8693 §2.1, RFC 7523 §3).
//
// An issuer is the operator's choice, and so is where its keys are: no client can
// name either. What it says is believed after the strict door of package jose,
// with the issuer, an audience and an age that are configured, and with conditions
// on claims that hold as a whole. A JWT that a client may not present is refused
// before any key is looked for.
package external
