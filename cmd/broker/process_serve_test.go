//go:build unix

package main

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/broker/seal"
	"gatehouse/connectors/connectortest/fake"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// code signs in and must get one.
func (b *browser) code(ctx context.Context, pairs ...string) string {
	b.w.t.Helper()
	q, err := b.signIn(ctx, pairs...)
	if err != nil || q.Get("code") == "" {
		b.w.t.Fatalf("no code: %v, %v", q, err)
	}
	return q.Get("code")
}

// tokens signs in and redeems the code.
func (b *browser) tokens(ctx context.Context) answer {
	b.w.t.Helper()
	a, err := b.w.redeem(ctx, b.code(ctx))
	if err != nil || a.status != http.StatusOK {
		b.w.t.Fatalf("no tokens: %v, %v", a, err)
	}
	return a
}

// expect checks the status of an answer to a program.
func expect(t testing.TB, what string, status int) func(answer, error) answer {
	return func(a answer, err error) answer {
		t.Helper()
		if err != nil || a.status != status {
			t.Errorf("%s: %v, %v; want status %d", what, a, err, status)
		}
		return a
	}
}

const shopEntry = "  - {client_id: shop, client_secret: the-secret-of-the-shop-0123456789, redirect_uris: [https://shop.example/callback], skip_consent: true}\n"

func TestServeReloadsItsConfigurationOnSIGHUP(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t, "http://localhost:7", settings{})
	p := w.serve()
	ada := w.browser()
	tokens := ada.tokens(ctx)
	shop := []string{"client_id", "shop", "redirect_uri", "https://shop.example/callback"}
	if got, err := ada.get(ctx, w.authorizeURL(shop...)); err != nil || got.away || got.status != http.StatusBadRequest {
		t.Errorf("a client that is not configured: %d %v", got.status, err)
	}

	w.configure(settings{Clients: shopEntry})
	p.signal(syscall.SIGHUP)
	p.await(p.stderr, `level=INFO msg="configuration reloaded"`)
	// Single sign-on at the new client: the session is the one from before.
	if q, err := ada.signIn(ctx, append(shop, "prompt", "none")...); err != nil || q.Get("code") == "" {
		t.Errorf("the new client: %v, %v", q, err)
	}
	expect(t, "an access token from before", 200)(w.userInfo(ctx, tokens.text("access_token")))
	expect(t, "a refresh token from before", 200)(w.refresh(ctx, tokens.text("refresh_token")))

	// A file with mistakes changes nothing, and every one of them is in the log.
	before := w.read("broker.yaml")
	w.configure(settings{Top: "lifetimes: {code: 3h}\nrefresh_tokens: {retry_windows: 5s}\ntheme: {dir: nowhere}\n"})
	p.signal(syscall.SIGHUP)
	p.await(p.stderr, `level=ERROR msg="configuration not reloaded; the old one stays".*problems=3`)
	lines := strings.Count(before, "\n")
	for _, want := range []string{
		fmt.Sprintf(`broker.yaml:%d: lifetimes.code: must be`, lines), fmt.Sprintf(`broker.yaml:%d: refresh_tokens.retry_windows: `, lines+1),
		fmt.Sprintf(`broker.yaml:%d: theme.dir: is not a directory`, lines+2),
	} {
		if n := strings.Count(p.stderr.String(), want); n != 1 {
			t.Errorf("the log says %d times %q:\n%s", n, want, p.stderr)
		}
	}
	if q, err := ada.signIn(ctx, append(shop, "prompt", "none")...); err != nil || q.Get("code") == "" {
		t.Errorf("the new client after a refused reload: %v, %v", q, err)
	}

	// What only a restart can change is said so, and nothing else of that file is taken up either.
	w.configure(settings{Top: "admin: {socket: other.sock}\nsecret_key: file:other.key\n", Level: "debug"})
	w.write("other.key", seal.NewSecret())
	p.signal(syscall.SIGHUP)
	p.await(p.stderr, `level=ERROR msg="configuration not reloaded; the old one stays".*problems=3\n(?s:.*)level=ERROR msg="configuration not reloaded; the old one stays".*problems=3`)
	for _, key := range []string{"admin.socket", "log", "secret_key"} {
		if want := key + ": changed; restart the server to use it"; !strings.Contains(p.stderr.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, p.stderr)
		}
	}
	if q, err := ada.signIn(ctx, append(shop, "prompt", "none")...); err != nil || q.Get("code") == "" {
		t.Errorf("the new client after another refused reload: %v, %v", q, err)
	}
	p.stop()
}

// A supervisor may ask for a reload before the start is over.
func TestServeIsNotEndedByAnEarlySIGHUP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://localhost:7", settings{})
	p := launch(t, nil, "serve", "-c", w.path)
	p.await(p.stderr, "made a secret key")
	p.signal(syscall.SIGHUP)
	w.lead(p.await(p.stderr, servingLine)[1])
	p.await(p.stderr, `msg="configuration reloaded"`)
	w.browser().tokens(t.Context())
	p.stop()
}

func TestServeFinishesWhatIsUnderWayBeforeItEnds(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t, "http://localhost:7", settings{})
	p := w.serve()
	address := *w.serves.Load()
	if _, err := os.Lstat(w.file("broker.sock")); err != nil {
		t.Fatal(err)
	}
	// The broker waits for its upstream, and so does the person.
	w.upstream.SetDelay(time.Second)
	w.upstream.MisbehaveOnce(fake.At(fake.Token, fake.Slow))
	var q url.Values
	signedIn := make(chan error, 1)
	go func() {
		var err error
		q, err = w.browser().signIn(ctx)
		signedIn <- err
	}()
	for deadline := time.Now().Add(patience); w.upstream.Calls(fake.Token) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the upstream was not asked")
		}
	}
	p.signal(syscall.SIGTERM)
	if err := <-signedIn; err != nil || q.Get("code") == "" {
		t.Errorf("the sign-in under way: %v, %v\n%s", q, err, p.stderr)
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if log := p.stderr.String(); !strings.HasSuffix(log, "msg=stopped\n") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log:\n%s", log)
	}
	if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		conn.Close()
		t.Error("something still listens")
	}
	if names := w.names(); names != "broker.db broker.key broker.yaml" {
		t.Errorf("left behind: %s", names)
	}
	w.serve()
	expect(t, "the code after a restart", 200)(w.redeem(ctx, q.Get("code")))
}

// withoutUmask runs a command as a careless service manager does.
func withoutUmask(c *exec.Cmd) {
	c.Args = append([]string{"sh", "-c", `umask 0 && exec "$0" "$@"`, c.Path}, c.Args[1:]...)
	c.Path = "/bin/sh"
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://localhost:7", settings{})
	mode := func(name string) fs.FileMode {
		info, err := os.Lstat(w.file(name))
		ok(t, err)
		return info.Mode()
	}
	p := launch(t, withoutUmask, "serve", "-c", w.path)
	p.await(p.stderr, servingLine)
	for name, want := range map[string]fs.FileMode{"broker.db": 0o600, "broker.key": 0o600, "broker.sock": fs.ModeSocket | 0o600} {
		if got := mode(name); got != want {
			t.Errorf("%s has mode %v, want %v", name, got, want)
		}
	}
	p.stop()

	ok(t, os.Chmod(w.file("broker.db"), 0o644))
	p = w.serve()
	if got := mode("broker.db"); got != 0o600 {
		t.Errorf("a database that others could read has mode %v", got)
	}
	p.await(p.stderr, `level=WARN msg="the database file was open to others; its mode is now 0600" path=\S+broker.db mode=-rw-r--r--`)
	w.browser().tokens(t.Context())
	p.stop()
}

func TestServeTakesWhatSecretPrints(t *testing.T) {
	t.Parallel()
	first, second := do(t, "secret"), do(t, "secret")
	if first.code != 0 || first.stderr != "" || first.stdout == second.stdout || strings.Count(first.stdout, "\n") != 1 {
		t.Fatalf("%+v, %+v", first, second)
	}
	for _, one := range []result{first, second} {
		if key, err := seal.ParseSecret(one.stdout); err != nil || len(key)*8 < 256 {
			t.Errorf("%d bits, %v", len(key)*8, err)
		}
	}
	w := newWorld(t, "http://localhost:7", settings{})
	w.write("broker.key", first.stdout)
	p := w.serve()
	ada := w.browser()
	tokens := ada.tokens(t.Context())
	p.stop()
	if w.read("broker.key") != first.stdout {
		t.Error("the key was replaced")
	}
	// Rotation: the new one seals, the old one still opens. The database needs only one start with both.
	w.write("new.key", second.stdout)
	w.configure(settings{Top: "secret_key: [file:new.key, file:broker.key]\n"})
	p = w.serve()
	if q, err := ada.signIn(t.Context(), "prompt", "none"); err != nil || q.Get("code") == "" {
		t.Errorf("the session from before: %v, %v", q, err)
	}
	expect(t, "an access token from before", 200)(w.userInfo(t.Context(), tokens.text("access_token")))
	tokens = expect(t, "a refresh token from before", 200)(w.refresh(t.Context(), tokens.text("refresh_token")))
	p.stop()
	w.configure(settings{Top: "secret_key: file:new.key\n"})
	p = w.serve()
	expect(t, "an access token without the old secret", 200)(w.userInfo(t.Context(), tokens.text("access_token")))
	expect(t, "a refresh token made under the new one", 200)(w.refresh(t.Context(), tokens.text("refresh_token")))
	p.stop()
	w.configure(settings{Top: "secret_key: file:broker.key\n"})
	oneSentence(t, do(t, "serve", "-c", w.path), "secret_key does not fit this file", "put the secret_key it was made with back")
}
