package seal_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gatehouse/broker/seal"
)

func TestNewRefusesWhatIsNoSecret(t *testing.T) {
	t.Parallel()
	short := bytes.Repeat([]byte("s"), seal.MinSecret-1)
	for name, row := range map[string]struct {
		secrets [][]byte
		says    string
	}{
		"no secret":         {nil, "no secret: configure"},
		"a short one":       {[][]byte{short}, "secret 1 has 31 bytes, at least 32"},
		"an empty second":   {[][]byte{secret(1), {}}, "secret 2 has 0 bytes"},
		"the same twice":    {[][]byte{secret(1), secret(2), secret(1)}, "secret 3 is the same as secret 1"},
		"a short old one":   {[][]byte{secret(1), short}, "secret 2 has 31 bytes"},
		"nil in the middle": {[][]byte{secret(1), nil, secret(2)}, "secret 2 has 0 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := seal.New(row.secrets...)
			if err == nil || k != nil || !strings.Contains(err.Error(), row.says) {
				t.Fatalf("New = %v, %v", k, err)
			}
			if strings.Contains(err.Error(), "sss") || bytes.Contains([]byte(err.Error()), secret(1)) {
				t.Error("the error shows the secret")
			}
		})
	}
}

func TestNewKeepsNoReferenceToTheSecret(t *testing.T) {
	t.Parallel()
	s := secret(1)
	k := ring(t, s)
	clear(s)
	sealed := ring(t, secret(1)).Box("flow").Seal([]byte("x"), nil)
	if _, err := k.Box("flow").Open(sealed, nil); err != nil {
		t.Error("the ring changed with the caller's slice")
	}
}

func TestNothingPrintsKeyMaterial(t *testing.T) {
	t.Parallel()
	k := ring(t, secret('K'))
	for _, v := range []any{k, *k, k.Box("flow"), k.MAC("digest"), *k.MAC("digest"), []any{k}, struct{ K *seal.Keyring }{k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
			if got := fmt.Sprintf(verb, v); !strings.Contains(got, "[REDACTED]") || len(got) > 64 {
				t.Errorf("%s of %T: %s", verb, v, got)
			}
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "ring", k, "box", k.Box("flow"), "mac", k.MAC("digest"))
	if strings.Count(log.String(), "REDACTED") != 3 {
		t.Errorf("log line: %s", log.String())
	}
}

func TestMACVerifiesItsOwnSums(t *testing.T) {
	t.Parallel()
	k := ring(t, secret(1))
	m := k.MAC("client-secret")
	sum := m.Sum([]byte("wiki"), []byte("s3cret"))
	if len(sum) != sha256.Size || !m.Verify(sum, []byte("wiki"), []byte("s3cret")) {
		t.Fatalf("%d bytes, refused", len(sum))
	}
	flipped := bytes.Clone(sum)
	flipped[31] ^= 1
	for name, ok := range map[string]bool{
		"another part":                    m.Verify(sum, []byte("wiki"), []byte("secret")),
		"the same text parted elsewhere":  m.Verify(sum, []byte("wikis"), []byte("3cret")),
		"the parts in one":                m.Verify(sum, []byte("wikis3cret")),
		"an empty part more":              m.Verify(sum, []byte("wiki"), []byte("s3cret"), nil),
		"no parts":                        m.Verify(sum),
		"a flipped bit":                   m.Verify(flipped, []byte("wiki"), []byte("s3cret")),
		"a truncated sum":                 m.Verify(sum[:16], []byte("wiki"), []byte("s3cret")),
		"no sum":                          m.Verify(nil, []byte("wiki"), []byte("s3cret")),
		"a longer sum":                    m.Verify(append(bytes.Clone(sum), 0), []byte("wiki"), []byte("s3cret")),
		"another purpose":                 k.MAC("csrf").Verify(sum, []byte("wiki"), []byte("s3cret")),
		"another key":                     ring(t, secret(2)).MAC("client-secret").Verify(sum, []byte("wiki"), []byte("s3cret")),
		"the plain HMAC under the secret": m.Verify(plainHMAC(secret(1), "wiki", "s3cret"), []byte("wiki"), []byte("s3cret")),
	} {
		if ok {
			t.Errorf("%s is accepted", name)
		}
	}
}

func plainHMAC(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

func TestMACRotationFirstSumsAllVerify(t *testing.T) {
	t.Parallel()
	before, after := ring(t, secret(1)).MAC("m"), ring(t, secret(2), secret(1)).MAC("m")
	if !after.Verify(before.Sum([]byte("x")), []byte("x")) {
		t.Error("an old sum is refused")
	}
	if before.Verify(after.Sum([]byte("x")), []byte("x")) {
		t.Error("the first secret did not sum")
	}
}

func TestTruncatedMACHasItsOwnKey(t *testing.T) {
	t.Parallel()
	k := ring(t, secret(1))
	short := k.TruncatedMAC("m", 16)
	sum := short.Sum([]byte("x"))
	if len(sum) != 16 || !short.Verify(sum, []byte("x")) {
		t.Fatalf("%d bytes, refused", len(sum))
	}
	if full := k.MAC("m").Sum([]byte("x")); bytes.Equal(full[:16], sum) || short.Verify(full[:16], []byte("x")) {
		t.Error("a long sum cut short is a short sum")
	}
	for _, size := range []int{-1, 0, 15, 33} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a sum of %d bytes", size)
				}
			}()
			k.TruncatedMAC("m", size)
		}()
	}
}

func TestParseSecretReadsEverySpelling(t *testing.T) {
	t.Parallel()
	want := []byte{0xfb, 0xff, 0xfe, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}
	const phrase = "correct horse battery staple, over and over"
	for name, row := range map[string]struct {
		text string
		want []byte
	}{
		"base64url":                        {base64.RawURLEncoding.EncodeToString(want), want},
		"padded base64url":                 {base64.URLEncoding.EncodeToString(want), want},
		"base64":                           {base64.StdEncoding.EncodeToString(want), want},
		"base64 without padding":           {base64.RawStdEncoding.EncodeToString(want), want},
		"hex":                              {hex.EncodeToString(want), want},
		"upper-case hex":                   {strings.ToUpper(hex.EncodeToString(want)), want},
		"a line break at the end":          {base64.RawURLEncoding.EncodeToString(want) + "\r\n", want},
		"text":                             {phrase, []byte(phrase)},
		"text of base64 letters too short": {strings.Repeat("abcd", 8), []byte(strings.Repeat("abcd", 8))},
	} {
		if got, err := seal.ParseSecret(row.text); err != nil || !bytes.Equal(got, row.want) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

func TestParseSecretRefusesShortOnesWithoutRepeatingThem(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "  \n", "hunter2", strings.Repeat("x", 31), hex.EncodeToString(secret(1)[:15]), strings.Repeat(" ", 40) + "x"} {
		got, err := seal.ParseSecret(text)
		if err == nil || got != nil {
			t.Errorf("%q: %x", text, got)
		} else if text := strings.TrimSpace(text); len(text) > 1 && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the secret: %v", err)
		}
	}
}

func TestNewSecretIsFreshAndParses(t *testing.T) {
	t.Parallel()
	a, b := seal.NewSecret(), seal.NewSecret()
	raw, err := seal.ParseSecret(a)
	if err != nil || len(raw) != 32 || len(a) != 43 || a == b {
		t.Errorf("%d characters, %d bytes, %v, repeated: %v", len(a), len(raw), err, a == b)
	}
	if decoded, err := base64.RawURLEncoding.Strict().DecodeString(a); err != nil || !bytes.Equal(decoded, raw) {
		t.Errorf("read as something else: %v", err)
	}
}

func BenchmarkMAC(b *testing.B) {
	m := ring(b, secret(1)).MAC("client-secret")
	sum := m.Sum([]byte("wiki"), []byte("secret"))
	b.ReportAllocs()
	for b.Loop() {
		if !m.Verify(sum, []byte("wiki"), []byte("secret")) {
			b.Fatal("refused")
		}
	}
}
