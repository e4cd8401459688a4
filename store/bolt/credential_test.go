package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/broker"
)

func ask(broker.State) broker.Decision { return broker.Decision{Verdict: broker.Ask} }

// keeping signs a person in at a moment, with what becomes of the credential.
func keeping(t testing.TB, s *Store, subject string, at time.Time, n *broker.NewCredential) broker.Digest {
	t.Helper()
	l := testLogin(subject)
	l.Now, l.Once, l.ClientID, l.Credential = at, nil, "", n
	out, err := s.CompleteLogin(t.Context(), l, ask)
	if err != nil {
		t.Fatal(err)
	}
	return out.Identity.Key.Digest()
}

func handedOut(sealed string, forget time.Time) *broker.NewCredential {
	return &broker.NewCredential{Sealed: []byte(sealed), Forget: forget}
}

// lease takes a lease at a moment that must be had.
func lease(t testing.TB, s *Store, d broker.Digest, at time.Time) broker.Credential {
	t.Helper()
	c, err := s.Credential(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	c, err = s.LeaseCredential(t.Context(), broker.CredentialLease{Identity: d, ID: "lease", Asked: c.AskedAt, Now: at, Until: at.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACredentialIsKeptAsItWasSealed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	s := withKeys(t, path, ringOf(t, 1))
	d := keeping(t, s, "ada", testNow, handedOut("sealed by the caller", testNow.Add(time.Hour)))
	for _, ring := range [][]byte{{1}, {2, 1}, {2}} { // what is sealed by the store is sealed anew, this is not its own
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = withKeys(t, path, ringOf(t, ring...))
		if c, err := s.Credential(t.Context(), d); err != nil || string(c.Sealed) != "sealed by the caller" {
			t.Errorf("secrets %v: %q, error %v", ring, c.Sealed, err)
		}
	}
}

func TestACredentialHasOneReminderHoweverOftenItIsProlonged(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	var d broker.Digest
	for n := range 10 {
		at := testNow.Add(time.Duration(n) * time.Minute)
		d = keeping(t, s, "ada", at, handedOut(fmt.Sprint("sealed ", n), at.Add(time.Hour)))
		held := lease(t, s, d, at)
		if ok, err := s.SettleCredential(t.Context(), broker.Settlement{
			Identity: d, Lease: held.Lease, Now: at, Answer: broker.UpstreamVouches, Forget: at.Add(2 * time.Hour),
		}, broker.Event{}); err != nil || !ok {
			t.Fatalf("held %v, error %v", ok, err)
		}
	}
	if n := count(t, s); n[credentialKind] != 1 || n[laterKind] != 1 {
		t.Errorf("records %v, want one credential and one reminder", n)
	}
	// Each time it is made anew it gets another, and when they come up they become one again.
	for n := range 10 {
		at := testNow.Add(time.Duration(n) * time.Minute)
		keeping(t, s, "ada", at, nil)
		keeping(t, s, "ada", at, handedOut("sealed", at.Add(24*time.Hour)))
	}
	keeping(t, s, "ada", testNow, handedOut("sealed", testNow.Add(48*time.Hour)))
	sweepAll(t, s, testNow.Add(25*time.Hour))
	if n := count(t, s); n[credentialKind] != 1 || n[laterKind] != 1 {
		t.Errorf("records %v, want one credential and one reminder", n)
	}
	sweepAll(t, s, testNow.Add(48*time.Hour))
	if n := count(t, s); n[credentialKind] != 0 || n[laterKind] != 0 {
		t.Errorf("left behind: %v", n)
	}
}

func TestADamagedCredentialStopsWhoMeetsItAndASignInWithoutOneForgetsIt(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	ada := keeping(t, s, "ada", testNow, handedOut("sealed", testNow.Add(time.Hour)))
	grace := keeping(t, s, "grace", testNow, handedOut("sealed", testNow.Add(time.Hour)))
	lease(t, s, ada, testNow)
	if err := s.update(t.Context(), func(x *txn) error {
		value := bytes.Clone(x.bucket(credentialKind).Get(ada[:]))
		value[len(value)-checksumLength-1] ^= 1
		x.put(credentialKind, ada[:], value)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	problems := map[string]error{}
	_, problems["reading"] = s.Credential(ctx, ada)
	_, problems["leasing"] = s.LeaseCredential(ctx, broker.CredentialLease{Identity: ada, ID: "x", Asked: testNow, Now: testNow, Until: testNow.Add(1)})
	_, problems["settling"] = s.SettleCredential(ctx, broker.Settlement{Identity: ada, Lease: "lease", Now: testNow}, broker.Event{})
	for _, n := range []*broker.NewCredential{handedOut("another", testNow), {Forget: testNow}} {
		l := testLogin("ada")
		l.Once, l.ClientID, l.Credential = nil, "", n
		_, problems["signing in"] = s.CompleteLogin(ctx, l, ask)
	}
	for what, err := range problems {
		if !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	lease(t, s, grace, testNow)
	keeping(t, s, "ada", testNow, nil)
	if _, err := s.Credential(ctx, ada); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("after it was forgotten: %v", err)
	}
	if err := s.Ready(); err != nil {
		t.Error(err)
	}
}

// A credential whose identity is lost has nobody to say anything about.
func TestASettlementAboutALostIdentityChangesNothing(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	d := keeping(t, s, "ada", testNow, handedOut("sealed", testNow.Add(time.Hour)))
	lease(t, s, d, testNow)
	if err := s.update(t.Context(), func(x *txn) error { x.delete(identityKind, d[:]); return nil }); err != nil {
		t.Fatal(err)
	}
	before := s.Commits()
	for answer := range broker.UpstreamDenies + 1 {
		if held, err := s.SettleCredential(t.Context(), broker.Settlement{Identity: d, Lease: "lease", Now: testNow, Answer: answer}, broker.Event{}); held || err != nil {
			t.Errorf("answer %d: held %v, error %v", answer, held, err)
		}
	}
	if s.Commits() != before {
		t.Error("something was written")
	}
}

func TestTheEngineNamesWhatACallerMayNotAsk(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	d := keeping(t, s, "ada", testNow, handedOut("sealed", testNow.Add(time.Hour)))
	out := signIn1(t, s, "grace")
	if _, err := s.RedeemCode(t.Context(), broker.Redemption{
		Now: testNow, Key: out.Code.Key, ClientID: "wiki", Bound: func(broker.Code) error { return nil },
		Next: broker.NewRefresh{Digest: broker.DigestOf("token"), Expires: testNow.Add(time.Hour), Forget: testNow.Add(time.Hour)},
	}, broker.State.GrantStanding); err != nil {
		t.Fatal(err)
	}
	rotate := func(settle broker.Settlement) error {
		_, err := s.RotateRefreshToken(t.Context(), broker.Rotation{
			Now: testNow, GrantID: out.Grant.ID, ClientID: "wiki", Presented: broker.DigestOf("token"), Settle: &settle,
		}, broker.State.GrantStanding)
		return err
	}
	_, unnamed := s.LeaseCredential(t.Context(), broker.CredentialLease{Identity: d, Asked: testNow, Now: testNow, Until: testNow.Add(1)})
	_, over := s.LeaseCredential(t.Context(), broker.CredentialLease{Identity: d, ID: "x", Asked: testNow, Now: testNow, Until: testNow})
	lease(t, s, d, testNow)
	_, unknown := s.SettleCredential(t.Context(), broker.Settlement{Identity: d, Lease: "lease", Answer: 9}, broker.Event{})
	for what, tc := range map[string]struct{ err, wanted error }{
		"a lease without a name":     {unnamed, errLease},
		"a lease that is over":       {over, errLease},
		"an unknown answer":          {unknown, errAnswer},
		"a rotation and silence":     {rotate(broker.Settlement{Identity: out.Grant.Identity}), errAnswer},
		"a rotation and a no":        {rotate(broker.Settlement{Identity: out.Grant.Identity, Answer: broker.UpstreamDenies}), errAnswer},
		"a rotation and another one": {rotate(broker.Settlement{Identity: d, Lease: "lease", Answer: broker.UpstreamVouches}), errForeign},
	} {
		if !errors.Is(tc.err, tc.wanted) {
			t.Errorf("%s: %v, want %v", what, tc.err, tc.wanted)
		}
	}
}

func TestTheSweeperPassesADamagedCredential(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	var people []broker.Digest
	for n := range 5 {
		people = append(people, keeping(t, s, fmt.Sprint(n), testNow, handedOut("sealed", testNow.Add(time.Hour))))
	}
	if err := s.update(t.Context(), func(x *txn) error { x.put(credentialKind, people[2][:], []byte("?")); return nil }); err != nil {
		t.Fatal(err)
	}
	sweepAll(t, s, testNow.Add(24*time.Hour))
	if n := count(t, s); n[credentialKind] != 1 || n[laterKind] != 0 {
		t.Errorf("left: %v", n)
	}
}
