package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/broker"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// testLogin is a first sign-in of a person, to issue a grant.
func testLogin(subject string) broker.Login {
	forget := testNow.Add(time.Hour)
	digest := func(of string) broker.Digest { return broker.DigestOf(of + subject) }
	return broker.Login{
		Now:       testNow,
		Once:      []broker.Once{{Key: digest("once"), Expires: testNow.Add(time.Minute)}},
		Identity:  broker.Identity{Key: broker.IdentityKey{Connector: "google", Issuer: "https://google.example", Subject: subject}},
		AccountID: "another " + subject,
		Session: broker.NewSession{
			ID: broker.NewID(forget), Secret: digest("secret"), Expires: forget, IdleUntil: forget, Forget: forget,
		},
		ClientID: "wiki",
		Issue: broker.Issuance{
			Grant: broker.Grant{ID: broker.NewID(forget), Offline: true, Forget: forget},
			Code:  broker.Code{Key: broker.NewExpiringKey(forget, digest("code")), Expires: testNow.Add(time.Minute)},
		},
	}
}

func issue(broker.State) broker.Decision { return broker.Decision{Verdict: broker.Issue} }

func signIn1(t testing.TB, s *Store, subject string) broker.Outcome {
	t.Helper()
	out, err := s.CompleteLogin(t.Context(), testLogin(subject), issue)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// filled is the content of a file with some of everything, once closed cleanly and once as a kill leaves it, and what
// is in it.
func filled(t testing.TB) (clean, killed []byte, made []broker.Outcome) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broker.db")
	s, err := Open(path, Options{Seal: testSeal(t), NoSync: true, InitialMmapSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 24 {
		l := testLogin(fmt.Sprint(n))
		l.Credential = handedOut("sealed for "+l.Identity.Key.Subject, testNow.Add(time.Hour))
		out, err := s.CompleteLogin(t.Context(), l, issue)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, out)
		if n%2 == 0 {
			lease(t, s, out.Grant.Identity, testNow)
		}
		fillAnew(t, s, n, out)
	}
	for n := range 3 {
		if err := turn(s, fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ReplaceKeys(t.Context(), 0, []broker.Key{{ID: "a", Private: []byte("private")}}, broker.Event{}); err != nil {
		t.Fatal(err)
	}
	if killed, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if clean, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return clean, killed, made
}

// fillAnew adds a device, denied or to be decided, and a registered client.
func fillAnew(t testing.TB, s *Store, n int, who broker.Outcome) {
	t.Helper()
	d := startDevice(t, s, testDevice(fmt.Sprint(n), "wiki", testNow))
	if n%2 == 0 {
		if err := s.DenyDevice(t.Context(), denial(refOf(who, fmt.Sprint(n)), d)); err != nil {
			t.Fatal(err)
		}
	}
	registerSigning(t, s, fmt.Sprint("client ", n))
	saltOf(t, s)
}

// exerciseAnew is exercise for what fillAnew adds.
func exerciseAnew(ctx context.Context, s *Store, n int) error {
	d := testDevice(fmt.Sprint(n), "wiki", testNow).Device
	got, err := s.Device(ctx, d.Key, "wiki")
	if err == nil && (got.UserCode != d.UserCode || got.Decision == broker.DeviceApproved || (got.Decision == broker.DeviceDenied) != (n%2 == 0)) {
		return fmt.Errorf("device %+v is another", got)
	}
	if got, err := s.DeviceByUserCode(ctx, d.UserCode, testNow); err == nil && (got.Key != d.Key || n%2 == 0) {
		return fmt.Errorf("device %+v of a user code is another", got)
	}
	if err := pollDevice(ctx, s, d, testNow); err == nil {
		return fmt.Errorf("device %d was redeemed, and nobody approved it", n)
	}
	id := fmt.Sprint("client ", n)
	if r, err := s.Registration(ctx, id, testNow); err == nil && (string(r.MACSecret) != "the secret of "+id || r.Revision != 1) {
		return fmt.Errorf("registration %+v of %s is another", r, id)
	}
	_ = s.UseRegistration(ctx, id, testNow.Add(time.Minute), testUnused)
	return nil
}

// exercise reads and writes what the file holds. Every answer must be right, or an error, or say that the grant is dead.
func exercise(s *Store, made []broker.Outcome) error {
	ctx := context.Background()
	for n, out := range made {
		if err := exerciseAnew(ctx, s, n); err != nil {
			return err
		}
		st, err := s.Grant(ctx, out.Grant.ID, testNow)
		if err == nil && st.GrantStanding() == nil && (st.Grant.AccountID != out.Account.ID || st.Grant.ClientID != "wiki" ||
			st.Grant.SessionID != out.Session.ID || st.Account.ID != out.Account.ID || st.Identity.AccountID != out.Account.ID) {
			return fmt.Errorf("grant %+v of %+v is another", st.Grant, st)
		}
		_, _, _ = s.Account(ctx, out.Account.ID)
		c, err := s.Credential(ctx, out.Grant.Identity)
		if err == nil && (string(c.Sealed) != "sealed for "+out.Identity.Key.Subject || !c.AskedAt.Equal(testNow) || c.Spent) {
			return fmt.Errorf("credential %+v of %q is another", c, out.Identity.Key.Subject)
		}
		_, err = s.LeaseCredential(ctx, broker.CredentialLease{
			Identity: out.Grant.Identity, ID: "another", Asked: testNow, Now: testNow, Until: testNow.Add(time.Minute),
		})
		if c.Lease != "" && err == nil {
			return fmt.Errorf("credential %+v was leased twice", c)
		}
		_, _ = s.RedeemCode(ctx, broker.Redemption{
			Now: testNow, Key: out.Code.Key, ClientID: "wiki",
			Bound: func(broker.Code) error { return nil },
		}, func(broker.State) error { return errors.New("no") })
	}
	for n := range 3 {
		if sw, err := s.Switch(ctx, broker.ClientSwitch, fmt.Sprint(n)); err == nil && !sw.Disabled {
			return fmt.Errorf("client %d was turned on", n)
		}
	}
	_, _ = s.PairwiseSalt(ctx)
	_, _, _ = s.Keys(ctx)
	_, _, _ = s.Events(ctx, "", 1000)
	_ = turn(s, "another")
	_, _ = s.Sweep(ctx, testNow.Add(240*time.Hour), 1000)
	return nil
}

func TestAFlippedBitIsNoticedOrHarmless(t *testing.T) {
	t.Parallel()
	clean, killed, made := filled(t)
	for name, content := range map[string][]byte{"closed": clean, "killed": killed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "broker.db")
			page, head, stride, refused := os.Getpagesize(), 48, 191, 0
			if testing.Short() {
				head, stride = 16, 1021
			}
			for at := 0; at < len(content); at++ {
				// Every byte of the heads of pages, and some of the rest.
				if offset := at % page; offset >= head && offset%stride != 0 {
					continue
				}
				damaged := bytes.Clone(content)
				damaged[at] ^= 1 << (at % 8)
				if err := os.WriteFile(path, damaged, 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := Open(path, Options{Seal: testSeal(t), NoSync: true, InitialMmapSize: 1})
				if err != nil {
					refused++
					continue
				}
				if err := exercise(s, made); err != nil {
					t.Errorf("byte %d of page %d: %v", at%page, at/page, err)
				}
				_ = s.Close()
			}
			if refused == 0 {
				t.Error("no damage was ever refused")
			}
			t.Logf("%d refused", refused)
		})
	}
}

func TestAWholeFileIsInspectedWithoutComplaint(t *testing.T) {
	t.Parallel()
	clean, killed, _ := filled(t)
	for name, content := range map[string][]byte{"closed": clean, "killed": killed} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := readMeta(file)
		if err != nil || (m.freelist == noFreelist) != (name == "killed") {
			t.Errorf("%s: head %+v, error %v", name, m, err)
		}
		if err := inspect(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = file.Close()
	}
}

// FuzzInspect: whatever the pages hold, looking at them ends and does not panic.
func FuzzInspect(f *testing.F) {
	clean, killed, _ := filled(f)
	f.Add(uint32(8), []byte{1})
	f.Add(uint32(10), []byte{0xff, 0xff})
	f.Add(uint32(16), []byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		for _, content := range [][]byte{clean, killed} {
			damaged := bytes.Clone(content)
			copy(damaged[int(at)%len(damaged):], patch)
			path := filepath.Join(dir, "broker.db")
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			_ = inspect(file)
			_ = file.Close()
		}
	})
}

func TestADamagedRecordStopsWhoMeetsItAndNobodyElse(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	ada, grace := signIn1(t, s, "ada"), signIn1(t, s, "grace")
	if err := s.update(t.Context(), func(x *txn) error {
		value := bytes.Clone(x.bucket(accountKind).Get([]byte(ada.Account.ID)))
		value[2] ^= 1 // Disabled, say
		x.put(accountKind, []byte(ada.Account.ID), value)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Account(t.Context(), ada.Account.ID); !errors.Is(err, errDamaged) {
		t.Errorf("reading it: %v", err)
	}
	if _, err := s.Grant(t.Context(), ada.Grant.ID, testNow); !errors.Is(err, errDamaged) {
		t.Errorf("reading what depends on it: %v", err)
	}
	again := testLogin("ada")
	again.Once = nil
	if _, err := s.CompleteLogin(t.Context(), again, issue); !errors.Is(err, errDamaged) {
		t.Errorf("signing in: %v, want damage and not a new account", err)
	}
	if st, err := s.Grant(t.Context(), grace.Grant.ID, testNow); err != nil || st.GrantStanding() != nil || s.Ready() != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// A page beyond the end of a mapped file is a memory fault, which ends a Go program unless asked for as a panic.
func TestAFileThatIsCutWhileItIsOpenIsAnErrorAndNoCrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	s := testStoreAt(t, path)
	out := signIn1(t, s, "ada")
	if err := os.Truncate(path, int64(2*os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Grant(t.Context(), out.Grant.ID, testNow); err == nil || errors.Is(err, broker.ErrNotFound) {
		t.Errorf("a read: %v", err)
	}
	if err := s.RevokeGrant(t.Context(), out.Grant.ID, broker.Event{}); err == nil || errors.Is(err, broker.ErrNotFound) {
		t.Errorf("a verb: %v", err)
	}
	_ = s.Close()
	if _, err := Open(path, Options{Seal: testSeal(t)}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("opening it again: %v", err)
	}
}

func TestADamagedOneTimeKeyMakesTheStoreReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	s := testStoreAt(t, path)
	if err := s.update(t.Context(), func(x *txn) error {
		x.put(onceKind, binary.BigEndian.AppendUint64(nil, 1), []byte("?"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := testStoreAt(t, path).CompleteLogin(t.Context(), testLogin("ada"), issue); !errors.Is(err, broker.ErrReadOnly) {
		t.Errorf("error %v: a key that cannot be read might have been used", err)
	}
}
