package jose

import (
	"unicode/utf16"
	"unicode/utf8"
)

// escape checks the escape sequence at the position and moves behind it.
func (s *scanner) escape() error {
	if s.pos+1 >= len(s.data) {
		return s.fail("string without end")
	}
	switch s.data[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return nil
	case 'u':
		r, ok := hex4(s.data[s.pos+2:])
		switch {
		case !ok:
			return s.fail("invalid escape")
		case r == 0:
			// A reader that keeps strings as C does would see "alice\u0000x" as "alice".
			return s.fail("NUL in a string")
		case !utf16.IsSurrogate(r):
			s.pos += 6
			return nil
		}
		// encoding/json turns an unpaired surrogate into U+FFFD, others keep it: two readings (RFC 8259 §8.2).
		if low, ok := lowSurrogate(s.data[s.pos+6:]); !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
			return s.fail("unpaired surrogate")
		}
		s.pos += 12
		return nil
	}
	return s.fail("invalid escape")
}

// unescape decodes the content of a string that the scanner has found to be sound.
func unescape(content []byte) []byte {
	out := make([]byte, 0, len(content))
	for i := 0; i < len(content); i++ {
		if content[i] != '\\' {
			out = append(out, content[i])
			continue
		}
		i++
		switch c := content[i]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(content[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low, _ := lowSurrogate(content[i+1:])
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			out = utf8.AppendRune(out, r)
		default: // ", \ and /
			out = append(out, c)
		}
	}
	return out
}

// lowSurrogate reads the second half of a surrogate pair, backslash and u included.
func lowSurrogate(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	return hex4(b[2:])
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
