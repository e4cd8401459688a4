package mint

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// OpenID Connect Core §5.3.2: a signed userinfo answer is no token. It has no end, and
// no claim by which somebody could take it for one.
func TestLinterOfUserInfo(t *testing.T) {
	t.Parallel()
	const good = `{"iss":"https://b.test","sub":"a","aud":"wiki","iat":1773480413,"email":"a@b.test","email_verified":true}`
	l := newLinter(issuer, time.Hour)
	add := func(member string) string { return strings.TrimSuffix(good, "}") + "," + member + "}" }
	replace := func(old, now string) string { return strings.Replace(good, old, now, 1) }
	for _, row := range []struct {
		name, typ, payload string
		intent             intent
		ok                 bool
	}{
		{"a good answer", "userinfo+jwt", good, intent{subject: "a", clientID: "wiki"}, true},
		{"another subject", "userinfo+jwt", good, intent{subject: "b", clientID: "wiki"}, false},
		{"another client", "userinfo+jwt", good, intent{subject: "a", clientID: "shop"}, false},
		{"another issuer", "userinfo+jwt", replace("b.test", "c.test"), intent{subject: "a", clientID: "wiki"}, false},
		{"no client", "userinfo+jwt", replace(`"aud":"wiki",`, ""), intent{subject: "a", clientID: "wiki"}, false},
		{"several audiences", "userinfo+jwt", replace(`"wiki"`, `["wiki","shop"]`), intent{subject: "a", clientID: "wiki"}, false},
		{"no iat", "userinfo+jwt", replace(`"iat":1773480413,`, ""), intent{subject: "a", clientID: "wiki"}, false},
		{"an iat of nothing", "userinfo+jwt", replace("1773480413", "0"), intent{subject: "a", clientID: "wiki"}, false},
		{"about a program", "userinfo+jwt", good, intent{subject: "a", clientID: "wiki", machine: true}, false},
		{"in exchange", "userinfo+jwt", good, intent{subject: "a", clientID: "wiki", exchanged: true}, false},
		{"about a workload", "userinfo+jwt", good, intent{subject: "a", clientID: "wiki", issuer: "ci"}, false},
		{"with an end", "userinfo+jwt", add(`"exp":1773480513`), intent{subject: "a", clientID: "wiki"}, false},
		{"with an auth_time", "userinfo+jwt", add(`"auth_time":1773480413`), intent{subject: "a", clientID: "wiki"}, false},
		{"with a nonce", "userinfo+jwt", add(`"nonce":"n"`), intent{subject: "a", clientID: "wiki"}, false},
		{"with a scope", "userinfo+jwt", add(`"scope":"openid"`), intent{subject: "a", clientID: "wiki"}, false},
		{"with a jti", "userinfo+jwt", add(`"jti":"j"`), intent{subject: "a", clientID: "wiki"}, false},
		{"a claim twice", "userinfo+jwt", add(`"sub":"b"`), intent{subject: "a", clientID: "wiki"}, false},
		{"as an ID token", "JWT", good, intent{subject: "a", clientID: "wiki"}, false},
		{"as an access token", "at+jwt", good, intent{subject: "a", clientID: "wiki"}, false},
		{"an ID token as an answer", "userinfo+jwt", idPayload, intent{subject: "a", clientID: "wiki"}, false},
		{"an access token as an answer", "userinfo+jwt", accessPayload, intent{subject: "a", clientID: "wiki"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if err := l.check(row.typ, []byte(row.payload), row.intent); (err == nil) != row.ok || err != nil && !errors.Is(err, ErrLint) {
				t.Errorf("check %s: %v", row.payload, err)
			}
		})
	}
}
