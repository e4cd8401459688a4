package adminsock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// ErrInUse: another broker listens on the socket.
var ErrInUse = errors.New("another broker listens on it: stop that one first, or set admin.socket")

// ErrInTheWay: something that is not a socket has its name.
var ErrInTheWay = errors.New("is not a socket: move it away, or set admin.socket")

// probeTime bounds how long Listen looks for a broker behind a socket it finds.
const probeTime = 2 * time.Second

// Listen makes the socket. Closing the listener removes it.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	if err := available(ctx, path); err != nil {
		return nil, fmt.Errorf("admin socket %s: %w", path, err)
	}
	l, err := listenPrivately(path)
	if err != nil {
		return nil, fmt.Errorf("admin socket %s: %w", path, err)
	}
	return l, nil
}

// available reports why the name cannot be taken: nil when nothing has it, or a socket on which nobody listens.
func available(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return ErrInTheWay
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = conn.Close()
		return ErrInUse
	case nobodyListens(err):
		return nil
	}
	// Not allowed to look, or too busy to answer: there may be a broker.
	return fmt.Errorf("looking for another broker: %w", err)
}

func nobodyListens(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}

// listenPrivately makes the socket in a directory of its own and gives it its mode before its name. A socket made in
// place would for a moment have the mode that the umask leaves.
func listenPrivately(path string) (net.Listener, error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s*") // 0700; the name is short because a socket's path must be
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it will have another name by then
	s := &socket{Listener: l, path: path}
	if err := os.Chmod(made, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if s.info, err = os.Lstat(made); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := os.Rename(made, path); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return s, nil
}

// socket removes its name when it is closed.
type socket struct {
	net.Listener
	path string
	info fs.FileInfo
	once sync.Once
}

// Close stops listening and removes the socket, unless its name is another's by now.
func (s *socket) Close() error {
	err := s.Listener.Close()
	s.once.Do(func() {
		if now, statErr := os.Lstat(s.path); statErr == nil && os.SameFile(now, s.info) {
			err = errors.Join(err, os.Remove(s.path))
		}
	})
	return err
}
