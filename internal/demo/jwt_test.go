package demo

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

func compact(header, claims string) string {
	b := base64.RawURLEncoding
	return b.EncodeToString([]byte(header)) + "." + b.EncodeToString([]byte(claims)) + ".c2ln"
}

func TestDecodingShowsKnownMembersFirst(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	token := compact(`{"kid":"k","alg":"ES256"}`,
		`{"zebra":{"a":"<b>"},"exp":1800000900,"aud":["a","b"],"mixed":["a",1],"big":12345678901234567890,"apple":null,"email_verified":false,"iss":"http://i","iat":1799999970}`)
	got, err := decodeJWT(token, now)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range append(got.Header, got.Claims...) {
		lines = append(lines, m.Name+" = "+m.Value)
	}
	want := []string{
		"alg = ES256", "kid = k", "iss = http://i", "aud = a, b", "exp = 1800000900 (08:15:00 UTC, in 15 min)", "iat = 1799999970 (07:59:30 UTC, 30 s ago)",
		"email_verified = false", "apple = null", "big = 12345678901234567890", `mixed = ["a",1]`, `zebra = {"a":"<b>"}`,
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if got.Parts[2] != "c2ln" {
		t.Errorf("parts %q", got.Parts)
	}
}

func TestDecodingRefusesWhatIsNoJWT(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "opaque", "a.b", "a.b.c.d", "!!.e30.x", "e30.!!.x", compact(`[]`, `{}`), compact(`{}`, `{`)} {
		if got, err := decodeJWT(token, time.Unix(0, 0)); err == nil {
			t.Errorf("%q: got %+v", token, got)
		}
	}
}

func FuzzDecodeJWT(f *testing.F) {
	f.Add(compact(`{"alg":"none"}`, `{"exp":1e400,"iat":-1,"aud":[null]}`))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		got, err := decodeJWT(token, time.Unix(1_800_000_000, 0))
		if err == nil && strings.Join(got.Parts[:], ".") != token {
			t.Fatalf("%q came apart as %q", token, got.Parts)
		}
	})
}

func TestRelativeTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0:                   "12:00:00 UTC, now",
		90 * time.Second:    "12:01:30 UTC, in 90 s",
		-15 * time.Minute:   "11:45:00 UTC, 15 min ago",
		24 * time.Hour:      "12:00:00 UTC, in 24 h",
		30 * 24 * time.Hour: "12:00:00 UTC, in 30 days",
	} {
		if got := relative(now.Add(d), now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestEveryErrorOfASignInIsExplained(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required",
		"invalid_grant", "invalid_client", "temporarily_unavailable", "server_error", "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope"} {
		if explainError(code) == "" {
			t.Errorf("%s is not explained", code)
		}
	}
	if got := explainError("made_up"); got != "" {
		t.Errorf("made_up is explained as %q", got)
	}
}

func TestMeaningsNameEachMemberOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range meanings() {
		if seen[m.Name] || m.Meaning == "" {
			t.Errorf("%s is there twice, or has no meaning", m.Name)
		}
		seen[m.Name] = true
	}
}
