package registration

import (
	"bytes"
	"path/filepath"
	"testing"

	"gatehouse/broker/seal"
	"gatehouse/store/bolt"
)

// openStore opens a store as the program does, less the waiting for the disk.
func openStore(t testing.TB) *bolt.Store {
	t.Helper()
	secrets, err := seal.New(bytes.Repeat([]byte{1}, seal.MinSecret))
	if err != nil {
		t.Fatal(err)
	}
	store, err := bolt.Open(filepath.Join(t.TempDir(), "broker.db"), bolt.Options{Seal: secrets, NoSync: true, InitialMmapSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}
