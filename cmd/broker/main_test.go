package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/keys"
	"gatehouse/broker/seal"
	"gatehouse/configs"
	"gatehouse/internal/adminsock"
)

const sample = `issuer: https://sso.example.com/auth
connectors:
  - {id: corp, type: oidc, client_id: gatehouse, client_secret: a-literal-of-good-length, issuer: https://idp.example.com}
  - {id: github, type: github, client_id: gatehouse, client_secret: a-literal-of-good-length}
clients:
  - client_id: wiki
    client_secret: a-literal-of-good-length
    redirect_uris: [https://wiki.example.com/callback, https://wiki.example.com/other]
    connectors: [corp]
`

// write makes a configuration in a directory whose name is short enough for a socket.
func write(t *testing.T, content string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "broker.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// result is what a command line did.
type result struct {
	code           int
	stdout, stderr string
}

func command(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

func TestCommandLinesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	path := write(t, sample)
	for _, row := range []struct {
		name string
		args []string
		want string
	}{
		{"an unknown command", []string{"serv"}, `broker: unknown command "serv"`},
		{"a misspelt command", []string{"secrets"}, `broker: unknown command "secrets": did you mean secret?`},
		{"an unknown command of keys", []string{"keys", "rotat"}, `broker keys: unknown command "rotat": did you mean rotate?`},
		{"keys without a command", []string{"keys"}, "broker keys: say what to do: list or rotate"},
		{"an unknown flag", []string{"secret", "--long"}, "broker secret: unknown flag: --long"},
		{"a flag without its value", []string{"check-config", "-c"}, "broker check-config: flag needs an argument"},
		{"an argument too many", []string{"version", "now"}, `broker version: takes no arguments, but got "now"`},
		{"a path without its flag", []string{"check-config", path}, "broker check-config: takes no arguments"},
		{"no configuration", []string{"check-config"}, "broker check-config: name the configuration file: -c broker.yaml"},
		{"no configuration for keys", []string{"keys", "list"}, "broker keys list: name the configuration file"},
		{"an unknown output", []string{"keys", "list", "-c", path, "-o", "xml"}, `broker keys list: unknown output "xml"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := command(t, row.args...)
			if got.code != 2 || got.stdout != "" || !strings.HasPrefix(got.stderr, row.want) || !strings.Contains(got.stderr, `--help" for how it is used.`) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--help"}, {"help"}} {
		got := command(t, args...)
		if got.code != 0 || got.stderr != "" {
			t.Errorf("%v: %+v", args, got)
		}
		for _, name := range []string{"check-config", "connector", "keys", "secret", "version"} {
			if !strings.Contains(got.stdout, "\n  "+name) {
				t.Errorf("%v does not tell of %s:\n%s", args, name, got.stdout)
			}
		}
	}
}

func TestSecretIsFresh(t *testing.T) {
	t.Parallel()
	first, second := command(t, "secret"), command(t, "secret")
	if first.code != 0 || first.stderr != "" || first.stdout == second.stdout {
		t.Errorf("%+v, %+v", first, second)
	}
	if key, err := seal.ParseSecret(first.stdout); err != nil || len(key) != seal.MinSecret {
		t.Errorf("it is no secret: %v", err)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if got := command(t, "version"); got.code != 0 || !strings.HasPrefix(got.stdout, "gatehouse broker ") || !strings.Contains(got.stdout, "(go1.") {
		t.Errorf("%+v", got)
	}
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}}
	dirty := append(commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	for _, row := range []struct {
		name, release string
		build         *debug.BuildInfo
		want          string
	}{
		{"a release", "v1.2.3", &debug.BuildInfo{Settings: commit}, "v1.2.3"},
		{"a module", "", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.4"}, Settings: commit}, "v1.2.4"},
		{"a commit", "", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: commit}, "commit 0123456789ab"},
		{"a changed tree", "", &debug.BuildInfo{Settings: dirty}, "commit 0123456789ab with local changes"},
		{"no commit", "", &debug.BuildInfo{}, "development build"},
		{"no information", "", nil, "of unknown origin"},
	} {
		if got := versionOf(row.release, row.build); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

func TestCheckConfigSaysWhatAFileMeans(t *testing.T) {
	t.Parallel()
	path := write(t, sample)
	got := command(t, "check-config", "-c", path)
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	words := strings.Join(strings.Fields(got.stdout), " ")
	for _, want := range []string{
		"OK: " + path + " issuer https://sso.example.com/auth listen 127.0.0.1:5556 (plain HTTP) health 127.0.0.1:5557",
		"storage " + filepath.Join(filepath.Dir(path), "broker.db"),
		"admin socket " + filepath.Join(filepath.Dir(path), "broker.sock"),
		"corp oidc https://sso.example.com/auth/callback/corp",
		"github github https://sso.example.com/auth/callback/github",
		"wiki https://wiki.example.com/callback https://wiki.example.com/other",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is missing in\n%s", want, got.stdout)
		}
	}
	if strings.Contains(got.stdout, "a-literal") {
		t.Error("a secret is printed")
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "broker.key")); err == nil {
		t.Error("checking makes files")
	}
}

func TestCheckConfigSaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	path := write(t, strings.Replace(sample, "https://sso", "http://sso", 1)+"    scopes: openid\nlog: {level: x}\n")
	got := command(t, "check-config", "-c", path)
	want := path + ":1: issuer: must be https: http is for trying things out on localhost, 127.0.0.1 or [::1]\n" +
		path + ":10: clients[0].scopes: unknown key: did you mean scope?\n" +
		path + ":11: log.level: must be debug, info, warn or error\n"
	if got.code != 1 || got.stdout != "" || got.stderr != want {
		t.Errorf("%+v\nwant %s", got, want)
	}
}

func TestCheckConfigPrintsWarnings(t *testing.T) {
	t.Parallel()
	path := write(t, sample+"outbound: {allow_networks: [127.0.0.0/8]}\n")
	got := command(t, "check-config", "-c", path)
	if got.code != 0 || !strings.HasPrefix(got.stderr, "warning: "+path+":10: outbound.allow_networks[0]: addresses in 127.0.0.0/8") {
		t.Errorf("%+v", got)
	}
}

func TestCheckConfigTriesTheThemeOut(t *testing.T) {
	t.Parallel()
	path := write(t, sample+"theme: {dir: theme}\n")
	theme := filepath.Join(filepath.Dir(path), "theme")
	if err := os.Mkdir(theme, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(theme, "no-such-page.html"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := command(t, "check-config", "-c", path)
	if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, path+": theme.dir: ") {
		t.Errorf("%+v", got)
	}
}

func TestKeysOfADatabaseThatNobodyHasOpen(t *testing.T) {
	t.Parallel()
	path := write(t, sample)
	if got := command(t, "keys", "list", "-c", path); got.code != 1 || !strings.Contains(got.stderr, "does not exist: the broker makes it") {
		t.Fatalf("without a database: %+v", got)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "broker.*")); err != nil || len(left) != 1 {
		t.Fatalf("listing makes files: %v, %v", left, err)
	}
	makeDatabase(t, path)
	before := listKeys(t, path)
	if len(before) != 2 || before[0].Stage != keys.Signing || before[1].Stage != keys.Signing {
		t.Fatalf("keys: %+v", before)
	}
	table := command(t, "keys", "list", "-c", path)
	lines := strings.Split(strings.TrimSpace(table.stdout), "\n")
	if table.code != 0 || len(lines) != 3 || !strings.HasPrefix(lines[0], "KID ") || !strings.HasPrefix(lines[1], before[0].ID+" ") ||
		!strings.Contains(lines[1], before[0].SignAt.UTC().Format("2006-01-02 15:04Z")) {
		t.Errorf("table: %+v", table)
	}
	if got := command(t, "keys", "rotate", "-c", path); got.code != 0 || got.stderr != "" {
		t.Fatalf("rotate: %+v", got)
	}
	after := listKeys(t, path)
	if len(after) != 4 {
		t.Fatalf("an ordinary rotation leaves %+v", after)
	}
	if got := command(t, "keys", "rotate", "--emergency", "-c", path); got.code != 0 {
		t.Fatalf("rotate: %+v", got)
	}
	for _, k := range listKeys(t, path) {
		for _, old := range after {
			if k.ID == old.ID || k.Stage != keys.Signing {
				t.Errorf("an emergency leaves %+v", k)
			}
		}
	}
}

// makeDatabase does what a first start does, and ends.
func makeDatabase(t *testing.T, path string) {
	t.Helper()
	o, err := openAsServe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.store.Close(); err != nil {
		t.Fatal(err)
	}
}

func openAsServe(ctx context.Context, path string) (*opened, error) {
	config, err := configs.Load(path, vendors())
	if err != nil {
		return nil, err
	}
	if _, err := config.EnsureSecretKey(); err != nil {
		return nil, err
	}
	return open(ctx, config, slog.New(slog.DiscardHandler))
}

func listKeys(t *testing.T, path string) []keys.Info {
	t.Helper()
	got := command(t, "keys", "list", "-o", "json", "-c", path)
	var list []keys.Info
	if err := json.Unmarshal([]byte(got.stdout), &list); err != nil || got.code != 0 {
		t.Fatalf("keys: %+v, %v", got, err)
	}
	return list
}

func TestKeysOfARunningBroker(t *testing.T) {
	t.Parallel()
	path := write(t, sample)
	o, err := openAsServe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer o.store.Close()
	// Without the socket the database is in use, and the command says so.
	if got := command(t, "keys", "list", "-c", path); got.code != 1 || !strings.Contains(got.stderr, "in use by another process") {
		t.Errorf("without a socket: %+v", got)
	}
	l, err := adminsock.Listen(t.Context(), filepath.Join(filepath.Dir(path), "broker.sock"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- (&adminsock.Server{Keys: o.server.Keys(), Log: slog.New(slog.DiscardHandler)}).Serve(ctx, l)
	}()
	// Whoever asks the broker need not have the secrets that its configuration names.
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(sample, "a-literal-of-good-length", "env:GATEHOUSE_TEST_IS_NOT_SET")), 0o600); err != nil {
		t.Fatal(err)
	}
	before := listKeys(t, path)
	if got := command(t, "keys", "rotate", "-c", path); got.code != 0 || !strings.Contains(got.stdout, before[0].ID) {
		t.Errorf("rotate: %+v", got)
	}
	if now := o.server.Keys().Info(); len(before) != 2 || len(now) != 4 {
		t.Errorf("the running broker had %d keys and has %d", len(before), len(now))
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestProgram builds the program once and runs it as a person does.
func TestProgram(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("building takes a while")
	}
	program := filepath.Join(t.TempDir(), "broker")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X main.version=v9.8.7", "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	path := write(t, sample)
	makeDatabase(t, path)
	wrong := write(t, "issuer: x\n")
	for _, row := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"version", []string{"version"}, 0, "gatehouse broker v9.8.7 (go1.", ""},
		{"a valid configuration", []string{"check-config", "-c", path}, 0, "OK: " + path, ""},
		{"an invalid configuration", []string{"check-config", "--config", wrong}, 1, "", wrong + ": connectors: needs at least one entry"},
		{"a missing configuration", []string{"check-config", "-c", path + ".none"}, 1, "", path + ".none: cannot be read: no such file or directory\n"},
		{"keys", []string{"keys", "list", "-c", path}, 0, "KID ", ""},
		{"nonsense", []string{"nonsense"}, 2, "", `broker: unknown command "nonsense"`},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		var stdout, stderr strings.Builder
		cmd := exec.CommandContext(ctx, program, row.args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		cancel()
		if got := cmd.ProcessState.ExitCode(); got != row.code {
			t.Errorf("%s: exit code %d, %v", row.name, got, err)
		}
		if !strings.HasPrefix(stdout.String(), row.stdout) || !strings.HasPrefix(stderr.String(), row.stderr) || (row.stderr == "") != (stderr.Len() == 0) {
			t.Errorf("%s: stdout %q, stderr %q", row.name, stdout.String(), stderr.String())
		}
	}
}
