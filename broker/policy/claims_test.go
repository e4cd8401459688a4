package policy

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

func profile() broker.Profile {
	return broker.Profile{
		Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", PreferredUsername: "ada", Email: "ada@corp.test",
		EmailTrust: broker.EmailVerified, Picture: "https://img.test/ada.png", Locale: "en-GB", Groups: []string{"staff", "dev"},
	}
}

func rendered(t *testing.T, scopes oauth.Scopes, p broker.Profile) string {
	t.Helper()
	text, err := json.Marshal(ClaimsFor(scopes, p))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// OpenID Connect Core §5.4: which scope grants which claims.
func TestClaimsOfScopes(t *testing.T) {
	t.Parallel()
	with := func(change func(*broker.Profile)) broker.Profile {
		p := profile()
		change(&p)
		return p
	}
	tests := []struct {
		name   string
		scopes oauth.Scopes
		p      broker.Profile
		want   string
	}{
		{"openid alone grants none", oauth.Scopes{"openid"}, profile(), `{}`},
		{"a scope that is not known grants none", oauth.Scopes{"openid", "address", "phone", "admin"}, profile(), `{}`},
		{"profile", oauth.Scopes{"openid", "profile"}, profile(),
			`{"name":"Ada Lovelace","given_name":"Ada","family_name":"Lovelace","preferred_username":"ada","picture":"https://img.test/ada.png","locale":"en-GB"}`},
		{"email", oauth.Scopes{"email"}, profile(), `{"email":"ada@corp.test","email_verified":true}`},
		{"groups", oauth.Scopes{"groups"}, profile(), `{"groups":["staff","dev"]}`},
		{"an unverified address", oauth.Scopes{"email"}, with(func(p *broker.Profile) { p.EmailTrust = broker.EmailUnverified }),
			`{"email":"ada@corp.test","email_verified":false}`},
		{"an address of unknown standing", oauth.Scopes{"email"}, with(func(p *broker.Profile) { p.EmailTrust = broker.EmailUnknown }),
			`{"email":"ada@corp.test","email_verified":false}`},
		{"an address with two readings is never verified", oauth.Scopes{"email"}, with(func(p *broker.Profile) { p.Email = "x@evil.test@corp.test" }),
			`{"email":"x@evil.test@corp.test","email_verified":false}`},
		{"without an address there is nothing to verify", oauth.Scopes{"email"}, with(func(p *broker.Profile) { p.Email = "" }), `{}`},
		{"blanks and the word null are no claims", oauth.Scopes{"profile", "email", "groups"},
			broker.Profile{Name: " \t", GivenName: "null", Email: "null", EmailTrust: broker.EmailVerified, Picture: "null", Locale: "\u00a0", Groups: []string{"", " "}}, `{}`},
		{"a text with a NUL is none", oauth.Scopes{"profile", "groups"}, broker.Profile{Name: "Ada\x00", Groups: []string{"a\x00", "b"}}, `{"groups":["b"]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := rendered(t, tt.scopes, tt.p); got != tt.want {
				t.Errorf("claims %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestPictureIsAWebAddress(t *testing.T) {
	t.Parallel()
	for picture, kept := range map[string]bool{
		"https://img.test/a.png": true, "http://img.test/a.png?x=1": true,
		"javascript:alert(1)": false, "data:image/png;base64,AAAA": false, "//img.test/a.png": false, "a.png": false,
		"https://user:pw@img.test/": false, "https:///a.png": false, "HTTPS://img.test/\x00": false, "https://img.test/%zz": false,
	} {
		c := ClaimsFor(oauth.Scopes{"profile"}, broker.Profile{Picture: picture})
		if (c.Picture == picture) != kept || !kept && c.Picture != "" {
			t.Errorf("picture %q becomes %q", picture, c.Picture)
		}
	}
}

// UP-26: no reserved claim can be set, because there is no place for one. Whoever adds a field of such a name fails here.
func TestNoReservedClaimIsAField(t *testing.T) {
	t.Parallel()
	reserved := []string{"iss", "aud", "sub", "sid", "acr", "amr", "act", "cnf", "scope", "client_id", "nonce", "auth_time", "exp", "iat",
		"nbf", "jti", "azp", "at_hash", "c_hash", "s_hash", "grant_id", "events", "may_act", "roles", "entitlements", "__proto__"}
	want := []string{"email", "email_verified", "family_name", "given_name", "groups", "locale", "name", "picture", "preferred_username"}
	names := make(map[string]bool)
	for f := range reflect.TypeFor[Claims]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names[name] = true
		if slices.Contains(reserved, strings.ToLower(name)) || f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Interface {
			t.Errorf("field %s can carry a reserved claim", f.Name)
		}
	}
	if got := slices.Sorted(maps.Keys(names)); !slices.Equal(got, want) {
		t.Errorf("claims %v, want %v", got, want)
	}
}

func BenchmarkClaimsFor(b *testing.B) {
	scopes, p := oauth.Scopes{"openid", "profile", "email", "groups"}, profile()
	b.ReportAllocs()
	for b.Loop() {
		_ = ClaimsFor(scopes, p)
	}
}
