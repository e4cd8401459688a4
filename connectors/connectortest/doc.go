// Package connectortest is the contract test of connectors. Every connector runs
// it against the fake of its vendor, once well-behaved and once for each way in
// which the fake can misbehave; subtests carry the names of the rows of the attack
// catalogue they stand for.
//
// A connector's own tests use the same Bench for what only its vendor does.
//
// Whatever a row looks at, every sign-in and re-check is held to a few rules as well:
// a refusal is a *connectors.Error, and no identity comes with it; and neither its
// text nor the log, at any level, nor the report holds a secret that was in play. A
// token comes with a refusal only where a re-check has replaced the one before.
//
// A Subject says what its vendor can do. What it leaves out has no row, and there is
// no other way to be excused from one.
package connectortest
