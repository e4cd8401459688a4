package jose_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/jose"
)

// claimRow is one change to good claims and the claim whose refusal it has to cause; "" for acceptance.
type claimRow struct {
	name    string
	change  map[string]any
	expect  func(*jose.Expectation)
	refused string
}

func runClaimRows(t *testing.T, rows []claimRow) {
	t.Helper()
	set := p256Set(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := idToken()
			if row.expect != nil {
				row.expect(&e)
			}
			tok, err := jose.Verify(t.Context(), es256(t, goodClaims(row.change)), set, e)
			if row.refused == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			var claim *jose.ClaimError
			if !errors.As(err, &claim) || !errors.Is(err, jose.ErrClaim) || claim.Claim != row.refused || tok != nil {
				t.Errorf("error = %v, want %s refused", err, row.refused)
			}
		})
	}
}

func at(d time.Duration) int64                { return testNow.Add(d).Unix() }
func claim(name string, v any) map[string]any { return map[string]any{name: v} }
func raw(s string) json.RawMessage            { return json.RawMessage(s) }

func TestJW06TimeClaims(t *testing.T) {
	t.Parallel()
	optional := func(e *jose.Expectation) { e.ExpiryOptional = true }
	aged := func(e *jose.Expectation) { e.MaxAge = 5 * time.Minute }
	short := func(e *jose.Expectation) { e.MaxLifetime = time.Hour }
	rows := []claimRow{
		{"exp missing", claim("exp", nil), nil, "exp"},
		{"exp missing where it is optional", claim("exp", nil), optional, ""},
		{"exp past where it is optional", claim("exp", at(-2*time.Minute)), optional, "exp"},
		{"exp 59 s ago is within the skew", claim("exp", at(-59*time.Second)), nil, ""},
		{"exp 60 s ago is over: on or after", claim("exp", at(-60*time.Second)), nil, "exp"},
		{"exp 61 s ago", claim("exp", at(-61*time.Second)), nil, "exp"},
		{"exp with a fraction", claim("exp", raw(`1772370000.5`)), nil, ""},
		{"exp with an exponent", claim("exp", raw(`1.7723700e9`)), nil, ""},
		{"exp the last second of 9999", claim("exp", raw(`253402300799`)), nil, ""},
		{"exp a second later", claim("exp", raw(`253402300800`)), nil, "exp"},
		{"exp 1e20", claim("exp", raw(`1e20`)), nil, "exp"},
		{"exp 1e999", claim("exp", raw(`1e999`)), nil, "exp"},
		{"exp past int64", claim("exp", raw(`9223372036854775808`)), nil, "exp"},
		{"exp past uint64", claim("exp", raw(`18446744073709551617`)), nil, "exp"},
		{"exp negative", claim("exp", -1), nil, "exp"},
		{"exp negative with a fraction", claim("exp", raw(`-0.5`)), nil, "exp"},
		{"exp a string", claim("exp", "1772370000"), nil, "exp"},
		{"exp an empty string", claim("exp", ""), nil, "exp"},
		{"exp null", claim("exp", raw(`null`)), nil, "exp"},
		{"exp null where it is optional", claim("exp", raw(`null`)), optional, "exp"},
		{"exp true", claim("exp", true), nil, "exp"},
		{"exp an array", claim("exp", []int64{at(time.Hour)}), nil, "exp"},
		{"exp an object", claim("exp", map[string]any{}), nil, "exp"},
		{"exp zero", claim("exp", 0), optional, "exp"},
		{"nbf 60 s ahead is within the skew", claim("nbf", at(60*time.Second)), nil, ""},
		{"nbf 61 s ahead", claim("nbf", at(61*time.Second)), nil, "nbf"},
		{"nbf a string", claim("nbf", "0"), nil, "nbf"},
		{"nbf in the past", claim("nbf", at(-time.Hour)), nil, ""},
		{"iat 60 s ahead is within the skew", claim("iat", at(60*time.Second)), nil, ""},
		{"iat 61 s ahead", claim("iat", at(61*time.Second)), nil, "iat"},
		{"iat missing though required", claim("iat", nil), nil, "iat"},
		{"iat missing and not required", claim("iat", nil), func(e *jose.Expectation) { e.Require = nil }, ""},
		{"iat a string", claim("iat", "1772366400"), nil, "iat"},
		{"iat of 1970 is a time, not an absence", claim("iat", 0), aged, "iat"},
		{"iat 6 min ago is within age and skew", claim("iat", at(-6*time.Minute)), aged, ""},
		{"iat a second older", claim("iat", at(-6*time.Minute-time.Second)), aged, "iat"},
		{"iat missing though an age is asked", claim("iat", nil), func(e *jose.Expectation) { aged(e); e.Require = nil }, "iat"},
		{"exp 61 min ahead is within lifetime and skew", claim("exp", at(61*time.Minute)), short, ""},
		{"exp a second later than that", claim("exp", at(61*time.Minute+time.Second)), short, "exp"},
	}
	runClaimRows(t, rows)
}

func TestJW06ExpiryIsToldFromOtherRefusals(t *testing.T) {
	t.Parallel()
	_, err := jose.Verify(t.Context(), es256(t, goodClaims(claim("exp", at(-time.Hour)))), p256Set(t), idToken())
	if !errors.Is(err, jose.ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	e := idToken()
	e.Require, e.MaxAge = nil, time.Minute
	if _, err := jose.Verify(t.Context(), es256(t, goodClaims(claim("iat", nil))), p256Set(t), e); errors.Is(err, jose.ErrExpired) {
		t.Errorf("of unknown age: %v", err)
	}
	for _, change := range []map[string]any{claim("exp", nil), claim("nbf", at(time.Hour)), claim("aud", "another")} {
		if _, err := jose.Verify(t.Context(), es256(t, goodClaims(change)), p256Set(t), idToken()); errors.Is(err, jose.ErrExpired) {
			t.Errorf("%v: %v", change, err)
		}
	}
}

func TestJW07AudienceTypes(t *testing.T) {
	t.Parallel()
	others := func(e *jose.Expectation) { e.OtherAudiences = []string{"https://op/token", ""} }
	single := func(e *jose.Expectation) { e.SingleAudience = true }
	anyone := func(e *jose.Expectation) { e.Audience, e.AnyAudience = "", true }
	both := map[string]any{"aud": []string{testClient, "other"}, "azp": testClient}
	runClaimRows(t, []claimRow{
		{"aud missing", claim("aud", nil), nil, "aud"},
		{"aud an array of one", claim("aud", []string{testClient}), nil, ""},
		{"aud another", claim("aud", "other"), nil, "aud"},
		{"aud in another case", claim("aud", "Wiki"), nil, "aud"},
		{"aud with a space", claim("aud", "wiki "), nil, "aud"},
		{"aud empty", claim("aud", ""), nil, "aud"},
		{"aud an empty array", claim("aud", []string{}), nil, "aud"},
		{"aud an array with an empty string", claim("aud", []string{testClient, ""}), nil, "aud"},
		{"aud a number", claim("aud", 1), nil, "aud"},
		{"aud an object", claim("aud", map[string]any{testClient: true}), nil, "aud"},
		{"aud ours and an object", claim("aud", []any{testClient, map[string]any{}}), nil, "aud"},
		{"aud ours and a number", claim("aud", []any{testClient, 1}), nil, "aud"},
		{"aud ours and null", claim("aud", []any{testClient, nil}), nil, "aud"},
		{"aud a nested array", claim("aud", []any{[]string{testClient}}), nil, "aud"},
		{"aud null", claim("aud", raw(`null`)), nil, "aud"},
		{"aud true", claim("aud", true), nil, "aud"},
		{"aud malformed though nobody compares it", claim("aud", 1), anyone, "aud"},
		{"aud empty though nobody compares it", claim("aud", []string{}), anyone, "aud"},
		{"aud missing and nobody compares it", claim("aud", nil), anyone, ""},
		{"aud one of the others", claim("aud", "https://op/token"), others, ""},
		{"aud none of the others", claim("aud", "https://op/par"), others, "aud"},
		{"aud two where one is asked", both, single, "aud"},
		{"aud an array of one where one is asked", claim("aud", []string{testClient}), single, ""},
	})
}

func TestUP09AuthorizedParty(t *testing.T) {
	t.Parallel()
	two := []string{testClient, "other"}
	unasked := func(e *jose.Expectation) { e.AuthorizedParty = "" }
	runClaimRows(t, []claimRow{
		{"two audiences without azp", claim("aud", two), nil, "azp"},
		{"two audiences, azp another", map[string]any{"aud": two, "azp": "other"}, nil, "azp"},
		{"two audiences, azp ours", map[string]any{"aud": two, "azp": testClient}, nil, ""},
		{"one audience, azp another", claim("azp", "other"), nil, "azp"},
		{"one audience, azp ours", claim("azp", testClient), nil, ""},
		{"azp empty", claim("azp", ""), nil, "azp"},
		{"azp null", claim("azp", raw(`null`)), nil, "azp"},
		{"azp an array", claim("azp", []string{testClient}), nil, "azp"},
		{"azp another where nobody asks", map[string]any{"aud": two, "azp": "other"}, unasked, ""},
	})
}

func TestIssuerSubjectAndNonceAreExact(t *testing.T) {
	t.Parallel()
	bob := func(e *jose.Expectation) { e.Subject = "bob" }
	runClaimRows(t, []claimRow{
		{"iss missing", claim("iss", nil), nil, "iss"},
		{"iss another", claim("iss", "https://evil.example"), nil, "iss"},
		{"iss with a slash more", claim("iss", testIssuer+"/"), nil, "iss"},
		{"iss in another case", claim("iss", "https://IDP.example"), nil, "iss"},
		{"iss an array", claim("iss", []string{testIssuer}), nil, "iss"},
		{"iss another where any will do", claim("iss", "https://evil.example"), func(e *jose.Expectation) { e.Issuer, e.AnyIssuer = "", true }, ""},
		{"sub missing", claim("sub", nil), nil, "sub"},
		{"sub empty", claim("sub", ""), nil, "sub"},
		{"sub null", claim("sub", raw(`null`)), nil, "sub"},
		{"sub a number", claim("sub", 42), nil, "sub"},
		{"sub another than expected", nil, bob, "sub"},
		{"nonce missing", claim("nonce", nil), nil, "nonce"},
		{"nonce another", claim("nonce", "n-0S7"), nil, "nonce"},
		{"nonce a number", claim("nonce", 1), nil, "nonce"},
		{"jti empty", claim("jti", ""), nil, "jti"},
		{"jti missing though required", nil, func(e *jose.Expectation) { e.Require = append(e.Require, "jti") }, "jti"},
		{"at_hash a number", claim("at_hash", 1), nil, "at_hash"},
		{"c_hash null", claim("c_hash", raw(`null`)), nil, "c_hash"},
	})
}

func TestUP26ShadowedAndRepeatedClaimsAreRefused(t *testing.T) {
	t.Parallel()
	good := strings.TrimSuffix(strings.TrimSpace(goodClaims(nil)), "}")
	for name, extra := range map[string]string{
		"sub twice":                         `"sub":"bob"`,
		"sub twice by escape":               `"s\u0075b":"bob"`,
		"SUB beside sub":                    `"SUB":"bob"`,
		"sub with a long s":                 `"ſub":"bob"`,
		"Email beside email":                `"Email":"ceo@idp.example"`,
		"email_Verified":                    `"email_Verified":true`,
		"AUD":                               `"AUD":"wiki"`,
		"Groups":                            `"Groups":["admin"]`,
		"Hd":                                `"Hd":"example.com"`,
		"a Kelvin sign in nickname":         `"nicKname":"bob"`,
		"an unregistered member twice":      `"x":1,"x":2`,
		"the same deep inside":              `"x":{"y":[{"z":1,"z":1}]}`,
		"an unpaired surrogate":             `"x":"\ud800"`,
		"a surrogate pair the wrong way":    `"x":"\udc00\ud800"`,
		"a high surrogate and a plain rune": `"x":"\ud800\u0041"`,
		"invalid UTF-8":                     "\"x\":\"\xff\"",
		"UTF-8 of a surrogate":              "\"x\":\"\xed\xa0\x80\"",
		"overlong UTF-8":                    "\"s\xc1\xb5b\":\"bob\"",
		"NUL":                               `"x":"a\u0000b"`,
		"a raw control character":           "\"x\":\"a\x01b\"",
		"a comma too many":                  `"x":1,`,
		"a single-quoted string":            `"x":'1'`,
		"a comment":                         `"x":1/**/`,
		"NaN":                               `"x":NaN`,
		"a leading zero":                    `"x":01`,
		"a plus sign":                       `"x":+1`,
		"a bare point":                      `"x":1.`,
		"a bare exponent":                   `"x":1e`,
		"a bare minus":                      `"x":-`,
		"an unknown escape":                 `"x":"\x41"`,
		"a name without quotation marks":    `x:1`,
		"a word cut short":                  `"x":tru`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := jose.Verify(t.Context(), es256(t, good+","+extra+"}"), p256Set(t), idToken()); !errors.Is(err, jose.ErrMalformed) {
				t.Errorf("error = %v", err)
			}
		})
	}
	for name, extra := range map[string]string{
		"unknown members that differ in case":       `"Foo":1,"foo":2`,
		"a member twice, but in different objects":  `"x":{"a":1},"y":{"a":1},"a":[{"a":1},{"a":1}]`,
		"registered names elsewhere in any case":    `"x":{"SUB":1}`,
		"a surrogate pair":                          `"x":"\ud83d\ude00"`,
		"__proto__ is a name like any other":        `"__proto__":{"sub":"bob"}`,
		"every escape":                              `"x":"\"\\\/\b\f\n\r\t\u00e9"`,
		"every form of number":                      `"x":[0,-0,1.5,-1e+3,2E-4,10]`,
		"white space of all four kinds around them": " \t\r\n\"x\" : [ ] , \"y\" : { } ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tok, err := jose.Verify(t.Context(), es256(t, good+","+extra+"}"), p256Set(t), idToken())
			if err != nil || tok.Claims.Subject != "alice" {
				t.Errorf("refused: %v", err)
			}
		})
	}
}
