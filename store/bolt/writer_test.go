package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

// ringOf makes a ring of secrets that differ in their first byte.
func ringOf(t testing.TB, first ...byte) *seal.Keyring {
	t.Helper()
	secrets := make([][]byte, len(first))
	for i, c := range first {
		secrets[i] = bytes.Repeat([]byte{c}, seal.MinSecret)
	}
	k, err := seal.New(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testSeal(t testing.TB) *seal.Keyring { return ringOf(t, 1) }

func testStore(t testing.TB) *Store {
	t.Helper()
	return testStoreAt(t, filepath.Join(t.TempDir(), "broker.db"))
}

func testStoreAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{Seal: testSeal(t), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// turn is a small verb: it writes a switch and an event.
func turn(s *Store, id string) error {
	return s.SetSwitch(context.Background(), broker.ClientSwitch, id, true, broker.Event{})
}

func turned(t *testing.T, s *Store, id string) bool {
	t.Helper()
	sw, err := s.Switch(t.Context(), broker.ClientSwitch, id)
	if err != nil {
		t.Fatal(err)
	}
	return sw.Disabled
}

// together queues the verbs behind one that holds the writer, so that they share its batch or the next, and waits. A verb
// that is answered without queueing is not waited for twice.
func together(t *testing.T, s *Store, verbs ...func() error) []error {
	t.Helper()
	entered, release := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		_ = s.update(context.Background(), func(*txn) error {
			close(entered)
			<-release
			return errors.New("holds the writer and changes nothing")
		})
	})
	<-entered
	errs := make([]error, len(verbs))
	for i, verb := range verbs {
		queued, answered := len(s.queue), make(chan struct{})
		done.Go(func() { defer close(answered); errs[i] = verb() })
		if !queuedOrAnswered(s, queued, answered) { // in this order
			t.Errorf("verb %d has neither queued nor been answered", i)
			break
		}
	}
	close(release)
	done.Wait()
	return errs
}

// queuedOrAnswered waits until more than so many verbs are queued, or this one has its answer.
func queuedOrAnswered(s *Store, queued int, answered <-chan struct{}) bool {
	tick := time.NewTicker(50 * time.Microsecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		select {
		case <-answered:
			return true
		case <-late:
			return false
		case <-tick.C:
			if len(s.queue) > queued {
				return true
			}
		}
	}
}

func TestWaitingVerbsShareOneCommit(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	before := s.Commits()
	var verbs []func() error
	for n := range 20 {
		verbs = append(verbs, func() error { return turn(s, fmt.Sprint(n)) })
	}
	for _, err := range together(t, s, verbs...) {
		if err != nil {
			t.Error(err)
		}
	}
	if n := s.Commits() - before; n != 1 {
		t.Errorf("%d commits for 20 waiting verbs, want 1", n)
	}
	for n := range 20 {
		if !turned(t, s, fmt.Sprint(n)) {
			t.Errorf("verb %d was answered and is not there", n)
		}
	}
}

func TestABatchOfRefusalsCommitsNothing(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	before := s.Commits()
	refused := func() error { return s.RevokeGrant(context.Background(), "no such", broker.Event{}) }
	for _, err := range together(t, s, refused, refused, refused) {
		if !errors.Is(err, broker.ErrNotFound) {
			t.Errorf("error %v", err)
		}
	}
	if n := s.Commits() - before; n != 0 {
		t.Errorf("%d commits", n)
	}
}

func TestAFaultInOneVerbLeavesTheOthersOfItsBatch(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		verb func(*txn) error
		says string
	}{
		"a panic":                {func(*txn) error { panic("boom") }, "boom"},
		"a nil pointer":          {func(*txn) error { var s *broker.Session; s.Ended = true; return nil }, "nil pointer"},
		"a panic after a write":  {func(t *txn) error { t.putMeta("junk", []byte("junk")); panic("boom") }, "boom"},
		"a write that fails":     {func(t *txn) error { t.put(grantKind, nil, []byte("x")); return nil }, "key required"},
		"a delete that fails":    {func(t *txn) error { t.delete(99, nil); return nil }, "index out of range"},
		"a refusal that written": {func(t *txn) error { t.putMeta("junk", []byte("junk")); return broker.ErrNotFound }, "wrote and then refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testStore(t)
			before := s.Commits()
			once := broker.Once{Key: broker.DigestOf("once"), Expires: time.Now()}
			errs := together(t, s,
				func() error { return turn(s, "first") },
				func() error {
					return s.update(context.Background(), func(x *txn) error { x.consume([]broker.Once{once}); return tc.verb(x) })
				},
				func() error {
					return s.update(context.Background(), func(x *txn) error { return x.unused([]broker.Once{once}) })
				},
				func() error { return turn(s, "last") },
			)
			if errs[0] != nil || errs[2] != nil || errs[3] != nil {
				t.Errorf("the others: %v, %v, %v", errs[0], errs[2], errs[3])
			}
			if errs[1] == nil || !strings.Contains(errs[1].Error(), tc.says) {
				t.Errorf("the verb itself: %v, want it to say %q", errs[1], tc.says)
			}
			if !turned(t, s, "first") || !turned(t, s, "last") || s.Ready() != nil {
				t.Errorf("what was answered is not there, or the store is not ready: %v", s.Ready())
			}
			if n := s.Commits() - before; n != 1 {
				t.Errorf("%d commits, want 1", n)
			}
			var junk []byte
			_ = s.view(t.Context(), func(v *view) error { junk = v.meta("junk"); return nil })
			if junk != nil {
				t.Error("the write of the verb that failed was committed")
			}
		})
	}
}

func TestAFailedCommitMakesTheStoreReadOnly(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(*Store){
		"an error": func(s *Store) {
			s.commitTx = func(tx *bbolt.Tx) error { _ = tx.Rollback(); return errors.New("disk on fire") }
		},
		"a panic":               func(s *Store) { s.commitTx = func(*bbolt.Tx) error { panic("page of a wrong type") } },
		"a file that was lost":  func(s *Store) { _ = s.file.Close() },
		"an fsync that failed":  func(s *Store) { s.db.NoSync = false; _ = s.file.Close() },
		"a panic in the middle": func(s *Store) { s.commitTx = func(tx *bbolt.Tx) error { _ = tx.Commit(); panic("after the fact") } },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testStore(t)
			if err := turn(s, "before"); err != nil {
				t.Fatal(err)
			}
			breakIt(s)
			errs := together(t, s, func() error { return turn(s, "a") }, func() error { return turn(s, "b") })
			errs = append(errs, turn(s, "c"), s.Ready())
			_, err := s.Sweep(t.Context(), time.Now(), 10)
			for i, err := range append(errs, err) {
				if !errors.Is(err, broker.ErrReadOnly) {
					t.Errorf("answer %d: %v, want %v", i, err, broker.ErrReadOnly)
				}
			}
			if !turned(t, s, "before") {
				t.Error("what was committed before cannot be read")
			}
			closed := make(chan struct{})
			go func() { _ = s.Close(); close(closed) }()
			select {
			case <-closed:
			case <-time.After(10 * time.Second):
				t.Fatal("Close hangs")
			}
		})
	}
}

func TestAVerbThatWaitsIsWithdrawnWithItsContext(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	ran := false
	errs := together(t, s,
		func() error { return s.update(ctx, func(*txn) error { ran = true; return nil }) },
		func() error { cancel(); return turn(s, "other") },
	)
	if !errors.Is(errs[0], context.Canceled) || ran {
		t.Errorf("error %v, ran %v", errs[0], ran)
	}
	if errs[1] != nil || !turned(t, s, "other") {
		t.Errorf("the other verb: %v", errs[1])
	}
}

func TestAVerbThatHasStartedIsAnswered(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.update(ctx, func(x *txn) error {
		cancel()
		time.Sleep(5 * time.Millisecond)
		x.putMeta("kept", []byte("kept"))
		return nil
	})
	if err != nil {
		t.Errorf("error %v for a verb that was committed", err)
	}
}

func TestAClosedStoreAnswersWithErrors(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	errs := together(t, s, func() error { return turn(s, "queued") }, func() error {
		go func() { _ = s.Close() }()
		return turn(s, "late")
	})
	if errs[0] != nil {
		t.Errorf("what was queued before Close: %v", errs[0])
	}
	for range 3 {
		if err := s.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
	}
	if err := turn(s, "after"); !errors.Is(err, errClosed) {
		t.Errorf("a verb after Close: %v", err)
	}
	if _, err := s.Switch(t.Context(), broker.ClientSwitch, "queued"); err == nil {
		t.Error("a read after Close was answered")
	}
}
