// Package interop has programs of other people sign in through the broker:
// unmodified client libraries, in the smallest application that uses all of them,
// and Apache's OpenID Connect module.
//
//   - node/openid_client.mjs: openid-client, over TLS and over plain HTTP, as a
//     confidential, as a public and as a client that registers itself
//   - node/device.mjs: openid-client, as a device without a browser
//   - node/express.mjs: express-openid-connect, which wants its answers by form_post
//   - python/flask_app.py: Authlib, as a client, as a device and as a resource server
//   - apache/httpd.conf: mod_auth_openidc
//
// Each signs somebody in with a code and PKCE, validates the ID token, asks for
// userinfo, refreshes, and is refused something. Behind the broker is an
// emulated provider at which everybody is Ada.
//
// It runs when GATEHOUSE_INTEROP is set, and then needs Node.js with npm, Python
// with venv, and Apache with its module; the libraries are installed by name into
// a temporary directory:
//
//	GATEHOUSE_INTEROP=1 go test ./interop
package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatehouse/connectors/connectortest/fake"
)

// patience is how long a program may take to start or to end.
const patience = 60 * time.Second

// world is what the clients find: a broker over TLS, and one over plain HTTP.
type world struct {
	dir string
	// program is the broker's path.
	program   string
	authority authority
	// TLS and Plain are the issuers.
	TLS, Plain string
}

func TestInteroperability(t *testing.T) {
	if os.Getenv("GATEHOUSE_INTEROP") == "" {
		t.Skip("set GATEHOUSE_INTEROP=1 to have other people's programs sign in")
	}
	w := &world{dir: sharedDir(t), authority: newAuthority(t)}
	w.authority.write(t, w.dir)
	w.program = filepath.Join(w.dir, "broker")
	w.execute(t, "", "go", "build", "-o", w.program, "gatehouse/cmd/broker")
	apps := newApps(t)
	w.TLS = w.serve(t, "https", apps)
	w.Plain = w.serve(t, "http", apps)
	t.Run("openid-client", func(t *testing.T) { w.openidClient(t, apps) })
	t.Run("express-openid-connect", func(t *testing.T) { w.express(t, apps) })
	t.Run("Authlib", func(t *testing.T) { w.authlib(t, apps) })
	t.Run("mod_auth_openidc", func(t *testing.T) { w.apache(t, apps) })
}

// sharedDir is a temporary directory that Apache's unprivileged user can read.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gatehouse-interop-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// app is an application that is registered with both brokers.
type app struct {
	id, port, base string
	// metadata is the rest of its entry in the configuration.
	metadata string
}

// deviceCode is the grant type of devices, as YAML has it.
const deviceCode = `"urn:ietf:params:oauth:grant-type:device_code"`

// initialAccessToken lets an application register itself.
const initialAccessToken = "the-token-for-registrations"

func (a app) secret() string { return "the-secret-of-" + a.id }

// newApps gives each application a port.
func newApps(t *testing.T) map[string]app {
	t.Helper()
	apps := map[string]app{}
	for _, a := range []app{
		{id: "node", base: "http://127.0.0.1", metadata: "skip_consent: true"},
		{id: "node-post", base: "http://127.0.0.1", metadata: "skip_consent: true, token_endpoint_auth_method: client_secret_post, id_token_signed_response_alg: ES256"},
		{id: "node-public", base: "http://127.0.0.1", metadata: "skip_consent: true, token_endpoint_auth_method: none, application_type: native, id_token_signed_response_alg: EdDSA"},
		{id: "node-device", base: "http://127.0.0.1", metadata: "client_name: Television, token_endpoint_auth_method: none, id_token_signed_response_alg: ES256, grant_types: [" + deviceCode + ", refresh_token]"},
		{id: "express", base: "https://localhost", metadata: "client_name: Express"},
		{id: "flask", base: "http://127.0.0.1", metadata: "skip_consent: true, grant_types: [authorization_code, refresh_token, " + deviceCode + "]"},
		{id: "apache", base: "https://localhost", metadata: "skip_consent: true"},
	} {
		a.port = freePort(t)
		a.base += ":" + a.port
		apps[a.id] = a
	}
	return apps
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// serve starts a broker with its provider and returns its issuer.
func (w *world) serve(t *testing.T, scheme string, apps map[string]app) string {
	t.Helper()
	port := freePort(t)
	issuer := scheme + "://localhost:" + port
	provider := fake.NewOIDC(fake.Options{Now: time.Now, SignInAs: "ada", Clients: []fake.Client{
		{ID: "broker", Secret: "upstream-secret", RedirectURIs: []string{issuer + "/callback/corp"}}}})
	upstream := httptest.NewServer(provider)
	t.Cleanup(upstream.Close)
	provider.SetURL(upstream.URL)
	var config strings.Builder
	fmt.Fprintf(&config, "issuer: %s\nlisten: 127.0.0.1:%s\nstorage: {type: bolt, path: %s.db}\nhealth: {listen: \"off\"}\nrefresh_tokens: {retry_window: 0s}\n", issuer, port, scheme)
	if scheme == "https" {
		config.WriteString("tls: {cert_file: tls.crt, key_file: tls.key}\n")
	}
	fmt.Fprintf(&config, "connectors:\n  - {id: corp, type: oidc, client_id: broker, client_secret: upstream-secret, issuer: %q, scopes: [openid, profile, email, groups]}\nclients:\n", upstream.URL)
	for _, a := range apps {
		secret := ""
		if !strings.Contains(a.metadata, "method: none") {
			secret = ", client_secret: " + a.secret()
		}
		redirect := ""
		if a.id != "node-device" {
			redirect = fmt.Sprintf(", redirect_uris: [%q]", a.base+"/callback")
		}
		fmt.Fprintf(&config, "  - {client_id: %s%s%s, %s}\n", a.id, secret, redirect, a.metadata)
	}
	fmt.Fprintf(&config, "registration:\n  initial_access_tokens: [{name: interop, token: %s}]\n  scopes: [openid, profile, email, groups, offline_access]\n  redirect_loopback: true\n  id_token_claims: full\n", initialAccessToken)
	path := filepath.Join(w.dir, scheme+".yaml")
	if err := os.WriteFile(path, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, nil, "serving", w.program, "serve", "-c", path)
	return issuer
}

// journal keeps what a program prints and says when a text appears.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
	want string
	seen chan struct{}
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) follow(r io.Reader) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		j.mu.Lock()
		j.text.WriteString(in.Text() + "\n")
		if j.want != "" && strings.Contains(in.Text(), j.want) {
			j.want = ""
			close(j.seen)
		}
		j.mu.Unlock()
	}
}

// start runs a program for as long as the test takes and waits until it prints a
// text.
func start(t *testing.T, environment []string, until, name string, arguments ...string) *journal {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Env = append(os.Environ(), environment...)
	j := &journal{want: until, seen: make(chan struct{})}
	r, w := io.Pipe()
	command.Stdout, command.Stderr = w, w
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go j.follow(r)
	go func() { ended <- command.Wait(); w.Close() }()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = command.Process.Kill()
			t.Errorf("%s does not end", name)
		}
		if t.Failed() {
			t.Logf("%s %s printed:\n%s", name, strings.Join(arguments, " "), j)
		}
	})
	select {
	case <-j.seen:
	case err := <-ended:
		ended <- err
		t.Fatalf("%s ended at its start: %v", name, err)
	case <-time.After(patience):
		t.Fatalf("%s does not print %q", name, until)
	}
	return j
}

// execute runs a command to its end.
func (w *world) execute(t *testing.T, dir, name string, arguments ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, arguments...)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, out)
	}
}

// install copies the files of a client to where its libraries are installed.
func (w *world) install(t *testing.T, name string, install ...string) string {
	t.Helper()
	dir := filepath.Join(w.dir, name)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.CopyFS(dir, os.DirFS(name)); err != nil {
		t.Fatal(err)
	}
	w.execute(t, dir, install[0], install[1:]...)
	return dir
}

// environment is what the applications are told.
func (w *world) environment(a app, issuer string) []string {
	ca := filepath.Join(w.dir, "ca.crt")
	return []string{"ISSUER=" + issuer, "CLIENT_ID=" + a.id, "CLIENT_SECRET=" + a.secret(), "BASE=" + a.base, "PORT=" + a.port,
		"CERTIFICATE=" + filepath.Join(w.dir, "tls.crt"), "KEY=" + filepath.Join(w.dir, "tls.key"),
		"NODE_EXTRA_CA_CERTS=" + ca, "REQUESTS_CA_BUNDLE=" + ca, "PYTHONUNBUFFERED=1"}
}

// outcome is what an application says of a sign-in.
type outcome map[string]any

func readOutcome(t *testing.T, p page) outcome {
	t.Helper()
	var o outcome
	if err := json.Unmarshal([]byte(p.body), &o); err != nil || p.status != http.StatusOK {
		t.Fatalf("%s answers %d: %s", p.url, p.status, p.body)
	}
	return o
}

// want fails the test unless the outcome has these values.
func (o outcome) want(t *testing.T, values map[string]any) {
	t.Helper()
	for name, value := range values {
		if got := o[name]; fmt.Sprint(got) != fmt.Sprint(value) {
			t.Errorf("%s is %v, want %v", name, got, value)
		}
	}
}
