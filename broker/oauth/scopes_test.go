package oauth_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker/oauth"
)

// numbered returns n different scopes, separated by spaces.
func numbered(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("s%d", i)
	}
	return strings.Join(words, " ")
}

func TestParseScopes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, want string
		code           oauth.Code
	}{
		{"absent is the empty set", "", "", ""},
		{"order is kept", "profile openid email", "profile openid email", ""},
		{"repeated values are kept once, at their first place", "a b a c b", "a b c", ""},
		{"superfluous spaces are ignored", "  a   b ", "a b", ""},
		{"values may contain URIs", "https://api.test/read?x=y#z", "https://api.test/read?x=y#z", ""},
		{"case matters", "OpenID openid", "OpenID openid", ""},
		{"the ends of the alphabet", "! # [ ] ~", "! # [ ] ~", ""},
		{"a double quote is refused", `a"b`, "", oauth.InvalidScope},
		{"a backslash is refused", `a\b`, "", oauth.InvalidScope},
		{"a tab is refused", "a\tb", "", oauth.InvalidScope},
		{"a line break is refused", "a\r\nb", "", oauth.InvalidScope},
		{"DEL is refused", "a\x7f", "", oauth.InvalidScope},
		{"letters outside ASCII are refused", "prøfile", "", oauth.InvalidScope},
		{"a no-break space does not separate", "a\u00a0b", "", oauth.InvalidScope},
		{"a bad value after good ones refuses all", `a b c"`, "", oauth.InvalidScope},
		{"a hundred values", numbered(100), numbered(100), ""},
		{"a hundred values, repeated", numbered(100) + " " + numbered(100), numbered(100), ""},
		{"a hundred and one values (DO-03)", numbered(101), "", oauth.InvalidScope},
		{"4096 bytes", strings.Repeat("x", 4096), strings.Repeat("x", 4096), ""},
		{"4097 bytes (DO-03)", strings.Repeat("x", 4097), "", oauth.InvalidScope},
		{"100,000 values (DO-03)", numbered(100_000), "", oauth.InvalidScope},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := oauth.ParseScopes(tt.in)
			wantCode(t, err, tt.code)
			if got.String() != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestScopesAsSets(t *testing.T) {
	t.Parallel()
	set := oauth.Scopes{oauth.OpenID, oauth.Email, oauth.Groups}
	if !set.Has("email") || set.Has("Email") || set.Has("") || set.Has("openid email") {
		t.Error("Has is not exact")
	}
	if !set.Contains(oauth.Scopes{"groups", "openid"}) || !set.Contains(nil) {
		t.Error("a subset is not contained")
	}
	if set.Contains(oauth.Scopes{"openid", "admin"}) || (oauth.Scopes)(nil).Contains(set) {
		t.Error("more than the set is contained (TK-11)")
	}
	if got := set.Intersect(oauth.Scopes{"groups", "admin", "openid"}); got.String() != "openid groups" {
		t.Errorf("Intersect: %q", got)
	}
	if got := set.Without("email", "admin"); got.String() != "openid groups" {
		t.Errorf("Without: %q", got)
	}
	if set.String() != "openid email groups" {
		t.Errorf("the set itself was changed: %q", set)
	}
}

func FuzzParseScopes(f *testing.F) {
	for _, s := range []string{"", "openid profile", " a  a ", "a\"b", "a\\b", "é", "a\x00", numbered(101),
		// AZ-10: what might be smuggled through, and what stands for a claim in a consent.
		"openid offline_access admin", "openid\tadmin", "openid\u00a0admin", "openid,admin", "openid+admin", "openid%20admin", "claim email", "\u202eopenid", strings.Repeat("a", 4096), strings.Repeat("a", 4097)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		set, err := oauth.ParseScopes(s)
		if err != nil {
			if e, ok := errors.AsType[*oauth.Error](err); !ok || e.Code != oauth.InvalidScope || set != nil {
				t.Fatalf("%q: set %q, error %v", s, set, err)
			}
			return
		}
		if len(set) > 100 || len(set.String()) > 4096 {
			t.Fatalf("%d scopes of %d bytes", len(set), len(set.String()))
		}
		if sorted := slices.Sorted(slices.Values(set)); len(slices.Compact(sorted)) != len(set) {
			t.Fatalf("%q has duplicates", set)
		}
		if strings.ContainsAny(set.String(), "\"\\\r\n\t\x00\x7f") {
			t.Fatalf("%q holds a forbidden character", set)
		}
		again, err := oauth.ParseScopes(set.String())
		if err != nil || !slices.Equal(again, set) {
			t.Fatalf("%q read again is %q (%v)", set, again, err)
		}
	})
}
