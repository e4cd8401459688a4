package connectors

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	// rereadPause is the least time between two looks at a file.
	rereadPause = 10 * time.Second
	// maxFile bounds what is read of a configured file, in bytes.
	maxFile = 1 << 20
)

// File is what a configured file says. It is read again when it is used, so that a
// renewed certificate needs no restart. When it cannot be read or understood any
// more, the last good version stays in use. It is safe for concurrent use after
// Open.
type File[T any] struct {
	// Path is absolute; Key is the configuration key that names the file, and
	// Connector whose it is.
	Path, Key, Connector string
	// Parse understands the content. Its error says nothing of what it holds.
	Parse func(content []byte) (T, error)
	Now   func() time.Time
	Log   *slog.Logger

	mu      sync.Mutex
	content []byte
	value   T
	looked  time.Time
	bad     bool
}

// Open reads the file for the first time. Its error begins with the key.
func (f *File[T]) Open() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read()
}

// Last returns what the file said when it was last read.
func (f *File[T]) Last() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.value
}

// Current returns what the file says, as it was seen at most ten seconds ago.
func (f *File[T]) Current() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	// A clock that was set back must not keep us from looking.
	now := f.Now()
	if age := now.Sub(f.looked); age >= 0 && age < rereadPause {
		return f.value
	}
	f.looked = now
	err := f.read()
	if err != nil && !f.bad {
		f.Log.Error("a file cannot be read again; its last good version stays in use", "connector", f.Connector, "error", err)
	}
	f.bad = err != nil
	return f.value
}

func (f *File[T]) read() error {
	content, err := ReadFile(f.Path, maxFile)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Key, err)
	}
	if f.content != nil && bytes.Equal(content, f.content) {
		return nil
	}
	value, err := f.Parse(content)
	if err != nil {
		return fmt.Errorf("%s: %s %w", f.Key, f.Path, err)
	}
	f.content, f.value = content, value
	return nil
}

// ReadFile reads a file of at most most bytes. A longer one is an error.
func ReadFile(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > most {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, most)
	}
	return content, nil
}
