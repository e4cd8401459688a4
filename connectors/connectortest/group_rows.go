package connectortest

import (
	"maps"
	"slices"
	"testing"

	"gatehouse/connectors"
)

func groupRows() []row {
	return []row{
		{name: "UP-22 groups that cannot be read refuse the sign-in, or as on_group_failure says", test: testGroupFailure, groupTrouble: true},
		{name: "UP-22 groups that cannot be read at a re-check", test: testGroupFailureAtRecheck, groupTrouble: true, recheck: true},
		{name: "UP-22 a failure that is none of these refuses whatever the policy", test: testOtherGroupFailure, groupTrouble: true},
	}
}

// policy says mode for one cause, and another for the others.
func policy(c Cause, mode, others connectors.GroupFailure) connectors.GroupFailures {
	of := func(one Cause) connectors.GroupFailure {
		if one == c {
			return mode
		}
		return others
	}
	return connectors.GroupFailures{Unavailable: of(Unavailable), Denied: of(Denied), Incomplete: of(Incomplete)}
}

// eachTrouble runs a subtest per cause and policy.
func eachTrouble(t *testing.T, s Subject, test func(*testing.T, Trouble, connectors.GroupFailure, func(*Setup))) {
	for _, cause := range slices.Sorted(maps.Keys(s.GroupTrouble)) {
		trouble := s.GroupTrouble[cause]
		for _, tt := range []struct {
			name         string
			mode, others connectors.GroupFailure
		}{
			{"nothing is said", "", ""},
			{"refuse, whatever the other causes do", connectors.RefuseSignIn, connectors.NoGroups},
			{"keep_last", connectors.KeepLast, connectors.RefuseSignIn},
			{"none", connectors.NoGroups, connectors.RefuseSignIn},
		} {
			t.Run(string(cause)+": "+tt.name, func(t *testing.T) {
				t.Parallel()
				test(t, trouble, tt.mode, func(setup *Setup) {
					setup.Common.OnGroupFailure = policy(cause, tt.mode, tt.others)
					if s.GroupScopes != nil {
						setup.Common.Scopes = s.GroupScopes
					}
					if trouble.Setup != nil {
						trouble.Setup(setup)
					}
				})
			})
		}
	}
}

func testGroupFailure(t *testing.T, s Subject) {
	eachTrouble(t, s, func(t *testing.T, trouble Trouble, mode connectors.GroupFailure, change func(*Setup)) {
		b := s.Open(t, change)
		if len(b.MustSignIn(t).Profile.Groups) == 0 {
			t.Fatal("the test is void: there are no groups to begin with")
		}
		trouble.Vendor(b.Vendor)
		id, _, err := b.SignIn(t)
		settled(t, outcome{len(id.Profile.Groups), id.KeepGroups, err}, mode)
	})
}

func testGroupFailureAtRecheck(t *testing.T, s Subject) {
	eachTrouble(t, s, func(t *testing.T, trouble Trouble, mode connectors.GroupFailure, change func(*Setup)) {
		k := s.Keep(t, change)
		trouble.Vendor(k.Vendor)
		id, _, err := k.Recheck(t)
		if err != nil {
			silent(t, err)
		}
		settled(t, outcome{len(id.Profile.Groups), id.KeepGroups, err}, mode)
	})
}

// outcome is what became of somebody whose groups could not be read.
type outcome struct {
	groups int
	keep   bool
	err    error
}

func settled(t *testing.T, o outcome, mode connectors.GroupFailure) {
	t.Helper()
	if mode == "" || mode == connectors.RefuseSignIn {
		if o.err == nil {
			t.Fatal("groups that could not be read counted as none")
		}
		silent(t, o.err)
		return
	}
	if o.err != nil || o.groups != 0 || o.keep != (mode == connectors.KeepLast) {
		t.Errorf("got %d groups, keep %v, %v", o.groups, o.keep, o.err)
	}
}

func testOtherGroupFailure(t *testing.T, s Subject) {
	if s.GroupNonsense == nil {
		t.Fatal("the Subject says nothing of lists of groups that cannot be read")
	}
	b := s.Open(t, func(setup *Setup) {
		setup.Common.OnGroupFailure = policy("", "", connectors.NoGroups)
		if s.GroupScopes != nil {
			setup.Common.Scopes = s.GroupScopes
		}
	})
	s.GroupNonsense(b.Vendor)
	b.Refused(t, connectors.Broken)
}
