package connectors_test

import (
	"net/http"
	"strings"
	"testing"

	"gatehouse/connectors"
)

func TestNextPage(t *testing.T) {
	t.Parallel()
	const next = "https://api.github.com/user/orgs?per_page=100&page=2"
	for _, tt := range []struct {
		name   string
		header []string
		next   string
		ok     bool
	}{
		{"none", nil, "", true},
		{"next and last", []string{"<" + next + `>; rel="next", <https://api.github.com/user/orgs?page=7>; rel="last"`}, next, true},
		{"last comes first", []string{`<https://api.github.com/user/orgs?page=7>; rel="last", <` + next + `>; rel="next"`}, next, true},
		{"the last page", []string{`<https://api.github.com/user/orgs?page=1>; rel="prev"`}, "", true},
		{"without quotes", []string{"<" + next + ">; rel=next"}, next, true},
		{"other parameters and spaces", []string{"<" + next + `> ;  title="a, b; c" ; REL = "foo Next"`}, next, true},
		{"in two headers", []string{`<https://api.github.com/x>; rel="prev"`, "<" + next + `>; rel="next"`}, next, true},
		{"a word that contains next", []string{"<" + next + `>; rel="nextish"`}, "", true},
		{"a comma in the address", []string{`<https://api.github.com/a,b>; rel="next"`}, "https://api.github.com/a,b", true},
		{"two different next", []string{"<" + next + `>; rel="next", <https://api.github.com/other>; rel="next"`}, "", false},
		{"no brackets", []string{next + `; rel="next"`}, "", false},
		{"an open bracket", []string{"<" + next}, "", false},
		{"an open quote", []string{"<" + next + `>; rel="next`}, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := connectors.NextPage(http.Header{"Link": tt.header})
			if got != tt.next || ok != tt.ok {
				t.Errorf("got %q, %v; want %q, %v", got, ok, tt.next, tt.ok)
			}
		})
	}
}

func FuzzNextPage(f *testing.F) {
	for _, seed := range []string{`<https://acme.okta.com/api/v1/x?after=2>; rel="next"`, `<`, `<>;rel="next"`, `<a>; rel="next`, ",,,", `<a>;rel=next,<b>;rel=next`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		next, ok := connectors.NextPage(http.Header{"Link": {header}})
		if !ok && next != "" {
			t.Fatalf("unreadable, and %q", next)
		}
		if next != "" && !strings.Contains(header, "<"+next+">") {
			t.Fatalf("%q is not in the header", next)
		}
	})
}
