package bolt

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
)

// These are rules that need a look inside: states that no verb of the contract leads to yet, and what is left in the
// file.

func TestATakenAccountIDIsReplacedByTheRandomOne(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	l := testLogin("ada")
	taken := l.Identity.Key.ProposedAccountID()
	occupy := func(id string) {
		if err := s.update(t.Context(), func(x *txn) error { x.putAccount(&broker.Account{ID: id}); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	occupy(taken)
	out, err := s.CompleteLogin(t.Context(), l, issue)
	if err != nil || out.Account.ID != l.AccountID {
		t.Fatalf("account %+v, error %v, want %q", out.Account, err, l.AccountID)
	}
	again := testLogin("ada")
	again.Once = nil
	again.Issue.Code.Key[0]++
	again.AccountID = "a third"
	if out, err = s.CompleteLogin(t.Context(), again, issue); err != nil || out.Account.ID != l.AccountID {
		t.Errorf("coming back: account %+v, error %v", out.Account, err)
	}

	grace := testLogin("grace")
	occupy(grace.Identity.Key.ProposedAccountID())
	for _, id := range []string{"", l.AccountID} {
		grace.AccountID = id
		if _, err := s.CompleteLogin(t.Context(), grace, issue); !errors.Is(err, broker.ErrConflict) {
			t.Errorf("a random identifier %q: error %v", id, err)
		}
	}
}

func TestAnIdentityThatWasLostMakesNoSecondAccount(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	l := testLogin("ada")
	signIn1(t, s, "ada")
	if err := s.update(t.Context(), func(x *txn) error {
		d := l.Identity.Key.Digest()
		x.delete(identityKind, d[:])
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	l.Once = nil
	if out, err := s.CompleteLogin(t.Context(), l, issue); !errors.Is(err, errDamaged) {
		t.Errorf("account %+v, error %v", out.Account, err)
	}
}

func TestTheLatestSignInOfASessionIsTaken(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	out := signIn1(t, s, "ada")
	link := func(connector string, at time.Time) {
		if err := s.update(t.Context(), func(x *txn) error {
			key := broker.IdentityKey{Connector: connector, Subject: "ada"}
			x.putIdentity(key.Digest(), &broker.LinkedIdentity{Key: key, AccountID: out.Account.ID})
			session := x.session(out.Session.ID)
			signIn(session, broker.SignIn{Connector: connector, Identity: key.Digest(), At: at})
			x.putSession(session)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	link("later", testNow.Add(time.Minute))
	link("earlier", testNow.Add(-time.Minute))
	ref := broker.SessionRef{ID: out.Session.ID, Secret: broker.DigestOf("secret" + "ada")}
	for asked, wanted := range map[string]string{"": "later", "later": "later", "earlier": "earlier", "google": "google"} {
		st, err := s.Session(t.Context(), ref, "wiki", asked, testNow)
		if err != nil || st.Identity == nil || st.Identity.Key.Connector != wanted || st.SessionStanding(wanted) != nil {
			t.Errorf("asked for %q: %+v, error %v", asked, st.Identity, err)
		}
	}
	// A grant on one sign-in knows nothing of the others.
	if err := s.SetSwitch(t.Context(), broker.ConnectorSwitch, "later", true, broker.Event{}); err != nil {
		t.Fatal(err)
	}
	if st, err := s.Grant(t.Context(), out.Grant.ID, testNow); err != nil || st.GrantStanding() != nil {
		t.Errorf("the grant on google: %v, %v", err, st.GrantStanding())
	}
}

func TestAProfileThatDidNotChangeIsWrittenOncePerHour(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	signIn1(t, s, "ada")
	seen := func(after time.Duration, change func(*broker.Login)) time.Time {
		l := testLogin("ada")
		l.Now = testNow.Add(after)
		l.Once, l.ClientID = nil, ""
		change(&l)
		out, err := s.CompleteLogin(t.Context(), l, func(broker.State) broker.Decision { return broker.Decision{Verdict: broker.Ask} })
		if err != nil {
			t.Fatal(err)
		}
		_, linked, err := s.Account(t.Context(), out.Account.ID)
		if err != nil || !linked[0].SeenAt.Equal(out.Identity.SeenAt) {
			t.Fatalf("identities %+v, outcome %+v, error %v", linked, out.Identity, err)
		}
		return linked[0].SeenAt
	}
	nothing := func(*broker.Login) {}
	if got := seen(time.Hour-1, nothing); !got.Equal(testNow) {
		t.Errorf("seen at %v before the hour was over", got)
	}
	if got := seen(time.Minute, func(l *broker.Login) { l.Identity.Profile.Groups = []string{"new"} }); !got.Equal(testNow.Add(time.Minute)) {
		t.Errorf("seen at %v with another profile", got)
	}
	if got := seen(3*time.Hour, func(l *broker.Login) { l.Identity.Profile.Groups = []string{"new"} }); !got.Equal(testNow.Add(3 * time.Hour)) {
		t.Errorf("seen at %v after the hour", got)
	}
}

// count returns how many records each bucket has.
func count(t *testing.T, s *Store) map[kind]int {
	t.Helper()
	n := map[kind]int{}
	if err := s.view(t.Context(), func(v *view) error {
		for k := range kinds {
			c := v.bucket(k).Cursor()
			for key, _ := c.First(); key != nil; key, _ = c.Next() {
				n[k]++
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func sweepAll(t *testing.T, s *Store, now time.Time) {
	t.Helper()
	for {
		n, err := s.Sweep(t.Context(), now, 5)
		if err != nil {
			t.Fatal(err)
		}
		if n < 5 {
			return
		}
	}
}

func TestTheSweeperLeavesNoOrphan(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	s := testStoreAt(t, path)
	for n := range 20 {
		l := testLogin(fmt.Sprint(n))
		switch n % 4 {
		case 1: // identifiers that say nothing about time
			l.Session.ID, l.Issue.Grant.ID = fmt.Sprint("session ", n), fmt.Sprint("grant ", n)
		case 2:
			l.Session.ID = strings.ToLower(l.Session.ID)
		}
		out, err := s.CompleteLogin(t.Context(), l, issue)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.RedeemCode(t.Context(), broker.Redemption{
			Now: testNow, Key: l.Issue.Code.Key, ClientID: "wiki", Bound: func(broker.Code) error { return nil },
			Next: broker.NewRefresh{Digest: broker.DigestOf("x"), Expires: testNow.Add(time.Hour), Forget: testNow.Add(2 * time.Hour)},
		}, broker.State.GrantStanding)
		if err != nil {
			t.Fatal(err)
		}
		if n%5 == 0 {
			if err := s.RevokeGrant(t.Context(), out.Grant.ID, broker.Event{At: testNow}); err != nil {
				t.Fatal(err)
			}
		}
	}
	sweepAll(t, s, testNow.Add(time.Hour)) // reminders for the grants that were prolonged
	if n := count(t, s); n[grantKind] != 16 || n[laterKind] == 0 || n[codeKind] != 0 || n[sessionKind] != 0 || n[onceKind] != 0 {
		t.Errorf("after an hour: %v", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = testStoreAt(t, path)
	sweepAll(t, s, testNow.Add(2*time.Hour))
	sweepAll(t, s, testNow.Add(100*24*time.Hour)) // events
	n := count(t, s)
	for k, left := range map[kind]int{accountKind: 20, identityKind: 20} {
		if n[k] != left {
			t.Errorf("%d %s, want %d", n[k], buckets[k], left)
		}
		delete(n, k)
	}
	delete(n, metaKind)
	if len(n) != 0 {
		t.Errorf("left behind: %v", n)
	}
}

func TestTheSweeperGoesBackForWhatIsMadeBehindIt(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	early := signIn1(t, s, "early")
	sweepAll(t, s, testNow.Add(48*time.Hour)) // the clock was wrong
	for n := range 10 {                       // some of whose digests sort before the first
		signIn1(t, s, fmt.Sprint(n))
	}
	sweepAll(t, s, testNow.Add(48*time.Hour))
	if n := count(t, s); n[sessionKind]+n[grantKind]+n[codeKind]+n[onceKind]+n[laterKind] != 0 {
		t.Errorf("left behind: %v", n)
	}
	if _, err := s.Grant(t.Context(), early.Grant.ID, testNow); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestTheSweeperPassesADamagedRecord(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	var outcomes []broker.Outcome
	for n := range 5 {
		outcomes = append(outcomes, signIn1(t, s, fmt.Sprint(n)))
	}
	if err := s.update(t.Context(), func(x *txn) error {
		x.put(grantKind, []byte(outcomes[2].Grant.ID), []byte("?"))
		x.put(laterKind, []byte("?"), nil)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	sweepAll(t, s, testNow.Add(24*time.Hour))
	if n := count(t, s); n[grantKind] != 1 || n[codeKind] != 0 || n[laterKind] != 0 {
		t.Errorf("left: %v", n)
	}
}

func TestOneTimeKeysAreKnownAfterAStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	s := testStoreAt(t, path)
	signIn1(t, s, "ada")
	signIn1(t, s, "grace")
	sweepAll(t, s, testNow.Add(time.Minute-time.Second))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = testStoreAt(t, path)
	again := testLogin("ada")
	again.Once[0].Expires = testNow.Add(10 * time.Hour)
	if _, err := s.CompleteLogin(t.Context(), again, issue); !errors.Is(err, broker.ErrOnceUsed) {
		t.Errorf("error %v", err)
	}
	sweepAll(t, s, testNow.Add(time.Minute))
	if len(s.once.used) != 0 {
		t.Errorf("%d keys are still in memory", len(s.once.used))
	}
}
