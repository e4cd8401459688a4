package bolt

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"gatehouse/broker/seal"
)

// Options say how a file is opened. Only Seal is required.
type Options struct {
	// Seal holds the secrets under which private keys are kept. A file belongs to the secrets it was made with.
	Seal *seal.Keyring
	// Log hears of repaired permissions, damaged records and failed writes; nil is silent.
	Log *slog.Logger
	// Timeout is how long to wait for another process to release the file; zero means one second.
	Timeout time.Duration
	// Retention is how long events are kept; zero means 90 days.
	Retention time.Duration
	// InitialMmapSize is how many bytes of address space to reserve: growing past it makes one commit wait for running
	// reads. Zero means 1 GiB, or 64 MiB where addresses are short. It costs neither memory nor disk.
	InitialMmapSize int
	// NoSync leaves out every fsync: a crash of the machine loses data. For tests.
	NoSync bool
}

const (
	defaultTimeout   = time.Second
	defaultRetention = 90 * 24 * time.Hour
	defaultMmapSize  = 1 << 30
	shortMmapSize    = 64 << 20
)

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Retention <= 0 {
		o.Retention = defaultRetention
	}
	if o.InitialMmapSize <= 0 {
		o.InitialMmapSize = defaultMmapSize
		if ^uint(0)>>32 == 0 {
			o.InitialMmapSize = shortMmapSize
		}
	}
	return o
}

// Open opens the file at path, or makes it (0600) when there is none; its directory must exist. A file that is not
// certainly ours and whole is refused, left as it is, with an error that wraps one of this package's and says what to
// do.
func Open(path string, o Options) (*Store, error) {
	if o.Seal == nil {
		return nil, errors.New("bolt: no secret_key: private keys cannot be sealed")
	}
	s, err := openStore(path, o.withDefaults())
	if err == nil {
		return s, nil
	}
	if a := advice(err); a != "" {
		return nil, fmt.Errorf("bolt: %s: %w: %s", path, err, a)
	}
	return nil, fmt.Errorf("bolt: opening %s: %w", path, err)
}

func openStore(path string, o Options) (*Store, error) {
	file, err := openFile(path, o)
	if err != nil {
		return nil, err
	}
	s := &Store{
		file:      file,
		box:       o.Seal.Box(sealPurpose),
		log:       o.Log,
		retention: o.Retention,
		queue:     make(chan *job, maxQueue),
		idle:      make(chan struct{}),
		commitTx:  (*bbolt.Tx).Commit,
	}
	if err := s.start(o); err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	go s.write()
	return s, nil
}

// start lets bbolt have the file after it has been looked at. bbolt trusts what it maps into memory: on a damaged page
// it panics, or touches an address outside the file.
func (s *Store) start(o Options) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			s.stuck = true
			err = fmt.Errorf("%w (%w)", ErrCorrupt, faultOf(p))
		}
	}()
	if err := inspect(s.file); err != nil {
		return err
	}
	s.db, err = bbolt.Open(s.file.Name(), 0o600, &bbolt.Options{
		Timeout:         o.Timeout,
		FreelistType:    bbolt.FreelistMapType,
		NoFreelistSync:  true,
		InitialMmapSize: o.InitialMmapSize,
		NoSync:          o.NoSync,
		NoGrowSync:      o.NoSync,
		NoStatistics:    true,
		OpenFile:        func(string, int, os.FileMode) (*os.File, error) { return s.file, nil },
	})
	switch {
	case errors.Is(err, berrors.ErrInvalid) || errors.Is(err, berrors.ErrChecksum):
		return fmt.Errorf("%w (%w)", ErrCorrupt, err)
	case err != nil: // a full disk, too little address space: nothing is wrong with the file
		return err
	}
	return s.prepare()
}

// prepare makes an empty file ours, recognises any other, brings it up to our format and seals anew what is under an
// older secret.
func (s *Store) prepare() error {
	tx, err := s.db.Begin(true)
	if err != nil {
		return err
	}
	t := &txn{view: view{tx: tx}, space: &s.space}
	changed := t.empty()
	if changed {
		err = t.create(s.box, s.file)
	} else {
		changed, err = t.adopt(s.box)
	}
	if err != nil || !changed {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// abandon releases the file after a refusal. Where bbolt stopped in the middle its own Close might wait for itself.
func (s *Store) abandon() error {
	if s.db != nil && !s.stuck {
		return s.db.Close()
	}
	if s.stuck {
		return release(s.file)
	}
	if err := s.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) { // bbolt closes what it fails to open
		return err
	}
	return nil
}
