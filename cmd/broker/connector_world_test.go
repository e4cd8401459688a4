package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

const (
	trialIssuer   = "https://sso.example.com"
	trialSecret   = "canary-client-secret-0123456789"
	trialClient   = "gatehouse-at-vendor"
	acmeDirectory = "8f2c1d7e-1111-4a3b-9c55-0d1f2e3a4b5c"
)

// vendorUnderTest makes an emulated vendor, and the keys of the connector entry for it at a base URL.
type vendorUnderTest struct {
	fake func(fake.Options) *fake.Provider
	keys func(base string) string
}

// trialVendors are all five types.
func trialVendors() map[string]vendorUnderTest {
	return map[string]vendorUnderTest{
		"google": {func(o fake.Options) *fake.Provider { return fake.NewGoogle(o).Provider },
			func(base string) string { return fmt.Sprintf("issuer: %q, hosted_domains: [example.com]", base) }},
		"azuread": {func(o fake.Options) *fake.Provider { return fake.NewEntra(o).Provider },
			func(base string) string {
				return fmt.Sprintf("authority: %q, graph_url: %q, tenant: %s", base, base, acmeDirectory)
			}},
		"okta": {func(o fake.Options) *fake.Provider { return fake.NewOkta(o).Provider },
			func(base string) string { return fmt.Sprintf("issuer: %q", base+"/oauth2/default") }},
		"github": {func(o fake.Options) *fake.Provider { return fake.NewGitHub(o).Provider },
			func(base string) string { return fmt.Sprintf("base_url: %q, organizations: [{name: acme}]", base) }},
		"oidc": {func(o fake.Options) *fake.Provider { o.OIDC.Algorithm = "ES256"; return fake.NewOIDC(o).Provider },
			func(base string) string {
				return fmt.Sprintf("issuer: %q, scopes: [openid, profile, email, groups]", base)
			}},
	}
}

// trialBench is a vendor, a configuration for it, and somebody at a browser.
type trialBench struct {
	t      *testing.T
	vendor *fake.Provider
	kind   string
	path   string
	heard  *leaks
	http   *http.Client
}

// trialSetup is what differs from the usual bench.
type trialSetup struct {
	kind    string
	issuer  string              // of the broker; trialIssuer when empty
	entry   string              // the vendor's keys, with %[1]s for its address; the usual ones when empty
	keys    string              // more keys of the connector entry
	secret  string              // what the broker believes its secret to be
	options func(*fake.Options) // changes the vendor
}

func newTrialBench(t *testing.T, s trialSetup) *trialBench {
	t.Helper()
	if s.issuer == "" {
		s.issuer = trialIssuer
	}
	if s.secret == "" {
		s.secret = trialSecret
	}
	o := fake.Options{Now: time.Now, SignInAs: "ada", Keys: trialKeys(),
		Clients: []fake.Client{{ID: trialClient, Secret: trialSecret, RedirectURIs: []string{s.issuer + "/callback/up"}}}}
	if s.options != nil {
		s.options(&o)
	}
	kind := trialVendors()[s.kind]
	b := &trialBench{t: t, vendor: kind.fake(o), kind: s.kind, heard: &leaks{known: map[string]bool{trialSecret: true, s.secret: true}}}
	server := httptest.NewServer(b.heard.around(b.vendor))
	t.Cleanup(server.Close)
	b.vendor.SetURL(server.URL)
	b.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	entry, more := kind.keys(server.URL), ""
	if s.entry != "" {
		entry = fmt.Sprintf(s.entry, server.URL)
	}
	if s.keys != "" {
		more = ", " + s.keys
	}
	b.path = write(t, fmt.Sprintf(`issuer: %s
connectors:
  - {id: up, type: %s, client_id: %s, client_secret: %s, %s%s}
clients:
  - {client_id: wiki, client_secret: "env:NOT_SET_WHERE_CONNECTORS_ARE_TESTED", redirect_uris: [https://wiki.example.com/callback]}
`, s.issuer, s.kind, trialClient, s.secret, entry, more))
	return b
}

// trialKeys is shared by all vendors of the tests: making RSA keys takes a while.
var trialKeys = sync.OnceValue(func() *fake.KeyPool { return new(fake.KeyPool) })

// visit does what the person's browser does, and returns the address that it ends on; empty for a page of the vendor.
func (b *trialBench) visit(address string) string {
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Error(err)
		return ""
	}
	response, err := b.http.Do(r)
	if err != nil {
		b.t.Error(err)
		return ""
	}
	response.Body.Close()
	location, err := response.Location()
	if err != nil {
		return ""
	}
	b.heard.add(location.Query().Get("code"))
	return location.String()
}

var theAddress = regexp.MustCompile(`Open this address in a browser:\n\n  (\S+)\n`)

// run runs the command. pasted turns the address that is printed into what is pasted; nil pastes where the browser ends.
func (b *trialBench) run(pasted func(address string) string, args ...string) result {
	b.t.Helper()
	if pasted == nil {
		pasted = b.visit
	}
	return b.runIn(b.t.Context(), func(address string, in io.Writer) { fmt.Fprintln(in, pasted(address)) }, append([]string{"--print"}, args...)...)
}

// runIn runs the command within a context. browse gets the address when it is printed, and the command's input.
func (b *trialBench) runIn(ctx context.Context, browse func(address string, in io.Writer), args ...string) result {
	b.t.Helper()
	in, typed := io.Pipe()
	out := &watched{seen: make(chan string, 1)}
	var stderr bytes.Buffer
	browsed := make(chan struct{})
	go func() {
		defer close(browsed)
		if address, ok := <-out.seen; ok {
			browse(address, typed)
		}
		_ = typed.Close()
	}()
	code := runWith(ctx, append([]string{"connector", "test", "-c", b.path, "up"}, args...), in, out, &stderr)
	_ = in.Close()
	out.end()
	<-browsed
	got := result{code, out.String(), stderr.String()}
	b.heard.absent(b.t, got)
	return got
}

// watched tells when the address is printed.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer
	told bool
	seen chan string
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	if m := theAddress.FindStringSubmatch(w.text.String()); m != nil && !w.told {
		w.told = true
		w.seen <- m[1]
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func (w *watched) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.seen)
}

// leaks are secrets and tokens that passed between connector and vendor.
type leaks struct {
	mu    sync.Mutex
	known map[string]bool
	count int
}

func (l *leaks) add(values ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range values {
		if len(v) >= 8 {
			l.known[v] = true
			l.count++
		}
	}
}

var tokenInAnswer = regexp.MustCompile(`"(?:access_token|id_token|refresh_token)"\s*:\s*"([^"]+)"`)

func (l *leaks) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&overheard{ResponseWriter: w, l: l}, r)
	})
}

type overheard struct {
	http.ResponseWriter
	l *leaks
}

func (o *overheard) Write(p []byte) (int, error) {
	for _, m := range tokenInAnswer.FindAllSubmatch(p, -1) {
		o.l.add(string(m[1]))
	}
	return o.ResponseWriter.Write(p)
}

// absent fails if a secret, a token, or half of one is in what was printed.
func (l *leaks) absent(t *testing.T, got result) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for secret := range l.known {
		for _, form := range []string{secret, url.QueryEscape(secret), secret[len(secret)/2:]} {
			if strings.Contains(got.stdout, form) || strings.Contains(got.stderr, form) {
				t.Errorf("the output holds %q:\n%s%s", form, got.stdout, got.stderr)
			}
		}
	}
}

// words joins what was printed with single blanks.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// says checks an exit code and that each part is in the output, whatever the columns.
func (r result) says(t *testing.T, code int, parts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	missing := false
	for _, part := range parts {
		if !strings.Contains(words(r.stdout), part) {
			missing = true
			t.Errorf("%q is missing", part)
		}
	}
	if missing || r.code != code {
		t.Logf("stdout:\n%s\nstderr:\n%s", r.stdout, r.stderr)
	}
}

// lastLine is the last line of a text.
func lastLine(text string) string {
	var last string
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		last = lines.Text()
	}
	return last
}

// reportAt is a report of an upstream whose clock showed a time when ours showed another.
func reportAt(there, here time.Time) connectors.Report {
	return connectors.Report{ServerTime: there, AskedAt: here}
}

// filesBeside are the names in the directory of a file.
func filesBeside(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
