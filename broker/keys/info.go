package keys

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/broker"
)

// maxJWKSAge bounds how long clients are told to cache the JWKS. After an emergency it is how long they go on
// accepting the old keys.
const maxJWKSAge = 5 * time.Minute

// JWKS returns the published keys as a JWK set (RFC 7517 §5) and how long it may be cached: never as long as a key is
// published before it signs. The body is shared and must not be changed.
func (r *Ring) JWKS() (body []byte, maxAge time.Duration) {
	return r.state.Load().jwks, min(maxJWKSAge, r.schedule.Lead/2)
}

// Algorithms returns the algorithms that are signed with, in the order of the schedule.
func (r *Ring) Algorithms() []string { return slices.Clone(r.schedule.Algorithms) }

// Signs reports whether the algorithm is one that is signed with.
func (r *Ring) Signs(algorithm string) bool { return slices.Contains(r.schedule.Algorithms, algorithm) }

// Stage is how far a key has come.
type Stage string

// The stages of a key, in the order of its life.
const (
	Next      Stage = "next"      // published, and yet to sign
	Signing   Stage = "signing"   // the one of its algorithm
	Retired   Stage = "retired"   // published for what it has signed
	Withdrawn Stage = "withdrawn" // kept for old id_token_hints
)

// Info is what an operator sees of a key. It has no private member.
type Info struct {
	ID        string    `json:"kid"`
	Algorithm string    `json:"alg"`
	Stage     Stage     `json:"stage"`
	PublishAt time.Time `json:"publish_at"`
	SignAt    time.Time `json:"sign_at"`
	RetireAt  time.Time `json:"retire_at"`
	// WithdrawAt and ForgetAt are when the key leaves the JWKS and the store.
	WithdrawAt time.Time `json:"withdraw_at"`
	ForgetAt   time.Time `json:"forget_at"`
}

// Info lists the keys by algorithm and by when they sign.
func (r *Ring) Info() []Info {
	st, now := r.state.Load(), r.now()
	list := make([]Info, 0, len(st.byID))
	for _, m := range st.byID {
		k := m.schedule
		list = append(list, Info{k.ID, k.Algorithm, st.stage(m, now), k.PublishAt, k.SignAt, k.RetireAt, k.WithdrawAt, k.ForgetAt})
	}
	slices.SortFunc(list, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Algorithm, b.Algorithm), a.SignAt.Compare(b.SignAt), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func (st *state) stage(m member, now time.Time) Stage {
	signing := st.signing(m.key.name, now)
	switch {
	case signing == m.key:
		return Signing
	case !st.published(m, now):
		return Withdrawn
	case signing != nil && follows(m.schedule, st.byID[signing.id].schedule):
		return Next
	}
	return Retired
}

func follows(a, b broker.Key) bool { return a.SignAt.After(b.SignAt) }
