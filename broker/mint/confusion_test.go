package mint

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/broker/keys"
)

// signedAs signs anything with a ring, past the linter.
func signedAs(t *testing.T, ring *keys.Ring, typ, payload string) string {
	t.Helper()
	token, err := ring.Sign("ES256", typ, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

const (
	accessPayload = `{"iss":"https://b.test","sub":"a","aud":"https://b.test","exp":1773481313,"iat":1773480413,"jti":"j","client_id":"wiki","auth_time":1773476813,"grant_id":"g"}`
	idPayload     = `{"iss":"https://b.test","sub":"a","aud":"wiki","exp":1773481313,"iat":1773480413,"auth_time":1773476813,"sid":"s"}`
)

// without takes a claim out of a payload.
func without(payload, claim string) string {
	start := strings.Index(payload, `"`+claim+`":`)
	end := strings.IndexByte(payload[start:], ',')
	if end < 0 {
		return payload[:start-1] + "}"
	}
	return payload[:start] + payload[start+end+1:]
}

// JW-05, JW-01, JW-06, JW-07: each purpose takes its own kind of JWT and no other, though a key of ours has signed it.
func TestTokensAreTakenForWhatTheyAre(t *testing.T) {
	t.Parallel()
	ring := newRing(t, &clock{now: moment()}, "ES256")
	m := minterOf(t, ring, "ES256")
	stranger := newRing(t, &clock{now: moment()}, "ES256")
	sig := func(token string) string { return token[strings.LastIndexByte(token, '.')+1:] }
	good := signedAs(t, ring, "at+jwt", accessPayload)
	tests := []struct {
		name         string
		token        string
		access, hint bool
	}{
		{"an access token", good, true, false},
		{"an ID token", signedAs(t, ring, "JWT", idPayload), false, true},
		{"an ID token as access token", signedAs(t, ring, "at+jwt", idPayload), false, false},
		{"an access token's claims in an ID token's type", signedAs(t, ring, "JWT", accessPayload), false, true},
		{"a logout token", signedAs(t, ring, "logout+jwt", idPayload), false, false},
		{"a token of no type that we sign", signedAs(t, ring, "dpop+jwt", accessPayload), false, false},
		{"a stranger's access token", signedAs(t, stranger, "at+jwt", accessPayload), false, false},
		{"a stranger's ID token", signedAs(t, stranger, "JWT", idPayload), false, false},
		{"another issuer's access token", signedAs(t, ring, "at+jwt", strings.Replace(accessPayload, `"iss":"https://b.test"`, `"iss":"https://b.test/"`, 1)), false, false},
		{"another issuer's ID token", signedAs(t, ring, "JWT", strings.Replace(idPayload, "b.test", "c.test", 1)), false, false},
		{"an access token without a grant", signedAs(t, ring, "at+jwt", without(accessPayload, "grant_id")), false, false},
		{"an access token without a client", signedAs(t, ring, "at+jwt", without(accessPayload, "client_id")), false, false},
		{"an access token without a subject", signedAs(t, ring, "at+jwt", without(accessPayload, "sub")), false, false},
		{"an access token without expiry", signedAs(t, ring, "at+jwt", without(accessPayload, "exp")), false, false},
		{"an access token without an audience", signedAs(t, ring, "at+jwt", without(accessPayload, "aud")), false, false},
		{"an ID token without a subject", signedAs(t, ring, "JWT", without(idPayload, "sub")), false, false},
		{"an ID token without auth_time", signedAs(t, ring, "JWT", without(idPayload, "auth_time")), false, false},
		{"an ID token without an audience", signedAs(t, ring, "JWT", without(idPayload, "aud")), false, false},
		{"an ID token without iat", signedAs(t, ring, "JWT", strings.Replace(without(idPayload, "iat"), "1773481313", "1773480413", 1)), false, false},
		{"an ID token without a time", signedAs(t, ring, "JWT", without(without(idPayload, "exp"), "iat")), false, false},
		{"alg none", b64(`{"alg":"none","typ":"at+jwt"}`) + "." + b64(accessPayload) + ".", false, false},
		{"alg None with a signature", b64(`{"alg":"None","typ":"JWT"}`) + "." + b64(idPayload) + "." + sig(good), false, false},
		{"the payload exchanged", good[:strings.IndexByte(good, '.')] + "." + b64(strings.Replace(accessPayload, `"sub":"a"`, `"sub":"b"`, 1)) + "." + sig(good), false, false},
		{"no kid", b64(`{"alg":"ES256","typ":"at+jwt"}`) + "." + b64(accessPayload) + "." + sig(good), false, false},
		{"one character too few", good[:len(good)-1], false, false},
		{"one character too many", good + "A", false, false},
		{"not a token", "ada", false, false},
		{"nothing", "", false, false},
		{"too long", strings.Repeat("a", maxOwnToken) + good, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				if got, err := m.ReadAccessToken(t.Context(), tt.token, moment()); (err == nil) != tt.access || err != nil && got.GrantID != "" {
					t.Errorf("as access token: %+v, %v", got, err)
				}
			}
			if got, err := m.ReadIDTokenHint(t.Context(), tt.token, moment()); (err == nil) != tt.hint || err != nil && got != (Hint{}) || errors.Is(err, jose.ErrExpectation) {
				t.Errorf("as hint: %+v, %v", got, err)
			}
		})
	}
}

// An old ID token still says who its user was (RP-Initiated Logout §2), also after its key was withdrawn.
func TestHintsMayBeOld(t *testing.T) {
	t.Parallel()
	c := &clock{now: moment()}
	ring := newRing(t, c, "ES256")
	m := minterOf(t, ring, "ES256")
	token, err := m.IDToken(t.Context(), idTokenParams())
	if err != nil {
		t.Fatal(err)
	}
	want := Hint{Subject: grant().AccountID, ClientID: "wiki", SessionID: grant().SessionID}
	read := func(after time.Duration) (Hint, error) {
		c.Set(moment().Add(after))
		if err := ring.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		return m.ReadIDTokenHint(t.Context(), token, c.Now())
	}
	withdrawn := keys.DefaultPeriod + keys.DefaultOverlap + keys.DefaultLead + time.Hour
	for _, after := range []time.Duration{0, time.Hour, keys.DefaultPeriod, withdrawn} {
		if got, err := read(after); err != nil || got != want {
			t.Errorf("after %v: %+v, %v", after, got, err)
		}
	}
	if _, err := read(withdrawn + keys.DefaultHints); !errors.Is(err, jose.ErrNoKey) {
		t.Errorf("after the key was forgotten: %v", err)
	}
}

// An access token ends with the publication of its key, however long it says that it lives.
func TestAccessTokenOfAWithdrawnKey(t *testing.T) {
	t.Parallel()
	c := &clock{now: moment()}
	ring := newRing(t, c, "ES256")
	m := minterOf(t, ring, "ES256")
	token := signedAs(t, ring, "at+jwt", strings.Replace(accessPayload, "1773481313", "1873481313", 1))
	read := func(m *Minter, days time.Duration) error {
		c.Set(moment().Add(days * 24 * time.Hour))
		if err := ring.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := m.ReadAccessToken(t.Context(), token, c.Now())
		return err
	}
	for _, days := range []time.Duration{0, 89, 90} {
		if err := read(m, days); err != nil {
			t.Errorf("after %d days: %v", days, err)
		}
	}
	for _, who := range []*Minter{m, minterOf(t, ring, "ES256")} { // with and without a memory of it
		if err := read(who, 92); !errors.Is(err, jose.ErrNoKey) {
			t.Errorf("after the key was withdrawn: %v", err)
		}
	}
}

func TestHintWithAuthorizedParty(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	p := idTokenParams()
	p.Audience = []string{"https://api.test"}
	token, err := m.IDToken(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.ReadIDTokenHint(t.Context(), token, moment()); err != nil || got.ClientID != "wiki" {
		t.Errorf("hint %+v, %v", got, err)
	}
}

// KM-01: an emergency ends what is remembered as well.
func TestEmergencyEndsRememberedTokens(t *testing.T) {
	t.Parallel()
	ring := newRing(t, &clock{now: moment()}, "ES256")
	m := minterOf(t, ring, "ES256")
	access, _, err := m.AccessToken(t.Context(), accessTokenParams())
	if err != nil {
		t.Fatal(err)
	}
	id, err := m.IDToken(t.Context(), idTokenParams())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ReadAccessToken(t.Context(), access, moment()); err != nil {
		t.Fatal(err)
	}
	if err := ring.Rotate(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := m.ReadAccessToken(t.Context(), access, moment()); !errors.Is(err, jose.ErrNoKey) {
		t.Errorf("access token: %v", err)
	}
	if _, err := m.ReadIDTokenHint(t.Context(), id, moment()); !errors.Is(err, jose.ErrNoKey) {
		t.Errorf("hint: %v", err)
	}
}
