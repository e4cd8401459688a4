package audit

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// LG-01: whatever an error carries along, no secret of ours or of an upstream comes out.
func TestSecretsAreMaskedInReasons(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{
		"an authorization code":    "gc_AAAAAGm1nVUnn3pX5XC0V2Nf5tqzvIhTQ6c5mXG4k0Q0nKXy1w",
		"a refresh token":          "gr_BmnUVQnn3pX5XC0V2Nf5tqzvIhTQ6c5mXG4k0Q0nKXy1wAAAAB",
		"a JWT":                    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2IudGVzdCJ9.c2lnbmF0dXJl",
		"a client secret":          "Zk3vQ0nKXy1wn3pX5XC0V2Nf5tqzvIhTQ6c5mXG4k0Q",
		"a secret in hex":          "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"a secret in base64":       "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
		"a GitHub token":           "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
		"a short token of 128 bit": "n4bQgYhMfWWaLqgxVrQFaO",
	}
	for name, secret := range secrets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, reason := range []string{secret, "exchange: code=" + secret + "&x=1", `{"access_token":"` + secret + `"}`, secret + ": " + secret} {
				r, log := recorder(slog.LevelDebug)
				r.Refused(t.Context(), Refusal{Endpoint: Callback, Reason: errors.New(reason)})
				if piece := secret[len(secret)/2-5 : len(secret)/2+5]; strings.Contains(log.String(), piece) || !strings.Contains(log.String(), masked) {
					t.Errorf("logged %s", log)
				}
			}
		})
	}
}

func TestReasonsStayReadable(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{
		"jose: claim refused: nonce is not the expected one",
		"unmet_authentication_requirements",
		"Get https://login.microsoftonline.com/common/discovery: dial tcp 192.0.2.1:443: connect: connection refused",
		"connectors: github.com answered 502 after 10.003s",
		"account is disabled or gone",
	} {
		if got := Text(reason); got != reason {
			t.Errorf("%q becomes %q", reason, got)
		}
	}
}

func TestIdentifierKeepsOurIdentifiers(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"0DB8EABC11111111111111111111111110", "mfzwk3lfnzsxg5dfoi2gk43umfzwk3lf", "wiki", "2001:db8::1", strings.Repeat("x", maxIdentifier)} {
		if got := Identifier(id); got != id {
			t.Errorf("%q becomes %q", id, got)
		}
	}
	if got := Identifier(strings.Repeat("x", maxIdentifier+1)); got != strings.Repeat("x", maxIdentifier)+cut {
		t.Errorf("a long one becomes %q", got)
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "plain", "x\r\n\x1b[0m", "\xff\xfe", "gc_AAAAAGm1nVUnn3pX5XC0V2Nf5tqz", strings.Repeat("\u00e4", 300), strings.Repeat("a1 ", 900)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{Text(s), Identifier(s)} {
			if len(got) > maxText+len(cut) || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q becomes %q", s, got)
			}
		}
		if secret := "k3" + strings.Map(keepOpaque, s); len(secret) >= opaqueRun && len(secret) < maxText && Text(secret) != masked {
			t.Errorf("%q becomes %q", secret, Text(secret))
		}
	})
}

// keepOpaque drops what does not occur in a secret.
func keepOpaque(r rune) rune {
	if opaque(r) {
		return r
	}
	return -1
}
