package keys

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"gatehouse/broker/jose"
)

type ctx = context.Context

// anything expects nothing of a token but a good signature.
func anything(c *clock) jose.Expectation {
	return jose.Expectation{
		Types: []string{"JWT", "at+jwt"}, AnyIssuer: true, AnyAudience: true, ExpiryOptional: true, Now: c.Now(),
	}
}

func sign(t *testing.T, r *Ring) string {
	t.Helper()
	token, err := r.Sign("ES256", "JWT", []byte(`{"iss":"https://b.test"}`))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestOrdinaryRotation(t *testing.T) {
	t.Parallel()
	store, c := &keyStore{}, newClock()
	r := open(t, store, c, brief())
	old, token := signer(t, r), sign(t, r)
	if err := r.Rotate(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if len(ids(r)) != 2 || signer(t, r) != old {
		t.Fatalf("a successor has to be published and not to sign yet: %+v", r.Info())
	}
	if err := r.Rotate(t.Context(), false); err != nil || len(ids(r)) != 2 {
		t.Errorf("a rotation that is under way was begun again: %v, %v", ids(r), err)
	}
	c.Advance(2 * day) // no Tick: the successor signs by the clock alone
	if signer(t, r) == old {
		t.Error("the successor does not sign")
	}
	if _, err := r.VerifyOwn(t.Context(), token, anything(c), false); err != nil {
		t.Errorf("what the old key signed: %v", err)
	}
	c.Advance(3 * day)
	if _, err := r.VerifyOwn(t.Context(), token, anything(c), false); !errors.Is(err, jose.ErrNoKey) {
		t.Errorf("what a withdrawn key signed: %v", err)
	}
	if _, err := r.VerifyOwn(t.Context(), token, anything(c), true); err != nil {
		t.Errorf("what a withdrawn key signed, as a hint: %v", err)
	}
	c.Advance(7 * day)
	if err := r.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.VerifyOwn(t.Context(), token, anything(c), true); !errors.Is(err, jose.ErrNoKey) {
		t.Errorf("what a forgotten key signed, as a hint: %v", err)
	}
}

// KM-01: an emergency ends acceptance by the broker itself at once, published or not, hint or not.
func TestEmergencyRotation(t *testing.T) {
	t.Parallel()
	store, c := &keyStore{}, newClock()
	r, replica := open(t, store, c, brief()), open(t, store, c, brief())
	if err := r.Rotate(t.Context(), false); err != nil { // a successor is published
		t.Fatal(err)
	}
	before, token := ids(r), sign(t, r)
	if err := r.Rotate(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	after := ids(r)
	if len(after) != 1 || slices.Contains(before, after[0]) || signer(t, r) != after[0] {
		t.Fatalf("keys %v after %v", after, before)
	}
	for _, hint := range []bool{false, true} {
		if _, err := r.VerifyOwn(t.Context(), token, anything(c), hint); !errors.Is(err, jose.ErrNoKey) {
			t.Errorf("what the old key signed, hint %v: %v", hint, err)
		}
	}
	if r.Accepts(before[0]) || r.Accepts(before[1]) {
		t.Error("an old key is accepted")
	}
	if e := store.events[len(store.events)-1]; e.Detail != "emergency" {
		t.Errorf("event %+v", e)
	}
	if err := replica.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids(replica), after) || replica.Accepts(before[0]) {
		t.Errorf("the other replica uses %v", ids(replica))
	}
}

// An emergency counts from the moment it is stored: it does not depend on reading the keys back.
func TestEmergencyDoesNotNeedTheStoreAgain(t *testing.T) {
	t.Parallel()
	store, c := &keyStore{}, newClock()
	r := open(t, store, c, brief())
	old := signer(t, r)
	before := store.reads
	if err := r.Rotate(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if store.reads != before+1 || r.Accepts(old) {
		t.Errorf("%d reads, old key accepted: %v", store.reads-before, r.Accepts(old))
	}
}

// A token of a key that another replica has just made is no reason to send somebody away.
func TestUnknownKeyIsLookedForOncePerCooldown(t *testing.T) {
	t.Parallel()
	store, c := &keyStore{}, newClock()
	r, replica := open(t, store, c, brief()), open(t, store, c, brief())
	c.Advance(lookCooldown)
	if err := replica.Rotate(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	token := sign(t, replica)
	if _, err := r.VerifyOwn(t.Context(), token, anything(c), false); err != nil {
		t.Errorf("a token of the other replica's new key: %v", err)
	}

	stranger := sign(t, open(t, &keyStore{}, c, brief()))
	before := store.reads
	for range 100 {
		if _, err := r.VerifyOwn(t.Context(), stranger, anything(c), true); !errors.Is(err, jose.ErrNoKey) {
			t.Fatalf("a stranger's token: %v", err)
		}
	}
	if store.reads != before {
		t.Errorf("%d reads within the cool-down", store.reads-before)
	}
	c.Advance(lookCooldown)
	for range 100 {
		_, _ = r.VerifyOwn(t.Context(), stranger, anything(c), false)
	}
	if store.reads != before+1 {
		t.Errorf("%d reads after the cool-down", store.reads-before)
	}
}

// The key decides the algorithm (JW-02): a token that names another is refused, though the caller would allow it.
func TestVerifyOwnUsesTheKeysAlgorithm(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := brief()
	s.Algorithms = []string{"RS256", "ES256"}
	r := open(t, &keyStore{}, c, s)
	st := r.state.Load()
	rsa := st.signing("RS256", c.Now())
	forged := *rsa
	forged.name, forged.headers = "PS256", nil
	forged.alg, _ = algorithmOf("PS256")
	token, err := forged.sign("JWT", []byte(`{"iss":"https://b.test"}`))
	if err != nil {
		t.Fatal(err)
	}
	e := anything(c)
	e.Algorithms = []jose.Algorithm{jose.PS256}
	if _, err := r.VerifyOwn(t.Context(), token, e, false); !errors.Is(err, jose.ErrAlgorithm) {
		t.Errorf("PS256 under an RS256 key: %v", err)
	}
}

// 32 goroutines sign and verify while keys are rotated in every way by two replicas: a token of the ordinary way is
// always accepted, and after an emergency nothing older is.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	store, c := &keyStore{}, newClock()
	rings := [2]*Ring{open(t, store, c, brief()), open(t, store, c, brief())}
	var workers sync.WaitGroup
	var stop atomic.Bool
	var verified atomic.Int64
	for i := range 32 {
		workers.Go(func() {
			r := rings[i%2]
			for !stop.Load() {
				began := c.Now()
				token, err := r.Sign("ES256", "JWT", []byte(`{"iss":"https://b.test"}`))
				if err != nil {
					t.Errorf("Sign: %v", err)
					return
				}
				_, err = r.VerifyOwn(t.Context(), token, anything(c), false)
				if err != nil && c.Now().Sub(began) < brief().Overlap { // else the scheduler let it grow old
					t.Errorf("VerifyOwn: %v", err)
					return
				}
				verified.Add(1)
				r.JWKS()
				r.Info()
				runtime.Gosched() // the others, and the rotations
			}
		})
	}
	for i := range 15 {
		c.Advance(day) // a tick may be late, never by more than the overlap
		var turns sync.WaitGroup
		for _, r := range rings {
			turns.Go(func() {
				if err := r.Rotate(t.Context(), false); err != nil {
					t.Errorf("rotation %d: %v", i, err)
				}
			})
		}
		turns.Wait()
		for before := verified.Load(); verified.Load() < before+32 && !t.Failed(); {
			runtime.Gosched()
		}
	}
	stop.Store(true)
	workers.Wait()
	for _, r := range rings {
		if err := r.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(ids(rings[0]), ids(rings[1])) {
		t.Errorf("replicas use %v and %v", ids(rings[0]), ids(rings[1]))
	}
	if len(store.events) < 5 {
		t.Errorf("only %d changes of keys", len(store.events))
	}
}

// 32 operators press the button at once: each emergency is one commit, and the last one's keys are everybody's.
func TestEmergenciesAtOnce(t *testing.T) {
	t.Parallel()
	store, c := &keyStore{}, newClock()
	r := open(t, store, c, brief())
	old := signer(t, r)
	var presses sync.WaitGroup
	for range 32 {
		presses.Go(func() {
			if err := r.Rotate(t.Context(), true); err != nil {
				t.Errorf("Rotate: %v", err)
			}
		})
	}
	presses.Wait()
	if len(store.set) != 1 || store.set[0].ID == old || signer(t, r) != store.set[0].ID || len(store.events) != 33 {
		t.Errorf("stored %d keys in %d events, %s signs", len(store.set), len(store.events), signer(t, r))
	}
}
