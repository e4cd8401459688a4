package configs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/github"
	"gatehouse/connectors/google"
	"gatehouse/connectors/oidc"
	"gatehouse/connectors/okta"
)

func vendors() configs.Types {
	return configs.Types{
		"azuread": func() connectors.Config { return new(azuread.Config) },
		"github":  func() connectors.Config { return new(github.Config) },
		"google":  func() connectors.Config { return new(google.Config) },
		"oidc":    func() connectors.Config { return new(oidc.Config) },
		"okta":    func() connectors.Config { return new(okta.Config) },
	}
}

// TestSamplesAreValid loads every sample as it stands, with the secrets it asks for in the environment.
func TestSamplesAreValid(t *testing.T) {
	for _, name := range []string{"GOOGLE", "ENTRA", "OKTA", "GITHUB", "CORP", "WIKI", "DEPLOY"} {
		t.Setenv(name+"_SECRET", "a-secret-of-good-length")
	}
	t.Setenv("OKTA_API_TOKEN", "a-token-of-good-length")
	t.Setenv("REPORTS_SECRET_NEW", "a-new-secret-of-good-length")
	t.Setenv("REPORTS_SECRET_OLD", "an-old-secret-of-good-length")
	t.Setenv("ORDERS_API_SECRET", "a-secret-of-an-api-of-good-length")
	t.Setenv("STOCK_API_SECRET", "a-secret-of-an-api-of-good-length")
	samples, err := filepath.Glob("*.yaml")
	if err != nil || len(samples) != 9 {
		t.Fatalf("samples: %v, %v", samples, err)
	}
	for _, sample := range samples {
		text := readSample(t, sample)
		c, err := configs.Load(copySample(t, text), vendors())
		if err != nil {
			t.Errorf("%s:\n%v", sample, err)
			continue
		}
		if len(c.Warnings()) > 0 {
			t.Errorf("%s has warnings: %v", sample, c.Warnings())
		}
		clients, err := c.BrokerClients(func(s string) (string, error) { return s, nil })
		if err != nil || len(clients) == 0 {
			t.Errorf("%s: clients %v, %v", sample, clients, err)
		}
		// The sample says what to register at the vendor, to the letter.
		for _, one := range c.Connectors {
			uri := c.Issuer + "/callback/" + one.Base().ID
			if !regexp.MustCompile(`(?m)^ *# .*` + regexp.QuoteMeta(uri) + `$`).MatchString(text) {
				t.Errorf("%s does not name the redirect URI %s", sample, uri)
			}
		}
	}
}

func readSample(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// copySample writes a sample where nobody has left a database.
func copySample(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broker.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// everything is the example with every key that is commented out set.
func everything(t *testing.T) string {
	t.Helper()
	return regexp.MustCompile(`(?m)^( *)#([^ #\n])`).ReplaceAllString(readSample(t, "broker.example.yaml"), "$1$2")
}

func TestExampleNamesNoKeyThatIsNotThere(t *testing.T) {
	t.Parallel()
	if _, problems := configs.Form(copySample(t, everything(t)), vendors()); len(problems) > 0 {
		t.Errorf("with everything set: %v", problems)
	}
}

func TestExampleShowsTheDefaults(t *testing.T) {
	t.Parallel()
	c, problems := configs.Form(copySample(t, everything(t)), vendors())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := configs.Defaults()
	for _, row := range []struct {
		name      string
		got, want any
	}{
		{"listen", c.Listen, want.Listen}, {"storage", c.Storage, want.Storage}, {"lifetimes", c.Lifetimes, want.Lifetimes},
		{"refresh_tokens", c.RefreshTokens, want.RefreshTokens}, {"signing", c.Signing, want.Signing},
		{"registration.scopes", c.Registration.Scopes, want.Registration.Scopes}, {"registration.grant_types", c.Registration.GrantTypes, want.Registration.GrantTypes},
		{"registration.unused", c.Registration.Unused, want.Registration.Unused}, {"limits", c.Limits, want.Limits}, {"health", c.Health, want.Health}, {"log", c.Log, want.Log},
	} {
		if !reflect.DeepEqual(row.got, row.want) {
			t.Errorf("%s: the example shows %+v, the default is %+v", row.name, row.got, row.want)
		}
	}
}

// TestExampleExplainsEveryKey fails when a key of any section, or of any type of connector, is not in the example with
// a comment behind it or above it.
func TestExampleExplainsEveryKey(t *testing.T) {
	t.Parallel()
	text := everything(t)
	explained := explainedKeys(t, text)
	keys := keysOf(reflect.TypeFor[configs.Config](), "")
	for name, empty := range vendors() {
		// The keys that every type has need explaining once.
		for _, key := range keysOf(reflect.TypeOf(empty()).Elem(), "connectors("+name+")") {
			if _, own, _ := strings.Cut(key, ")."); slices.Contains(keysOf(reflect.TypeFor[connectors.Common](), ""), own) {
				key = "connectors." + own
			}
			keys = append(keys, key)
		}
	}
	if len(keys) < 100 {
		t.Fatalf("only %d keys were found: %v", len(keys), keys)
	}
	for _, key := range keys {
		if !explained[key] {
			t.Errorf("broker.example.yaml does not explain %s", key)
		}
	}
}

// keysOf lists the keys of a struct that hold no further ones.
func keysOf(t reflect.Type, path string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	var out []string
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			switch {
			case options == "inline":
				out = append(out, keysOf(t.Field(i).Type, path)...)
			case name != "":
				out = append(out, keysOf(t.Field(i).Type, strings.TrimPrefix(path+"."+name, "."))...)
			}
		}
	}
	if len(out) == 0 {
		return []string{path}
	}
	return out
}

// explainedKeys are the keys in a text that have a comment. Those of connectors are there with and without their type.
func explainedKeys(t *testing.T, text string) map[string]bool {
	t.Helper()
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text, "\n")
	out := map[string]bool{}
	var walk func(n ast.Node, paths []string)
	walk = func(n ast.Node, paths []string) {
		switch n := n.(type) {
		case *ast.SequenceNode:
			for _, entry := range n.Values {
				to := paths
				if m, ok := entry.(*ast.MappingNode); ok && slices.Equal(paths, []string{"connectors"}) {
					to = append(slices.Clone(paths), fmt.Sprintf("connectors(%s)", typeOf(m)))
				}
				walk(entry, to)
			}
		case *ast.MappingNode:
			for _, pair := range n.Values {
				key := pair.Key.GetToken()
				var to []string
				for _, p := range paths {
					to = append(to, strings.TrimPrefix(p+"."+key.Value, "."))
				}
				line := key.Position.Line - 1
				commented := strings.Contains(lines[line], " # ") || line > 0 && strings.HasPrefix(strings.TrimSpace(lines[line-1]), "# ")
				for _, p := range to {
					out[p] = out[p] || commented
				}
				walk(pair.Value, to)
			}
		}
	}
	walk(file.Docs[0].Body, []string{""})
	return out
}

func typeOf(entry *ast.MappingNode) string {
	for _, pair := range entry.Values {
		if pair.Key.GetToken().Value == "type" {
			return pair.Value.GetToken().Value
		}
	}
	return ""
}
