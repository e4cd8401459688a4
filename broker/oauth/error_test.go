package oauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/oauth"
)

func TestStatusFollowsTheCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[oauth.Code]int{
		oauth.InvalidClient:                   401,
		oauth.InvalidToken:                    401,
		oauth.InsufficientScope:               403,
		oauth.ServerError:                     500,
		oauth.TemporarilyUnavailable:          503,
		oauth.InvalidRequest:                  400,
		oauth.InvalidGrant:                    400,
		oauth.InvalidScope:                    400,
		oauth.InvalidTarget:                   400,
		oauth.UnauthorizedClient:              400,
		oauth.UnsupportedGrantType:            400,
		oauth.SlowDown:                        400,
		oauth.AuthorizationPending:            400,
		oauth.ExpiredToken:                    400,
		oauth.AccessDenied:                    400,
		oauth.InvalidDPoPProof:                400,
		oauth.UseDPoPNonce:                    400,
		oauth.InvalidRedirectURI:              400,
		oauth.InvalidClientMetadata:           400,
		oauth.LoginRequired:                   400,
		oauth.UnmetAuthenticationRequirements: 400,
	} {
		if got := oauth.Errorf(code, "x").Status(); got != want {
			t.Errorf("%s: status %d, want %d", code, got, want)
		}
	}
	if got := oauth.Errorf(oauth.SlowDown, "x").WithRetryAfter(time.Second).Status(); got != 429 {
		t.Errorf("with RetryAfter: status %d, want 429", got)
	}
}

func TestDescriptionKeepsToTheCharacterSet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"plain text stays", "code has expired!#[]^~ 09", "code has expired!#[]^~ 09"},
		{"quotes and backslashes are replaced", `a"b\c`, `a'b/c`},
		{"line breaks and tabs are replaced", "a\r\nSet-Cookie: x\ty", "a??Set-Cookie: x?y"},
		{"what is not ASCII is replaced", "naïve \u2028 \x7f \x00", "na?ve ? ? ?"},
		{"bytes that are not UTF-8 are replaced", "a\xff\xfeb", "a??b"},
		{"300 bytes stay", strings.Repeat("x", 300), strings.Repeat("x", 300)},
		{"the 301st byte is cut off", strings.Repeat("y", 301), strings.Repeat("y", 300)},
		{"a cut never leaves half a character", strings.Repeat("é", 400), strings.Repeat("?", 300)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := oauth.Errorf(oauth.InvalidRequest, "%s", tt.in).Description; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestErrorKeepsItsCauseForTheLog(t *testing.T) {
	t.Parallel()
	cause := errors.New("the disk is full")
	base := oauth.Errorf(oauth.InvalidGrant, "code is unknown")
	err := base.Because(cause)
	if !errors.Is(err, cause) {
		t.Error("errors.Is does not find the cause")
	}
	if got, want := err.Error(), "invalid_grant: code is unknown: the disk is full"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if base.Unwrap() != nil || base.Error() != "invalid_grant: code is unknown" {
		t.Error("Because changed the error it was called on")
	}
	if base.WithChallenge("x").WithRetryAfter(time.Second); base.Challenge != "" || base.RetryAfter != 0 {
		t.Error("a With method changed the error it was called on")
	}
}

func TestFrom(t *testing.T) {
	t.Parallel()
	known := oauth.Errorf(oauth.InvalidScope, "no")
	if got := oauth.From(fmt.Errorf("token: %w", known)); got != known {
		t.Errorf("a wrapped *Error: got %v", got)
	}
	if got := oauth.From(nil); got != nil {
		t.Errorf("nil: got %v", got)
	}
	cause := errors.New("dsn=postgres://secret")
	got := oauth.From(cause)
	if got.Code != oauth.ServerError || got.Description != "" || !errors.Is(got, cause) {
		t.Errorf("a foreign error: got %#v", got)
	}
	if got := oauth.From((*oauth.Error)(nil)); got == nil || got.Code != oauth.ServerError {
		t.Errorf("a nil *Error in an interface: got %v", got)
	}
}

func TestWriteJSON(t *testing.T) {
	t.Parallel()
	secret := errors.New("secret-cause")
	for _, tt := range []struct {
		name       string
		err        error
		status     int
		body       string
		challenge  string
		retryAfter string
	}{
		{name: "code and description are sent, the cause is not",
			err:    fmt.Errorf("op: %w", oauth.Errorf(oauth.InvalidGrant, "code has expired").Because(secret)),
			status: 400, body: `{"error":"invalid_grant","error_description":"code has expired"}`},
		{name: "an empty description is left out",
			err: &oauth.Error{Code: oauth.LoginRequired}, status: 400, body: `{"error":"login_required"}`},
		{name: "a foreign error becomes server_error without detail",
			err: secret, status: 500, body: `{"error":"server_error"}`},
		{name: "nil becomes server_error", err: nil, status: 500, body: `{"error":"server_error"}`},
		{name: "an error without a code becomes server_error",
			err: &oauth.Error{Description: "x"}, status: 500, body: `{"error":"server_error"}`},
		{name: "invalid_client without a challenge has none",
			err: oauth.Errorf(oauth.InvalidClient, "no"), status: 401, body: `{"error":"invalid_client","error_description":"no"}`},
		{name: "invalid_client after Basic is challenged",
			err:    oauth.Errorf(oauth.InvalidClient, "no").WithChallenge(oauth.BasicChallenge("https://b.test")),
			status: 401, body: `{"error":"invalid_client","error_description":"no"}`,
			challenge: `Basic realm="https://b.test", charset="UTF-8"`},
		{name: "a challenge cannot start another header",
			err:    oauth.Errorf(oauth.InvalidClient, "no").WithChallenge("Basic ~\r\nSet-Cookie: a=b\x7f"),
			status: 401, body: `{"error":"invalid_client","error_description":"no"}`, challenge: "Basic ~??Set-Cookie: a=b?"},
		{name: "a limit is 429 with whole seconds, rounded up",
			err:    oauth.Errorf(oauth.TemporarilyUnavailable, "wait").WithRetryAfter(1001 * time.Millisecond),
			status: 429, body: `{"error":"temporarily_unavailable","error_description":"wait"}`, retryAfter: "2"},
		{name: "a description not made by Errorf is cleaned too",
			err: &oauth.Error{Code: oauth.InvalidRequest, Description: "a\"\nb"}, status: 400,
			body: `{"error":"invalid_request","error_description":"a'?b"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			oauth.WriteJSON(w, tt.err)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			if got := strings.TrimSpace(w.Body.String()); got != tt.body || !json.Valid([]byte(got)) {
				t.Errorf("body %s, want %s", got, tt.body)
			}
			for name, want := range map[string]string{
				"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache",
				"Www-Authenticate": tt.challenge, "Retry-After": tt.retryAfter,
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestWriteJSONNamesTheAllowedMethod(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	_, err := oauth.ParseForm(w, httptest.NewRequest(http.MethodGet, "/token", nil), 100)
	oauth.WriteJSON(w, err)
	if w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("status %d, Allow %q; want 405 and POST", w.Code, w.Header().Get("Allow"))
	}
}

func TestBearerChallenge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		err   *oauth.Error
		realm string
		want  string
	}{
		{"a request without a token is told no code", nil, "b", `Bearer realm="b"`},
		{"code and description", oauth.Errorf(oauth.InvalidToken, "expired"), "b",
			`Bearer realm="b", error="invalid_token", error_description="expired"`},
		{"no description", &oauth.Error{Code: oauth.InsufficientScope}, "b", `Bearer realm="b", error="insufficient_scope"`},
		{"nothing ends its quotes or the line",
			&oauth.Error{Code: "x\"\r\n", Description: "a\", error=\"b\\\n"}, "r\"\r\n",
			`Bearer realm="r'??", error="x'??", error_description="a', error='b/?"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := oauth.BearerChallenge(tt.err, tt.realm); got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}
