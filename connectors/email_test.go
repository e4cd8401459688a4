package connectors_test

import (
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/connectors"
)

func TestEmailDomain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, address, domain string }{
		{"an address", "ada@corp.test", "corp.test"},
		{"the domain is folded, ASCII only", "Ada@Corp.TEST", "corp.test"},
		{"a tag and dots", "a.b+c@mail.corp.test", "mail.corp.test"},
		{"a local part beyond ASCII is another person, not another domain", "uſer@corp.test", "corp.test"},
		{"LK-10 two @", "x@evil.test@corp.test", ""},
		{"LK-10 a quoted local part with an @", `"x@evil.test,"@corp.test`, ""},
		{"LK-10 a quoted local part", `"x"@corp.test`, ""},
		{"LK-10 a suffix is another domain", "x@corp.test.evil.test", "corp.test.evil.test"},
		{"LK-10 a prefix is another domain", "x@notcorp.test", "notcorp.test"},
		{"LK-10 a trailing dot", "x@corp.test.", ""},
		{"LK-10 an address literal", "v@[127.0.0.1]", ""},
		{"LK-10 a tab", "x@corp.test\t", ""},
		{"LK-10 a tab in the local part", "x\ty@corp.test", ""},
		{"LK-10 a space", "x y@corp.test", ""},
		{"LK-10 a line break", "x@corp.test\r\n", ""},
		{"LK-10 a comment", "x(y)@corp.test", ""},
		{"LK-10 a display name", "Ada <x@corp.test>", ""},
		{"LK-11 the Kelvin sign is no k", "x@\u212aorp.test", ""},
		{"LK-11 a long s is no s", "x@corp.te\u017ft", ""},
		{"an empty local part", "@corp.test", ""},
		{"no domain", "x@", ""},
		{"no @", "corp.test", ""},
		{"a single label", "root@localhost", ""},
		{"an empty label", "x@corp..test", ""},
		{"a label that begins with a hyphen", "x@-corp.test", ""},
		{"invalid UTF-8", "\xff@corp.test", ""},
		{"a zero-width space", "x\u200b@corp.test", ""},
		{"too long", strings.Repeat("a", 321) + "@corp.test", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			domain, ok := connectors.EmailDomain(tt.address)
			if domain != tt.domain || ok != (tt.domain != "") {
				t.Errorf("EmailDomain(%q) = %q, %v; want %q", tt.address, domain, ok, tt.domain)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	const verified, unverified, unknown = broker.EmailVerified, broker.EmailUnverified, broker.EmailUnknown
	for _, tt := range []struct {
		name, address  string
		evidence, want broker.EmailTrust
		kept           bool
	}{
		{"evidence counts", "ada@corp.test", verified, verified, true},
		{"no evidence is unknown", "ada@corp.test", unknown, unknown, true},
		{"evidence against", "ada@corp.test", unverified, unverified, true},
		{"the operator vouches for the domain", "ada@Trusted.test", unknown, verified, true},
		{"the operator vouches where mail is not verified", "ada@trusted.test", unverified, verified, true},
		{"not for a sub-domain", "ada@sub.trusted.test", unknown, unknown, true},
		{"not for two @", "ada@evil.test@trusted.test", unknown, unknown, true},
		{"what is not clearly an address is not verified", `"a@b"@corp.test`, verified, unverified, true},
		{"control characters are dropped", "ada@corp.test\r\nX: y", verified, unknown, false},
		{"an endless address is dropped", strings.Repeat("a", 400) + "@corp.test", verified, unknown, false},
		{"none", "", verified, unknown, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := connectors.Common{TrustedEmailDomains: []string{"Trusted.test"}}
			var p broker.Profile
			c.Address(&p, tt.address, tt.evidence)
			if p.EmailTrust != tt.want || tt.kept != (p.Email == tt.address && p.Email != "") {
				t.Errorf("got %q, %s; want %s, kept %v", p.Email, p.EmailTrust, tt.want, tt.kept)
			}
		})
	}
}

// The domain that is answered is one that was written, in lower case, behind the
// only @.
func FuzzEmailDomain(f *testing.F) {
	for _, seed := range []string{"ada@corp.test", "x@evil.test@corp.test", `"x@y"@corp.test`, "v@[127.0.0.1]", "x@corp.test.", "@", "\xff@\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		domain, ok := connectors.EmailDomain(address)
		if !ok {
			if domain != "" {
				t.Fatalf("refused and answered %q", domain)
			}
			return
		}
		if strings.Count(address, "@") != 1 || !connectors.IsText(address) {
			t.Fatalf("%q was accepted", address)
		}
		_, written, _ := strings.Cut(address, "@")
		if domain != strings.ToLower(written) || strings.ContainsFunc(domain, func(r rune) bool { return r > 'z' }) {
			t.Fatalf("%q has the domain %q", address, domain)
		}
	})
}
