package jose_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/jose"
)

// claimsOf reads claims the way Verify does.
func claimsOf(t *testing.T, payload string) *jose.Claims {
	t.Helper()
	u, err := jose.Peek(compact(`{"alg":"ES256","kid":"k1"}`, payload, func([]byte) []byte { return make([]byte, 64) }), jose.Limits{})
	must(t, err)
	return &u.Claims
}

func TestUP02BoolIsTrueForTrueAlone(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`"true"`, `"false"`, `"true "`, `0`, `1`, `null`, `[]`, `[true]`, `{}`, `false`, `"TRUE"`} {
		if claimsOf(t, `{"email_verified":`+value+`}`).Bool("email_verified") {
			t.Errorf("%s counts as true", value)
		}
	}
	if claimsOf(t, `{}`).Bool("email_verified") {
		t.Error("absence counts as true")
	}
	if !claimsOf(t, `{"email_verified": true }`).Bool("email_verified") {
		t.Error("true does not count")
	}
}

func TestClaimsGiveTheTypedOnes(t *testing.T) {
	t.Parallel()
	c := claimsOf(t, `{"iss":"i","sub":"s\u00e9\n","aud":["a","b"],"azp":"z","exp":1772370000.25,"nbf":1,"iat":0,"jti":"j","nonce":"n","at_hash":"h","c_hash":"c"}`)
	got := *c
	got.Raw = nil
	want := claimsOf(t, `{}`)
	want.Issuer, want.Subject, want.Audience, want.AuthorizedParty, want.ID, want.Nonce = "i", "sé\n", []string{"a", "b"}, "z", "j", "n"
	want.AccessTokenHash, want.CodeHash = "h", "c"
	want.Expiry, want.NotBefore, want.IssuedAt = time.Unix(1772370000, 25e7).UTC(), time.Unix(1, 0).UTC(), time.Unix(0, 0).UTC()
	for i := range reflect.TypeOf(got).NumField() {
		f := reflect.TypeOf(got).Field(i)
		if !f.IsExported() || f.Name == "Raw" {
			continue
		}
		if g, w := reflect.ValueOf(got).Field(i).Interface(), reflect.ValueOf(*want).Field(i).Interface(); !reflect.DeepEqual(g, w) {
			t.Errorf("%s = %v, want %v", f.Name, g, w)
		}
	}
	if len(c.Raw) != 11 || string(c.Raw["exp"]) != "1772370000.25" {
		t.Errorf("Raw = %s", c.Raw)
	}
	if !c.HasAudience("b") || c.HasAudience("") || c.HasAudience("c") {
		t.Error("HasAudience")
	}
}

func TestClaimsHelpersTellTypesApart(t *testing.T) {
	t.Parallel()
	c := claimsOf(t, `{"s":"x","e":"","esc":"\u0041\"","n":1.5,"neg":-1,"nil":null,"huge":1e20,"negative":-0.5,"a":["x","y"],"one":"x","none":[],"mixed":["x",1],"nested":[["x"]],"o":{"s":"x"}}`)
	for name, want := range map[string]string{"s": "x", "e": "", "esc": `A"`} {
		if got, ok := c.String(name); !ok || got != want {
			t.Errorf("String(%s) = %q, %v", name, got, ok)
		}
	}
	for _, name := range []string{"n", "nil", "a", "o", "absent", ""} {
		if got, ok := c.String(name); ok {
			t.Errorf("String(%s) = %q", name, got)
		}
	}
	for name, want := range map[string][]string{"a": {"x", "y"}, "one": {"x"}, "none": {}} {
		if got, ok := c.Strings(name); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("Strings(%s) = %q, %v", name, got, ok)
		}
	}
	for _, name := range []string{"mixed", "nested", "n", "nil", "o", "absent"} {
		if got, ok := c.Strings(name); ok {
			t.Errorf("Strings(%s) = %q", name, got)
		}
	}
	if got, ok := c.Time("n"); !ok || !got.Equal(time.Unix(1, 5e8)) {
		t.Errorf("Time = %v, %v", got, ok)
	}
	for _, name := range []string{"s", "neg", "negative", "huge", "nil", "a", "o", "absent"} {
		if got, ok := c.Time(name); ok {
			t.Errorf("Time(%s) = %v", name, got)
		}
	}
	if !c.Has("nil") || c.Has("absent") {
		t.Error("Has")
	}
}

func TestClaimsDecodeIsExact(t *testing.T) {
	t.Parallel()
	c := claimsOf(t, `{"tenant_country":"NZ","Preferred_Colour":"red"}`)
	var exact struct {
		Country string `json:"tenant_country"`
	}
	if err := c.Decode(&exact); err != nil || exact.Country != "NZ" {
		t.Errorf("%+v, %v", exact, err)
	}
	var shadowed struct {
		Colour string `json:"preferred_colour"`
	}
	if err := c.Decode(&shadowed); err == nil || shadowed.Colour != "" {
		t.Errorf("%+v, %v", shadowed, err)
	}
}

func TestErrorsRepeatNothingThatWasSent(t *testing.T) {
	t.Parallel()
	const marker = "s3cr3t-marker"
	for _, payload := range []string{
		goodClaims(claim("nonce", marker)), goodClaims(claim("aud", marker)), goodClaims(claim("iss", marker)),
		`{"` + marker + `":1,"` + marker + `":2}`, `{"sub":["` + marker + `"]}`, `{"a":"` + marker,
	} {
		_, err := jose.Verify(t.Context(), es256(t, payload), p256Set(t), idToken())
		if err == nil || strings.Contains(err.Error(), marker) {
			t.Errorf("error = %v", err)
		}
	}
}
