package oauth_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"gatehouse/broker/oauth"
)

const formType = "application/x-www-form-urlencoded"

// post is a request to /token with the content type and body.
func post(contentType, target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func TestParseFormAccepts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, contentType, body string }{
		{"a form", formType, "a=1"},
		{"a form with a charset", formType + "; charset=utf-8", "a=1"},
		{"a form with the charset of old libraries", formType + ";charset=ISO-8859-1", "a=1"},
		{"the type in another case", "Application/X-WWW-Form-URLEncoded", "a=1"},
		{"a body of exactly the limit", formType, "a=1&b=" + strings.Repeat("x", 94)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := oauth.ParseForm(httptest.NewRecorder(), post(tt.contentType, "/token", tt.body), 100)
			wantCode(t, err, "")
			if p.Get("a") != "1" {
				t.Errorf("got %q", collect(p))
			}
		})
	}
}

// TestParseFormRefuses is TK-18: parameters come in the body of a POST, as a form, and from nowhere else.
func TestParseFormRefuses(t *testing.T) {
	t.Parallel()
	request := func(change func(*http.Request)) *http.Request {
		r := post(formType, "/token", "a=1")
		change(r)
		return r
	}
	multipart := "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n"
	for _, tt := range []struct {
		name   string
		r      *http.Request
		status int
	}{
		{"GET", request(func(r *http.Request) { r.Method = http.MethodGet }), 405},
		{"PUT", request(func(r *http.Request) { r.Method = http.MethodPut }), 405},
		{"a method in lower case", request(func(r *http.Request) { r.Method = "post" }), 405},
		{"multipart", post("multipart/form-data; boundary=x", "/token", multipart), 400},
		{"JSON", post("application/json", "/token", `{"a":"1"}`), 400},
		{"plain text", post("text/plain", "/token", "a=1"), 400},
		{"no content type", post("", "/token", "a=1"), 400},
		{"a content type that only begins like a form's", post(formType+"x", "/token", "a=1"), 400},
		{"a malformed content type", post(formType+"; charset", "/token", "a=1"), 400},
		{"two content types in one header", post(formType+", application/json", "/token", "a=1"), 400},
		{"two content types", request(func(r *http.Request) { r.Header.Add("Content-Type", "application/json") }), 400},
		{"a body over the limit", post(formType, "/token", "a="+strings.Repeat("x", 999)), 413},
		{"a body that breaks off", request(func(r *http.Request) {
			r.Body = io.NopCloser(iotest.ErrReader(errors.New("connection reset")))
		}), 400},
		{"a repeated field", post(formType, "/token", "a=1&a=1"), 400},
		{"a semicolon", post(formType, "/token", "a=1;b=2"), 400},
		{"201 fields (DO-03)", post(formType, "/token", strings.Repeat("&", 200)), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			_, err := oauth.ParseForm(w, tt.r, 1000)
			wantCode(t, err, oauth.InvalidRequest)
			if got := oauth.From(err).Status(); got != tt.status {
				t.Errorf("status %d, want %d", got, tt.status)
			}
		})
	}
}

func TestParseFormIgnoresTheQuery(t *testing.T) {
	t.Parallel()
	r := post(formType, "/token?client_secret=x&a=query", "a=form")
	p, err := oauth.ParseForm(httptest.NewRecorder(), r, 100)
	wantCode(t, err, "")
	if p.Has("client_secret") || p.Get("a") != "form" || len(p.Names()) != 1 {
		t.Errorf("the query was merged: %q", collect(p))
	}
}

func TestParseFormReadsNoMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	body := &countingReader{r: strings.NewReader("a=" + strings.Repeat("x", 1<<20))}
	r := post(formType, "/token", "")
	r.Body = io.NopCloser(body)
	_, err := oauth.ParseForm(httptest.NewRecorder(), r, 1000)
	if got := oauth.From(err).Status(); got != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", got)
	}
	if body.n > 1001 {
		t.Errorf("%d bytes were read, want at most one over the limit", body.n)
	}
}

func TestParseFormOfARequestMadeByHand(t *testing.T) {
	t.Parallel()
	r := &http.Request{Method: http.MethodPost, URL: &url.URL{}, Header: http.Header{"Content-Type": {formType}}}
	p, err := oauth.ParseForm(httptest.NewRecorder(), r, 100)
	wantCode(t, err, "")
	if len(p.Names()) != 0 {
		t.Errorf("got %q", collect(p))
	}
}

func TestSecretsInQuery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, query string
		want        bool
	}{
		{"no query", "", false},
		{"harmless parameters", "grant_type=authorization_code&client_id=a&lang=de", false},
		{"a value that looks like a name", "x=client_secret", false},
		{"a name that contains one", "my_token_type=1", false},
		{"client_secret (TK-18)", "client_secret=x", true},
		{"client_assertion", "a=1&client_assertion=x", true},
		{"code", "code=x", true},
		{"code_verifier", "code_verifier=x", true},
		{"refresh_token", "refresh_token=x", true},
		{"token", "token=x", true},
		{"access_token", "access_token=x", true},
		{"password", "password=x", true},
		{"device_code", "device_code=x", true},
		{"subject_token", "subject_token=x", true},
		{"assertion", "assertion=x", true},
		{"without a value", "client_secret", true},
		{"a repeated one", "code=x&code=y", true},
		{"percent-encoded", "client%5Fsecret=x", true},
		{"in capitals", "Client_Secret=x", true},
		{"behind a semicolon", "a=1;client_secret=x", true},
		{"with a bad value", "client_secret=%zz", true},
		{"with a space before it", "+client_secret=x", true},
		{"a name that cannot be read", "%zz=x", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := oauth.SecretsInQuery(tt.query); got != tt.want {
				t.Errorf("%q: got %v, want %v", tt.query, got, tt.want)
			}
		})
	}
}

// FuzzParseForm holds ParseForm to what net/url reads of the same body, less what we refuse.
func FuzzParseForm(f *testing.F) {
	for _, s := range []string{"", "a=1&b=2", "a=1&a=2", "a=%zz", "a=1;b=2", "=x", "a=%00", "%ff=1", "resource=1&resource=2", "a=&a=1",
		// AZ-04: parameters twice, in other spellings, and with other separators.
		"client_id=a&client_id=b", "state=1&st%61te=2", "redirect_uri=a;redirect_uri=b", "client_id=a&client_id", "Client_ID=a&client_id=b", "client_id=a&client_id%00=b", "client_id[]=a&client_id=b",
		"a=1&&b=2&", "a=b=c", "a+b=c%20d", "audience=a&audience=a", strings.Repeat("a&", 199), strings.Repeat("a&", 200)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/token?query=1", bytes.NewReader(body))
		r.Header.Set("Content-Type", formType)
		p, err := oauth.ParseForm(httptest.NewRecorder(), r, 1<<16)
		if _, duplicate := oauth.Duplicate(err); err != nil && !duplicate {
			if got := collect(p); len(got) != 0 {
				t.Fatalf("refused with %v, yet it has %q", err, got)
			}
			return
		}
		values, urlErr := url.ParseQuery(string(body))
		if urlErr != nil {
			t.Fatalf("net/url refuses what was accepted: %v", urlErr)
		}
		for name, value := range p.All() {
			if value == "" || !utf8.ValidString(value) || strings.Contains(name+value, "\x00") {
				t.Fatalf("parameter %q has value %q", name, value)
			}
			if len(values[name]) != 1 && name != "resource" && name != "audience" {
				t.Fatalf("%q was accepted %d times", name, len(values[name]))
			}
			if !slices.Contains(values[name], value) {
				t.Fatalf("%q is %q, net/url says %q", name, value, values[name])
			}
		}
		for _, name := range p.Repeated() {
			if len(values[name]) < 2 || p.Has(name) {
				t.Fatalf("%q is said to be repeated: %q", name, values[name])
			}
		}
		again, err := oauth.ParseQuery(p.Encode())
		if err != nil || !slices.Equal(collect(again), collect(p)) {
			t.Fatalf("%q read again is %q (%v)", collect(p), collect(again), err)
		}
	})
}

func BenchmarkParseForm(b *testing.B) {
	body := url.Values{
		"grant_type": {"authorization_code"}, "code": {strings.Repeat("c", 64)}, "redirect_uri": {"https://a.test/cb"},
		"client_id": {"wiki"}, "client_secret": {strings.Repeat("s", 43)}, "code_verifier": {rfcVerifier},
	}.Encode()
	b.ReportAllocs()
	for b.Loop() {
		p, err := oauth.ParseForm(httptest.NewRecorder(), post(formType, "/token", body), 1<<16)
		if err != nil || p.Get("client_id") != "wiki" {
			b.Fatal(err)
		}
	}
}

// countingReader counts what is read through it.
type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}
