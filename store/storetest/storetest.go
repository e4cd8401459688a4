// Package storetest is the contract of [broker.Store] as tests. An engine passes it or is not one.
//
// [Run] has three parts. The rules say what each verb does and, for every refusal, that nothing has changed: what the
// store answers is compared before and after through its public reads (invariant I12), and where an engine counts its
// durable commits, their number too. The races let 32 goroutines consume one thing and count the winners. The sweep
// checks that what is over goes and what is needed stays. [Persist] does the same work across closing and opening.
//
// The tests know the contract only, nothing of an engine. Rules of the attack catalogue carry its numbers (TK-01 …).
package storetest

import (
	"testing"

	"gatehouse/broker"
)

// rule is one sentence of the contract, in its name, and its proof.
type rule struct {
	name  string
	prove func(*testing.T, *fixture)
}

// Run checks an engine. open returns a new, empty store each time and has it closed when the test ends.
func Run(t *testing.T, open func(*testing.T) broker.Store) {
	for _, part := range []struct {
		name  string
		rules []rule
	}{
		{"logins", logins()},
		{"browsers", browsers()},
		{"authorizations", authorizations()},
		{"sessions", sessions()},
		{"codes", codes()},
		{"devices", devices()},
		{"device decisions", deviceDecisions()},
		{"device redemptions", deviceRedemptions()},
		{"refresh tokens", refreshTokens()},
		{"grants", grants()},
		{"accounts", accounts()},
		{"groups", groups()},
		{"credentials", credentials()},
		{"leases", leases()},
		{"settlements", settlements()},
		{"denials", denials()},
		{"settled rotations", settledRotations()},
		{"switches", switches()},
		{"one-time keys", onces()},
		{"keys", keys()},
		{"registrations", registrations()},
		{"changes of registrations", registrationChanges()},
		{"salts", salts()},
		{"events", events()},
		{"endings", endings()},
		{"races", races()},
		{"sweep", sweeps()},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			for _, r := range part.rules {
				t.Run(r.name, func(t *testing.T) {
					t.Parallel()
					r.prove(t, newFixture(t, open(t)))
				})
			}
		})
	}
}
