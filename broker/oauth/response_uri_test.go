package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"gatehouse/broker/oauth"
)

func TestAppendQuery(t *testing.T) {
	t.Parallel()
	code, state := oauth.Field{Name: "code", Value: "c"}, oauth.Field{Name: "state", Value: "s"}
	for _, tt := range []struct {
		name, uri string
		params    []oauth.Field
		want      string
	}{
		{"a URI without a query", "https://a.test/cb", []oauth.Field{code, state}, "https://a.test/cb?code=c&state=s"},
		{"a registered query stays byte for byte", "https://a.test/cb?b=%7e+1&a", []oauth.Field{code}, "https://a.test/cb?b=%7e+1&a&code=c"},
		{"an empty query", "https://a.test/cb?", []oauth.Field{code}, "https://a.test/cb?code=c"},
		{"a query that ends with an ampersand", "https://a.test/cb?a=1&", []oauth.Field{code}, "https://a.test/cb?a=1&code=c"},
		{"a private-use scheme", "com.example.app:/cb", []oauth.Field{code}, "com.example.app:/cb?code=c"},
		{"no path", "https://a.test", []oauth.Field{code}, "https://a.test?code=c"},
		{"no parameters", "https://a.test/cb", nil, "https://a.test/cb"},
		{"empty parameters are left out", "https://a.test/cb", []oauth.Field{{Name: "state"}, {Value: "x"}, code}, "https://a.test/cb?code=c"},
		{"only empty parameters", "https://a.test/cb", []oauth.Field{{Name: "state"}}, "https://a.test/cb"},
		{"a parameter is set once (RU-07)", "https://a.test/cb", []oauth.Field{code, {Name: "code", Value: "d"}, state},
			"https://a.test/cb?code=c&state=s"},
		{"state comes back byte for byte (AZ-15)", "https://a.test/cb", []oauth.Field{{Name: "state", Value: "é \"&=+%41#\r\n"}},
			"https://a.test/cb?state=%C3%A9%20%22%26%3D%2B%2541%23%0D%0A"},
		{"a value cannot become a parameter", "https://a.test/cb", []oauth.Field{{Name: "state", Value: "x&code=evil"}},
			"https://a.test/cb?state=x%26code%3Devil"},
		{"a line break in the URI is encoded (RU-08)", "https://a.test/cb\r\nSet-Cookie: a", []oauth.Field{code},
			"https://a.test/cb%0D%0ASet-Cookie:%20a?code=c"},
		{"so is DEL, and what is not ASCII", "https://a.test/\x7f\u00e9", []oauth.Field{code}, "https://a.test/%7F%C3%A9?code=c"},
		{"a fragment stays behind the query", "https://a.test/out#top", []oauth.Field{state}, "https://a.test/out?state=s#top"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := oauth.AppendQuery(tt.uri, tt.params...); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestAppendFragment(t *testing.T) {
	t.Parallel()
	params := []oauth.Field{{Name: "code", Value: "c"}, {Name: "code", Value: "d"}, {Name: "state", Value: "a b#\r\n"}, {Name: "iss"}}
	for uri, want := range map[string]string{
		"https://a.test/cb":        "https://a.test/cb#code=c&state=a%20b%23%0D%0A",
		"https://a.test/cb?a=%7e":  "https://a.test/cb?a=%7e#code=c&state=a%20b%23%0D%0A",
		"https://a.test/cb#old":    "https://a.test/cb#code=c&state=a%20b%23%0D%0A",
		"https://a.test/c\r\nX: y": "https://a.test/c%0D%0AX:%20y#code=c&state=a%20b%23%0D%0A",
	} {
		if got := oauth.AppendFragment(uri, params...); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestLocationHeader is RU-08 on the wire: one Location header, and nothing after it that we did not send.
func TestLocationHeader(t *testing.T) {
	t.Parallel()
	want := "\r\nSet-Cookie: evil=1\r\n\r\n<script>"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", oauth.AppendQuery("https://a.test/cb?x=1", oauth.Field{Name: "state", Value: want}))
		w.WriteHeader(http.StatusSeeOther)
	}))
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	location, err := response.Location()
	if err != nil {
		t.Fatal(err)
	}
	if got := location.Query()["state"]; len(got) != 1 || got[0] != want || location.Host != "a.test" {
		t.Errorf("Location %s", location)
	}
	if response.Header.Get("Set-Cookie") != "" || len(response.Header.Values("Location")) != 1 {
		t.Errorf("headers %v", response.Header)
	}
}

// FuzzAppendQuery: whatever a URI and the values hold, no line break comes out; and of a URI that may be registered the
// bytes stay and each parameter of the response is there once, as net/url reads it.
func FuzzAppendQuery(f *testing.F) {
	f.Add("https://a.test/cb", "code", "state")
	f.Add("https://a.test/cb?x=%7e&y", "c&state=evil", "s\r\nSet-Cookie: a")
	f.Add("com.example.app:/cb?", "#", "é\xff")
	f.Add("http://localhost:1?x&", "+", "a=b;c")
	f.Add("http://localhost:1??", "0", "0") // a query that is itself a question mark
	f.Fuzz(func(t *testing.T, uri, code, state string) {
		params := []oauth.Field{{Name: "code", Value: code}, {Name: "state", Value: state},
			{Name: "iss", Value: "https://b.test"}, {Name: "code", Value: "again"}}
		query, fragment := oauth.AppendQuery(uri, params...), oauth.AppendFragment(uri, params...)
		if strings.ContainsAny(query+fragment, "\r\n\x00 ") {
			t.Fatalf("%q or %q has a character that a header cannot carry", query, fragment)
		}
		if oauth.ValidateRedirectURI(uri, true) != nil {
			return
		}
		if !strings.HasPrefix(query, uri) || !strings.HasPrefix(fragment, uri+"#") {
			t.Fatalf("%q was not kept: %q, %q", uri, query, fragment)
		}
		u, err := url.Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		before, err := url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		checkResponse(t, u.RawQuery, code, state)
		checkResponse(t, strings.TrimPrefix(fragment, uri+"#"), code, state)
		if u.Host != before.Host || u.Path != before.Path || u.Scheme != before.Scheme || u.Fragment != "" {
			t.Fatalf("%q leads elsewhere than %q", query, uri)
		}
		for name, values := range before.Query() {
			if got := u.Query()[name]; strings.Join(got, "&") != strings.Join(values, "&") {
				t.Fatalf("registered parameter %q is now %q", name, got)
			}
		}
	})
}

// checkResponse fails unless net/url finds each parameter of the response in raw exactly once.
func checkResponse(t *testing.T, raw, code, state string) {
	t.Helper()
	values, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	if code == "" {
		code = "again" // the second one is then the first with a value
	}
	for name, want := range map[string]string{"code": code, "state": state, "iss": "https://b.test"} {
		got := values[name]
		if want == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || got[0] != want {
			t.Fatalf("%s is %q in %q, want %q once", name, got, raw, want)
		}
	}
}
