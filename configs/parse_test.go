package configs

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestFormOfTheFile(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"a syntax error has its line and nothing else", "issuer: x\nlisten: 'a\nbogus: 1\n", []string{"2: is not valid YAML: "}},
		{"a tab is a syntax error", "tls:\n\tcert_file: x\n", []string{"2: is not valid YAML: "}},
		{"a key given twice is named with both lines", minimal + "listen: 127.0.0.1:1\nhealth: {listen: off}\nlisten: 127.0.0.1:2\n",
			[]string{"6: listen: is given twice, here and on line 4"}},
		{"a key given twice within an entry", minimal + "log: {level: info, level: debug}\n", []string{"4: log.level: is given twice"}},
		{"anchors and aliases are refused, each on its line", "issuer: &x https://a.example\nlisten: *x\n",
			[]string{"1: anchors and aliases are not supported", "2: anchors and aliases are not supported"}},
		{"merges are refused", "log: {<<: {level: info}}\n", []string{"1: merge keys are not supported"}},
		{"tags are refused", "issuer: !!str x\n", []string{"1: tags are not supported"}},
		{"complex keys are refused", "? issuer\n: x\n", []string{"1: complex keys are not supported"}},
		{"a second document is refused", minimal + "---\nlisten: x\n", []string{"5: begins a second document"}},
		{"a list instead of a mapping", "- issuer\n", []string{"1: must be a mapping of keys to values"}},
		{"a word instead of a mapping", "issuer\n", []string{"1: must be a mapping of keys to values"}},
		{"bytes that are not UTF-8", "a: b\nissuer: \xff\n", []string{"2: holds bytes that are not text"}},
		{"a control character", "a: b\n\nissuer: \x00\n", []string{"3: holds bytes that are not text"}},
		{"a control character behind an escape", "issuer: \"https://a.example\\u0007\"\n", []string{"connectors: needs", "1: issuer: holds a line break"}},
		{"brackets without end", "issuer: " + strings.Repeat("[", 100_000), []string{"1: is nested too deeply"}},
		{"dashes without end", "issuer:\n  " + strings.Repeat("- ", 1000) + "x", []string{"2: is nested too deeply"}},
		{"a file that is no configuration", strings.Repeat("# nothing\n", maxFile/10+1), []string{"is larger than 1048576 bytes"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			wantProblems(t, row.content, row.want...)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestLineEndsOfOtherSystemsAreFine(t *testing.T) {
	t.Parallel()
	mustLoad(t, strings.ReplaceAll(minimal+wiki, "\n", "\r\n"))
	wantProblems(t, strings.ReplaceAll(minimal+"listen: x\n", "\n", "\r\n"), "4: listen: must be host:port")
}

func TestWordsWithColons(t *testing.T) {
	t.Parallel()
	for _, written := range []string{
		"{tenant: x, hosted_domains: [a:b.c, d.e:f, 1:2.3, \"g:h.i\", a:b:c.d, true:x.y]}",
		"{tenant: x, hosted_domains: [a:b.c,\n   d.e:f, 1:2.3 ,  \"g:h.i\", a:b:c.d , true:x.y ]}",
		"\n    hosted_domains: [a:b.c, d.e:f, 1:2.3, \"g:h.i\", a:b:c.d, true:x.y]",
		"\n    hosted_domains:\n    - a:b.c\n    - d.e:f\n    - 1:2.3\n    - g:h.i\n    - a:b:c.d\n    - true:x.y",
	} {
		entry := "{id: a, type: fake, client_id: b, " + strings.TrimPrefix(written, "{")
		if written[0] == '\n' {
			entry = "id: a\n    type: fake\n    client_id: b" + written
		}
		c := mustLoad(t, "issuer: https://a.example\nconnectors:\n  - "+entry+"\n")
		got := strings.Join(c.Connectors[0].(*fakeConfig).Domains, " ")
		if got != "a:b.c d.e:f 1:2.3 g:h.i a:b:c.d true:x.y" {
			t.Errorf("%s is read as %s", written, got)
		}
	}
	wantProblems(t, minimal+wiki+"    allow: {groups: [corp: staff]}\n", "8: clients[0].allow.groups[0]: must be text")
}

func TestTypeMismatches(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, content, want string }{
		{"a list where text is meant", minimal + "listen: [a]\n", "4: listen: must be text"},
		{"a mapping where text is meant", minimal + "listen: {a: b}\n", "4: listen: must be text"},
		{"true where text is meant", minimal + "listen: true\n", "4: listen: must be text"},
		{"text where a list is meant", minimal + "trusted_proxies: 10.0.0.0/8\n", "4: trusted_proxies: must be a list"},
		{"text where a section is meant", minimal + "storage: broker.db\n", "4: storage: must be a mapping"},
		{"a number without unit for a duration", minimal + "lifetimes: {code: 60}\n", "4: lifetimes.code: must be a duration with a unit"},
		{"a list for a duration", minimal + "lifetimes: {code: [60s]}\n", "4: lifetimes.code: must be a duration with a unit"},
		{"a name for a network", minimal + "trusted_proxies: [10.0.0.0/8, proxy]\n", "4: trusted_proxies[1]: must be a network"},
		{"a network with bits behind its length", minimal + "trusted_proxies: [10.1.2.3/8]\n", "4: trusted_proxies[0]: has bits behind its length: write 10.0.0.0/8"},
		{"an IPv4 network in IPv6 clothes", minimal + "trusted_proxies: ['::ffff:10.0.0.0/104']\n", "4: trusted_proxies[0]: must be written as an IPv4 network"},
		{"a mapping for a network", minimal + "trusted_proxies: [{a: b}]\n", "4: trusted_proxies[0]: must be a network"},
		{"a word for a whole number", minimal + wiki + "    default_max_age: soon\n", "8: clients[0].default_max_age: must be a whole number"},
		{"a quoted number for a whole number", minimal + wiki + "    default_max_age: \"10\"\n", "8: clients[0].default_max_age: must be a whole number"},
		{"a fraction for a whole number", minimal + wiki + "    default_max_age: 1.5\n", "8: clients[0].default_max_age: must be a whole number"},
		{"an empty entry of a list", minimal + "trusted_proxies:\n  - 10.0.0.0/8\n  -\n", "6: trusted_proxies[1]: has no value"},
		{"an entry of connectors that is text", "issuer: https://a.example\nconnectors: [google]\n", "2: connectors[0]: must be a mapping with id and type"},
		{"an empty rule of admission", "issuer: https://a.example\nconnectors:\n  - {id: a, type: fake, client_id: b,\n     organizations: []}\n", "4: connectors[0].organizations: is an empty list"},
		{"a word for limits", minimal + "limits: on\n", "4: limits: must be off or a mapping"},
		{"a rate without unit", minimal + "limits: {login: {per_account: 60}}\n", "4: limits.login.per_account: must be a rate such as 60/m"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, row.content, row.want)
		})
	}
}

func TestUnknownKeyFarFromAllListsThem(t *testing.T) {
	t.Parallel()
	wantProblems(t, minimal+"log: {destination: x}\n", "4: log.destination: unknown key: known here are level, format")
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"redirect_uris", "client_id", "client_name", "scope", "id", "lifetimes"}
	for _, row := range []struct{ word, want string }{
		{"redirect_uri", "redirect_uris"}, {"redirectUris", "redirect_uris"}, {"cleint_id", "client_id"}, {"scopes", "scope"},
		{"lifetime", "lifetimes"}, {"ID", "id"}, {"di", "id"}, {"bogus", ""}, {"", ""}, {strings.Repeat("x", 1000), ""},
	} {
		if got := nearest(row.word, known); got != row.want {
			t.Errorf("nearest(%q) = %q, want %q", row.word, got, row.want)
		}
	}
	for _, row := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}} {
		if got := distance(row.a, row.b); got != row.want {
			t.Errorf("distance(%s, %s) = %d, want %d", row.a, row.b, got, row.want)
		}
	}
}

func TestProblemsArePrintedOneALine(t *testing.T) {
	t.Parallel()
	err := &Problems{[]Problem{{"f.yaml", 3, "a.b", "is wrong"}, {"f.yaml", 0, "", "is empty"}}}
	if got := fmt.Sprint(err); got != "f.yaml:3: a.b: is wrong\nf.yaml: is empty" {
		t.Error(got)
	}
}
