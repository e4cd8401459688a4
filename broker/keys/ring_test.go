package keys

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker"
)

func ids(r *Ring) (list []string) {
	for _, i := range r.Info() {
		list = append(list, i.ID)
	}
	return list
}

func signer(t *testing.T, r *Ring) string {
	t.Helper()
	for _, i := range r.Info() {
		if i.Stage == Signing {
			return i.ID
		}
	}
	t.Fatal("no key signs")
	return ""
}

func TestKeysOutliveTheProcess(t *testing.T) {
	t.Parallel()
	store, c := &keyStore{}, newClock()
	s := brief()
	s.Algorithms = []string{"ES256", "ES384", "EdDSA"}
	first := open(t, store, c, s)
	again := open(t, store, c, s)
	if !slices.Equal(ids(first), ids(again)) || len(ids(first)) != 3 {
		t.Errorf("keys %v after %v", ids(again), ids(first))
	}
	if len(store.events) != 1 || store.events[0].Type != broker.EventKeysReplaced || store.events[0].Detail == "" || !store.events[0].At.Equal(c.Now()) {
		t.Errorf("events %+v, want one for the first keys", store.events)
	}
}

func TestTickWithNothingToDoIsOneRead(t *testing.T) {
	t.Parallel()
	store, c := &keyStore{}, newClock()
	r := open(t, store, c, brief())
	before := store.reads
	c.Advance(hour)
	if err := r.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if store.reads-before != 1 || len(store.events) != 1 {
		t.Errorf("%d reads and %d writes", store.reads-before, len(store.events)-1)
	}
}

// Two replicas start on an empty store at once: one of them makes the keys, both use them, and what the loser has
// generated is not thrown away while it may still be of use.
func TestReplicasAgree(t *testing.T) {
	t.Parallel()
	store, c := &keyStore{}, newClock()
	var other *Ring
	store.before = func() { other = open(t, store, c, brief()) }
	r := open(t, store, c, brief())
	if other == nil || !slices.Equal(ids(r), ids(other)) {
		t.Fatalf("replicas use %v and %v", ids(r), ids(other))
	}

	c.Advance(28 * day)
	store.before = func() {
		if err := other.Tick(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := r.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids(r), ids(other)) || len(ids(r)) != 2 {
		t.Errorf("replicas use %v and %v", ids(r), ids(other))
	}
}

func TestGeneratedKeysSurviveAConflict(t *testing.T) {
	t.Parallel()
	planned := []broker.Key{newKey("ES256", epoch(), epoch(), brief()), newKey("EdDSA", epoch(), epoch(), brief())}
	made, err := complete(planned, nil)
	if err != nil || len(made) != 2 || planned[0].ID == "" || planned[1].ID == "" {
		t.Fatalf("made %d, %v", len(made), err)
	}
	again := []broker.Key{newKey("EdDSA", epoch(), epoch(), brief()), newKey("EdDSA", epoch(), epoch(), brief())}
	if _, err := complete(again, made); err != nil || again[0].ID != planned[1].ID || again[1].ID == again[0].ID || again[1].ID == "" {
		t.Errorf("keys %s and %s after %s, %v", again[0].ID, again[1].ID, planned[1].ID, err)
	}
}

func TestRingSurvivesAStoreThatFails(t *testing.T) {
	t.Parallel()
	store, c := &keyStore{}, newClock()
	r := open(t, store, c, brief())
	store.fail = broker.ErrReadOnly
	c.Advance(100 * day) // long past the key's time
	if err := r.Tick(t.Context()); !errors.Is(err, broker.ErrReadOnly) {
		t.Errorf("Tick: %v", err)
	}
	if err := r.Rotate(t.Context(), true); !errors.Is(err, broker.ErrReadOnly) {
		t.Errorf("Rotate: %v", err)
	}
	token, err := r.Sign("ES256", "JWT", []byte(`{"iss":"x"}`))
	if err != nil {
		t.Fatalf("Sign: %v", err)
	}
	if _, err := r.VerifyOwn(t.Context(), token, anything(c), false); err != nil {
		t.Errorf("what was just signed is refused: %v", err)
	}
	if _, err := Open(t.Context(), Config{Store: store, Schedule: brief(), Now: c.Now, Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, broker.ErrReadOnly) {
		t.Errorf("Open: %v", err)
	}
}

func TestReplicasThatNeverAgreeGiveUp(t *testing.T) {
	t.Parallel()
	store := &keyStore{fail: nil}
	r := open(t, store, newClock(), brief())
	r.store = conflicting{store}
	if err := r.Rotate(t.Context(), false); !errors.Is(err, broker.ErrConflict) {
		t.Errorf("Rotate: %v", err)
	}
}

// conflicting is a store where another replica is always faster.
type conflicting struct{ *keyStore }

func (s conflicting) Keys(ctx ctx) ([]broker.Key, uint64, error) {
	set, version, err := s.keyStore.Keys(ctx)
	return set, version + 1, err
}

func TestOpenRefusesKeysItCannotUse(t *testing.T) {
	t.Parallel()
	made := func(alg string) broker.Key {
		k := newKey(alg, epoch(), epoch(), brief())
		if err := generate(&k); err != nil {
			t.Fatal(err)
		}
		return k
	}
	ec, ed := made("ES256"), made("EdDSA")
	renamed, foreign, broken := ec, ec, ec
	renamed.ID = ed.ID
	foreign.Private, foreign.ID = ed.Private, ed.ID
	broken.Private = ec.Private[:len(ec.Private)-9]
	tests := []struct {
		name string
		set  []broker.Key
		want string // in the error; empty when the set is good
	}{
		{"a sound key is used", []broker.Key{ec}, ""},
		{"a key under another's ID is refused", []broker.Key{renamed}, "another key"},
		{"a key of another algorithm is refused", []broker.Key{foreign}, "not a key for ES256"},
		{"a key that cannot be read is refused", []broker.Key{broken}, "PKCS #8"},
		{"a key that is there twice is refused", []broker.Key{ec, ec}, "twice"},
		{"a key of a later version is left alone", []broker.Key{ec, func() broker.Key { k := ed; k.Algorithm = "ML-DSA-65"; return k }()}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := &keyStore{set: tt.set}
			_, err := Open(t.Context(), Config{Store: store, Schedule: brief(), Now: newClock().Now, Log: slog.New(slog.DiscardHandler)})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open: %v", err)
			}
			if len(store.set) != len(tt.set) {
				t.Errorf("the set was changed to\n%s", show(store.set))
			}
		})
	}
}

// Private keys go to the store alone: neither the log nor an error, the JWKS or the list for operators has one.
func TestPrivateKeysStayInside(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store, c := &keyStore{}, newClock()
	s := brief()
	s.Algorithms = allAlgorithms()
	r, err := Open(t.Context(), Config{Store: store, Schedule: s, Now: c.Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Rotate(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if log.Len() == 0 {
		t.Error("a rotation is not logged")
	}
	for _, m := range r.state.Load().byID {
		if m.schedule.Private != nil {
			t.Error("PKCS #8 is kept in memory beside the parsed key")
		}
	}
	for alg, chain := range r.state.Load().chains {
		if slices.ContainsFunc(chain.schedule, func(k broker.Key) bool { return k.Private != nil }) {
			t.Errorf("%s: PKCS #8 is kept in memory beside the parsed key", alg)
		}
	}
}
