package keys

import (
	"slices"
	"testing"
	"time"

	"gatehouse/broker"
)

// at is the moment some days after the epoch.
func at(days float64) time.Time { return epoch().Add(time.Duration(days * float64(day))) }

// planned is a key with its times in days after the epoch.
func planned(id string, publish, sign, retire, withdraw, forget float64) broker.Key {
	k := broker.Key{
		ID: id, Algorithm: "ES256", PublishAt: at(publish), SignAt: at(sign), RetireAt: at(retire), WithdrawAt: at(withdraw), ForgetAt: at(forget),
	}
	if id != "" {
		k.Private = []byte{1}
	}
	return k
}

func TestPlan(t *testing.T) {
	t.Parallel()
	first := planned("a", 0, 0, 30, 33, 40)
	next := planned("b", 28, 30, 60, 63, 70)
	tests := []struct {
		name string
		now  float64
		set  []broker.Key
		want []broker.Key
	}{
		{"the first key of an algorithm signs at once", 0, nil, []broker.Key{planned("", 0, 0, 30, 33, 40)}},
		{"nothing changes while a key signs", 27.9, []broker.Key{first}, []broker.Key{first}},
		{"the successor is published Lead before it signs", 28, []broker.Key{first}, []broker.Key{first, planned("", 28, 30, 60, 63, 70)}},
		{"nothing changes while the successor waits", 29, []broker.Key{first, next}, []broker.Key{first, next}},
		{"a retired key stays", 32.9, []broker.Key{first, next}, []broker.Key{first, next}},
		{"a withdrawn key is kept for hints", 39.9, []broker.Key{first, next}, []broker.Key{first, next}},
		{
			"a key that signs is not forgotten, whatever its record says", 29, []broker.Key{planned("a", 0, 0, 30, 20, 25), next},
			[]broker.Key{first, next},
		},
		{
			"keys that are yet to retire stay for what lives longer today, and those that have retired do not", 31,
			[]broker.Key{planned("a", 0, 0, 30, 31, 32), planned("b", 28, 30, 60, 61, 62)},
			[]broker.Key{planned("a", 0, 0, 30, 31, 32), next},
		},
		{"a key is forgotten in the end", 40, []broker.Key{first, next}, []broker.Key{next}},
		{
			"a late successor makes the last key sign longer", 29, []broker.Key{first},
			[]broker.Key{planned("a", 0, 0, 31, 34, 41), planned("", 29, 31, 61, 64, 71)},
		},
		{
			"after a standstill the last key signs until its successor has been published for Lead", 400, []broker.Key{first},
			[]broker.Key{planned("a", 0, 0, 402, 405, 412), planned("", 400, 402, 432, 435, 442)},
		},
		{
			"a clock that was ahead takes the schedule back with it, but not the ends of keys", -100, []broker.Key{first, next},
			[]broker.Key{planned("a", -128, -128, -98, 33, 40), planned("b", -100, -98, -68, 63, 70)},
		},
		{"a clock that was ahead by less than replicas differ changes nothing", -0.003, []broker.Key{first}, []broker.Key{first}},
		{
			"a key whose period has been shortened retires earlier", 10, []broker.Key{planned("a", 0, 0, 90, 93, 100)},
			[]broker.Key{planned("a", 0, 0, 30, 33, 40)},
		},
		{
			"what a key signed under longer lifetimes stays good when the overlap is shortened", 28, []broker.Key{planned("a", 0, 0, 30, 50, 57)},
			[]broker.Key{planned("a", 0, 0, 30, 48, 55), planned("", 28, 30, 60, 63, 70)},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(tt.set)
			got := Plan(at(tt.now), tt.set, brief())
			if !sameSet(got, tt.want) {
				t.Errorf("planned\n%s\nwant\n%s", show(got), show(tt.want))
			}
			if !sameSet(before, tt.set) {
				t.Error("the set was changed")
			}
			if again := Plan(at(tt.now), got, brief()); !sameSet(again, got) {
				t.Errorf("planning again changes it to\n%s", show(again))
			}
		})
	}
}

func TestPlanKeepsAlgorithmsApart(t *testing.T) {
	t.Parallel()
	s := brief()
	s.Algorithms = []string{"RS256", "ES256"}
	dropped := planned("x", 0, 0, 30, 33, 40)
	dropped.Algorithm = "EdDSA"
	later := planned("y", 0, 0, 30, 33, 40)
	later.Algorithm = "ML-DSA-65"

	plan := Plan(at(28), []broker.Key{planned("a", 0, 0, 30, 33, 40), dropped, later}, s)
	count := make(map[string]int)
	for _, k := range plan {
		count[k.Algorithm]++
	}
	if count["RS256"] != 1 || count["ES256"] != 2 {
		t.Errorf("one first RS256 key and a successor for ES256 expected:\n%s", show(plan))
	}
	if count["EdDSA"] != 1 || count["ML-DSA-65"] != 1 {
		t.Errorf("keys of other algorithms live out their time without successors:\n%s", show(plan))
	}
	if plan := Plan(at(40), []broker.Key{dropped, later}, s); len(plan) != 2 {
		t.Errorf("keys of other algorithms are forgotten in time:\n%s", show(plan))
	}
}

func TestPlanSuccessors(t *testing.T) {
	t.Parallel()
	first := planned("a", 0, 0, 30, 33, 40)
	tests := []struct {
		name string
		now  float64
		set  []broker.Key
		want []broker.Key
	}{
		{
			"a successor is published now, signs after Lead, and the old key goes as early as it can", 5, []broker.Key{first},
			[]broker.Key{planned("a", 0, 0, 7, 10, 17), planned("", 5, 7, 37, 40, 47)},
		},
		{
			"a rotation that is under way is not begun again", 6, []broker.Key{planned("a", 0, 0, 7, 10, 17), planned("b", 5, 7, 37, 40, 47)},
			[]broker.Key{planned("a", 0, 0, 7, 10, 17), planned("b", 5, 7, 37, 40, 47)},
		},
		{"the first key needs no successor", 0, nil, []broker.Key{planned("", 0, 0, 30, 33, 40)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := planSuccessors(at(tt.now), tt.set, brief()); !sameSet(got, tt.want) {
				t.Errorf("planned\n%s\nwant\n%s", show(got), show(tt.want))
			}
		})
	}
}

func TestScheduleValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		s     Schedule
		valid bool
	}{
		{"the zero schedule is valid", Schedule{}, true},
		{"all algorithms are valid", Schedule{Algorithms: []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"}}, true},
		{"none is no algorithm", Schedule{Algorithms: []string{"none"}}, false},
		{"algorithms are spelled exactly", Schedule{Algorithms: []string{"es256"}}, false},
		{"a secret is no signing key", Schedule{Algorithms: []string{"HS256"}}, false},
		{"an algorithm is listed once", Schedule{Algorithms: []string{"ES256", "ES256"}}, false},
		{"a period has to be longer than the lead", Schedule{Lead: hour, Period: hour}, false},
		{"durations are not negative", Schedule{Overlap: -hour}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := tt.s.Validate(); (err == nil) != tt.valid {
				t.Errorf("Validate: %v", err)
			}
		})
	}
}
