//go:build unix

package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const lockRetry = 20 * time.Millisecond

// openFile opens or makes the file without following a symbolic link, makes sure that nobody else can read it, and
// locks it before anybody looks inside. bbolt takes the same lock once more, which is no conflict within one descriptor.
func openFile(path string, o Options) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = makeFile(path)
	}
	switch {
	case errors.Is(err, syscall.ELOOP):
		return nil, fmt.Errorf("%w (a symbolic link)", ErrUnsafe)
	case errors.Is(err, syscall.EISDIR):
		return nil, fmt.Errorf("%w (a directory)", ErrUnsafe)
	case err != nil:
		return nil, err
	}
	if err = secure(file, o); err == nil {
		err = lock(file, o.Timeout)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// makeFile makes an empty file and the name of it durable: a commit is worth nothing in a file that a crash of the
// machine leaves without a name.
func makeFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if _, lost := os.Lstat(filepath.Dir(path)); lost != nil {
			return nil, ErrMissing
		}
	}
	if err != nil {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err == nil {
		err = dir.Sync()
		_ = dir.Close()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("syncing the directory: %w", err), file.Close())
	}
	return file, nil
}

// secure checks the open file, not its name, so that nobody can exchange it in between.
func secure(file *os.File, o Options) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w (%s)", ErrUnsafe, info.Mode().Type())
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w (owned by user %d, this is %d)", ErrUnsafe, st.Uid, os.Geteuid())
	}
	if wide := info.Mode().Perm() &^ 0o600; wide != 0 {
		if err := file.Chmod(0o600); err != nil {
			return fmt.Errorf("%w (%w)", ErrUnsafe, err)
		}
		o.Log.Warn("the database file was open to others; its mode is now 0600", "path", file.Name(), "mode", info.Mode().String())
	}
	return nil
}

func lock(file *os.File, timeout time.Duration) error {
	for waited := time.Duration(0); ; waited += lockRetry {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if waited >= timeout {
			return ErrLocked
		}
		time.Sleep(lockRetry)
	}
}

// release closes a file that bbolt cannot close. Unlocking comes first: a mapping that is left behind keeps the lock.
func release(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
	return errors.Join(err, file.Close())
}
