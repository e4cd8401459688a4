//go:build !unix

package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// openFile opens or makes the file. Ownership and mode are not in what this system tells; bbolt locks the file.
func openFile(path string, _ Options) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w (%s)", ErrUnsafe, info.Mode().Type())
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	return file, err
}

// release closes a file that bbolt cannot close.
func release(file *os.File) error { return file.Close() }
