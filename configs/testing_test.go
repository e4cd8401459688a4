package configs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse/connectors"
)

// fakeConfig stands for a connector type, with one key of its own of each kind.
type fakeConfig struct {
	connectors.Common `yaml:",inline"`

	Tenant  string            `yaml:"tenant"`
	Domains []string          `yaml:"hosted_domains"`
	Orgs    []fakeOrg         `yaml:"organizations"`
	Strict  *bool             `yaml:"strict"`
	Pages   int               `yaml:"pages"`
	Claims  map[string]string `yaml:"claims"`
}

type fakeOrg struct {
	Name string `yaml:"name"`
}

func (c *fakeConfig) Base() *connectors.Common { return &c.Common }

func (c *fakeConfig) Validate() []connectors.Problem {
	problems := c.Problems()
	for i, d := range c.Domains {
		if !strings.Contains(d, ".") {
			problems = append(problems, connectors.Problem{Path: element("hosted_domains", i), Message: "must be a domain"})
		}
	}
	return problems
}

func (c *fakeConfig) Open(connectors.Environment) (connectors.Connector, error) {
	return nil, errors.New("not opened in these tests")
}

func fakeTypes() Types {
	return Types{"fake": func() connectors.Config { return new(fakeConfig) }}
}

// minimal is the smallest valid file; tests put more behind it.
const minimal = `issuer: https://sso.example.com
connectors:
  - {id: corp, type: fake, client_id: gatehouse, client_secret: env:CORP_SECRET}
`

// wiki is a valid client to put behind it.
const wiki = `clients:
  - client_id: wiki
    client_secret: env:WIKI_SECRET
    redirect_uris: [https://wiki.example.com/callback]
`

func environment(name string) (string, bool) {
	value, ok := map[string]string{
		"CORP_SECRET": "corp-secret-in-the-environment",
		"WIKI_SECRET": "wiki-secret-in-the-environment!!",
		"SEAL":        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"SEAL2":       "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
		"EMPTY":       "",
		"SHORT":       "short",
	}[name]
	return value, ok
}

// write puts files into a new directory, which only its owner may read, and returns the path of the first.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broker.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLoad(t *testing.T, content string) *Config {
	t.Helper()
	c, err := load(write(t, content), fakeTypes(), environment)
	if err != nil {
		t.Fatalf("a valid file was refused:\n%v", err)
	}
	return c
}

// problemsOf returns the problems of a file as "line: path: message".
func problemsOf(t *testing.T, content string) []string {
	t.Helper()
	path := write(t, content)
	_, err := load(path, fakeTypes(), environment)
	if err == nil {
		return nil
	}
	problems, ok := errors.AsType[*Problems](err)
	if !ok || len(problems.List) == 0 {
		t.Fatalf("the error is %T with nothing in it: %v", err, err)
	}
	var out []string
	for _, p := range problems.List {
		out = append(out, strings.TrimPrefix(strings.TrimPrefix(p.String(), path+":"), " "))
	}
	return out
}

// wantProblems checks that the problems are these, each given by what it begins with, and no other.
func wantProblems(t *testing.T, content string, want ...string) {
	t.Helper()
	got := problemsOf(t, content)
	if len(got) != len(want) || !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("problems:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
