package oidc_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/oidc"
)

// claims reads a JSON object; empty is none.
func claims(t *testing.T, text string) *jose.Claims {
	t.Helper()
	if text == "" {
		return nil
	}
	members, err := jose.StrictObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &jose.Claims{Raw: members}
}

func TestStandardEmail(t *testing.T) {
	t.Parallel()
	const verified, unverified, unknown = broker.EmailVerified, broker.EmailUnverified, broker.EmailUnknown
	for _, tt := range []struct {
		name, token, userinfo, address string
		trust                          broker.EmailTrust
	}{
		{"signed and verified", `{"email":"a@x.test","email_verified":true}`, ``, "a@x.test", verified},
		{"signed and not verified", `{"email":"a@x.test","email_verified":false}`, ``, "a@x.test", unverified},
		{"absent is unknown", `{"email":"a@x.test"}`, ``, "a@x.test", unknown},
		{"UP-02 a string is not true", `{"email":"a@x.test","email_verified":"true"}`, ``, "a@x.test", unverified},
		{"UP-02 1 is not true", `{"email":"a@x.test","email_verified":1}`, ``, "a@x.test", unverified},
		{"UP-02 null is not true", `{"email":"a@x.test","email_verified":null}`, ``, "a@x.test", unverified},
		{"userinfo alone", `{}`, `{"email":"a@x.test","email_verified":true}`, "a@x.test", verified},
		{"userinfo about the signed address", `{"email":"a@x.test"}`, `{"email":"a@x.test","email_verified":true}`, "a@x.test", verified},
		{"userinfo about another address", `{"email":"a@x.test"}`, `{"email":"b@x.test","email_verified":true}`, "a@x.test", unknown},
		{"userinfo about the address in another case", `{"email":"a@x.test"}`, `{"email":"A@x.test","email_verified":true}`, "a@x.test", unknown},
		{"userinfo without an address", `{"email":"a@x.test"}`, `{"email_verified":true}`, "a@x.test", unknown},
		{"UP-15 userinfo against the signed flag", `{"email":"a@x.test","email_verified":false}`, `{"email":"a@x.test","email_verified":true}`, "a@x.test", unverified},
		{"UP-15 the signed flag without an address", `{"email_verified":false}`, `{"email":"a@x.test","email_verified":true}`, "a@x.test", unverified},
		{"a signed flag speaks for no unsigned address alone", `{"email_verified":true}`, `{"email":"a@x.test"}`, "a@x.test", unknown},
		{"both flags", `{"email_verified":true}`, `{"email":"a@x.test","email_verified":true}`, "a@x.test", verified},
		{"an address of a wrong type is none", `{"email":["a@x.test"],"email_verified":true}`, ``, "", unknown},
		{"nothing", `{}`, ``, "", unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address, trust := oidc.StandardEmail(&oidc.Claims{ID: claims(t, tt.token), Userinfo: claims(t, tt.userinfo)})
			if address != tt.address || trust != tt.trust {
				t.Errorf("got %q, %s; want %q, %s", address, trust, tt.address, tt.trust)
			}
		})
	}
}

func TestClaimedGroups(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, token, userinfo string
		want                  []string
		kind                  connectors.Kind
		refused               bool
	}{
		{name: "a list", token: `{"groups":["a","b"]}`, want: []string{"a", "b"}},
		{name: "one string", token: `{"groups":"a"}`, want: []string{"a"}},
		{name: "an empty list", token: `{"groups":[]}`},
		{name: "absent", token: `{}`},
		{name: "null", token: `{"groups":null}`},
		{name: "at userinfo", token: `{}`, userinfo: `{"groups":["a"]}`, want: []string{"a"}},
		{name: "the token comes first", token: `{"groups":["a"]}`, userinfo: `{"groups":["b"]}`, want: []string{"a"}},
		{name: "a number", token: `{"groups":5}`, refused: true},
		{name: "an object", token: `{"groups":{"a":true}}`, refused: true},
		{name: "a list with a number in it", token: `{"groups":["a",5]}`, refused: true},
		{name: "a line break in a name", token: `{"groups":["a\nb"]}`, refused: true},
		{name: "unreadable in the token is not made good by userinfo", token: `{"groups":5}`, userinfo: `{"groups":["a"]}`, refused: true},
		{name: "UP-22 elsewhere", token: `{"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"http://169.254.169.254/"}}}`, refused: true, kind: connectors.Operator},
		{name: "UP-22 elsewhere, says userinfo", token: `{}`, userinfo: `{"_claim_names":{"groups":"src1"}}`, refused: true, kind: connectors.Operator},
		{name: "UP-22 elsewhere, unreadable", token: `{"_claim_names":"groups"}`, refused: true, kind: connectors.Operator},
		{name: "other claims are elsewhere", token: `{"_claim_names":{"address":"src1"}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := oidc.ClaimedGroups(&oidc.Claims{ID: claims(t, tt.token), Userinfo: claims(t, tt.userinfo)}, "groups")
			if tt.refused {
				connectortest.KindOf(t, err, tt.kind)
			}
			if tt.refused != (err != nil) || !slices.Equal(got, tt.want) {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestTextIsFitForOneLine(t *testing.T) {
	t.Parallel()
	long := `{"name":"` + strings.Repeat("a", 3<<10) + `"}`
	for _, tt := range []struct{ name, token, userinfo, want string }{
		{"signed", `{"name":"Ada"}`, `{"name":"Eve"}`, "Ada"},
		{"from userinfo", `{}`, `{"name":"Eve"}`, "Eve"},
		{"a number is none", `{"name":5}`, ``, ""},
		{"a line break", `{"name":"A\nB"}`, ``, ""},
		{"endless", long, ``, ""},
	} {
		c := &oidc.Claims{ID: claims(t, tt.token), Userinfo: claims(t, tt.userinfo)}
		if got := c.Text("name"); got != tt.want {
			t.Errorf("%s: got %.50q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAuthenticationIsReadStrictly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		claims map[string]any
		want   broker.Authentication
	}{
		{"acr and amr", map[string]any{"acr": "gold", "amr": []string{"pwd", "otp"}}, broker.Authentication{ACR: "gold", AMR: []string{"pwd", "otp"}}},
		{"amr as a lone string is none", map[string]any{"amr": "mfa"}, broker.Authentication{}},
		{"amr with a number in it is none", map[string]any{"amr": []any{"pwd", 5}}, broker.Authentication{}},
		{"acr as a number is none", map[string]any{"acr": 2, "amr": []string{}}, broker.Authentication{}},
		{"auth_time as a string is none", map[string]any{"auth_time": "1795132800", "amr": []string{}}, broker.Authentication{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			b.Vendor.Edit(fake.IDToken, func(c map[string]any) {
				delete(c, "auth_time")
				for name, value := range tt.claims {
					c[name] = value
				}
			})
			if got := b.MustSignIn(t).Authentication; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestTrustedEmailDomains(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) { s.Common.TrustedEmailDomains = []string{"corp.example"} })
	b.Vendor.SignInAs("ben") // whose address is not verified
	if p := b.MustSignIn(t).Profile; p.EmailTrust != broker.EmailVerified {
		t.Errorf("got %q, %s", p.Email, p.EmailTrust)
	}
}
