package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// running is a demo whose broker answers nothing but its name.
type running struct {
	options Options
	out     lockedBuffer
	// started hears of the broker's start, done of the end of Run.
	started chan Broker
	done    chan error
	// leftAtStop are the files in the broker's directory when it was told to stop.
	leftAtStop []string
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// start runs the demo on free ports until the returned function is called.
func start(t *testing.T, change func(*running)) (*running, context.CancelFunc) {
	t.Helper()
	r := &running{started: make(chan Broker, 1), done: make(chan error, 1)}
	r.options = Options{Out: &r.out, Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir(),
		AppAddress: "127.0.0.1:0", BrokerAddress: "127.0.0.1:0", StartBroker: r.broker}
	if change != nil {
		change(r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { r.done <- Run(ctx, r.options) }()
	return r, cancel
}

func (r *running) broker(_ context.Context, b Broker) (func(), error) {
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "the broker")
	})}
	go func() { _ = server.Serve(b.Listener) }()
	r.started <- b
	return func() {
		r.leftAtStop, _ = filepath.Glob(filepath.Join(filepath.Dir(b.ConfigPath), "*"))
		_ = server.Close()
	}, nil
}

func fetch(t *testing.T, address string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func wait[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not happen", what)
	}
	panic("unreachable")
}

// printed waits for the address that is printed.
func (r *running) printed(t *testing.T) string {
	t.Helper()
	for range 1000 {
		if m := regexp.MustCompile(`http://[0-9.:]+/`).FindAllString(r.out.String(), -1); len(m) > 0 {
			if len(m) != 1 {
				t.Errorf("printed %q: more than one address", r.out.String())
			}
			return strings.TrimSuffix(m[0], "/")
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no address was printed")
	return ""
}

func TestRunStartsEverythingAndLeavesNothing(t *testing.T) {
	t.Parallel()
	r, end := start(t, nil)
	b := wait(t, "the broker's start", r.started)
	info, err := os.Stat(b.ConfigPath)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("configuration: %v, %v", info, err)
	}
	app := r.printed(t)
	if status, body := fetch(t, app+"/"); status != 200 || !strings.Contains(body, "In two minutes") {
		t.Errorf("the first page: %d", status)
	}
	if _, body := fetch(t, "http://"+b.Listener.Addr().String()); body != "the broker" {
		t.Errorf("the broker's address answers %q", body)
	}
	_, guide := fetch(t, app+"/try")
	sessions := regexp.MustCompile(`http://[0-9.:]+/-/session`).FindAllString(guide, -1)
	if len(sessions) != len(vendors()) {
		t.Fatalf("the guide links %d vendors", len(sessions))
	}
	for _, address := range sessions {
		if status, body := fetch(t, address); status != 200 || !strings.Contains(body, "Nobody is signed in") {
			t.Errorf("%s: %d", address, status)
		}
	}
	end()
	if err := wait(t, "the end", r.done); err != nil {
		t.Errorf("Run: %v", err)
	}
	if len(r.leftAtStop) != 1 {
		t.Errorf("while the broker ran its directory held %q", r.leftAtStop)
	}
	if left, err := os.ReadDir(r.options.TempDir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for _, address := range append(sessions, app, "http://"+b.Listener.Addr().String()) {
		host := strings.Split(strings.TrimPrefix(address, "http://"), "/")[0]
		if c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", host); err == nil {
			c.Close()
			t.Errorf("%s still listens", host)
		}
	}
}

func TestATakenPortIsReplacedByAFreeOne(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r, end := start(t, func(r *running) {
		r.options.AppAddress, r.options.BrokerAddress = taken.Addr().String(), taken.Addr().String()
	})
	b := wait(t, "the broker's start", r.started)
	app := r.printed(t)
	if strings.HasSuffix(app, taken.Addr().String()) || b.Listener.Addr().String() == taken.Addr().String() {
		t.Errorf("the applications are at %s, the broker at %s", app, b.Listener.Addr())
	}
	text, err := os.ReadFile(b.ConfigPath)
	if err != nil || !strings.Contains(string(text), "issuer: http://"+b.Listener.Addr().String()+"\n") || !strings.Contains(string(text), app+"/callback") {
		t.Errorf("the configuration does not follow the ports: %v", err)
	}
	end()
	if err := wait(t, "the end", r.done); err != nil {
		t.Error(err)
	}
}

func TestABrokerThatDoesNotStartLeavesNothing(t *testing.T) {
	t.Parallel()
	started := make(chan Broker, 1)
	r, _ := start(t, func(r *running) {
		r.options.StartBroker = func(_ context.Context, b Broker) (func(), error) {
			started <- b
			return nil, errors.New("no luck")
		}
	})
	if err := wait(t, "the end", r.done); err == nil || !strings.Contains(err.Error(), "no luck") {
		t.Errorf("Run: %v", err)
	}
	if left, err := os.ReadDir(r.options.TempDir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	b := <-started
	if _, err := b.Listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the broker's port is still open: %v", err)
	}
	if r.out.String() != "" {
		t.Errorf("printed %q", r.out.String())
	}
}

func TestSecretsAreMadeForEachRunAndNotShown(t *testing.T) {
	t.Parallel()
	c := configuration{Issuer: "http://i", Secrets: newSecrets("google", "wiki", "payroll"), PayrollGroups: []string{"a", "b"}}
	for name, secret := range c.Secrets {
		if !strings.Contains(c.file(), "client_secret: "+secret+"\n") {
			t.Errorf("the file lacks the secret of %s", name)
		}
		if strings.Contains(c.shown(), secret) {
			t.Errorf("the secret of %s is shown", name)
		}
	}
	if again := newSecrets("wiki"); again["wiki"] == c.Secrets["wiki"] || len(again["wiki"]) < 26 {
		t.Errorf("secrets %q and %q", c.Secrets["wiki"], again["wiki"])
	}
	if !strings.Contains(c.file(), `groups: ["a", "b"]`) {
		t.Error("the groups are not a list")
	}
}

func TestNoPlaceholderIsLeft(t *testing.T) {
	t.Parallel()
	r, end := start(t, nil)
	b := wait(t, "the broker's start", r.started)
	text, err := os.ReadFile(b.ConfigPath)
	if err != nil {
		t.Fatal(err)
	}
	if m := regexp.MustCompile(`@\w+@`).Find(text); m != nil {
		t.Errorf("%s was not filled in", m)
	}
	_, shown := fetch(t, r.printed(t)+"/config")
	if m := regexp.MustCompile(`@\w+@`).FindString(shown); m != "" || !strings.Contains(shown, "client_id: payroll") {
		t.Errorf("%s was not filled in, or there is no configuration", m)
	}
	end()
	wait(t, "the end", r.done)
}
