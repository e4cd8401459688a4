package keys

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// What a zero field of a [Schedule] stands for.
const (
	DefaultLead    = 24 * time.Hour
	DefaultPeriod  = 90 * 24 * time.Hour
	DefaultOverlap = 24 * time.Hour
	DefaultHints   = 30 * 24 * time.Hour
)

// Schedule says which keys there are and how long each stage of their lives lasts. A zero field means its default; no
// Algorithms means RS256 and ES256.
type Schedule struct {
	// Algorithms that are signed with, such as RS256: one chain of keys for each. A key whose algorithm is taken out
	// of the list lives out its time and gets no successor.
	Algorithms []string
	// Lead is how long a key is published before it signs: longer than anybody caches our JWKS.
	Lead time.Duration
	// Period is how long a key signs.
	Period time.Duration
	// Overlap is how long a key stays published after it has stopped signing: at least the longest lifetime of a token
	// it signs, plus what clocks may differ by.
	Overlap time.Duration
	// Hints is how long a withdrawn key is kept, unpublished, to recognise old ID tokens that come back as
	// id_token_hint: as long as the longest session.
	Hints time.Duration
}

// Validate returns every fault of the schedule, joined; nil when there is none.
func (s Schedule) Validate() error {
	s = s.withDefaults()
	var faults []error
	for i, alg := range s.Algorithms {
		if _, ok := algorithmOf(alg); !ok {
			faults = append(faults, fmt.Errorf("algorithm %q is not one of RS256, PS256, ES256, ES384, EdDSA", alg))
		}
		if slices.Contains(s.Algorithms[:i], alg) {
			faults = append(faults, fmt.Errorf("algorithm %s is listed twice", alg))
		}
	}
	if s.Lead < 0 || s.Overlap < 0 || s.Hints < 0 {
		faults = append(faults, errors.New("a duration is negative"))
	}
	// A successor has to fit into the time of the key it follows.
	if s.Period <= s.Lead {
		faults = append(faults, fmt.Errorf("keys would sign for %v but be published %v before: the period has to be longer", s.Period, s.Lead))
	}
	return errors.Join(faults...)
}

func (s Schedule) withDefaults() Schedule {
	if len(s.Algorithms) == 0 {
		s.Algorithms = []string{"RS256", "ES256"}
	}
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&s.Lead, DefaultLead)
	set(&s.Period, DefaultPeriod)
	set(&s.Overlap, DefaultOverlap)
	set(&s.Hints, DefaultHints)
	return s
}
