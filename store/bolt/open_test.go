package bolt_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/broker/seal"
	"gatehouse/store/bolt"
)

// keyring makes a ring of secrets that differ in their first byte.
func keyring(t testing.TB, first ...byte) *seal.Keyring {
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

// benchSeal is for benchmarks, which open files outside of any one of them.
func benchSeal() *seal.Keyring {
	k, err := seal.New(bytes.Repeat([]byte{1}, seal.MinSecret))
	if err != nil {
		panic(err)
	}
	return k
}

func open(t testing.TB, path string, o bolt.Options) *bolt.Store {
	t.Helper()
	if o.Seal == nil {
		o.Seal = keyring(t, 1)
	}
	s, err := bolt.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

// TestMain lets the test binary play the process that is killed: see crash_test.go.
func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		crashChild(path)
	}
	code := m.Run()
	removeBenchFile()
	os.Exit(code)
}

func TestAFileIsMadeAndOpenedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	for range 3 {
		s := open(t, path, bolt.Options{NoSync: true})
		if err := s.Ready(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
