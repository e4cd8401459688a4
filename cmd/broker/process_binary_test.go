//go:build unix

package main

import (
	"debug/buildinfo"
	"debug/elf"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// maxExecutable is what the program may weigh, with its symbols.
const maxExecutable = 30 << 20

// One file that runs on a machine with nothing on it: no loader, no C library, no path of whoever built it.
func TestExecutableIsStaticAndSmall(t *testing.T) {
	t.Parallel()
	path := programPath(t)
	info, err := os.Stat(path)
	ok(t, err)
	t.Logf("%.1f MiB", float64(info.Size())/(1<<20))
	if info.Size() >= maxExecutable {
		t.Errorf("%d bytes, want less than %d", info.Size(), maxExecutable)
	}
	build, err := buildinfo.ReadFile(path)
	ok(t, err)
	settings := map[string]string{}
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	if settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" || build.Path != "gatehouse/cmd/broker" {
		t.Errorf("built with %v", settings)
	}
	if runtime.GOOS != "linux" {
		return
	}
	file, err := elf.Open(path)
	ok(t, err)
	defer file.Close()
	for _, s := range file.Sections {
		if s.Type == elf.SHT_DYNAMIC {
			t.Errorf("it has a dynamic section: %s", s.Name)
		}
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("it wants a loader: %s", p.Type)
		}
	}
	content, err := os.ReadFile(path)
	ok(t, err)
	directory, err := os.Getwd()
	ok(t, err)
	if strings.Contains(string(content), directory) {
		t.Errorf("it names the directory it was built in, %s", directory)
	}
}

// The test doubles of vendors are part of the demo and belong there; package testing does not.
func TestExecutableHasNoTestingInIt(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	ok(t, err)
	for _, forbidden := range []string{"testing", "net/http/httptest", "net/http/pprof", "gatehouse/internal/brokertest"} {
		if regexp.MustCompile(`(?m)^` + forbidden + `$`).Match(out) {
			t.Errorf("it imports %s", forbidden)
		}
	}
}

func TestVersionAndCheckConfigOfTheProgram(t *testing.T) {
	t.Parallel()
	got := do(t, "version")
	if got.code != 0 || got.stderr != "" || !regexp.MustCompile(`^gatehouse broker \S.* \(go1\.\S+ `+runtime.GOOS+`/`+runtime.GOARCH+`\)\n$`).MatchString(got.stdout) {
		t.Errorf("%+v", got)
	}
	w := newWorld(t, "http://localhost:7", settings{Clients: shopEntry})
	got = do(t, "check-config", "-c", w.path)
	words := strings.Join(strings.Fields(got.stdout), " ")
	if got.code != 0 || got.stderr != "" || !strings.HasPrefix(words, "OK: "+w.path) {
		t.Errorf("%+v", got)
	}
	for _, want := range []string{"issuer http://localhost:7", "listen 127.0.0.1:0 (plain HTTP)", "storage " + w.file("broker.db"),
		"corp oidc http://localhost:7/callback/corp", "wiki " + wikiRedirect, "shop https://shop.example/callback"} {
		if !strings.Contains(words, want) {
			t.Errorf("check-config does not say %q:\n%s", want, got.stdout)
		}
	}
	if strings.Contains(got.stdout, wikiSecret) || strings.Contains(got.stdout, upstreamSecret) {
		t.Error("check-config prints a secret")
	}
	if names := w.names(); names != "broker.yaml" {
		t.Errorf("check-config leaves %s", names)
	}
}

// BenchmarkColdStart starts the program over an existing database that was closed cleanly, until it has given its first
// answer. It is the only place where that is timed.
func BenchmarkColdStart(b *testing.B) {
	w := newWorld(b, "http://localhost:7", settings{})
	p := w.serve()
	for range 20 {
		w.browser().tokens(b.Context())
	}
	p.stop()
	for b.Loop() {
		p := w.serve()
		request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, w.issuer+"/.well-known/openid-configuration", nil)
		ok(b, err)
		if got, err := w.program(request); err != nil || got.text("issuer") != w.issuer {
			b.Fatalf("%v, %v", got, err)
		}
		b.StopTimer()
		p.stop()
		b.StartTimer()
	}
}

// BenchmarkStartAfterAKill is the same after kill -9, when bbolt has to look for the free pages.
func BenchmarkStartAfterAKill(b *testing.B) {
	w := newWorld(b, "http://localhost:7", settings{})
	p := w.serve()
	for b.Loop() {
		b.StopTimer()
		w.browser().tokens(b.Context())
		p.kill()
		b.StartTimer()
		p = w.serve()
	}
	b.StopTimer()
	p.stop()
}
