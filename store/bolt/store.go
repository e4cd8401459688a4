package bolt

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

// Store is an open file. It implements [broker.Store] and is safe for concurrent use.
type Store struct {
	db        *bbolt.DB
	file      *os.File
	box       *seal.Box
	log       *slog.Logger
	retention time.Duration

	closeOnce sync.Once
	closeErr  error
	closing   sync.RWMutex
	closed    bool
	queue     chan *job
	idle      chan struct{} // closed when the writer has ended

	failure atomic.Pointer[error]
	commits atomic.Uint64

	// Only the writer uses these.
	commitTx func(*bbolt.Tx) error // bbolt's Commit, which tests make fail
	cursors  cursors
	space    arena
	once     onceKeys
	stuck    bool
}

var _ broker.Store = (*Store)(nil)

// Ready reports nil while the store takes changes, and an error that wraps [broker.ErrReadOnly] with its cause after a
// write has failed.
func (s *Store) Ready() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Commits returns how many transactions this process has made durable. What several verbs shared counts once.
func (s *Store) Commits() uint64 { return s.commits.Load() }

// Close answers what is queued, writes the list of free pages, so that the next start need not search for them, and
// releases the file. Reads that run are waited for. Closing again waits for the first and answers as it did.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Store) close() error {
	s.closing.Lock()
	s.closed = true
	close(s.queue)
	s.closing.Unlock()
	<-s.idle
	var err error
	if s.Ready() == nil {
		err = s.settle()
	}
	if s.stuck { // bbolt would wait for its own lock
		return errors.Join(err, release(s.file))
	}
	if closed := s.db.Close(); err == nil && closed != nil {
		err = fmt.Errorf("bolt: closing: %w", closed)
	}
	return err
}

// settle commits once more with the list of free pages.
func (s *Store) settle() error {
	s.db.NoFreelistSync = false
	tx, err := s.db.Begin(true)
	if err == nil {
		err = s.commit(tx)
	}
	if err != nil {
		return fmt.Errorf("bolt: closing: %w", s.fail(err))
	}
	return nil
}
