package policy

import (
	"errors"
	"net/mail"
	"strings"
	"testing"
)

// LK-10: every way of writing an address in which two programs see two domains.
func TestParseEmailDomain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, address, want string // want is empty for a refusal
	}{
		{"a plain address", "ada@corp.test", "corp.test"},
		{"the domain is in lower case", "Ada.Lovelace+x@CORP.Test", "corp.test"},
		{"the local part is dot-atoms", "o'hara!#$%&*/=?^_`{|}~-@corp.test", "corp.test"},
		{"a subdomain is another domain", "ada@eu.corp.test", "eu.corp.test"},
		{"labels have digits and inner hyphens", "ada@4-you.xn--p1ai", "4-you.xn--p1ai"},
		{"two at signs", "x@evil.test@corp.test", ""},
		{"a quoted local part", `"x@evil.test,"@corp.test`, ""},
		{"a quoted local part without an at sign", `"ada"@corp.test`, ""},
		{"an address literal", "v@[127.0.0.1]", ""},
		{"an IPv4 address", "v@127.0.0.1", ""},
		{"a trailing dot", "ada@corp.test.", ""},
		{"a leading dot", "ada@.corp.test", ""},
		{"an empty label", "ada@corp..test", ""},
		{"a tab", "ada@corp.test\t", ""},
		{"a tab inside", "ada@corp.\ttest", ""},
		{"a space in front", " ada@corp.test", ""},
		{"a line break", "ada@corp.test\r\n", ""},
		{"a NUL", "ada@corp.test\x00.evil.test", ""},
		{"a display name", "Ada <ada@corp.test>", ""},
		{"angle brackets", "<ada@corp.test>", ""},
		{"a comment", "ada@corp.test(evil)", ""},
		{"a list", "ada@corp.test,eve@evil.test", ""},
		{"a route", "@evil.test:ada@corp.test", ""},
		{"a percent hack is part of the local part", "eve%evil.test@corp.test", "corp.test"},
		{"a full-width at sign", "x@evil.test\uff20corp.test", ""},
		{"a full-width at sign alone", "x\uff20corp.test", ""},
		{"a dot that is not ASCII", "ada@corp\u3002test", ""},
		{"a long s in the local part (LK-11)", "u\u017fer@corp.test", ""},
		{"a Kelvin sign in the domain (LK-11)", "ada@\u212aorp.test", ""},
		{"an internationalised domain", "ada@b\u00fccher.test", ""},
		{"invalid UTF-8", "ada@corp\xff.test", ""},
		{"an underscore in the domain", "ada@corp_x.test", ""},
		{"a label that begins with a hyphen", "ada@-corp.test", ""},
		{"a label that ends with a hyphen", "ada@corp-.test", ""},
		{"a single label", "ada@localhost", ""},
		{"no at sign", "corp.test", ""},
		{"no local part", "@corp.test", ""},
		{"no domain", "ada@", ""},
		{"nothing", "", ""},
		{"a dot at the end of the local part", "ada.@corp.test", ""},
		{"a dot at the beginning of the local part", ".ada@corp.test", ""},
		{"two dots in the local part", "a..da@corp.test", ""},
		{"the longest local part", strings.Repeat("a", 64) + "@corp.test", "corp.test"},
		{"a local part that is too long", strings.Repeat("a", 65) + "@corp.test", ""},
		{"the longest label", "a@" + strings.Repeat("b", 63) + ".test", strings.Repeat("b", 63) + ".test"},
		{"a label that is too long", "a@" + strings.Repeat("b", 64) + ".test", ""},
		{"a domain that is too long", "a@" + strings.Repeat("b.", 125) + "test", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseEmailDomain(tt.address)
			if got != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, ErrEmailAddress) {
				t.Errorf("ParseEmailDomain(%q) = %q, %v; want %q", tt.address, got, err, tt.want)
			}
		})
	}
}

func TestInDomains(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, address string
		domains       []string
		want          bool
	}{
		{"the domain itself", "ada@corp.test", []string{"other.test", "corp.test"}, true},
		{"in whatever case", "ada@Corp.Test", []string{"corp.test"}, true},
		{"the rule in whatever case", "ada@corp.test", []string{"CORP.test"}, true},
		{"not with a prefix", "ada@notcorp.test", []string{"corp.test"}, false},
		{"not with a suffix", "ada@corp.test.evil.test", []string{"corp.test"}, false},
		{"not a subdomain", "ada@eu.corp.test", []string{"corp.test"}, false},
		{"not the parent", "ada@corp.test", []string{"eu.corp.test"}, false},
		{"no domain by folding", "ada@\u212aorp.test", []string{"korp.test", "\u212aorp.test"}, false},
		{"no empty rule", "ada@", []string{""}, false},
		{"nobody reads noreply", "noreply@corp.test", []string{"corp.test"}, false},
		{"nor no-reply", "No-Reply@corp.test", []string{"corp.test"}, false},
		{"a GitHub noreply address never counts", "1+ada@users.noreply.github.com", []string{"users.noreply.github.com"}, false},
		{"nor one of an Enterprise Server", "ada@users.noreply.git.corp.test", []string{"users.noreply.git.corp.test"}, false},
		{"noreply inside a label is a name like any other", "ada@noreplying.test", []string{"noreplying.test"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := inDomains(tt.address, tt.domains); got != tt.want {
				t.Errorf("inDomains(%q, %q) = %v", tt.address, tt.domains, got)
			}
		})
	}
}

// What we take has one at sign and is what net/mail sees too, and the domain is the text behind the at sign.
func FuzzParseEmailDomain(f *testing.F) {
	for _, seed := range []string{
		"ada@corp.test", "x@evil.test@corp.test", `"x@evil.test,"@corp.test`, "v@[127.0.0.1]", "ada@corp.test.",
		"u\u017fer@corp.test", "ADA@CORP.TEST", "a@b", "a b@corp.test", "a@xn--p1ai.test",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		domain, err := ParseEmailDomain(address)
		if err != nil {
			if domain != "" {
				t.Errorf("refused with domain %q", domain)
			}
			return
		}
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address || parsed.Name != "" {
			t.Errorf("net/mail reads %q as %v, %v", address, parsed, err)
		}
		at := strings.LastIndexByte(address, '@')
		if strings.Count(address, "@") != 1 || !strings.EqualFold(address[at+1:], domain) || domain != strings.ToLower(domain) {
			t.Errorf("domain of %q is said to be %q", address, domain)
		}
		if again, err := ParseEmailDomain("x@" + domain); again != domain || err != nil {
			t.Errorf("domain %q comes back as %q, %v", domain, again, err)
		}
	})
}
