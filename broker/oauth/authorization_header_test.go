package oauth_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"gatehouse/broker/oauth"
)

// authorized is a request with these Authorization headers.
func authorized(values ...string) *http.Request {
	return &http.Request{Method: http.MethodPost, URL: &url.URL{}, Header: http.Header{"Authorization": values}}
}

func basic(raw string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(raw)) }

func TestBasicCredentials(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("s", 8<<10/4*3-len("a:"))
	for _, tt := range []struct {
		name       string
		headers    []string
		id, secret string
		tried      bool
		code       oauth.Code
	}{
		{"no header", nil, "", "", false, ""},
		{"another scheme is not tried", []string{"Bearer abc"}, "", "", false, ""},
		{"another scheme of the same length", []string{"Magic YTpi"}, "", "", false, ""},
		{"letters that fold into ASCII are not the scheme", []string{"Ba\u017fic YTpi"}, "", "", false, ""},
		{"a scheme that only begins like Basic", []string{"Basically YTpi"}, "", "", false, ""},
		{"id and secret", []string{basic("a:b")}, "a", "b", true, ""},
		{"the scheme in any case", []string{"bAsIc YTpi"}, "a", "b", true, ""},
		{"several spaces", []string{"Basic   YTpi"}, "a", "b", true, ""},
		{"both parts are form-urldecoded (RFC 6749 §2.3.1)", []string{basic("a%3Ab%20c:d+e%25%C3%A9")}, "a:b c", "d e%é", true, ""},
		{"decoded once only", []string{basic("a%252541:b")}, "a%2541", "b", true, ""},
		{"the first colon separates", []string{basic("a:b:c")}, "a", "b:c", true, ""},
		{"an empty secret is returned as such (CA-01)", []string{basic("a:")}, "a", "", true, ""},
		{"an empty client", []string{basic(":b")}, "", "", true, oauth.InvalidRequest},
		{"no colon (CA-07)", []string{basic("ab")}, "", "", true, oauth.InvalidRequest},
		{"bad base64 (CA-07)", []string{"Basic !!!!"}, "", "", true, oauth.InvalidRequest},
		{"stray bits: YTp= is not YTo= (CA-07)", []string{"Basic YTp="}, "", "", true, oauth.InvalidRequest},
		{"base64 without its padding", []string{"Basic YTo"}, "", "", true, oauth.InvalidRequest},
		{"base64 with too much padding", []string{"Basic YTpi="}, "", "", true, oauth.InvalidRequest},
		{"base64 in base64url", []string{"Basic " + base64.URLEncoding.EncodeToString([]byte("a:\xfb\xff"))}, "", "", true, oauth.InvalidRequest},
		{"a line break in base64, which the decoder would skip", []string{"Basic YT\npi"}, "", "", true, oauth.InvalidRequest},
		{"something after base64", []string{"Basic YTpi x"}, "", "", true, oauth.InvalidRequest},
		{"a space after base64", []string{"Basic YTpi "}, "", "", true, oauth.InvalidRequest},
		{"a tab after the scheme is part of it", []string{"Basic\tYTpi"}, "", "", false, ""},
		{"bad percent-encoding in the id (CA-07)", []string{basic("a%zz:b")}, "", "", true, oauth.InvalidRequest},
		{"bad percent-encoding in the secret (CA-07)", []string{basic("a:50%")}, "", "", true, oauth.InvalidRequest},
		{"NUL in the id", []string{basic("a%00:b")}, "", "", true, oauth.InvalidRequest},
		{"invalid UTF-8 in the secret", []string{basic("a:\xff")}, "", "", true, oauth.InvalidRequest},
		{"nothing after the scheme", []string{"Basic"}, "", "", true, oauth.InvalidRequest},
		{"spaces after the scheme", []string{"Basic  "}, "", "", true, oauth.InvalidRequest},
		{"8 KiB", []string{basic("a:" + long)}, "a", long, true, ""},
		{"more than 8 KiB", []string{basic("a:" + long + "s")}, "", "", true, oauth.InvalidRequest},
		{"two headers (CA-07)", []string{basic("a:b"), basic("c:d")}, "", "", true, oauth.InvalidRequest},
		{"the same header twice", []string{basic("a:b"), basic("a:b")}, "", "", true, oauth.InvalidRequest},
		{"Basic beside Bearer", []string{"Bearer x", basic("a:b")}, "", "", true, oauth.InvalidRequest},
		{"two others are an error too", []string{"Bearer x", "DPoP y"}, "", "", false, oauth.InvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			id, secret, tried, err := oauth.BasicCredentials(authorized(tt.headers...))
			wantCode(t, err, tt.code)
			if id != tt.id || secret != tt.secret || tried != tt.tried {
				t.Errorf("got %q %q %v, want %q %q %v", id, secret, tried, tt.id, tt.secret, tt.tried)
			}
			if err != nil && strings.Contains(err.Error(), "50%") {
				t.Errorf("the error quotes the secret: %v", err)
			}
		})
	}
}

func TestBearerToken(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", 16<<10)
	for _, tt := range []struct {
		name    string
		headers []string
		token   string
		tried   bool
		code    oauth.Code
	}{
		{"no header", nil, "", false, ""},
		{"another scheme is not tried", []string{basic("a:b")}, "", false, ""},
		{"a token of every character", []string{"Bearer aZ09-._~+/=="}, "aZ09-._~+/==", true, ""},
		{"the scheme in any case", []string{"bEARER x"}, "x", true, ""},
		{"another scheme of the same length", []string{"Digest x"}, "", false, ""},
		{"several spaces", []string{"Bearer  x"}, "x", true, ""},
		{"16 KiB", []string{"Bearer " + longest}, longest, true, ""},
		{"more than 16 KiB", []string{"Bearer x" + longest}, "", true, oauth.InvalidToken},
		{"a space in the token", []string{"Bearer a b"}, "", true, oauth.InvalidToken},
		{"a trailing space", []string{"Bearer a "}, "", true, oauth.InvalidToken},
		{"padding inside", []string{"Bearer a=b"}, "", true, oauth.InvalidToken},
		{"padding alone", []string{"Bearer =="}, "", true, oauth.InvalidToken},
		{"a comma-separated list", []string{"Bearer a, Bearer b"}, "", true, oauth.InvalidToken},
		{"a quoted token", []string{`Bearer "a"`}, "", true, oauth.InvalidToken},
		{"a letter outside ASCII", []string{"Bearer é"}, "", true, oauth.InvalidToken},
		{"no token", []string{"Bearer"}, "", true, oauth.InvalidRequest},
		{"two headers", []string{"Bearer a", "Bearer b"}, "", true, oauth.InvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			token, tried, err := oauth.BearerToken(authorized(tt.headers...))
			wantCode(t, err, tt.code)
			if token != tt.token || tried != tt.tried {
				t.Errorf("got %.20q %v, want %.20q %v", token, tried, tt.token, tt.tried)
			}
		})
	}
}

// FuzzBasicCredentials: what is accepted is the one encoding of what it says, and a client that encodes as RFC 6749
// §2.3.1 says is always understood.
func FuzzBasicCredentials(f *testing.F) {
	for _, s := range []string{"", "Basic", "Basic YTpi", "Basic YTp=", "basic  YTo=", "Bearer x",
		basic("a%3Ab:c+d"), basic("%zz:x"), basic("é:\x00")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, secret, tried, err := oauth.BasicCredentials(authorized(s))
		switch {
		case err != nil:
			wantCode(t, err, oauth.InvalidRequest)
			if id+secret != "" {
				t.Fatalf("%q: refused, yet returned %q %q", s, id, secret)
			}
		case tried:
			raw, decodeErr := base64.StdEncoding.Strict().DecodeString(strings.TrimLeft(s[len("Basic"):], " "))
			rawID, rawSecret, colon := strings.Cut(string(raw), ":")
			if decodeErr != nil || !colon || id == "" || !utf8.ValidString(id+secret) {
				t.Fatalf("%q: accepted as %q %q", s, id, secret)
			}
			wantID, idErr := url.QueryUnescape(rawID)
			wantSecret, secretErr := url.QueryUnescape(rawSecret)
			if idErr != nil || secretErr != nil || id != wantID || secret != wantSecret {
				t.Fatalf("%q: accepted as %q %q", s, id, secret)
			}
		}
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") || s == "" || len(s) > 1000 {
			return
		}
		id, secret, tried, err = oauth.BasicCredentials(authorized(basic(url.QueryEscape(s) + ":" + url.QueryEscape(s))))
		if err != nil || !tried || id != s || secret != s {
			t.Fatalf("%q encoded came back as %q %q %v %v", s, id, secret, tried, err)
		}
	})
}
