package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

// testUnused is how long clients of these tests may stay unused.
const testUnused = time.Hour

func testRegistration(id string) broker.Registration {
	return broker.Registration{ClientID: id, MACSecret: []byte("the secret of " + id), CreatedAt: testNow, Unused: testUnused}
}

// registerSigning registers clients that sign with their secrets.
func registerSigning(t testing.TB, s *Store, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := s.Register(t.Context(), testRegistration(id), nil, broker.Event{}); err != nil {
			t.Fatal(err)
		}
	}
}

// signsWith checks that the secrets of such clients come back.
func signsWith(t *testing.T, s *Store, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if r, err := s.Registration(t.Context(), id, testNow); err != nil || string(r.MACSecret) != "the secret of "+id {
			t.Errorf("client %s: secret %q, error %v", id, r.MACSecret, err)
		}
	}
}

func saltOf(t testing.TB, s *Store) string {
	t.Helper()
	salt, err := s.PairwiseSalt(t.Context())
	if err != nil || len(salt) != saltLength {
		t.Fatalf("salt of %d bytes, error %v", len(salt), err)
	}
	return string(salt)
}

// ST-02, as with signing keys.
func TestASealedSecretOfAClientOpensInItsPlaceOnly(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	registerSigning(t, s, "a", "b", "c")
	if err := s.update(t.Context(), func(x *txn) error {
		a, b := x.registration("a"), x.registration("b")
		a.MACSecret, b.MACSecret = b.MACSecret, a.MACSecret
		x.putRegistration(a)
		x.putRegistration(b)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		if r, err := s.Registration(t.Context(), id, testNow); !errors.Is(err, seal.ErrOpen) || r.MACSecret != nil {
			t.Errorf("client %s: %+v, error %v", id, r, err)
		}
	}
	signsWith(t, s, "c")
}

func TestTwoFilesHaveTwoSalts(t *testing.T) {
	t.Parallel()
	if a, b := saltOf(t, testStore(t)), saltOf(t, testStore(t)); a == b {
		t.Errorf("both have %x", a)
	}
}

// Another salt would give everybody a new subject at every client.
func TestASaltThatCannotBeReadIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*txn){
		"a damaged value": func(x *txn) { x.put(saltKind, []byte(pairwiseSalt), []byte("?")) },
		"a damaged key": func(x *txn) {
			value := bytes.Clone(x.bucket(saltKind).Get([]byte(pairwiseSalt)))
			x.delete(saltKind, []byte(pairwiseSalt))
			x.put(saltKind, []byte("pairwisf"), value)
		},
	} {
		s := testStore(t)
		saltOf(t, s)
		if err := s.update(t.Context(), func(x *txn) error { damage(x); return nil }); err != nil {
			t.Fatal(err)
		}
		if salt, err := s.PairwiseSalt(t.Context()); !errors.Is(err, errDamaged) {
			t.Errorf("%s: salt %x, error %v", name, salt, err)
		}
	}
	s := testStore(t)
	sealedElsewhere := testSeal(t).Box(sealPurpose).Seal(make([]byte, saltLength), []byte("elsewhere"))
	if err := s.update(t.Context(), func(x *txn) error {
		write(x, saltKind, []byte(pairwiseSalt), &sealedElsewhere, encodeSalt)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if salt, err := s.PairwiseSalt(t.Context()); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("salt %x, error %v", salt, err)
	}
}

func TestAQuotaHasOneRecordOfOneLength(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	q := &broker.Quota{Token: broker.DigestOf("token"), Limit: 300}
	length := func() (n int) {
		if err := s.view(t.Context(), func(v *view) error { n = len(v.bucket(quotaKind).Get(q.Token[:])); return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var first int
	for n := range 300 {
		if err := s.Register(t.Context(), testRegistration(fmt.Sprint(n)), q, broker.Event{}); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = length()
		}
	}
	if n := count(t, s)[quotaKind]; n != 1 || length() != first {
		t.Errorf("%d records, and %d bytes after %d at first", n, length(), first)
	}
}

func TestARegistrationHasOneReminderHoweverOftenItIsUsed(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	registerSigning(t, s, "a", "b")
	now := testNow
	for n := range 200 {
		now = now.Add(testUnused / 5)
		if err := s.UseRegistration(t.Context(), "a", now, testUnused); err != nil {
			t.Fatal(err)
		}
		if n%3 == 0 {
			r, err := s.Registration(t.Context(), "a", now)
			if err != nil {
				t.Fatal(err)
			}
			r.Revision++
			r.Unused = testUnused + time.Duration(n)*time.Second
			if err := s.ReplaceRegistration(t.Context(), r, broker.Event{}); err != nil {
				t.Fatal(err)
			}
		}
		sweepAll(t, s, now)
		if n := count(t, s); n[registrationKind] > 2 || n[laterKind] != n[registrationKind] {
			t.Fatalf("%d clients and %d reminders", n[registrationKind], n[laterKind])
		}
	}
	sweepAll(t, s, now.Add(24*time.Hour))
	if n := count(t, s); n[registrationKind] != 0 || n[laterKind] != 0 {
		t.Errorf("left behind: %v", n)
	}
}

func TestARegistrationThatIsKeptAfterAllHasNoReminder(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	registerSigning(t, s, "a")
	kept := testRegistration("a")
	kept.Revision, kept.Unused = 2, 0
	if err := s.ReplaceRegistration(t.Context(), kept, broker.Event{}); err != nil {
		t.Fatal(err)
	}
	sweepAll(t, s, testNow.Add(testUnused))
	if n := count(t, s); n[registrationKind] != 1 || n[laterKind] != 0 {
		t.Errorf("%d clients and %d reminders", n[registrationKind], n[laterKind])
	}
}

func TestARegistrationThatWasDeletedLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	for n := range 50 {
		id := fmt.Sprint(n)
		registerSigning(t, s, id)
		if err := s.Unregister(t.Context(), id, broker.Event{At: testNow}); err != nil {
			t.Fatal(err)
		}
	}
	sweepAll(t, s, testNow.Add(testUnused))
	if n := count(t, s); n[registrationKind] != 0 || n[laterKind] != 0 {
		t.Errorf("left behind: %v", n)
	}
}

func TestADamagedRegistrationStopsWhoMeetsItAndNothingElse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	s := withKeys(t, path, ringOf(t, 1))
	registerSigning(t, s, "a", "b", "moved")
	if err := s.update(t.Context(), func(x *txn) error {
		x.put(registrationKind, []byte("a"), []byte("?"))
		moved := x.registration("moved")
		moved.MACSecret = x.registration("b").MACSecret
		x.putRegistration(moved)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	next := testRegistration("a")
	next.Revision = 2
	problems := map[string]error{
		"registering": s.Register(ctx, testRegistration("a"), nil, broker.Event{}),
		"replacing":   s.ReplaceRegistration(ctx, next, broker.Event{}),
		"using":       s.UseRegistration(ctx, "a", testNow, testUnused),
		"deleting":    s.Unregister(ctx, "a", broker.Event{}),
	}
	_, problems["reading"] = s.Registration(ctx, "a", testNow)
	for what, err := range problems {
		if !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, ring := range [][]byte{{2, 1}, {2}} { // sealing anew passes it
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = withKeys(t, path, ringOf(t, ring...))
		signsWith(t, s, "b")
	}
	sweepAll(t, s, testNow.Add(24*time.Hour))
	if n := count(t, s); n[registrationKind] != 1 || n[laterKind] != 0 {
		t.Errorf("left: %v", n)
	}
}
