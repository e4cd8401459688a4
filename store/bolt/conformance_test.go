package bolt_test

import (
	"path/filepath"
	"testing"

	"gatehouse/broker"
	"gatehouse/store/bolt"
	"gatehouse/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) broker.Store {
		return open(t, filepath.Join(t.TempDir(), "broker.db"), bolt.Options{NoSync: true})
	})
}

func TestConformanceOnDisk(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("syncs to disk")
	}
	storetest.Run(t, func(t *testing.T) broker.Store {
		return open(t, filepath.Join(t.TempDir(), "broker.db"), bolt.Options{})
	})
}

func TestPersistence(t *testing.T) {
	t.Parallel()
	storetest.Persist(t, func(t *testing.T, name string) broker.Store {
		return open(t, filepath.Join(name, "broker.db"), bolt.Options{})
	})
}
