package bolt

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

func withKeys(t *testing.T, path string, ring *seal.Keyring) *Store {
	t.Helper()
	s, err := Open(path, Options{Seal: ring, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func replace(t *testing.T, s *Store) {
	t.Helper()
	_, version, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set := []broker.Key{{ID: "a", Private: []byte("the private part of a")}, {ID: "b", Private: []byte("the private part of b")}}
	if err := s.ReplaceKeys(t.Context(), version, set, broker.Event{}); err != nil {
		t.Fatal(err)
	}
}

func privateParts(t *testing.T, s *Store) string {
	t.Helper()
	set, _, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, k := range set {
		all += string(k.Private) + ";"
	}
	return all
}

const wantParts = "the private part of a;the private part of b;"

// ST-02.
func TestSecretsAreInTheFileOnlySealedOrDigested(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	s := withKeys(t, path, testSeal(t))
	replace(t, s)
	signIn1(t, s, "ada")
	registerSigning(t, s, "a", "b")
	salt := saltOf(t, s)
	startDevice(t, s, testDevice("television", "wiki", testNow))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"the private part", "secretada", "codeada", canary, "the secret of", "television", salt} {
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("%q is in the file", secret)
		}
	}
	if !bytes.Contains(content, []byte("google.example")) {
		t.Error("the search finds nothing at all")
	}
}

// ST-02: the sealed parts are exchanged and the checksums made to fit, as somebody who can write the file would.
func TestASealedKeyOpensInItsPlaceOnly(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	replace(t, s)
	if err := s.update(t.Context(), func(x *txn) error {
		a, b := read(&x.view, keyKind, []byte("a"), decodeKey), read(&x.view, keyKind, []byte("b"), decodeKey)
		a.Private, b.Private = b.Private, a.Private
		write(x, keyKind, []byte("a"), a, encodeKey)
		write(x, keyKind, []byte("b"), b, encodeKey)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if set, _, err := s.Keys(t.Context()); !errors.Is(err, seal.ErrOpen) || set != nil {
		t.Errorf("keys %v, error %v", set, err)
	}
}

func TestASecretIsReplacedByPuttingANewOneInFront(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	s := withKeys(t, path, ringOf(t, 1))
	replace(t, s)
	registerSigning(t, s, "a", "b")
	salt := saltOf(t, s)
	for _, step := range []struct {
		name string
		ring []byte
	}{
		{"the old one", []byte{1}},
		{"a new one in front", []byte{2, 1}},
		{"the new one alone", []byte{2}},
	} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = withKeys(t, path, ringOf(t, step.ring...))
		if got := privateParts(t, s); got != wantParts {
			t.Errorf("%s: %q", step.name, got)
		}
		if saltOf(t, s) != salt {
			t.Errorf("%s: another salt", step.name)
		}
		signsWith(t, s, "a", "b")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{Seal: ringOf(t, 1)}); !errors.Is(err, ErrSecret) {
		t.Errorf("the old one alone: %v", err)
	}
}
