package device

import (
	"strings"
	"testing"
)

// RFC 8628 §6.1: what people make of a code on their way from one screen to another.
func TestAUserCodeSurvivesTypingMistakes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, typed, want string }{
		{"as it is shown", "BCDF-GHJK", "BCDFGHJK"},
		{"in small letters", "bcdf-ghjk", "BCDFGHJK"},
		{"without the dash", "BCDFGHJK", "BCDFGHJK"},
		{"with the dash elsewhere, and more of them", "-BC-DFGH-JK-", "BCDFGHJK"},
		{"with spaces, tabs and line ends", " B C\tD F GHJK\r\n", "BCDFGHJK"},
		{"with an em dash, a no-break space and dots", "BCDF—GHJK\u00a0...", "BCDFGHJK"},
		{"with a character that nobody sees", "BCDF\u200b\ufeffGHJK", "BCDFGHJK"},
		{"in quotes", `"BCDF-GHJK"`, "BCDFGHJK"},
		{"digits for letters that look the same", "8CDF-6251", "BCDFGZSL"},
		{"I for L, U for V", "IUDF-GHJK", "LVDFGHJK"},
		{"small l, which is L", "lvdf-ghjk", "LVDFGHJK"},
		{"full-width, as East Asian keyboards type", "ｂＣＤＦ－ＧＨＪ１", "BCDFGHJL"},
		{"a Cyrillic layout", "вСкМ-НРТх", "BCKMHPTX"},
		{"a Greek layout", "ΒΗΚΜ-ΝΡΤΧ", "BHKMNPTX"},
		{"a Turkish layout", "ıvdf-ghjk", "LVDFGHJK"},
		{"0 may be D or Q", "0CDF-GHJK", ""},
		{"O may be D or Q", "OCDF-GHJK", ""},
		{"a vowel", "ACDF-GHJK", ""},
		{"a letter of another alphabet", "ЖCDF-GHJK", ""},
		{"another digit", "BCDF-GHJ3", ""},
		{"a digit of another script", "BCDF-GHJ٣", ""},
		{"a letter too few", "BCDF-GHJ", ""},
		{"a letter too many", "BCDF-GHJKL", ""},
		{"nothing", "", ""},
		{"only dashes", "----", ""},
		{"bytes that are no text", "BCDF\xff\xfeGHJ\x00", ""},
		{"much too long", "BCDFGHJK" + strings.Repeat("-", maxTyped), ""},
	} {
		got, ok := ParseUserCode(row.typed)
		if ok != (row.want != "") || ok && got != row.want {
			t.Errorf("%s: %q, %v; want %q", row.name, got, ok, row.want)
		}
	}
}

// RFC 8628 §5.1, §6.1: every letter of the alphabet at every place, none likelier than
// another, and no two codes alike.
func TestUserCodesAreDrawnEvenly(t *testing.T) {
	t.Parallel()
	if len(alphabet) < 20 || strings.ContainsAny(alphabet, "AEIOUY0123456789") {
		t.Fatalf("the alphabet is %q", alphabet)
	}
	const codes = 60000
	seen, letters := map[string]bool{}, map[byte]int{}
	for range codes {
		code := newUserCode()
		if parsed, ok := ParseUserCode(strings.ToLower(shown(code))); !ok || parsed != code || len(shown(code)) != 9 {
			t.Fatalf("%q is shown as %q and read as %q", code, shown(code), parsed)
		}
		for i := range code {
			letters[code[i]]++
		}
		seen[code] = true
	}
	if len(seen) < codes-3 { // one pair is to be had in 14 runs, four in some million
		t.Errorf("%d different codes of %d", len(seen), codes)
	}
	// Eight standard deviations: with "modulo" of a byte the last four letters would come up
	// only by 12 in 256, which is ten.
	const want, deviation = codes * userCodeLength / 20, 151
	for i := range alphabet {
		if n := letters[alphabet[i]]; n < want-8*deviation || n > want+8*deviation {
			t.Errorf("%c comes up %d times, want about %d", alphabet[i], n, want)
		}
	}
}

// Whatever somebody types, it is a code in its one spelling, or none; and it is read
// alike in either case and with dashes.
func FuzzParseUserCode(f *testing.F) {
	for _, s := range []string{"BCDF-GHJK", "bcdfghjk", " B C D F G H J K ", "8CDF6251", "０ＣＤＦ", "вСкМНРТх", "ΒΗΚΜΝΡΤΧ", "ıvdfghjk", "", "-", "BCDF\xffGHJK", "OCDF-GHJK", strings.Repeat("B", 99)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := ParseUserCode(typed)
		if !ok {
			return
		}
		if len(code) != userCodeLength || strings.Trim(code, alphabet) != "" {
			t.Fatalf("%q is read as %q", typed, code)
		}
		for _, other := range []string{code, strings.ToLower(code), shown(code), " " + shown(code)} {
			if again, ok := ParseUserCode(other); !ok || again != code {
				t.Fatalf("%q is read as %q, and %q as %q", typed, code, other, again)
			}
		}
	})
}
