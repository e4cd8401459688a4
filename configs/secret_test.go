package configs

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	const s = Secret("hunter2-hunter2")
	var b strings.Builder
	config := mustLoad(t, strings.Replace(minimal, "env:CORP_SECRET", string(s), 1)+strings.Replace(wiki, "env:WIKI_SECRET", string(s), 1))
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "config", config)
	fmt.Fprintf(&b, "%v %+v %#v", config, config, *config)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "secret", s, "config", Client{ClientSecret: s})
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb, s)
		fmt.Fprintf(&b, verb, Client{ClientSecret: s, ClientSecrets: []Secret{s}})
	}
	encoded, err := json.Marshal(struct{ S Secret }{s})
	if err != nil {
		t.Fatal(err)
	}
	b.Write(encoded)
	for _, leak := range []string{"hunter2", fmt.Sprintf("%x", "hunter2")} {
		if strings.Contains(b.String(), leak) {
			t.Errorf("a secret is printed: %s", b.String())
		}
	}
	if s.String() != "REDACTED" || s.GoString() != "REDACTED" {
		t.Error("a secret prints as something else")
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal)
	dir := filepath.Dir(c.File())
	for name, content := range map[string]string{"plain": "secret-in-a-file", "newline": "secret-in-a-file\r\n\n", "inner": "a\nb\n", "empty": "\n", "large": strings.Repeat("x", maxSecret+1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ name, reference, want, problem string }{
		{"a variable", "env:CORP_SECRET", "corp-secret-in-the-environment", ""},
		{"a file beside the configuration", "file:plain", "secret-in-a-file", ""},
		{"a file anywhere", "file:" + filepath.Join(dir, "plain"), "secret-in-a-file", ""},
		{"a file that ends with line breaks", "file:newline", "secret-in-a-file", ""},
		{"a file with line breaks inside", "file:inner", "a\nb", ""},
		{"a literal", "pa:ss", "pa:ss", ""},
		{"a variable that is not set", "env:NONE", "", "env:NONE: the environment variable is not set"},
		{"a variable that is empty", "env:EMPTY", "", "env:EMPTY: the environment variable is empty"},
		{"a file that is not there", "file:none", "", "file:none: the file cannot be read: no such file or directory"},
		{"a file that is empty", "file:empty", "", "file:empty: the file is empty"},
		{"a file that is no secret", "file:large", "", "file:large: the file is larger than"},
		{"a directory", "file:.", "", "file:.: the file cannot be read: is a directory"},
		{"nothing", "", "", "is empty"},
		{"spaces", "  ", "", "is empty"},
		{"a variable without name", "env:", "", "must name an environment variable"},
		{"a variable with a value", "env:A=b", "", "must name an environment variable"},
		{"a file without name", "file:", "", "must name a file"},
		{"what a shell would expand", "${CORP_SECRET}", "", "variables are not expanded"},
		{"what a shell would expand, short", "$CORP_SECRET", "", "variables are not expanded"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := c.Resolve(row.reference)
			if row.problem == "" && (err != nil || got != row.want) {
				t.Errorf("resolved to %q, %v", got, err)
			}
			if row.problem != "" && (err == nil || got != "" || !strings.HasPrefix(err.Error(), row.problem)) {
				t.Errorf("resolved to %q, %v; want the problem %s", got, err, row.problem)
			}
		})
	}
}

func TestReferencesAreTriedWhenTheFileIsLoaded(t *testing.T) {
	t.Parallel()
	wantProblems(t, strings.Replace(minimal, "CORP_SECRET", "NONE", 1)+strings.Replace(wiki, "env:WIKI_SECRET", "file:none", 1)+"  - {client_id: b, client_secrets: [env:EMPTY], redirect_uris: ['https://b.example']}\n",
		"3: connectors[0].client_secret: env:NONE: the environment variable is not set",
		"6: clients[0].client_secret: file:none: the file cannot be read",
		"8: clients[1].client_secrets[0]: env:EMPTY: the environment variable is empty")
	wantProblems(t, minimal+strings.Replace(wiki, "env:WIKI_SECRET", "''", 1), "6: clients[0].client_secret: is empty")
	wantProblems(t, minimal+strings.Replace(wiki, "env:WIKI_SECRET", "${WIKI_SECRET}", 1), "6: clients[0].client_secret: variables are not expanded")
	wantProblems(t, strings.Replace(minimal, "env:CORP_SECRET", "'${CORP_SECRET}'", 1), "3: connectors[0].client_secret: variables are not expanded")
}

func TestProblemsHoldNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse-battery"
	content := strings.ReplaceAll(`issuer: https://a.example
secret_key: SECRET
connectors: [{id: a, type: fake, client_id: b, client_secret: "SECRET\u0000"}]
clients:
  - {client_id: a, client_secret: ["SECRET"], redirect_uris: [x]}
  - {client_id: b, client_secrets: [{k: SECRET}, "SECRET\n"], redirect_uris: [x]}
  - {client_id: c, client_secret: SECRET, client_secret: SECRET, redirect_uris: [x]}
`, "SECRET", secret)
	for _, broken := range []string{content, content + "x: [" + secret, content + "x: '" + secret, content + "x: &" + secret + " b\n"} {
		got := problemsOf(t, broken)
		if len(got) == 0 || strings.Contains(strings.Join(got, "\n"), secret) {
			t.Errorf("problems:\n%s", strings.Join(got, "\n"))
		}
	}
}

func TestOpenSecretsAreWarnedOf(t *testing.T) {
	t.Parallel()
	path := write(t, minimal+`clients:
  - {client_id: a, client_secret: file:a.secret, redirect_uris: ['https://a.example']}
  - {client_id: b, client_secret: a-literal-of-good-length, redirect_uris: ['https://a.example']}
  - {client_id: c, client_secret: `+bcryptHash+`, redirect_uris: ['https://a.example']}
  - {client_id: d, client_secret: env:SHORT, redirect_uris: ['https://a.example']}
`)
	file := filepath.Join(filepath.Dir(path), "a.secret")
	if err := os.WriteFile(file, []byte("a-secret-of-good-length"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name           string
		config, secret os.FileMode
		warnings       []string
	}{
		{"files for the owner", 0o600, 0o600, []string{"8: clients[3].client_secret: has fewer than 16"}},
		{"files for the group", 0o640, 0o640, []string{"8: clients[3].client_secret: has fewer than 16"}},
		{"a secret's file for everybody", 0o600, 0o644, []string{"5: clients[0].client_secret: the file can be read by everybody", "8: clients[3].client_secret: has fewer than 16"}},
		{"a configuration for everybody", 0o644, 0o600, []string{"6: clients[1].client_secret: is written into a file that everybody", "8: clients[3].client_secret: has fewer than 16"}},
	} {
		if err := os.Chmod(path, row.config); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, row.secret); err != nil {
			t.Fatal(err)
		}
		c, err := load(path, fakeTypes(), environment)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range c.Warnings() {
			got = append(got, strings.TrimPrefix(w.String(), path+":"))
		}
		ok := len(got) == len(row.warnings)
		for i := range row.warnings {
			ok = ok && strings.HasPrefix(got[i], row.warnings[i])
		}
		if !ok {
			t.Errorf("%s: warnings:\n%s", row.name, strings.Join(got, "\n"))
		}
	}
}
