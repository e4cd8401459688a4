package device

import (
	"crypto/rand"
	"strings"
	"unicode"
)

const (
	// alphabet has no vowels, so that no words come about, and no digits (RFC 8628
	// §6.1).
	alphabet = "BCDFGHJKLMNPQRSTVWXZ"
	// userCodeLength letters are 34 bits: with the limits on guessing, the chance of a
	// hit is far below that which §5.1 reckons with.
	userCodeLength = 8
	// maxTyped bounds what is looked at of what somebody typed.
	maxTyped = 64
)

// lookAlikes are what people read or type for a letter of the alphabet, where only
// one can have been meant: 0 and O, which may be D or Q, are not among them. The rest
// are the letters of other keyboards that look the same.
var lookAlikes = map[rune]byte{
	'1': 'L', 'I': 'L', '2': 'Z', '5': 'S', '6': 'G', '8': 'B', 'U': 'V',
	'В': 'B', 'С': 'C', 'Н': 'H', 'К': 'K', 'М': 'M', 'Р': 'P', 'Т': 'T', 'Х': 'X', 'Ѕ': 'S', 'Ј': 'J', 'І': 'L',
	'Β': 'B', 'Η': 'H', 'Κ': 'K', 'Μ': 'M', 'Ν': 'N', 'Ρ': 'P', 'Τ': 'T', 'Χ': 'X', 'Ζ': 'Z', 'Ι': 'L',
}

// ParseUserCode returns a user code as it is compared, and false for what cannot be
// one. Case does not matter, nor does what is no letter or digit (RFC 8628 §6.1).
func ParseUserCode(typed string) (code string, ok bool) {
	if len(typed) > maxTyped {
		return "", false
	}
	var out []byte
	for _, r := range typed {
		letter, counts := letterOf(r)
		if !counts {
			continue
		}
		if letter == 0 {
			return "", false
		}
		out = append(out, letter)
	}
	return string(out), len(out) == userCodeLength
}

// letterOf returns the letter of the alphabet that a character stands for, zero for
// another letter or digit. It reports false for what does not count.
func letterOf(r rune) (letter byte, counts bool) {
	const fullWidth, firstFullWidth, lastFullWidth = 'Ａ' - 'A', '！', '～'
	if r >= firstFullWidth && r <= lastFullWidth { // as East Asian keyboards type
		r -= fullWidth
	}
	r = unicode.ToUpper(r)
	if letter, ok := lookAlikes[r]; ok {
		return letter, true
	}
	if r < unicode.MaxASCII && strings.IndexByte(alphabet, byte(r)) >= 0 {
		return byte(r), true
	}
	return 0, unicode.IsLetter(r) || unicode.IsNumber(r)
}

// newUserCode makes a random code in which every letter is as likely.
func newUserCode() string {
	// Bytes from here on would make the first letters likelier than the others.
	const fair = 256 - 256%len(alphabet)
	code := make([]byte, 0, userCodeLength)
	var random [2 * userCodeLength]byte
	for {
		rand.Read(random[:])
		for _, b := range random {
			if int(b) >= fair {
				continue
			}
			if code = append(code, alphabet[int(b)%len(alphabet)]); len(code) == userCodeLength {
				return string(code)
			}
		}
	}
}

// shown is a code as people see it: in two halves.
func shown(code string) string { return code[:userCodeLength/2] + "-" + code[userCodeLength/2:] }
