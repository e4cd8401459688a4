package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// How many bytes of a value reach a log line.
const (
	maxIdentifier = 128
	maxText       = 512
)

// opaqueRun is the length from which an unbroken run of base64url characters in free text is taken for a secret: 128
// bits in base64url have 22 characters, and no word that explains a refusal is this long.
const opaqueRun = 22

const (
	cut    = "…"
	masked = "[…]"
)

// Identifier makes a value from outside fit for a log attribute: control and other invisible characters become "?",
// and only the first 128 bytes are kept (LG-02). The log handler quotes the rest.
func Identifier(s string) string { return clean(s, maxIdentifier) }

// Text makes free text, such as the text of an error, fit for a log attribute: as [Identifier], with room for 512
// bytes, and with every run of 22 or more characters of base64url masked, because that is what tokens, codes, keys and
// client secrets look like (LG-01). Identifiers belong into attributes of their own.
func Text(s string) string {
	if len(s) > 4*maxText {
		s = s[:4*maxText] // what masking will look at
	}
	return clean(mask(s), maxText)
}

func clean(s string, limit int) string {
	end := len(s)
	if end > limit {
		end = limit
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
	}
	kept := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s[:end])
	if end < len(s) {
		kept += cut
	}
	return kept
}

// mask replaces every long run of base64url characters. Dots join, so that a JWT is one run; a run of letters and
// dots alone is prose or a host name and stays.
func mask(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		n := strings.IndexFunc(s, func(r rune) bool { return !opaque(r) })
		switch {
		case n < 0:
			n = len(s)
		case n == 0:
			_, size := utf8.DecodeRuneInString(s)
			b.WriteString(s[:size])
			s = s[size:]
			continue
		}
		if n >= opaqueRun && looksRandom(s[:n]) {
			b.WriteString(masked)
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

func opaque(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.' || r == '+' || r == '='
}

// looksRandom tells a secret from a long host name or error code: random text of this length without a digit or an
// upper-case letter does not occur.
func looksRandom(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' })
}
