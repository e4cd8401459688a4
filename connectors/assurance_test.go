package connectors

import (
	"slices"
	"strings"
	"testing"
)

func table() Assurance {
	return Assurance{
		{Level: "phr", ACR: []string{"urn:phr", "urn:phrh"}, AMR: []string{"hwk"}, Request: "urn:phr:please"},
		{Level: "mfa", ACR: []string{"urn:2fa"}, AMR: []string{"pwd", "otp"}},
		{Level: "mfa", AMR: []string{"mfa"}},
		{Level: "pwd", AMR: []string{"pwd"}},
	}
}

func TestLevelIsTheStrongestThatIsProven(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		acr, amr []string
		want     string
	}{
		{"nothing proves nothing", nil, nil, ""},
		{"one acr of several", []string{"urn:phrh"}, nil, "phr"},
		{"any of the values", []string{"x", "urn:2fa"}, nil, "mfa"},
		{"the strongest, whatever the order", []string{"urn:2fa", "urn:phr"}, nil, "phr"},
		{"all methods together", nil, []string{"otp", "pwd"}, "mfa"},
		{"UP-27 one of two methods is not both", nil, []string{"otp"}, ""},
		{"UP-27 a password is a password", nil, []string{"pwd"}, "pwd"},
		{"the second rule of a level", nil, []string{"mfa"}, "mfa"},
		{"UP-27 unknown words prove nothing", []string{"mfa", "phr"}, []string{"kba"}, ""},
	} {
		if got := table().Level(tt.acr, tt.amr); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := (Assurance{}).Level([]string{"a", "b"}, []string{"mfa"}); got != "a" {
		t.Errorf("without a table: got %q", got)
	}
	if got := (Assurance{}).Level(nil, []string{"mfa"}); got != "" {
		t.Errorf("without a table and acr: got %q", got)
	}
}

func TestRequestTranslatesWhatItKnows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ asked, want []string }{
		{nil, nil},
		{[]string{"phr"}, []string{"urn:phr:please"}},
		{[]string{"mfa", "phr"}, []string{"urn:2fa", "urn:phr:please"}},
		{[]string{"pwd"}, nil}, // no acr to ask with
		{[]string{"urn:2fa", "unknown"}, nil},
	} {
		if got := table().Request(tt.asked); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.asked, got, tt.want)
		}
	}
	if got := (Assurance{}).Request([]string{"a", "b"}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("without a table: got %q", got)
	}
	if got := table().Levels(); !slices.Equal(got, []string{"phr", "mfa", "pwd"}) {
		t.Errorf("got levels %q", got)
	}
}

func TestAssuranceProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		rule  AssuranceRule
		paths []string
	}{
		{"nothing wrong", AssuranceRule{Level: "a", ACR: []string{"b"}, AMR: []string{"c"}, Request: "d"}, nil},
		{"no level", AssuranceRule{ACR: []string{"b"}}, []string{"assurance[0].level"}},
		{"two words", AssuranceRule{Level: "a b", ACR: []string{"b"}}, []string{"assurance[0].level"}},
		{"nothing that proves it", AssuranceRule{Level: "a"}, []string{"assurance[0]"}},
		{"an empty acr", AssuranceRule{Level: "a", ACR: []string{""}}, []string{"assurance[0].acr[0]"}},
		{"an endless amr", AssuranceRule{Level: "a", AMR: []string{"b", strings.Repeat("c", 257)}}, []string{"assurance[0].amr[1]"}},
		{"a request with a line break", AssuranceRule{Level: "a", ACR: []string{"b"}, Request: "c\nd"}, []string{"assurance[0].request"}},
	} {
		var paths []string
		for _, p := range (Assurance{tt.rule}).Problems() {
			paths = append(paths, p.Path)
		}
		if !slices.Equal(paths, tt.paths) {
			t.Errorf("%s: got problems at %q, want %q", tt.name, paths, tt.paths)
		}
	}
}
