package oauth_test

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker/oauth"
)

func TestParseQuery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     []oauth.Field
	}{
		{"nothing", "", nil},
		{"order is kept", "b=1&a=2", []oauth.Field{{"b", "1"}, {"a", "2"}}},
		{"names and values are decoded once (RU-02)", "%61=%2541+x", []oauth.Field{{"a", "%41 x"}}},
		{"what follows the first equals sign is value", "a=b=c", []oauth.Field{{"a", "b=c"}}},
		{"an empty value is absent", "a=&b=1", []oauth.Field{{"b", "1"}}},
		{"a name alone is absent", "a&b=1", []oauth.Field{{"b", "1"}}},
		{"empty fields are skipped", "&&a=1&&", []oauth.Field{{"a", "1"}}},
		{"names differing in case are different", "state=1&State=2", []oauth.Field{{"state", "1"}, {"State", "2"}}},
		{"an encoded semicolon is text", "a=1%3Bb=2", []oauth.Field{{"a", "1;b=2"}}},
		{"state is kept byte for byte (AZ-15)", "state=%C3%A9%20%22%0D%0A%3C", []oauth.Field{{"state", "é \"\r\n<"}}},
		{"resource and audience may occur more than once", "resource=a&audience=b&resource=c",
			[]oauth.Field{{"resource", "a"}, {"audience", "b"}, {"resource", "c"}}},
		{"200 fields (DO-03)", fieldQuery(200), fieldList(200)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := oauth.ParseQuery(tt.in)
			wantCode(t, err, "")
			if got := collect(p); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if len(p.Repeated()) != 0 {
				t.Errorf("repeated: %q", p.Repeated())
			}
		})
	}
}

func TestParseQueryRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in string }{
		{"a semicolon between parameters (AZ-04)", "client_id=a;client_id=b"},
		{"a semicolon in a value", "a=1;2&b=3"},
		{"half a percent-encoding", "a=%4"},
		{"a percent-encoding that is none", "a=%zz"},
		{"bad percent-encoding in a name", "%zz=a"},
		{"invalid UTF-8 in a value", "a=%ff"},
		{"invalid UTF-8 in a name", "%c0%af=a"},
		{"an overlong encoding", "a=%c0%ae"},
		{"a surrogate", "a=%ed%a0%80"},
		{"NUL in a value", "a=b%00c"},
		{"NUL in a name", "a%00=b"},
		{"NUL in an otherwise absent field", "a%00="},
		{"a raw NUL", "a=\x00"},
		{"a field without a name", "=a"},
		{"201 fields (DO-03)", fieldQuery(201)},
		{"201 empty fields (DO-03)", strings.Repeat("&", 200)},
		{"200,000 fields (DO-03)", strings.Repeat("a=1&", 200_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := oauth.ParseQuery(tt.in)
			wantCode(t, err, oauth.InvalidRequest)
			if _, ok := oauth.Duplicate(err); ok {
				t.Error("the error says that a parameter is repeated")
			}
			if got := collect(p); len(got) != 0 {
				t.Errorf("parameters were returned: %q", got)
			}
		})
	}
}

func TestRepeatedParameterIsAbsentAndNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		repeated []string
		rest     []oauth.Field
	}{
		{"client_id (AZ-04)", "client_id=a&client_id=b&state=s", []string{"client_id"}, []oauth.Field{{"state", "s"}}},
		{"redirect_uri (AZ-04)", "redirect_uri=a&state=s&redirect_uri=b", []string{"redirect_uri"}, []oauth.Field{{"state", "s"}}},
		{"state (AZ-04)", "state=a&client_id=c&state=b", []string{"state"}, []oauth.Field{{"client_id", "c"}}},
		{"scope (AZ-04)", "scope=a&scope=b", []string{"scope"}, nil},
		{"with the same value", "scope=a&scope=a", []string{"scope"}, nil},
		{"three times", "a=1&a=2&a=3", []string{"a"}, nil},
		{"several, in the order in which they were repeated", "a=1&b=1&b=2&a=2", []string{"b", "a"}, nil},
		{"spelt in another encoding", "state=1&st%61te=2", []string{"state"}, nil},
		{"once without a value", "state=&state=2", []string{"state"}, nil},
		{"twice without a value", "state&state=", []string{"state"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := oauth.ParseQuery(tt.in)
			wantCode(t, err, oauth.InvalidRequest)
			if name, ok := oauth.Duplicate(fmt.Errorf("authorize: %w", err)); !ok || name != tt.repeated[0] {
				t.Errorf("Duplicate: %q %v, want %q", name, ok, tt.repeated[0])
			}
			if !slices.Equal(p.Repeated(), tt.repeated) {
				t.Errorf("Repeated: %q, want %q", p.Repeated(), tt.repeated)
			}
			if got := collect(p); !slices.Equal(got, tt.rest) {
				t.Errorf("rest: %q, want %q", got, tt.rest)
			}
			for _, name := range tt.repeated {
				if p.Has(name) || p.Get(name) != "" || p.Values(name) != nil || slices.Contains(p.Names(), name) {
					t.Errorf("%s still has a value", name)
				}
			}
		})
	}
}

func TestDuplicateIsNotSaidOfOtherErrors(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, errors.New("x"), oauth.Errorf(oauth.InvalidRequest, "parameter state is repeated")} {
		if name, ok := oauth.Duplicate(err); ok || name != "" {
			t.Errorf("%v: %q %v", err, name, ok)
		}
	}
}

func TestParamsAccess(t *testing.T) {
	t.Parallel()
	p, err := oauth.ParseQuery("resource=x&a=1+2&resource=y")
	wantCode(t, err, "")
	if p.Get("a") != "1 2" || p.Get("resource") != "x" || p.Get("b") != "" || !p.Has("a") || p.Has("b") || p.Has("A") {
		t.Error("Get or Has is wrong")
	}
	if got := p.Values("resource"); !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("Values: %q", got)
	}
	if got := p.Names(); !slices.Equal(got, []string{"resource", "a"}) {
		t.Errorf("Names: %q", got)
	}
	if got := p.Encode(); got != "resource=x&a=1%202&resource=y" {
		t.Errorf("Encode: %q", got)
	}
	if got := maps.Collect(p.All()); len(got) != 2 {
		t.Errorf("All: %q", got)
	}
	for range p.All() {
		break // a consumer may stop early
	}
	var zero oauth.Params
	if zero.Has("a") || zero.Names() != nil || zero.Encode() != "" || zero.Repeated() != nil {
		t.Error("the zero value has parameters")
	}
}

func TestLoggedParamsShowNoValues(t *testing.T) {
	t.Parallel()
	p, err := oauth.ParseQuery("client_secret=hunter2&client_id=wiki&scope=" + strings.Repeat("s", 1000))
	wantCode(t, err, "")
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("token", "params", p, "safe", p.Loggable("client_id", "scope", "absent"))
	logged := b.String()
	printed := fmt.Sprintf("%v %+v %#v %s", p, p, p, p)
	if strings.Contains(logged+printed, "hunter2") {
		t.Errorf("the secret was shown: %s %s", logged, printed)
	}
	if !strings.Contains(logged, "safe.client_id=wiki") || !strings.Contains(logged, "client_secret") {
		t.Errorf("the log line lacks what is allowed: %s", logged)
	}
	if n := strings.Count(logged, "s"); n > 400 {
		t.Errorf("a logged value is not cut: %d bytes", n)
	}
}

// collect returns the parameters as a list.
func collect(p oauth.Params) []oauth.Field {
	var fields []oauth.Field
	for name, value := range p.All() {
		fields = append(fields, oauth.Field{Name: name, Value: value})
	}
	return fields
}

// fieldList returns n different fields, and fieldQuery the query that holds them.
func fieldList(n int) []oauth.Field {
	fields := make([]oauth.Field, n)
	for i := range fields {
		fields[i] = oauth.Field{Name: fmt.Sprintf("f%d", i), Value: "v"}
	}
	return fields
}

func fieldQuery(n int) string {
	var pairs []string
	for _, f := range fieldList(n) {
		pairs = append(pairs, f.Name+"="+f.Value)
	}
	return strings.Join(pairs, "&")
}
