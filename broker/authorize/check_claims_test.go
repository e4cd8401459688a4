package authorize

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
)

// Core §5.5.1.1 and §3.1.2.2: of the parameter claims, the claims that are a
// condition are read.
func TestClaimsThatAreACondition(t *testing.T) {
	t.Parallel()
	type change = func(*broker.AuthorizationRequest)
	for _, row := range []struct {
		name  string
		pairs []string
		want  change
	}{
		{"an essential acr", []string{"claims", `{"id_token":{"acr":{"essential":true,"values":["phr","mfa"]}}}`},
			func(r *broker.AuthorizationRequest) { r.ACRValues, r.EssentialACR = []string{"phr", "mfa"}, true }},
		{"an essential acr with one value", []string{"claims", `{"id_token":{"acr":{"essential":true,"value":"mfa"}}}`},
			func(r *broker.AuthorizationRequest) { r.ACRValues, r.EssentialACR = []string{"mfa"}, true }},
		{"a voluntary acr", []string{"claims", `{"id_token":{"acr":{"values":["mfa"]}}}`}, func(r *broker.AuthorizationRequest) { r.ACRValues = []string{"mfa"} }},
		{"an acr before acr_values", []string{"acr_values", "pwd", "claims", `{"id_token":{"acr":{"essential":true,"values":["mfa"]}}}`},
			func(r *broker.AuthorizationRequest) { r.ACRValues, r.EssentialACR = []string{"mfa"}, true }},
		{"an essential acr without values demands none", []string{"acr_values", "pwd", "claims", `{"id_token":{"acr":{"essential":true},"sub":null}}`},
			func(r *broker.AuthorizationRequest) { r.ACRValues = []string{"pwd"} }},
		{"an acr of userinfo is of no meaning", []string{"claims", `{"userinfo":{"acr":{"essential":true,"value":"mfa"}}}`}, func(*broker.AuthorizationRequest) {}},
		{"AZ-14: a sub", []string{"claims", `{"id_token":{"sub":{"value":"ada"}}}`}, func(r *broker.AuthorizationRequest) { r.HintSubject = "ada" }},
		{"AZ-14: a sub of userinfo", []string{"claims", `{"userinfo":{"sub":{"value":"ada"}}}`}, func(r *broker.AuthorizationRequest) { r.HintSubject = "ada" }},
		{"a sub that id_token_hint names too", []string{"id_token_hint", "ada@wiki", "claims", `{"id_token":{"sub":{"value":"ada"}}}`},
			func(r *broker.AuthorizationRequest) { r.HintSubject = "ada" }},
		{"claims we do not know", []string{"claims", `{"id_token":{"auth_time":{"essential":true},"x":{"values":[1,{}]}},"y":1}`}, func(*broker.AuthorizationRequest) {}},
	} {
		want := good()
		row.want(&want)
		q := examine(t, wiki(), row.pairs...)
		if err := q.establish(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := q.check(t.Context()); err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if len(q.out.ACRValues) == 0 {
			q.out.ACRValues = nil
		}
		if !reflect.DeepEqual(q.out, want) {
			t.Errorf("%s:\n%+v, want\n%+v", row.name, q.out, want)
		}
	}
}

// AZ-14: what cannot be read may have held a condition.
func TestClaimsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxACRLength+1)
	for name, claims := range map[string]string{
		"no JSON":                      "x",
		"an array":                     "[]",
		"data behind the end":          "{}{}",
		"a member twice":               `{"id_token":{"sub":{"value":"ada"},"sub":{"value":"ben"}}}`,
		"a member in another case":     `{"id_token":{"Sub":{"value":"ada"}}}`,
		"too deep":                     strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
		"too long":                     `{"a":"` + strings.Repeat("x", maxClaims) + `"}`,
		"an acr that is a number":      `{"id_token":{"acr":{"value":1}}}`,
		"an acr that is a word":        `{"id_token":{"acr":"mfa"}}`,
		"an acr value that is a null":  `{"id_token":{"acr":{"essential":true,"values":[null]}}}`,
		"an acr value with a space":    `{"id_token":{"acr":{"essential":true,"values":["a b"]}}}`,
		"an acr value that is long":    `{"id_token":{"acr":{"essential":true,"values":["` + long + `"]}}}`,
		"too many acr values":          `{"id_token":{"acr":{"essential":true,"values":["a"` + strings.Repeat(`,"a"`, maxACRValues) + `]}}}`,
		"two subs":                     `{"id_token":{"sub":{"values":["ada","ben"]}}}`,
		"two subs in two places":       `{"id_token":{"sub":{"value":"ada"}},"userinfo":{"sub":{"value":"ben"}}}`,
		"a sub that is long":           `{"id_token":{"sub":{"value":"` + strings.Repeat("x", 256) + `"}}}`,
		"a sub of an empty list entry": `{"id_token":{"sub":{"values":[""]}}}`,
	} {
		q := examine(t, wiki(), "claims", claims)
		if err := q.establish(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := q.check(t.Context())
		if err == nil || err.Code != oauth.InvalidRequest {
			t.Errorf("%s: %v, understood as %+v", name, err, q.out)
			continue
		}
		if strings.Contains(err.Error(), "ada") {
			t.Errorf("%s: the refusal repeats the request: %v", name, err)
		}
	}
	q := examine(t, wiki(), "id_token_hint", "ada@wiki", "claims", `{"id_token":{"sub":{"value":"ben"}}}`)
	if err := q.establish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := q.check(t.Context()); err == nil || err.Code != oauth.InvalidRequest {
		t.Errorf("id_token_hint and claims name two people: %v", err)
	}
}

// Core §3.1.2.1: ui_locales never makes an error, and only what looks like a
// language tag goes on to an upstream.
func TestUILocales(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, in, want string }{
		{"tags in the client's order", "de-CH fr-CA  fr en", "de-CH fr-CA fr en"},
		{"scripts, regions, variants, private use", "zh-Hant-TW es-419 sl-rozaj-biske-1994 x-whatever", "zh-Hant-TW es-419 sl-rozaj-biske-1994 x-whatever"},
		{"what is odd is left out", "de d_e <b> 12 de--CH -de de- %20 dé en\u202e abcdefghi de&x=y", "de"},
		{"a tag that is too long", strings.Repeat("de-", 12) + "de en", "en"},
		{"too many", strings.Repeat("de ", 20), strings.TrimSpace(strings.Repeat("de ", maxUILocales))},
		{"nothing", "  ", ""},
	} {
		q := examine(t, wiki(), "ui_locales", row.in)
		if err := q.establish(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := q.check(t.Context()); err != nil || q.out.UILocales != row.want {
			t.Errorf("%s: %q, %v; want %q", row.name, q.out.UILocales, err, row.want)
		}
	}
}

func FuzzClaims(f *testing.F) {
	for _, seed := range []string{`{"id_token":{"acr":{"essential":true,"values":["a"]},"sub":{"value":"s"}}}`, `{"id_token":{"acr":{"values":["a\u00a0b"]}}}`, `{"userinfo":null}`, `{"id_token":{"acr":null}}`, `[]`, `{`,
		// AZ-14: conditions, nesting, size and repetition; and what is asked for by name.
		`{"id_token":{"sub":{"value":"V"}}}`, `{"id_token":{"sub":{"value":"V"},"sub":{"value":"X"}}}`, `{"userinfo":{"sub":{"values":["a","b"]}}}`, strings.Repeat(`{"id_token":`, 40) + strings.Repeat("}", 40),
		`{"x":"` + strings.Repeat("x", maxClaims) + `"}`, `{"userinfo":{"email":null,"groups":{"essential":true,"value":1}},"id_token":{"email_verified":null,"name":{}}}`,
		`{"userinfo":{"email":[]}}`, `{"userinfo":{"Email":null,"email#de":null}}`, `{"id_token":{"email":null}}{"id_token":{}}`} {
		f.Add(seed, "de-CH")
	}
	f.Fuzz(func(t *testing.T, claims, locales string) {
		if _, err := oauth.ParseQuery(url.Values{"claims": {claims}, "ui_locales": {locales}}.Encode()); err != nil {
			t.Skip("no request at all")
		}
		q := examine(t, wiki(), "claims", claims, "ui_locales", locales)
		if err := q.establish(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := q.check(t.Context()); err != nil {
			return
		}
		odd := func(v string) bool { return v == "" || len(v) > maxACRLength || strings.ContainsAny(v, " \t\r\n") }
		if slices.ContainsFunc(q.out.ACRValues, odd) || len(q.out.ACRValues) > maxACRValues || q.out.EssentialACR && len(q.out.ACRValues) == 0 || len(q.out.HintSubject) > maxSubject {
			t.Fatalf("%q: %+v", claims, q.out)
		}
		for _, names := range [][]string{q.out.Claims.IDToken, q.out.Claims.UserInfo} {
			for i, name := range names {
				if scope := policy.ClaimScope(name); !q.may(scope) || slices.Contains(names[:i], name) {
					t.Fatalf("%q: %+v", claims, q.out.Claims)
				}
			}
		}
		if len(q.out.UILocales) > maxUILocales*(maxLanguageTag+1) || strings.ContainsAny(q.out.UILocales, "<>&\"'%\n") {
			t.Fatalf("%q: %q", locales, q.out.UILocales)
		}
	})
}
