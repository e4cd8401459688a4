//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

// taken is an address that somebody listens on.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func TestServeRefusesWhatItCannotListenOn(t *testing.T) {
	t.Parallel()
	address := taken(t)
	const free = "stop the program that has it, or choose another port"
	for _, row := range []struct {
		name     string
		settings settings
		want     []string
	}{
		{"a taken port", settings{Listen: address}, []string{"listen: listen tcp " + address, "address already in use", free}},
		{"a taken port for health", settings{Health: address}, []string{"health.listen: listen tcp " + address, "address already in use", free}},
		{"an address of another machine", settings{Listen: "192.0.2.1:0", Top: "trusted_proxies: [10.0.0.0/8]\n"},
			[]string{"listen: listen tcp 192.0.2.1:0", "choose an address that this machine has"}},
		{"a file for an admin socket", settings{Top: "admin: {socket: broker.yaml}\n"}, []string{"admin socket ", "is not a socket: move it away, or set admin.socket"}},
		{"an admin socket in a missing directory", settings{Top: "admin: {socket: nowhere/a.sock}\n"}, []string{"admin.socket: ", "does not exist: make it"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "http://localhost:7", settings{}).used()
			w.configure(row.settings)
			before := w.read("broker.yaml")
			oneSentence(t, do(t, "serve", "-c", w.path), row.want...)
			if w.read("broker.yaml") != before {
				t.Error("the configuration was changed")
			}
			// Nothing is broken by it.
			w.configure(settings{})
			w.serve().stop()
		})
	}
}

func TestServeRefusesTheSocketOfAnotherBroker(t *testing.T) {
	t.Parallel()
	first, second := newWorld(t, "http://localhost:7", settings{}), newWorld(t, "http://localhost:7", settings{})
	p := first.serve()
	second.used()
	second.configure(settings{Top: fmt.Sprintf("admin: {socket: %q}\n", first.file("broker.sock"))})
	oneSentence(t, do(t, "serve", "-c", second.path), "admin socket ", "another broker listens on it: stop that one first, or set admin.socket")
	if n := len(first.listed("list")); n != 1 {
		t.Errorf("%d keys over the first broker's socket", n)
	}
	p.stop()
}

func TestServeRefusesAConfigurationThatItCannotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://localhost:7", settings{})
	oneSentence(t, do(t, "serve", "-c", w.file("none.yaml")), w.file("none.yaml")+": cannot be read: no such file or directory")
	oneSentence(t, do(t, "serve", "-c", w.dir), w.dir+": cannot be read: is a directory")
	ok(t, os.Chmod(w.path, 0))
	p := launch(t, unprivileged(t, w.dir, w.path), "serve", "-c", w.path)
	oneSentence(t, result{p.wait(), p.stdout.String(), p.stderr.String()}, w.path+": cannot be read: permission denied")
	ok(t, os.Chmod(w.path, 0o600))
	w.write("broker.yaml", "issuer: [\n")
	oneSentence(t, do(t, "serve", "-c", w.path), w.path+":1: ")
	w.write("broker.yaml", "\x00\x01\xff")
	oneSentence(t, do(t, "serve", "-c", w.path), w.path+":")
	if names := w.names(); names != "broker.yaml" {
		t.Errorf("left behind: %s", names)
	}
}

// Every problem at once, each with the line it is in, and nothing is made before all are gone.
func TestServeSaysEverythingThatIsWrongWithAConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://localhost:7", settings{})
	w.write("broker.yaml", `issuer: http://sso.example.com/
listen: 0.0.0.0:5556
storage: {type: bolt, path: nowhere/broker.db}
trusted_proxy: [10.0.0.1]
connectors:
  - id: corp
    type: oidc
    client_id: gatehouse
    client_secret: env:GATEHOUSE_TEST_NOT_SET
    issuer: https://idp.example.com
  - {id: corp, type: gogle}
clients:
  - client_id: wiki
    client_secret: file:missing.txt
    redirect_uris: ["https://wiki.example/callback#fragment"]
lifetimes: {code: 1h}
log: {level: loud}
`)
	for _, command := range []string{"serve", "check-config"} {
		got := do(t, command, "-c", w.path)
		if got.code != 1 || got.stdout != "" {
			t.Errorf("%s: exit code %d, stdout %q", command, got.code, got.stdout)
		}
		lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
		at := -1
		for _, want := range []string{
			":1: issuer: ", ":2: listen: ", ":3: storage.path: ", ":4: trusted_proxy: ", ":9: connectors[0].client_secret: ",
			":11: connectors[1].type: ", ":14: clients[0].client_secret: ", ":15: clients[0].redirect_uris[0]: ", ":16: lifetimes.code: ", ":17: log.level: ",
		} {
			found := -1
			for i, line := range lines {
				if strings.HasPrefix(line, w.path+want) {
					found = i
				}
			}
			if found <= at {
				t.Errorf("%s does not say %q, or not in its place:\n%s", command, want, got.stderr)
			}
			at = max(at, found)
		}
		for _, line := range lines {
			if !strings.HasPrefix(line, w.path+":") || strings.Contains(line, "goroutine") {
				t.Errorf("%s says %q", command, line)
			}
		}
	}
	if names := w.names(); names != "broker.yaml" {
		t.Errorf("left behind: %s", names)
	}
}
