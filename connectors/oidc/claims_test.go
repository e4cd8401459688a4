package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

func object(t testing.TB, text string) *jose.Claims {
	t.Helper()
	members, err := jose.StrictObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &jose.Claims{Raw: members}
}

func TestLocateFollowsPointers(t *testing.T) {
	t.Parallel()
	c := object(t, `{"roles":["a"],"realm_access":{"roles":["b"],"none":null},"a/b":{"m~n":["c"]},"~1":["d"],"list":[{"x":1}],"text":"t","/odd":["e"],"https://corp.test/roles":["f"]}`)
	for _, tt := range []struct {
		name  string
		there presence
		raw   string
	}{
		{"roles", present, `["a"]`},
		{"/roles", present, `["a"]`},
		{"/realm_access/roles", present, `["b"]`},
		{"/a~1b/m~0n", present, `["c"]`},
		{"/~01", present, `["d"]`},
		{"/~1odd", present, `["e"]`},
		{"https://corp.test/roles", present, `["f"]`}, // a name, because it does not begin with a slash
		{"missing", absent, ""},
		{"/missing/roles", absent, ""},
		{"/realm_access/missing", absent, ""},
		{"/realm_access/none", absent, ""},
		{"/realm_access/none/deeper", absent, ""},
		{"/text/roles", unreadable, ""},
		{"/list/0", unreadable, ""},
		{"/list/0/x", unreadable, ""},
		{"/a~b", unreadable, ""},
		{"/a~2b", unreadable, ""},
	} {
		holder, member, there := locate(c, tt.name)
		if there != tt.there || there == present && string(holder.Raw[member]) != tt.raw {
			t.Errorf("%s: got %v", tt.name, there)
		}
	}
	if _, _, there := locate(nil, "roles"); there != absent {
		t.Error("something is found in nothing")
	}
}

func TestNestedGroups(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, token, userinfo string
		want                  []string
		refused               bool
	}{
		{"in the token", `{"realm_access":{"roles":["a","b"]}}`, `{}`, []string{"a", "b"}, false},
		{"at userinfo", `{}`, `{"realm_access":{"roles":["a"]}}`, []string{"a"}, false},
		{"absent", `{"realm_access":{}}`, `{}`, nil, false},
		{"the way there is no object", `{"realm_access":["roles"]}`, `{"realm_access":{"roles":["a"]}}`, nil, true},
		{"not names", `{"realm_access":{"roles":[1]}}`, `{}`, nil, true},
		{"an object twice over", `{"realm_access":{"roles":{"a":1}}}`, `{}`, nil, true},
		{"UP-22 elsewhere", `{"_claim_names":{"realm_access":"src1"}}`, `{}`, nil, true},
	} {
		got, err := ClaimedGroups(&Claims{ID: object(t, tt.token), Userinfo: object(t, tt.userinfo)}, "/realm_access/roles")
		if (err != nil) != tt.refused || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
		}
		// What is elsewhere is incomplete for on_group_failure; what is odd is not.
		if incomplete := strings.HasPrefix(tt.name, "UP-22"); incomplete != errors.Is(err, connectors.ErrGroupsIncomplete) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestEmailUnderAnotherName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, token string
		asText      bool
		address     string
		trust       broker.EmailTrust
	}{
		{"its own names", `{"contact":{"mail":"a@x.test","checked":true},"email":"b@x.test","email_verified":false}`, false, "a@x.test", broker.EmailVerified},
		{"the standard flag says nothing of it", `{"contact":{"mail":"a@x.test"},"email_verified":true}`, false, "a@x.test", broker.EmailUnknown},
		{"UP-02 a text is not true", `{"contact":{"mail":"a@x.test","checked":"true"}}`, false, "a@x.test", broker.EmailUnverified},
		{"UP-02 unless this provider is known for it", `{"contact":{"mail":"a@x.test","checked":"true"}}`, true, "a@x.test", broker.EmailVerified},
		{"UP-02 and then only this text", `{"contact":{"mail":"a@x.test","checked":"True"}}`, true, "a@x.test", broker.EmailUnverified},
		{"UP-02 not with a space", `{"contact":{"mail":"a@x.test","checked":"true "}}`, true, "a@x.test", broker.EmailUnverified},
		{"UP-02 not a number", `{"contact":{"mail":"a@x.test","checked":1}}`, true, "a@x.test", broker.EmailUnverified},
		{"UP-02 not a list", `{"contact":{"mail":"a@x.test","checked":["true"]}}`, true, "a@x.test", broker.EmailUnverified},
		{"the true that is true", `{"contact":{"mail":"a@x.test","checked":true}}`, true, "a@x.test", broker.EmailVerified},
	} {
		n := emailClaims{address: "/contact/mail", verified: "/contact/checked", asText: tt.asText}
		if address, trust := n.read(&Claims{ID: object(t, tt.token)}); address != tt.address || trust != tt.trust {
			t.Errorf("%s: got %q, %s", tt.name, address, trust)
		}
	}
}

func TestClaimNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*Config)
		path   string
	}{
		{"nothing said", func(*Config) {}, ""},
		{"names and pointers", func(c *Config) { c.Claims = ClaimNames{Name: "displayName", Groups: "/realm_access/roles"} }, ""},
		{"a namespaced name", func(c *Config) { c.Claims.Groups = "https://corp.test/roles" }, ""},
		{"groups_claim agrees", func(c *Config) { c.GroupsClaim, c.Claims.Groups = "roles", "roles" }, ""},
		{"groups_claim contradicts", func(c *Config) { c.GroupsClaim, c.Claims.Groups = "roles", "groups" }, "groups_claim"},
		{"groups_claim of the protocol", func(c *Config) { c.GroupsClaim = "amr" }, "groups_claim"},
		{"UP-26 sub", func(c *Config) { c.Claims.PreferredUsername = "sub" }, "claims.preferred_username"},
		{"UP-26 acr", func(c *Config) { c.Claims.Groups = "acr" }, "claims.groups"},
		{"UP-26 inside of act", func(c *Config) { c.Claims.Email = "/act/sub" }, "claims.email"},
		{"UP-26 behind a pointer", func(c *Config) { c.Claims.Name = "/iss" }, "claims.name"},
		{"an empty segment", func(c *Config) { c.Claims.Locale = "/a//b" }, "claims.locale"},
		{"a tilde alone", func(c *Config) { c.Claims.Picture = "/a~" }, "claims.picture"},
		{"a line break", func(c *Config) { c.Claims.GivenName = "a\nb" }, "claims.given_name"},
	} {
		c := Config{Common: connectors.Common{ID: "up", ClientID: "c", ClientSecret: connectors.Secrets{"s"}}, Issuer: "https://idp.test"}
		tt.change(&c)
		var paths []string
		for _, p := range c.Validate() {
			paths = append(paths, p.Path)
		}
		if strings.Join(paths, " ") != tt.path {
			t.Errorf("%s: got problems at %q, want %q", tt.name, paths, tt.path)
		}
	}
	c := Config{GroupsClaim: "roles"}
	c.Claims.Name = "displayName"
	if got := c.names(); got.Name != "displayName" || got.Groups != "roles" || got.EmailVerified != "email_verified" || got.Locale != "locale" {
		t.Errorf("got %+v", got)
	}
}

// FuzzLocate: what a pointer finds is what walking by hand finds, and looking does
// not change the document.
func FuzzLocate(f *testing.F) {
	f.Add(`{"a":{"b":["x"]}}`, "/a/b")
	f.Add(`{"a/b":{"~":1}}`, "/a~1b/~0")
	f.Add(`{"":{"":2}}`, "//")
	f.Add(`{"a":null}`, "/a/b")
	f.Add(`{"a":1e999}`, "a")
	f.Fuzz(func(t *testing.T, document, name string) {
		members, err := jose.StrictObject([]byte(document))
		if err != nil {
			return
		}
		holder, member, there := locate(&jose.Claims{Raw: members}, name)
		if there != present {
			if holder != nil {
				t.Error("something was found that is not there")
			}
			return
		}
		at := decoded(t, []byte(document))
		path, _ := segments(name)
		for _, segment := range path {
			below, ok := at.(map[string]any)
			if at = below[segment]; !ok || at == nil {
				t.Fatalf("%q is not in %s", name, document)
			}
		}
		want, err := json.Marshal(at)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(decoded(t, holder.Raw[member])); err != nil || string(got) != string(want) {
			t.Errorf("%q in %s: got %s, want %s", name, document, got, want)
		}
	})
}

// decoded reads JSON as another reader does. Numbers stay as they are written: no
// claim is too large for RFC 8259.
func decoded(t *testing.T, document []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
