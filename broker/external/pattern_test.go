package external

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		pattern, text string
		want          bool
	}{
		{"repo:acme/app", "repo:acme/app", true},
		{"repo:acme/app", "repo:acme/apps", false},
		{"repo:acme/app", "xrepo:acme/app", false},
		{"repo:acme/app", "repo:ACME/app", false},
		{"repo:acme/*", "repo:acme/app", true},
		{"repo:acme/*", "repo:acme/", true},
		{"repo:acme/*", "repo:acme/app:ref:x", false},
		{"repo:acme/*", "repo:acme/a/b", false},
		{"repo:acme/**", "repo:acme/app:ref:refs/heads/main", true},
		{"repo:acme/*:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main", true},
		{"repo:acme/*:ref:refs/heads/main", "repo:acme/app:environment:x:ref:refs/heads/main", false},
		{"refs/tags/v*.*", "refs/tags/v1.2", true},
		{"refs/tags/v*.*", "refs/tags/v1", false},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"**x", "a/b:x", true},
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"a.c", "abc", false},
		{"[a-z]", "b", false},
		{"a?", "ab", false},
	} {
		if got := Match(row.pattern, row.text); got != row.want {
			t.Errorf("%q matches %q: %v", row.pattern, row.text, got)
		}
	}
}

func TestMatchIsNotSlow(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	if Match(strings.Repeat("a*", maxStars)+"b", strings.Repeat("a", 16<<10)) {
		t.Error("a match without its end")
	}
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
}

// A pattern says the same as the regular expression that it stands for.
func FuzzMatch(f *testing.F) {
	f.Add("repo:acme/*:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main")
	f.Add("**", "a/b:c")
	f.Add("a*b**c", "axxb/:c")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !ValidPattern(pattern) || len(text) > 1000 || strings.ContainsRune(pattern, '\uFFFD') || strings.ContainsRune(text, '\uFFFD') {
			return
		}
		quoted := regexp.QuoteMeta(strings.ReplaceAll(strings.ReplaceAll(pattern, "**", "\x00"), "*", "\x01"))
		expression, err := regexp.Compile(`(?s)\A` + strings.ReplaceAll(strings.ReplaceAll(quoted, "\x00", ".*"), "\x01", "[^/:]*") + `\z`)
		if err != nil {
			return // not UTF-8
		}
		if want := expression.MatchString(text); Match(pattern, text) != want {
			t.Errorf("%q against %q: want %v", pattern, text, want)
		}
	})
}

func TestValidPatternsAndNames(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{"a": true, "**": true, "a*b**": true, "": false, "***": false, "a\nb": false, strings.Repeat("a", 513): false, strings.Repeat("*a", 17): false} {
		if ValidPattern(pattern) != want {
			t.Errorf("pattern %q", pattern)
		}
	}
	for pattern, want := range map[string]bool{"a": true, "*a": true, "*": false, "**": false} {
		if Literal(pattern) != want {
			t.Errorf("literal %q", pattern)
		}
	}
	for name, want := range map[string]bool{"sub": true, "kubernetes.io": true, "/kubernetes.io/namespace": true, "https://a.example/claim": true, "/a~1b/c~0d": true, "": false, "/": false, "/a//b": false, "/a~2b": false, "/a~": false} {
		if ValidName(name) != want {
			t.Errorf("name %q", name)
		}
	}
}

func TestClaimRules(t *testing.T) {
	t.Parallel()
	_, err := jose.StrictObject([]byte(`{"sub":"x","https://a.example/c":"u","a/b":"slash","kubernetes.io":{"namespace":"prod","serviceaccount":{"name":"app"},"list":["app"]},
		"protected":true,"public":false,"n":1,"nothing":null,"empty":"","list":["x"],"twice":{"a":"x","a":"y"}}`))
	if err == nil {
		t.Fatal("a member twice is read")
	}
	claims, err := jose.StrictObject([]byte(`{"sub":"x","https://a.example/c":"u","a/b":"slash","a~b":"tilde","kubernetes.io":{"namespace":"prod","serviceaccount":{"name":"app"},"list":["app"]},
		"protected":true,"public":false,"n":1,"nothing":null,"empty":"","list":["x"]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, pattern string
		want          bool
	}{
		{"sub", "x", true}, {"sub", "y", false}, {"/sub", "x", true}, {"https://a.example/c", "u", true}, {"a/b", "slash", true}, {"/a~1b", "slash", true}, {"/a~0b", "tilde", true},
		{"/kubernetes.io/namespace", "prod", true}, {"/kubernetes.io/serviceaccount/name", "app", true}, {"kubernetes.io/namespace", "prod", false},
		{"protected", "true", true}, {"public", "false", true}, {"public", "true", false},
		{"missing", "**", false}, {"/kubernetes.io/missing", "**", false}, {"/sub/x", "**", false}, {"/missing/x", "**", false},
		{"n", "1", false}, {"nothing", "**", false}, {"empty", "**", false}, {"list", "**", false}, {"/kubernetes.io/list", "**", false}, {"kubernetes.io", "**", false},
		{"/kubernetes.io/list/0", "app", false},
	} {
		if got := holds(broker.ClaimRule{Name: row.name, Patterns: []string{"other", row.pattern}}, claims); got != row.want {
			t.Errorf("%s %s: %v", row.name, row.pattern, got)
		}
	}
	if holds(broker.ClaimRule{Name: "sub"}, claims) {
		t.Error("a rule without a pattern holds")
	}
}

// Whatever a claim holds, a rule reads it without a panic, and never takes absence for a match.
func FuzzClaim(f *testing.F) {
	f.Add("/kubernetes.io/namespace", `{"kubernetes.io":{"namespace":"prod"}}`)
	f.Add("sub", `{"sub":true}`)
	f.Add("/a/b/c", `{"a":{"b":[1]}}`)
	f.Fuzz(func(t *testing.T, name, document string) {
		if !json.Valid([]byte(document)) {
			return
		}
		claims, err := jose.StrictObject([]byte(document))
		if err != nil || !ValidName(name) {
			return
		}
		if value, ok := find(name, claims); ok && value == "" || !ok && value != "" {
			t.Errorf("%s of %s is %q, %v", name, document, value, ok)
		}
	})
}
