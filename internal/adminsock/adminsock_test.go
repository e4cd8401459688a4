package adminsock

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/broker/keys"
)

// fakeKeys remembers what it was asked.
type fakeKeys struct {
	mu      sync.Mutex
	rotated []bool
	err     error
}

func (f *fakeKeys) Info() []keys.Info {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []keys.Info{{ID: "first", Algorithm: "ES256", Stage: keys.Signing, SignAt: time.Unix(1000, 0).UTC()}}
	if len(f.rotated) > 0 {
		list = append(list, keys.Info{ID: "second", Algorithm: "ES256", Stage: keys.Next})
	}
	return list
}

func (f *fakeKeys) Rotate(ctx context.Context, emergency bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := errors.Join(ctx.Err(), f.err); err != nil {
		return err
	}
	f.rotated = append(f.rotated, emergency)
	return nil
}

// socketPath is short, as sockets' paths must be; t.TempDir has the name of the test in it.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "adm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "broker.sock")
}

// serve runs a server until the test ends or stop is called, and returns what Serve returned.
func serve(t *testing.T, path string, k Keys) (stop func() error) {
	t.Helper()
	l, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&Server{Keys: k, Log: slog.New(slog.DiscardHandler)}).Serve(ctx, l) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	return stop
}

func TestKeysAreListedAndRotatedOverTheSocket(t *testing.T) {
	t.Parallel()
	path, fake := socketPath(t), new(fakeKeys)
	stop := serve(t, path, fake)
	client := NewClient(path)
	list, err := client.List(t.Context())
	if err != nil || len(list) != 1 || list[0] != fake.Info()[0] {
		t.Fatalf("list: %+v, %v", list, err)
	}
	for _, emergency := range []bool{false, true} {
		list, err = client.Rotate(t.Context(), emergency)
		if err != nil || len(list) != 2 || list[1].ID != "second" {
			t.Fatalf("rotate: %+v, %v", list, err)
		}
	}
	if len(fake.rotated) != 2 || fake.rotated[0] || !fake.rotated[1] {
		t.Errorf("rotated: %v", fake.rotated)
	}
	fake.err = errors.New("the disk is full")
	if _, err = client.Rotate(t.Context(), false); err == nil || err.Error() != "the running broker: the disk is full" {
		t.Errorf("an error arrives as %v", err)
	}
	if err := stop(); err != nil {
		t.Errorf("orderly end: %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
	if _, err := client.List(t.Context()); !errors.Is(err, ErrNoServer) {
		t.Errorf("without a server: %v", err)
	}
}

func TestSocketIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	serve(t, path, new(fakeKeys))
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("more than the socket is there: %v, %v", left, err)
	}
}

func TestSocketOfALiveServerIsNotTaken(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	serve(t, path, new(fakeKeys))
	if _, err := Listen(t.Context(), path); !errors.Is(err, ErrInUse) {
		t.Errorf("a second server: %v", err)
	}
	if _, err := NewClient(path).List(t.Context()); err != nil {
		t.Errorf("the first server is gone: %v", err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false) // as if it had been killed
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(path).List(t.Context()); !errors.Is(err, ErrNoServer) {
		t.Errorf("a stale socket: %v", err)
	}
	serve(t, path, new(fakeKeys))
	if _, err := NewClient(path).List(t.Context()); err != nil {
		t.Errorf("after the replacement: %v", err)
	}
}

func TestWhatIsNoSocketStays(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), path); !errors.Is(err, ErrInTheWay) {
		t.Errorf("a file: %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "precious" {
		t.Errorf("the file is now %q, %v", content, err)
	}
	if _, err := Listen(t.Context(), filepath.Join(path, "x", "y.sock")); err == nil {
		t.Error("a directory that is none is fine")
	}
}

func TestClosingLeavesTheSocketOfASuccessor(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	first, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	serve(t, path, new(fakeKeys))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(path).List(t.Context()); err != nil {
		t.Errorf("the successor's socket is gone: %v", err)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, method, path, body string
		want                     int
	}{
		{"no body", "POST", "/keys/rotate", "", http.StatusBadRequest},
		{"a misspelt member", "POST", "/keys/rotate", `{"emergencie":true}`, http.StatusBadRequest},
		{"a word for a boolean", "POST", "/keys/rotate", `{"emergency":"yes"}`, http.StatusBadRequest},
		{"two values", "POST", "/keys/rotate", `{"emergency":false}{"emergency":true}`, http.StatusBadRequest},
		{"a body without end", "POST", "/keys/rotate", `{"emergency":` + strings.Repeat(" ", maxBody) + `true}`, http.StatusBadRequest},
		{"rotating by GET", "GET", "/keys/rotate", "", http.StatusMethodNotAllowed},
		{"an unknown path", "GET", "/", "", http.StatusNotFound},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fake := new(fakeKeys)
			w := httptest.NewRecorder()
			(&Server{Keys: fake, Log: slog.New(slog.DiscardHandler)}).Handler().ServeHTTP(w, httptest.NewRequest(row.method, row.path, strings.NewReader(row.body)))
			if w.Code != row.want || len(fake.rotated) > 0 {
				t.Errorf("status %d, rotated %v: %s", w.Code, fake.rotated, w.Body)
			}
		})
	}
}

func TestAnswersOfSomethingElse(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, status, body, want string }{
		{"a page", "404 Not Found", "not here", "the running broker answered 404 Not Found: is it of another version?"},
		{"no JSON", "200 OK", "hello", "the running broker's answer: invalid character"},
	} {
		path := socketPath(t)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, "HTTP/1.1 "+row.status+"\r\nConnection: close\r\n\r\n"+row.body)
			_ = conn.Close()
		}()
		if _, err := NewClient(path).List(t.Context()); err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
		_ = l.Close()
	}
}
