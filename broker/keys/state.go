package keys

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"gatehouse/broker"
)

// versionUnknown is that of a set which was stored but not read back.
const versionUnknown = math.MaxUint64

// state is one set of keys, made ready. It does not change.
type state struct {
	version uint64
	// chains are those of the algorithms that are signed with.
	chains map[string]chain
	// byID has every key of the set, the withdrawn ones too.
	byID map[string]member
	jwks []byte
}

// chain is the keys of an algorithm in the order in which they sign.
type chain struct {
	schedule []broker.Key // without Private
	keys     []*key
}

// member is a key of the set and its times.
type member struct {
	key      *key
	schedule broker.Key
}

// newState parses a set, except for keys that prev has parsed already.
func newState(now time.Time, set []broker.Key, s Schedule, prev *state) (*state, error) {
	st := &state{chains: make(map[string]chain), byID: make(map[string]member, len(set))}
	for _, stored := range set {
		if _, ok := algorithmOf(stored.Algorithm); !ok {
			continue // made by a later version of the program, which will want it back
		}
		m := member{schedule: stored}
		m.schedule.Private = nil
		if prev != nil {
			m.key = prev.byID[stored.ID].key
		}
		if m.key == nil {
			var err error
			if m.key, err = parse(stored); err != nil {
				return nil, err
			}
		}
		if _, twice := st.byID[stored.ID]; twice {
			return nil, fmt.Errorf("signing key %s is stored twice", stored.ID)
		}
		st.byID[stored.ID] = m
	}
	for _, alg := range s.Algorithms {
		var c chain
		for _, k := range chainOf(set, alg) {
			m := st.byID[k.ID]
			c.schedule, c.keys = append(c.schedule, m.schedule), append(c.keys, m.key)
		}
		if len(c.keys) == 0 {
			return nil, fmt.Errorf("no signing key for %s", alg)
		}
		st.chains[alg] = c
	}
	return st, st.render(now, s)
}

// signing returns the key that signs now; nil when the algorithm is not signed with.
func (st *state) signing(alg string, now time.Time) *key {
	c, ok := st.chains[alg]
	if !ok {
		return nil
	}
	return c.keys[signingAt(now, c.schedule)]
}

// published reports whether a key is in the JWKS and what it signed is accepted: until it is withdrawn, and in any case
// as long as it signs or is to sign.
func (st *state) published(m member, now time.Time) bool {
	if now.Before(m.schedule.WithdrawAt) {
		return true
	}
	signing := st.signing(m.key.name, now)
	return signing != nil && !m.schedule.SignAt.Before(st.byID[signing.id].schedule.SignAt)
}

// render makes the JWKS (RFC 7517 §5). The keys that sign come first, in the order of the schedule, for clients that
// look no further.
func (st *state) render(now time.Time, s Schedule) error {
	list := make([]jwk, 0, len(st.byID))
	listed := make(map[string]bool, len(st.byID))
	add := func(m member) {
		if !listed[m.key.id] && st.published(m, now) {
			listed[m.key.id] = true
			list = append(list, m.key.jwk)
		}
	}
	for _, alg := range s.Algorithms {
		add(st.byID[st.signing(alg, now).id])
	}
	for _, alg := range s.Algorithms {
		for _, k := range st.chains[alg].keys {
			add(st.byID[k.id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(st.byID)) {
		add(st.byID[id])
	}
	var err error
	st.jwks, err = json.Marshal(struct {
		Keys []jwk `json:"keys"`
	}{list})
	return err
}
