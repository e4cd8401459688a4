package keys

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/broker"
)

// Plan returns what the set of keys should be now. It is pure and does not change set. A key that has yet to be
// generated has neither ID nor Private. Planning what was planned for the same moment changes nothing.
//
// The clock is not trusted to move on evenly. After a long standstill the last key signs on until its successor has
// been published for Lead, however old it is. If a key turns out to have been published in the future the clock has
// been put back, and the schedule moves back with it; the ends of keys do not, because tokens may be about that were
// issued by the other clock.
func Plan(now time.Time, set []broker.Key, s Schedule) []broker.Key {
	s = s.withDefaults()
	now = now.Truncate(time.Second) // so that no engine's way of storing a time changes the plan
	var plan []broker.Key
	for _, alg := range s.Algorithms {
		plan = append(plan, planChain(now, chainOf(set, alg), alg, s)...)
	}
	return append(plan, slices.DeleteFunc(others(set, s), func(k broker.Key) bool { return !now.Before(k.ForgetAt) })...)
}

// others returns the keys of algorithms that are no longer signed with, or that this version does not know.
func others(set []broker.Key, s Schedule) []broker.Key {
	var rest []broker.Key
	for _, k := range set {
		if !slices.Contains(s.Algorithms, k.Algorithm) {
			rest = append(rest, k)
		}
	}
	return rest
}

// chainOf returns the keys of an algorithm in the order in which they sign.
func chainOf(set []broker.Key, alg string) []broker.Key {
	var chain []broker.Key
	for _, k := range set {
		if k.Algorithm == alg {
			chain = append(chain, k)
		}
	}
	slices.SortFunc(chain, func(a, b broker.Key) int {
		return cmp.Or(a.SignAt.Compare(b.SignAt), a.PublishAt.Compare(b.PublishAt), cmp.Compare(a.ID, b.ID))
	})
	return chain
}

func planChain(now time.Time, chain []broker.Key, alg string, s Schedule) []broker.Key {
	followClock(now, chain)
	if len(chain) == 0 {
		return []broker.Key{newKey(alg, now, now, s)}
	}
	signing := signingAt(now, chain)
	if signing == len(chain)-1 {
		chain = succeed(now, chain, s)
	}
	for i := signing; i < len(chain); i++ { // lifetimes may have been lengthened since
		k := &chain[i]
		k.WithdrawAt = later(k.WithdrawAt, k.RetireAt.Add(s.Overlap))
		k.ForgetAt = later(k.ForgetAt, k.WithdrawAt.Add(s.Hints))
	}
	since := chain[signing].SignAt
	return slices.DeleteFunc(chain, func(k broker.Key) bool { return !now.Before(k.ForgetAt) && k.SignAt.Before(since) })
}

// clockSkew is what the clocks of two replicas may differ by without either of them taking it for a clock that has
// been put back.
const clockSkew = 5 * time.Minute

// followClock moves the schedule of a chain back by as much as its newest key seems to have been published in the
// future. Relative to each other the keys stay where they are, so the one that signed goes on.
func followClock(now time.Time, chain []broker.Key) {
	var ahead time.Duration
	for _, k := range chain {
		ahead = max(ahead, k.PublishAt.Sub(now))
	}
	if ahead <= clockSkew {
		return
	}
	for i := range chain {
		k := &chain[i]
		k.PublishAt, k.SignAt, k.RetireAt = k.PublishAt.Add(-ahead), k.SignAt.Add(-ahead), k.RetireAt.Add(-ahead)
	}
}

// signingAt returns the index of the key of a chain that signs: the last to have begun, whatever its RetireAt. When
// none has begun, which is so for a moment where the clock lags behind that of the replica that made them, it is the
// first: a broker that cannot sign is worse than a key that is seen early.
func signingAt(now time.Time, chain []broker.Key) int {
	for i := len(chain) - 1; i > 0; i-- {
		if !now.Before(chain[i].SignAt) {
			return i
		}
	}
	return 0
}

// succeed appends a successor to the chain when it is time to publish one, and lets the last key sign until then.
func succeed(now time.Time, chain []broker.Key, s Schedule) []broker.Key {
	last := &chain[len(chain)-1]
	if end := last.SignAt.Add(s.Period); end.Before(last.RetireAt) { // the period has been shortened since
		retire(now, last, end, s)
	}
	if now.Before(last.RetireAt.Add(-s.Lead)) {
		return chain
	}
	return succeedAt(now, chain, later(last.RetireAt, now.Add(s.Lead)), s)
}

// succeedAt appends a key that is published now and takes over from the last one at the given moment.
func succeedAt(now time.Time, chain []broker.Key, at time.Time, s Schedule) []broker.Key {
	last := &chain[len(chain)-1]
	retire(now, last, at, s)
	return append(chain, newKey(last.Algorithm, now, at, s))
}

// retire lets k stop signing at the given moment. It stays published for as long as what it will have signed by then
// lives, and what it has signed until now, perhaps under a schedule with longer lifetimes than today's.
func retire(now time.Time, k *broker.Key, at time.Time, s Schedule) {
	signed := earlier(k.WithdrawAt, now.Add(k.WithdrawAt.Sub(k.RetireAt)))
	hinted := earlier(k.ForgetAt, now.Add(k.ForgetAt.Sub(k.RetireAt)))
	k.RetireAt = at
	k.WithdrawAt = later(at.Add(s.Overlap), signed)
	k.ForgetAt = later(k.WithdrawAt.Add(s.Hints), hinted)
}

func newKey(alg string, publish, sign time.Time, s Schedule) broker.Key {
	retire := sign.Add(s.Period)
	withdraw := retire.Add(s.Overlap)
	return broker.Key{
		Algorithm: alg, PublishAt: publish, SignAt: sign,
		RetireAt: retire, WithdrawAt: withdraw, ForgetAt: withdraw.Add(s.Hints),
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// planSuccessors is Plan, and for every key that has no successor yet one that signs after Lead.
func planSuccessors(now time.Time, set []broker.Key, s Schedule) []broker.Key {
	s = s.withDefaults()
	now = now.Truncate(time.Second)
	set = Plan(now, set, s)
	var plan []broker.Key
	for _, alg := range s.Algorithms {
		chain := chainOf(set, alg)
		if signingAt(now, chain) == len(chain)-1 && len(chain[len(chain)-1].Private) > 0 {
			chain = succeedAt(now, chain, now.Add(s.Lead), s)
		}
		plan = append(plan, chain...)
	}
	return append(plan, others(set, s)...)
}
