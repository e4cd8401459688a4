//go:build unix

package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// keyboard is what a program reads, and where somebody types.
func keyboard(t *testing.T) (in, typed *os.File) {
	t.Helper()
	in, typed, err := os.Pipe()
	ok(t, err)
	t.Cleanup(func() { _ = in.Close(); _ = typed.Close() })
	return in, typed
}

// The real program signs in while the broker runs: the browser ends on the broker's page, whose address is pasted, and
// the broker neither redeems the code nor stores anything.
func TestConnectorTestBesideARunningBroker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://localhost:7", settings{Level: "debug"})
	serving := w.serve()
	pasted, typed := keyboard(t)
	p := launch(t, func(c *exec.Cmd) { c.Stdin = pasted }, "connector", "test", "-c", w.path, "corp", "--print")
	address := p.await(p.stdout, `Open this address in a browser:\n\n  (\S+)\n`)[1]
	ended, err := w.browser().get(t.Context(), address)
	ok(t, err)
	if !strings.HasPrefix(ended.url.String(), w.issuer+"/callback/corp?") || ended.status != http.StatusBadRequest || !strings.Contains(ended.body, "This sign-in is over") {
		t.Fatalf("the browser ends at %s with %d:\n%s", ended.url, ended.status, ended.body)
	}
	_, err = io.WriteString(typed, ended.url.String()+"\n")
	ok(t, err)
	if code := p.wait(); code != 0 || !strings.Contains(words(p.stdout.String()), "Signed in connector corp") {
		t.Errorf("exit code %d:\n%s%s", code, p.stdout, p.stderr)
	}
	serving.stop()
	for _, secret := range []string{ended.url.Query().Get("code"), upstreamSecret} {
		if strings.Contains(p.stdout.String()+p.stderr.String()+serving.stderr.String(), secret) {
			t.Errorf("%q was printed", secret)
		}
	}
}

// Ctrl-C ends the real program while it waits, with its own words and exit code.
func TestConnectorTestEndsAtCtrlC(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://localhost:7", settings{})
	nobody, _ := keyboard(t)
	for _, args := range [][]string{{"--print"}, {"--listen", "127.0.0.1:0"}} {
		p := launch(t, func(c *exec.Cmd) { c.Stdin = nobody }, append([]string{"connector", "test", "-c", w.path, "corp"}, args...)...)
		p.await(p.stdout, regexp.QuoteMeta("Waiting for up to 5m0s"))
		p.signal(syscall.SIGINT)
		if code := p.wait(); code != 1 {
			t.Errorf("%v: exit code %d", args, code)
		}
		if p.stderr.String() != "connector corp: not signed in: interrupted\n" {
			t.Errorf("%v: %q", args, p.stderr)
		}
	}
}
