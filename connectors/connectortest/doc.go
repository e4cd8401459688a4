// Package connectortest is the contract test of connectors. Every connector runs
// it against the fake of its vendor, once well-behaved and once for each way in
// which the fake can misbehave; subtests carry the names of the rows of the attack
// catalogue they stand for.
//
// A connector's own tests use the same Bench for what only its vendor does.
//
// Whatever a row looks at, every refusal is held to three rules as well: the error
// is a *connectors.Error, its text holds no secret that was in play, and neither
// an identity nor a token comes with it.
package connectortest
