package mint

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/policy"
)

// respelt returns values that are almost the given one: whatever of it is altered, it is another value (TK-17).
func respelt(value string) map[string]string {
	flip := func(s string, i int) string {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '-':
			c = '_'
		case c == '_':
			c = '-'
		default:
			c = '0' + (c-'0'+1)%10
		}
		return s[:i] + string(c) + s[i+1:]
	}
	all := map[string]string{
		"empty": "", "the prefix alone": value[:3], "without prefix": value[3:], "twice": value + value,
		"with another prefix": "gx_" + value[3:], "in upper case": strings.ToUpper(value), "in lower case": strings.ToLower(value),
		"padded": value + "=", "padded with zeros": value + "AAAA", "with a NUL": value + "\x00", "with a space": value + " ",
		"with a line break": value + "\n", "with a line break inside": value[:20] + "\n" + value[20:],
		"with a line break for a character": value[:20] + "\r\n" + value[22:], "in quotes": `"` + value + `"`,
		"in the other base64": value[:10] + "+/" + value[12:],
	}
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if last := len(value) - 1; rune(value[last]) != c { // among them those that decode to the same bytes
			all["ending in "+string(c)] = value[:last] + string(c)
		}
	}
	for i := range value {
		all["cut to "+value[:i]] = value[:i]
		all["changed to "+flip(value, i)] = flip(value, i)
	}
	return all
}

func TestParseCodeTakesOneSpelling(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	id := broker.NewID(moment().Add(time.Minute))
	code, key, err := m.NewCode(id)
	if err != nil {
		t.Fatal(err)
	}
	got, grantID, err := m.ParseCode(code)
	if err != nil || got != key || grantID != id || !got.Forget().Equal(moment().Add(time.Minute)) || got.Digest() != broker.DigestOf(code) {
		t.Errorf("code %q: %v, %q, %v", code, got, grantID, err)
	}
	for how, other := range respelt(code) {
		if got, grantID, err := m.ParseCode(other); !errors.Is(err, ErrMalformed) || got != (broker.ExpiringKey{}) || grantID != "" {
			t.Errorf("code %s: %v", how, err)
		}
	}
	refresh, _, err := m.NewRefreshToken(id, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.ParseCode(refresh); !errors.Is(err, ErrMalformed) {
		t.Errorf("a refresh token as code: %v", err)
	}
}

func TestGrantIDsHaveOneSpelling(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	id := broker.NewID(moment())
	last := id[len(id)-1:]
	for _, bad := range []string{"", "g1", id[1:], id + "0", strings.ToLower(id), strings.Repeat("/", len(id)), id[:len(id)-1] + string(last[0]+1)} {
		if _, _, err := m.NewCode(bad); err == nil {
			t.Errorf("a code for the grant %q", bad)
		}
		if _, _, err := m.NewRefreshToken(bad, 0); err == nil {
			t.Errorf("a refresh token for the grant %q", bad)
		}
	}
}

// RFC 6749 §10.10, KM-03: codes and tokens of one grant have 128 unguessable bits and more; the measure is that of the
// OpenID conformance suite, and no two are alike.
func TestWhatIsMintedCannotBeGuessed(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	id := broker.NewID(moment())
	makers := map[string]func() string{
		"code":          func() string { c, _, _ := m.NewCode(id); return c },
		"refresh token": func() string { r, _, _ := m.NewRefreshToken(id, 1); return r },
		"jti":           NewJTI,
		"account ID":    NewAccountID,
	}
	for what, next := range makers {
		seen := make(map[string]bool)
		for range 20000 {
			value := next()
			if seen[value] {
				t.Fatalf("%s %q was made twice", what, value)
			}
			seen[value] = true
			if len(seen) == 1 && (len(value) < 22 || entropy(value)*float64(len(value)) < 72) {
				t.Errorf("%s %q has too little entropy", what, value)
			}
			if what == "code" && len(seen) == 1 && (entropy(value)*float64(len(value)) <= 96 || len(value) < 16) {
				t.Errorf("%s %q fails the conformance suite", what, value)
			}
		}
	}
	if id := NewAccountID(); len(id) != 32 || id != strings.ToLower(id) || !policy.ValidSubject(id) {
		t.Errorf("account ID %q", id)
	}
}

// entropy is Shannon's, in bits for each character.
func entropy(s string) (bits float64) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		if p := float64(strings.Count(s, string(c))) / float64(len(s)); p > 0 {
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

func FuzzParseCode(f *testing.F) {
	m := fuzzMinter(f)
	code, _, err := m.NewCode(broker.NewID(moment()))
	if err != nil {
		f.Fatal(err)
	}
	for _, other := range respelt(code) {
		f.Add(other)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if key, grantID, err := m.ParseCode(s); err == nil || grantID != "" || key != (broker.ExpiringKey{}) {
			t.Errorf("%q is taken for a code", s) // the one that is has not been told to the fuzzer
		}
	})
}
