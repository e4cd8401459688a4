package web

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Caps in characters on what is shown of texts from outside. A name that fills
// the page could push the real content out of sight.
const (
	maxName  = 80
	maxText  = 600
	maxHost  = 253 + len(":65535") // RFC 1035 §2.3.4, and a port
	maxMarks = 3
)

// clean makes a text from outside fit to be shown inside a sentence of ours: no
// control and no direction characters, with which a name could rewrite the text
// around it; white space as single spaces; no more than a few combining marks in
// a row, which would paint over other lines; at most limit characters. The two
// joiners stay, as words in Persian and many Indic scripts need them.
func clean(s string, limit int) string {
	if len(s) <= limit && plain(s) {
		return s
	}
	var b strings.Builder
	characters, marks, space := 0, 0, false
	for _, r := range s {
		if unicode.IsSpace(r) || r == '\u2028' || r == '\u2029' {
			space = b.Len() > 0
			continue
		}
		if invisible(r) {
			continue
		}
		if unicode.Is(unicode.M, r) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		if space {
			b.WriteByte(' ')
			characters, space = characters+1, false
		}
		if characters++; characters > limit {
			return strings.TrimRight(b.String(), " ") + "…"
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plain reports whether s is printable ASCII with single spaces within, as most
// names are: nothing in it needs cleaning.
func plain(s string) bool {
	space := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return s == "" || !space
}

// invisible reports whether a character shows nothing by itself, and may
// therefore hide something or change how the rest is read.
func invisible(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	switch r {
	case zeroWidthNonJoiner, zeroWidthJoiner:
		return false
	case utf8.RuneError, '\u115f', '\u1160', '\u3164', '\uffa0': // the Hangul fillers are letters that look like nothing
		return true
	}
	// The direction characters are among Cf.
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Other_Default_Ignorable_Code_Point)
}

// cleanNames and cleanTexts clean in place, to the length of a name and of a
// paragraph.
func cleanNames(names ...*string) {
	for _, name := range names {
		*name = clean(*name, maxName)
	}
}

func cleanTexts(texts ...*string) {
	for _, text := range texts {
		*text = clean(*text, maxText)
	}
}

// initial returns the first character of the first name that is not empty, as
// a capital.
func initial(names ...string) string {
	for _, name := range names {
		if r, size := utf8.DecodeRuneInString(name); size > 0 {
			return strings.ToUpper(string(r))
		}
	}
	return "?"
}
