package keys

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"gatehouse/broker/jose"
)

func allAlgorithms() []string { return []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} }

// RFC 7517 §4: what is in a published key, and what must never be.
func TestJWKSMembers(t *testing.T) {
	t.Parallel()
	s := brief()
	s.Algorithms = allAlgorithms()
	r := open(t, &keyStore{}, newClock(), s)
	body, _ := r.JWKS()
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(body, &set); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"RSA": {"alg", "e", "kid", "kty", "n", "use"},
		"EC":  {"alg", "crv", "kid", "kty", "use", "x", "y"},
		"OKP": {"alg", "crv", "kid", "kty", "use", "x"},
	}
	if len(set.Keys) != len(s.Algorithms) {
		t.Fatalf("%d keys are published for %d algorithms", len(set.Keys), len(s.Algorithms))
	}
	for i, k := range set.Keys {
		var names []string
		for name := range k {
			names = append(names, name)
		}
		slices.Sort(names)
		if !slices.Equal(names, want[k["kty"]]) {
			t.Errorf("a key of type %q has the members %v", k["kty"], names)
		}
		if k["use"] != "sig" || k["alg"] != s.Algorithms[i] {
			t.Errorf("key %d is for use %q with %q, want the order of the schedule", i, k["use"], k["alg"])
		}
	}
}

// A reader of key sets that was written for others takes ours, and finds the names to be RFC 7638 thumbprints.
func TestJWKSIsRead(t *testing.T) {
	t.Parallel()
	s := brief()
	s.Algorithms = allAlgorithms()
	c := newClock()
	r := open(t, &keyStore{}, c, s)
	if err := r.Rotate(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	body, _ := r.JWKS()
	set, err := jose.ParseKeySet(body)
	if err != nil {
		t.Fatal(err)
	}
	if refused := set.Refused(); len(refused) != 0 {
		t.Errorf("refused: %v", refused)
	}
	seen := make(map[string]bool)
	for _, k := range set.All() {
		if k.ID == "" || seen[k.ID] || k.ID != k.Thumbprint() {
			t.Errorf("kid %q is missing, not the only one or not the thumbprint %q", k.ID, k.Thumbprint())
		}
		seen[k.ID] = true
	}
	if len(seen) != 2*len(s.Algorithms) {
		t.Errorf("%d keys, want one that signs and one that will for each of %d algorithms", len(seen), len(s.Algorithms))
	}
}

func TestJWKSMayBeCachedForLessThanLead(t *testing.T) {
	t.Parallel()
	for _, lead := range []time.Duration{time.Minute, hour, day} {
		s := brief()
		s.Lead = lead
		if _, age := open(t, &keyStore{}, newClock(), s).JWKS(); age <= 0 || age >= lead || age > maxJWKSAge {
			t.Errorf("with a lead of %v the JWKS may be cached for %v", lead, age)
		}
	}
}

// The published set follows the schedule: next from its publication, retired until withdrawn.
func TestJWKSOverTime(t *testing.T) {
	t.Parallel()
	c := newClock()
	r := open(t, &keyStore{}, c, brief())
	published := func() (ids []string) {
		body, _ := r.JWKS()
		set, err := jose.ParseKeySet(body)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range set.All() {
			ids = append(ids, k.ID)
		}
		return ids
	}
	first := published()
	tests := []struct {
		name     string
		day      int
		count    int
		first    bool // whether the first key is still published
		stages   []Stage
		inFront  bool // whether the first key comes first
		accepted bool
	}{
		{"one key at the beginning", 0, 1, true, []Stage{Signing}, true, true},
		{"the successor is published before it signs", 28, 2, true, []Stage{Signing, Next}, true, true},
		{"the key that signs comes first", 30, 2, true, []Stage{Retired, Signing}, false, true},
		{"a retired key is published until what it signed has expired", 32, 2, true, []Stage{Retired, Signing}, false, true},
		{"a withdrawn key is not published", 33, 1, false, []Stage{Withdrawn, Signing}, false, false},
		{"a forgotten key is gone", 40, 1, false, []Stage{Signing}, false, false},
	}
	for _, tt := range tests {
		c.Advance(epoch().Add(time.Duration(tt.day) * day).Sub(c.Now()))
		if err := r.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		ids := published()
		if len(ids) != tt.count || slices.Contains(ids, first[0]) != tt.first || (ids[0] == first[0]) != tt.inFront {
			t.Errorf("%s: published %v, the first being %v", tt.name, ids, first)
		}
		if r.Accepts(first[0]) != tt.accepted {
			t.Errorf("%s: accepted is %v", tt.name, r.Accepts(first[0]))
		}
		var stages []Stage
		for _, i := range r.Info() {
			stages = append(stages, i.Stage)
		}
		if !slices.Equal(stages, tt.stages) {
			t.Errorf("%s: stages %v", tt.name, stages)
		}
	}
}
