package mint

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
)

const liveAnswer = `{"active":true,"iss":"https://b.test","sub":"a","client_id":"wiki","exp":1773481313,"scope":"orders"}`

// RFC 9701 §5: iss, aud, iat and token_introspection, with a typ of its own, and neither sub nor exp.
func TestIntrospectionAnswer(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := v.minter(t)
	c := &broker.Client{ID: "api"}
	for _, answer := range []string{liveAnswer, `{"active":false}`} {
		raw, err := m.Introspection(t.Context(), c, json.RawMessage(answer), moment())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := part(t, raw, 1), `{"iss":"https://b.test","aud":"api","iat":1773480413,"token_introspection":`+answer+`}`; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if head := part(t, raw, 0); !strings.Contains(head, `"typ":"token-introspection+jwt"`) || !strings.Contains(head, `"alg":"ES256"`) {
			t.Errorf("header %s", head)
		}
		// It is no token (RFC 9701 §8.1).
		if got, err := m.InspectAccessToken(t.Context(), raw, moment()); !errors.Is(err, jose.ErrType) {
			t.Errorf("as an access token: %+v, %v", got, err)
		}
		if got, err := m.ReadIDTokenHint(t.Context(), raw, moment()); err == nil {
			t.Errorf("as a hint: %+v", got)
		}
		encrypted := *c
		encrypted.JWKS, encrypted.IntrospectionEncryption = v.jwks, agreement()
		if raw, err = m.Introspection(t.Context(), &encrypted, json.RawMessage(answer), moment()); err != nil {
			t.Fatal(err)
		}
		signed, header := v.open(t, raw)
		if !maps.Equal(header, envelope("token-introspection+jwt", "JWT")) || !strings.Contains(part(t, signed, 1), answer) {
			t.Errorf("encrypted: %v, %s", header, signed)
		}
	}
}

// RFC 9701 §6: the algorithm is the client's, else RS256, else what signs ID tokens where there is no RS256.
func TestIntrospectionAlgorithm(t *testing.T) {
	t.Parallel()
	ring := newRing(t, &clock{now: moment()}, "RS256", "ES256")
	both := minterOf(t, ring, "ES256")
	one, _ := newMinter(t)
	for _, row := range []struct {
		m         *Minter
		alg, want string
	}{{both, "", "RS256"}, {both, "ES256", "ES256"}, {one, "", "ES256"}} {
		raw, err := row.m.Introspection(t.Context(), &broker.Client{ID: "api", IntrospectionAlg: row.alg}, json.RawMessage(liveAnswer), moment())
		if err != nil || !strings.Contains(part(t, raw, 0), `"alg":"`+row.want+`"`) {
			t.Errorf("%q: %v", row.alg, err)
		}
	}
	if raw, err := one.Introspection(t.Context(), &broker.Client{ID: "api", IntrospectionAlg: "PS256"}, json.RawMessage(liveAnswer), moment()); err == nil || raw != "" {
		t.Errorf("an algorithm without a key: %q, %v", raw, err)
	}
}

func TestLinterOfIntrospection(t *testing.T) {
	t.Parallel()
	l := newLinter(issuer, time.Hour)
	const good = `{"iss":"https://b.test","aud":"api","iat":1773480413,"token_introspection":` + liveAnswer + `}`
	answer := func(a string) string { return strings.Replace(good, liveAnswer, a, 1) }
	add := func(member string) string { return strings.TrimSuffix(good, "}") + "," + member + "}" }
	of := intent{clientID: "api"}
	for _, row := range []struct {
		name, typ, payload string
		intent             intent
		ok                 bool
	}{
		{"a good answer", "token-introspection+jwt", good, of, true},
		{"of nothing", "token-introspection+jwt", answer(`{"active":false}`), of, true},
		{"of nothing with company", "token-introspection+jwt", answer(`{"active":false,"sub":"a"}`), of, false},
		{"without a verdict", "token-introspection+jwt", answer(`{}`), of, false},
		{"a verdict that is text", "token-introspection+jwt", answer(`{"active":"true"}`), of, false},
		{"a verdict of nothing", "token-introspection+jwt", answer(`{"active":null}`), of, false},
		{"a list", "token-introspection+jwt", answer(`[{"active":true}]`), of, false},
		{"no answer", "token-introspection+jwt", answer(`null`), of, false},
		{"of another issuer's token", "token-introspection+jwt", answer(`{"active":true,"iss":"https://c.test"}`), of, false},
		{"of an issuer that is no text", "token-introspection+jwt", answer(`{"active":true,"iss":1}`), of, false},
		{"a member twice", "token-introspection+jwt", answer(`{"active":true,"active":true}`), of, false},
		{"what closes the claims", "token-introspection+jwt", answer(`{"active":true},"sub":"x"`), of, false},
		{"another issuer", "token-introspection+jwt", strings.Replace(good, "b.test", "c.test", 1), of, false},
		{"another client", "token-introspection+jwt", good, intent{clientID: "shop"}, false},
		{"several audiences", "token-introspection+jwt", strings.Replace(good, `"api"`, `["api","shop"]`, 1), of, false},
		{"no iat", "token-introspection+jwt", strings.Replace(good, `"iat":1773480413,`, "", 1), of, false},
		{"with a sub", "token-introspection+jwt", add(`"sub":"a"`), of, false},
		{"with an exp", "token-introspection+jwt", add(`"exp":1773481313`), of, false},
		{"with a jti", "token-introspection+jwt", add(`"jti":"j"`), of, false},
		{"as an access token", "at+jwt", good, of, false},
		{"as an ID token", "JWT", good, of, false},
		{"an access token as an answer", "token-introspection+jwt", accessPayload, of, false},
		{"about a program", "token-introspection+jwt", good, intent{clientID: "api", machine: true}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if err := l.check(row.typ, []byte(row.payload), row.intent); (err == nil) != row.ok || err != nil && !errors.Is(err, ErrLint) {
				t.Errorf("check %s: %v", row.payload, err)
			}
		})
	}
	m, _ := newMinter(t)
	for _, bad := range []string{"", "{", `{"active":true},"sub":"x"`, `{"active":true}} `} {
		if raw, err := m.Introspection(t.Context(), client(), json.RawMessage(bad), moment()); !errors.Is(err, ErrLint) || raw != "" {
			t.Errorf("%q is signed: %q, %v", bad, raw, err)
		}
	}
}
