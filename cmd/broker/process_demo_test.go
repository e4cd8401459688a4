//go:build unix

package main

import (
	"context"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// demoRun is a running broker demo with a directory for temporary files of its own.
type demoRun struct {
	*program
	temp, app string
}

var address = regexp.MustCompile(`https?://[^\s/"<]+`)

// taking holds the ports that the demo prefers, until the tests are over. Otherwise the next demo, of whomever, could
// have what an ended one had, and nobody could tell it from one left open.
var taking struct {
	sync.Mutex
	held map[string]net.Listener
}

// takePorts takes those that are free. Somebody else has the others, and may have left since it was last called.
func takePorts() {
	taking.Lock()
	defer taking.Unlock()
	if taking.held == nil {
		taking.held = map[string]net.Listener{}
	}
	for _, port := range []string{"5555", "5556", "5561", "5562", "5563", "5564"} {
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			taking.held[port] = l
		}
	}
}

// startDemo runs the demo until it prints where to go.
func startDemo(t *testing.T) *demoRun {
	t.Helper()
	takePorts()
	temp, err := os.MkdirTemp("", "gh") // short, for the socket in it
	ok(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	d := &demoRun{temp: temp}
	d.program = launch(t, func(c *exec.Cmd) { c.Env = append(os.Environ(), "TMPDIR="+d.temp) }, "demo")
	d.await(d.stdout, `leaves nothing behind`)
	printed := address.FindAllString(d.stdout.String(), -1)
	if len(printed) != 1 {
		t.Fatalf("the demo prints %q: want one address", d.stdout)
	}
	d.app = printed[0]
	return d
}

// end is Ctrl-C, or another signal, after which nothing may be left.
func (d *demoRun) end(by syscall.Signal, addresses ...string) {
	d.t.Helper()
	d.signal(by)
	if code := d.wait(); code != 0 {
		d.t.Errorf("exit code %d", code)
	}
	for line := range strings.Lines(d.stderr.String()) {
		if !strings.Contains(line, " level=INFO ") {
			d.t.Errorf("the demo says %s", line)
		}
	}
	if left, err := os.ReadDir(d.temp); err != nil || len(left) > 0 {
		d.t.Errorf("left behind: %v, %v", left, err)
	}
	for _, a := range append(addresses, d.app) {
		host := strings.TrimPrefix(a, "http://")
		if conn, err := net.DialTimeout("tcp", host, time.Second); err == nil {
			conn.Close()
			d.t.Errorf("%s still listens", host)
		}
	}
}

// visitor is a browser that knows no broker: everything it gets is followed.
func visitor(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	ok(t, err)
	return &http.Client{Jar: jar, Timeout: patience}
}

// visit gets a page, or posts a form, and follows where that leads.
func visit(t *testing.T, c *http.Client, to string, form url.Values) page {
	t.Helper()
	b := &browser{http: c}
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	var last *url.URL
	c.CheckRedirect = func(r *http.Request, _ []*http.Request) error { last = r.URL; return nil }
	p, err := b.send(context.WithoutCancel(t.Context()), method, to, form)
	ok(t, err)
	if last != nil {
		p.url = last
	}
	return p
}

// has fails unless the page says all that.
func (p page) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.body, text) {
			t.Fatalf("%s with status %d does not say %q:\n%s", p.url, p.status, text, p.body)
		}
	}
}

func TestDemoSignsInAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	c := visitor(t)
	first := visit(t, c, d.app+"/", nil)
	login, err := first.link("/login")
	ok(t, err)
	chooser := visit(t, c, login, nil)
	chooser.has(t, "Google", "Entra", "Okta", "GitHub")
	issuer := address.FindString(chooser.url.String())
	okta, err := chooser.link("/login/okta")
	ok(t, err)

	vendor := visit(t, c, okta, nil)
	vendor.has(t, "Emulated Okta", "Choose an account", "Ada Winter")
	action, fields, err := vendor.form("Ada Winter")
	ok(t, err)
	button := regexp.MustCompile(`name="(-person)" value="([^"]+)">(?:<[^>]*>|[^<]){0,4}?<span class="who"><span class="name">Ada Winter`).FindStringSubmatch(vendor.body)
	if button == nil {
		t.Fatalf("no button for Ada:\n%s", vendor.body)
	}
	fields.Set(button[1], button[2])
	consent := visit(t, c, action, fields)
	consent.has(t, "Wiki")
	action, fields, err = consent.form(`value="allow"`)
	ok(t, err)
	fields.Set("decision", "allow")
	signedIn := visit(t, c, action, fields)
	signedIn.has(t, "Signed in as <bdi>Ada Winter</bdi>", "verified")

	action, fields, err = signedIn.form("Refresh the tokens")
	ok(t, err)
	visit(t, c, action, fields).has(t, "rotated")
	// The second application asks nobody.
	visit(t, c, d.app+"/second/login", nil).has(t, "Signed in as <bdi>Ada Winter</bdi>")

	// Everything else that the demo has open is linked from its own pages.
	open := address.FindAllString(visit(t, c, d.app+"/try", nil).body, -1)
	d.end(syscall.SIGINT, append(open, issuer, address.FindString(vendor.url.String()))...)
}

func TestDemoTakesOtherPortsWhenItsOwnAreTaken(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	c := visitor(t)
	first := visit(t, c, d.app+"/", nil)
	login, err := first.link("/login")
	ok(t, err)
	chooser := visit(t, c, login, nil)
	chooser.has(t, "Google")
	if strings.HasSuffix(d.app, ":5555") || chooser.url.Port() == "5556" {
		t.Errorf("the applications are at %s, the broker at %s", d.app, chooser.url)
	}
	d.end(syscall.SIGTERM, "http://"+chooser.url.Host)
}

// Two demos at a time do not get into each other's way, and each end is its own.
func TestDemoRunsTwice(t *testing.T) {
	t.Parallel()
	first, second := startDemo(t), startDemo(t)
	if first.app == second.app {
		t.Fatalf("both are at %s", first.app)
	}
	first.end(syscall.SIGINT)
	visit(t, visitor(t), second.app+"/", nil).has(t, "Sign in")
	second.end(syscall.SIGHUP) // its terminal was closed
}
