//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should take milliseconds. No test measures time; this only ends one that
// would hang.
const patience = 40 * time.Second

// executable is the program as a release is built: once for all tests, in a directory that TestMain removes.
var executable = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gatehouse-program-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // some tests run it as another user
		return "", err
	}
	path := filepath.Join(dir, "broker")
	build := exec.Command("go", "build", "-trimpath", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return path, fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// built is set by whoever uses executable, so that TestMain does not build just to remove.
var built sync.Once

func TestMain(m *testing.M) {
	code := m.Run()
	unused := false
	built.Do(func() { unused = true })
	if !unused {
		if path, _ := executable(); path != "" {
			_ = os.RemoveAll(filepath.Dir(path))
		}
	}
	os.Exit(code)
}

// programPath builds the program, or skips where building is not wanted.
func programPath(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("building and running the program takes a while")
	}
	built.Do(func() {})
	path, err := executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// journal is what a program prints, to be read while it is written.
type journal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{}
}

func newJournal() *journal { return &journal{grown: make(chan struct{})} }

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.grown)
	j.grown = make(chan struct{})
	return j.text.Write(p)
}

// String is what has been printed.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) look(r *regexp.Regexp) ([]string, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return r.FindStringSubmatch(j.text.String()), j.grown
}

// program is a running process.
type program struct {
	t              testing.TB
	cmd            *exec.Cmd
	stdout, stderr *journal
	ended          chan struct{}
}

// launch starts the program. It does not outlive the test, whatever happens. change, if not nil, prepares the command.
func launch(t testing.TB, change func(*exec.Cmd), args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(programPath(t), args...), stdout: newJournal(), stderr: newJournal(), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.WaitDelay = p.stdout, p.stderr, 5*time.Second
	if change != nil {
		change(p.cmd)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code is in ProcessState
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// kill is kill -9, and returns when the process is gone. One that has ended stays as it is.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v: %v\n%s", s, err, p.stderr)
	}
}

// wait returns the exit code.
func (p *program) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("the program does not end:\n%s", p.stderr)
		return -1
	}
}

// stop ends the program as an operator does, which must not be an error.
func (p *program) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		p.t.Errorf("exit code %d after SIGTERM:\n%s", code, p.stderr)
	}
}

// await waits until something is printed and returns its submatches.
func (p *program) await(j *journal, pattern string) []string {
	p.t.Helper()
	found, err := p.look(j, pattern)
	if err != nil {
		p.t.Fatalf("%v:\n%s%s", err, p.stdout, p.stderr)
	}
	return found
}

var errEnded = errors.New("the program ended")

func (p *program) look(j *journal, pattern string) ([]string, error) {
	r, end, over := regexp.MustCompile(pattern), time.After(patience), p.ended
	for {
		found, grown := j.look(r)
		if found != nil {
			return found, nil
		}
		if over == nil {
			return nil, fmt.Errorf("%w without printing %q", errEnded, pattern)
		}
		select {
		case <-grown:
		case <-over:
			over = nil // once more: it may have been the last thing it printed
		case <-end:
			return nil, fmt.Errorf("the program does not print %q", pattern)
		}
	}
}

// do runs the program to its end.
func do(t testing.TB, args ...string) result {
	t.Helper()
	p := launch(t, nil, args...)
	code := p.wait()
	return result{code, p.stdout.String(), p.stderr.String()}
}

// oneSentence checks that a refusal is one line that ends in advice, with exit code 1 and nothing on standard output.
func oneSentence(t *testing.T, got result, parts ...string) {
	t.Helper()
	line, rest, _ := strings.Cut(got.stderr, "\n")
	if got.code != 1 || got.stdout != "" || line == "" || rest != "" {
		t.Errorf("exit code %d, stdout %q, stderr:\n%s", got.code, got.stdout, got.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(line, part) {
			t.Errorf("%q does not say %q", line, part)
		}
	}
}
