package keys

import (
	"context"
	"time"

	"gatehouse/broker/jose"
)

// lookCooldown is how often at most a key ID that is not known makes the ring read the store: another replica may have
// made that key a moment ago, but anybody can send key IDs.
const lookCooldown = time.Second

// VerifyOwn verifies a token that one of the ring's keys is to have signed: the key its kid names, which has to be
// published now. With includeWithdrawn those that are only kept for old id_token_hints do as well. e.Algorithms is set
// to the key's own algorithm, whatever it was: the key decides, not the token. The errors are those of [jose.Verify].
func (r *Ring) VerifyOwn(ctx context.Context, raw string, e jose.Expectation, includeWithdrawn bool) (*jose.Token, error) {
	u, err := jose.Peek(raw, e.Limits)
	if err != nil {
		return nil, err
	}
	m, ok := r.accepted(u.Header.KeyID, includeWithdrawn)
	if !ok && r.lookAgain(ctx) {
		m, ok = r.accepted(u.Header.KeyID, includeWithdrawn)
	}
	if !ok {
		return nil, jose.ErrNoKey
	}
	e.Algorithms = []jose.Algorithm{m.key.public.Algorithm}
	return u.Verify(ctx, m.key, e)
}

// Accepts reports whether what the key of this ID has signed is accepted now. Whoever remembers a verified token asks
// again each time, so that an emergency ends it at once.
func (r *Ring) Accepts(id string) bool {
	_, ok := r.accepted(id, false)
	return ok
}

func (r *Ring) accepted(id string, includeWithdrawn bool) (member, bool) {
	st := r.state.Load()
	m, ok := st.byID[id]
	if !ok || !includeWithdrawn && !st.published(m, r.now()) {
		return member{}, false
	}
	return m, true
}

// Keys implements [jose.KeySource] for the one key whose ID the token has named.
func (k *key) Keys(context.Context, string, jose.Algorithm) ([]jose.Key, error) {
	return []jose.Key{k.public}, nil
}

// lookAgain reads the store unless that has just been done, and reports whether there is another set now. It only
// looks; what is due is done by Tick. While another goroutine looks, nobody waits for it.
func (r *Ring) lookAgain(ctx context.Context) bool {
	since := r.now().Sub(time.Unix(0, r.looked.Load()))
	if 0 <= since && since < lookCooldown || !r.turn.TryLock() {
		return false
	}
	defer r.turn.Unlock()
	set, version, err := r.read(ctx)
	if err != nil || version == r.state.Load().version {
		return false
	}
	if err := r.adopt(set, version); err != nil {
		r.log.ErrorContext(ctx, "signing keys changed and cannot be used", "error", err)
		return false
	}
	return true
}
