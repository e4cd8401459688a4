package e2e

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// buildBroker builds the program as its users do.
func buildBroker(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broker")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", path, "gatehouse/cmd/broker")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// program is a running broker.
type program struct {
	// printed is all it wrote to standard output and standard error.
	printed *journal
	stop    func()
}

// journal collects what a program prints, line by line.
type journal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) follow(r io.Reader) {
	in := bufio.NewScanner(r)
	for in.Scan() {
		j.mu.Lock()
		j.text.WriteString(in.Text() + "\n")
		j.mu.Unlock()
		select {
		case j.lines <- in.Text():
		default:
		}
	}
}

// run starts the broker and waits until it prints what the pattern matches. It is
// interrupted at the test's end, as by Ctrl-C, and must then end by itself and
// without an error.
func run(t *testing.T, pattern, path string, arguments ...string) (*program, []string) {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), path, arguments...)
	p := &program{printed: &journal{lines: make(chan string, 100)}}
	r, w := io.Pipe()
	command.Stdout, command.Stderr = w, w
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go p.printed.follow(r)
	go func() { ended <- command.Wait(); w.Close() }()
	p.stop = sync.OnceFunc(func() {
		_ = command.Process.Signal(syscall.SIGINT)
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the broker ended with %v:\n%s", err, p.printed)
			}
		case <-time.After(patience):
			_ = command.Process.Kill()
			t.Errorf("the broker does not end when it is interrupted:\n%s", p.printed)
		}
	})
	t.Cleanup(p.stop)
	wanted := regexp.MustCompile(pattern)
	for end := time.After(patience); ; {
		select {
		case line := <-p.printed.lines:
			if found := wanted.FindStringSubmatch(line); found != nil {
				return p, found
			}
		case err := <-ended:
			ended <- nil
			t.Fatalf("the broker ended at its start: %v\n%s", err, p.printed)
		case <-end:
			t.Fatalf("the broker prints nothing like %q:\n%s", pattern, p.printed)
		}
	}
}
