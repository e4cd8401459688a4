package mint

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// One row for each rule; every one starts from a payload that may be signed.
func TestLinter(t *testing.T) {
	t.Parallel()
	l := newLinter(issuer, time.Hour)
	replace := func(old, now string) func(string) string {
		return func(p string) string {
			if !strings.Contains(p, old) {
				t.Fatalf("%s is not in %s", old, p)
			}
			return strings.Replace(p, old, now, 1)
		}
	}
	add := func(member string) func(string) string {
		return func(p string) string { return strings.TrimSuffix(p, "}") + "," + member + "}" }
	}
	drop := func(claim string) func(string) string { return func(p string) string { return without(p, claim) } }
	same := func(p string) string { return p }
	tests := []struct {
		name   string
		typ    string
		change func(string) string
		ok     bool
	}{
		{"a good access token", "at+jwt", same, true},
		{"a good ID token", "JWT", same, true},
		{"several audiences with azp", "JWT", func(p string) string { return add(`"azp":"wiki"`)(replace(`"wiki"`, `["wiki","api"]`)(p)) }, true},
		{"another issuer", "at+jwt", replace("https://b.test", "https://c.test"), false},
		{"no issuer", "JWT", drop("iss"), false},
		{"an issuer that is no string", "JWT", replace(`"https://b.test"`, `["https://b.test"]`), false},
		{"another subject", "at+jwt", replace(`"sub":"a"`, `"sub":"b"`), false},
		{"another client's access token", "at+jwt", replace(`"client_id":"wiki"`, `"client_id":"evil"`), false},
		{"another client's ID token", "JWT", replace(`"aud":"wiki"`, `"aud":"evil"`), false},
		{"a client that is not the first audience", "JWT", func(p string) string { return add(`"azp":"wiki"`)(replace(`"wiki"`, `["api","wiki"]`)(p)) }, false},
		{"an empty audience", "at+jwt", replace(`"aud":"https://b.test"`, `"aud":""`), false},
		{"an empty list of audiences", "at+jwt", replace(`"aud":"https://b.test"`, `"aud":[]`), false},
		{"an empty audience in a list", "at+jwt", replace(`"aud":"https://b.test"`, `"aud":["x",""]`), false},
		{"an audience that is a number", "at+jwt", replace(`"aud":"https://b.test"`, `"aud":1`), false},
		{"no audience", "at+jwt", drop("aud"), false},
		{"several audiences without azp", "JWT", replace(`"wiki"`, `["wiki","api"]`), false},
		{"azp with one audience", "JWT", add(`"azp":"wiki"`), false},
		{"exp before iat", "JWT", replace("1773481313", "1773480412"), false},
		{"exp at iat", "JWT", replace("1773481313", "1773480413"), false},
		{"the longest lifetime", "JWT", replace("1773481313", "1773484013"), true},
		{"a lifetime that is too long", "JWT", replace("1773481313", "1773484014"), false},
		{"exp that is a string", "JWT", replace("1773481313", `"1773481313"`), false},
		{"exp that is a fraction", "JWT", replace("1773481313", "1773481313.5"), false},
		{"no iat", "JWT", drop("iat"), false},
		{"no auth_time", "JWT", drop("auth_time"), false},
		{"an auth_time before time", "JWT", replace("1773476813", "-62135596800"), false},
		{"an auth_time of nothing", "at+jwt", replace("1773476813", "null"), false},
		{"no jti", "at+jwt", drop("jti"), false},
		{"no grant", "at+jwt", drop("grant_id"), false},
		{"a claim that has no place in an access token", "at+jwt", add(`"cnf":{}`), false},
		{"a claim of the profile in an access token", "at+jwt", add(`"email":"a@b.test"`), false},
		{"a claim that has no place in an ID token", "JWT", add(`"scope":"admin"`), false},
		{"a home-made claim", "JWT", add(`"grant_id":"g"`), false},
		{"a claim twice", "JWT", add(`"sub":"b"`), false},
		{"a claim in another case", "JWT", add(`"SUB":"b"`), false},
		{"the claims of an ID token in an access token", "at+jwt", func(string) string { return idPayload }, false},
		{"the claims of an access token in an ID token", "JWT", func(string) string { return accessPayload }, false},
		{"a type that is not signed here", "logout+jwt", same, false},
		{"no type", "", same, false},
		{"no JSON", "JWT", func(p string) string { return p[1:] }, false},
		{"more than JSON", "JWT", func(p string) string { return p + "{}" }, false},
		{"nothing", "JWT", func(string) string { return "" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := idPayload
			if tt.typ == "at+jwt" {
				p = accessPayload
			}
			if err := l.check(tt.typ, []byte(tt.change(p)), intent{subject: "a", clientID: "wiki"}); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrLint) {
				t.Errorf("check %s: %v", tt.change(p), err)
			}
		})
	}
}

// Core §2: sub is 1 to 255 ASCII characters; the linter holds us to printable ones.
func TestLinterSubjects(t *testing.T) {
	t.Parallel()
	l := newLinter(issuer, time.Hour)
	for sub, ok := range map[string]bool{
		"a": true, strings.Repeat("a", 255): true, strings.Repeat("a", 256): false, "": false, "a b": false, "\u00e4": false, "a\x7f": false, "a|~!": true,
	} {
		p := newPayload()
		for _, claim := range []string{"iss", "sub", "aud"} {
			p.name(claim)
			p.value(map[string]string{"iss": issuer, "sub": sub, "aud": "wiki"}[claim])
		}
		p.time("exp", moment().Add(time.Minute))
		p.time("iat", moment())
		p.time("auth_time", moment())
		if err := l.check("JWT", p.done(), intent{subject: sub, clientID: "wiki"}); (err == nil) != ok {
			t.Errorf("sub %q: %v", sub, err)
		}
	}
}

// What the linter refuses is never signed, whichever way it came about.
func TestNothingIsSignedPastTheLinter(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	tests := []struct {
		name   string
		change func(*broker.Client, *broker.Grant)
	}{
		{"a lifetime beyond what any client may have", func(c *broker.Client, _ *broker.Grant) {
			c.Lifetimes = broker.Lifetimes{AccessToken: 25 * time.Hour, IDToken: 25 * time.Hour}
		}},
		{"a negative lifetime", func(c *broker.Client, _ *broker.Grant) {
			c.Lifetimes = broker.Lifetimes{AccessToken: -time.Hour, IDToken: -time.Hour}
		}},
		{"no account", func(_ *broker.Client, g *broker.Grant) { g.AccountID = "" }},
		{"an account ID that is no sub", func(_ *broker.Client, g *broker.Grant) { g.AccountID = "ada lovelace" }},
		{"no authentication", func(_ *broker.Client, g *broker.Grant) { g.AuthTime = time.Time{} }},
		{"no client", func(c *broker.Client, g *broker.Grant) { c.ID, g.ClientID = "", "" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, i := accessTokenParams(), idTokenParams()
			tt.change(a.Client, a.Grant)
			tt.change(i.Client, i.Grant)
			if token, _, err := m.AccessToken(t.Context(), a); !errors.Is(err, ErrLint) || token != "" {
				t.Errorf("access token %q, %v", token, err)
			}
			if token, err := m.IDToken(t.Context(), i); !errors.Is(err, ErrLint) || token != "" {
				t.Errorf("ID token %q, %v", token, err)
			}
		})
	}
	p := accessTokenParams()
	p.Grant.ID = ""
	if token, _, err := m.AccessToken(t.Context(), p); !errors.Is(err, ErrLint) || token != "" {
		t.Errorf("access token of no grant %q, %v", token, err)
	}
	p = accessTokenParams()
	p.Audience = []string{""}
	if token, _, err := m.AccessToken(t.Context(), p); !errors.Is(err, ErrLint) || token != "" {
		t.Errorf("access token for nobody %q, %v", token, err)
	}
}

// Whatever a profile, an acr or a nonce holds, an ID token says of whom and for whom what we meant to say.
func FuzzIDTokenPayload(f *testing.F) {
	m, _ := newMinter(f)
	f.Add("Ada", "ada@corp.test", "staff", "nonce", "acr")
	f.Add(`","sub":"eve`, `"}`, "\\", "\u2028", "\xff")
	f.Fuzz(func(t *testing.T, name, email, group, nonce, acr string) {
		if len(name+email+group+nonce+acr) > 1<<10 {
			return // six times that, twice over, is still a token that is read
		}
		p := idTokenParams()
		p.Profile = broker.Profile{Name: name, PreferredUsername: group, Email: email, EmailTrust: broker.EmailVerified, Picture: name, Locale: acr, Groups: []string{group}}
		p.Nonce, p.Grant.ACR, p.Grant.AMR = nonce, acr, []string{group}
		p.Scopes = oauth.Scopes{"openid", "profile", "email", "groups"}
		token, err := m.IDToken(t.Context(), p)
		if err != nil {
			if all := name + email + group + nonce + acr; !strings.Contains(all, "\x00") {
				t.Errorf("%q: %v", all, err)
			}
			return
		}
		if hint, err := m.ReadIDTokenHint(t.Context(), token, moment()); err != nil || hint != (Hint{grant().AccountID, "wiki", grant().SessionID}) {
			t.Errorf("read back as %+v, %v", hint, err)
		}
	})
}
