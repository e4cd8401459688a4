package mint

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

// kindsOfAccessTokens issues one of each kind to the client.
func kindsOfAccessTokens(t testing.TB, m *Minter, c broker.Client) map[string]string {
	t.Helper()
	out := map[string]string{}
	add := func(name string, token string, _ time.Duration, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = token
	}
	g := grant()
	g.ClientID = c.ID
	token, lifetime, err := m.AccessToken(t.Context(), AccessTokenParams{Client: &c, Grant: g, Scopes: oauth.Scopes{"openid"}, Now: moment()})
	add("a person's", token, lifetime, err)
	token, lifetime, err = m.ClientToken(t.Context(), ClientTokenParams{Client: &c, Epoch: 7, Scopes: oauth.Scopes{"orders"}, Now: moment()})
	add("the client's own", token, lifetime, err)
	p := exchangeTo(&c)
	p.Actor = &Actor{Subject: "stock", Before: &Actor{Subject: "orders"}}
	token, lifetime, err = m.ExchangedToken(t.Context(), p, grant())
	add("exchanged", token, lifetime, err)
	token, lifetime, err = m.WorkloadToken(t.Context(), p, &broker.ExternalIssuer{ID: "forge"}, "repo:x")
	add("a workload's", token, lifetime, err)
	return out
}

// An opaque access token says what the JWT would, to the broker and to nobody else.
func TestOpaqueAccessTokens(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	signed := kindsOfAccessTokens(t, m, broker.Client{ID: "wiki", MayAct: "shop"})
	for name, raw := range kindsOfAccessTokens(t, m, broker.Client{ID: "wiki", MayAct: "shop", OpaqueAccessTokens: true}) {
		if text, ok := strings.CutPrefix(raw, "ga_"); !ok || strings.ContainsAny(text, ".=+/") {
			t.Errorf("%s is %q", name, raw)
		}
		want, err := m.InspectAccessToken(t.Context(), signed[name], moment())
		if err != nil {
			t.Fatal(err)
		}
		var first AccessToken
		for range 2 { // the second time from memory
			got, err := m.InspectAccessToken(t.Context(), raw, moment())
			if first.ID == "" {
				first = got
			}
			if err != nil || got.ID == "" || got.ID == want.ID || got.ID != first.ID {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			got.ID = want.ID
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s is read as %+v, want %+v", name, got, want)
			}
			_, err = m.ReadAccessToken(t.Context(), raw, moment())
			if _, other := m.ReadAccessToken(t.Context(), signed[name], moment()); (err == nil) != (other == nil) || !errors.Is(err, other) {
				t.Errorf("%s: for us %v, the JWT %v", name, err, other)
			}
		}
		for _, now := range []time.Time{want.Expires, want.Expires.Add(time.Hour)} {
			if _, err := m.InspectAccessToken(t.Context(), raw, now); !errors.Is(err, jose.ErrExpired) {
				t.Errorf("%s at %v: %v", name, now, err)
			}
		}
	}
}

// The signature's end without memory: expiry is looked at when it is read for the first time too.
func TestAnOpaqueAccessTokenEnds(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	for name, raw := range kindsOfAccessTokens(t, m, broker.Client{ID: "wiki", OpaqueAccessTokens: true}) {
		m.verified = newMemory(8)
		if _, err := m.InspectAccessToken(t.Context(), raw, moment().Add(15*time.Minute)); !errors.Is(err, jose.ErrExpired) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := m.InspectAccessToken(t.Context(), raw, moment().Add(-time.Minute)); err == nil {
			t.Errorf("%s of the future", name)
		}
	}
}

// TK-17: one spelling, and nobody but who has the secrets makes one.
func TestTK17OpaqueAccessTokensHaveOneSpelling(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	raw := kindsOfAccessTokens(t, m, broker.Client{ID: "wiki", OpaqueAccessTokens: true})["a person's"]
	for name, other := range respelt(raw) {
		if got, err := m.InspectAccessToken(t.Context(), other, moment()); err == nil || got.ID != "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for size, want := range map[int]error{20 << 10: nil, 30 << 10: jose.ErrMalformed} { // the claims would do, the string is too long
		claims := strings.Replace(accessPayload, `"jti"`, `"scope":"`+strings.Repeat("s", size)+`","jti"`, 1)
		if _, err := m.InspectAccessToken(t.Context(), accessPrefix+m.opaque.SealString([]byte(claims), []byte(opaqueForm)), moment()); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// An opaque token lives as long as a secret that opens it.
func TestOpaqueAccessTokensAndSecrets(t *testing.T) {
	t.Parallel()
	old, _ := minterWith(t, func(c *Config) { c.Secrets = secrets(t, 'o') })
	raw := kindsOfAccessTokens(t, old, broker.Client{ID: "wiki", OpaqueAccessTokens: true})["a person's"]
	rotated, _ := minterWith(t, func(c *Config) { c.Secrets = secrets(t, 'n', 'o') })
	if _, err := rotated.InspectAccessToken(t.Context(), raw, moment()); err != nil {
		t.Errorf("while the old secret is there: %v", err)
	}
	other, _ := minterWith(t, func(c *Config) { c.Secrets = secrets(t, 'n') })
	if _, err := other.InspectAccessToken(t.Context(), raw, moment()); !errors.Is(err, jose.ErrMalformed) {
		t.Errorf("without it: %v", err)
	}
}

// JW-05: what has been made for one purpose is taken for no other, though the same secrets have made all.
func TestOpaqueStringsAreTakenForWhatTheyAre(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	id := broker.NewID(moment())
	code, _, err := m.NewCode(id)
	if err != nil {
		t.Fatal(err)
	}
	refresh, _, err := m.NewRefreshToken(id, 1)
	if err != nil {
		t.Fatal(err)
	}
	access := kindsOfAccessTokens(t, m, broker.Client{ID: "wiki", OpaqueAccessTokens: true})["a person's"]
	seal := func(form, payload string) string {
		return accessPrefix + m.opaque.SealString([]byte(payload), []byte(form))
	}
	elsewhere := accessPrefix + secrets(t, 's').Box("flow-cookie").SealString([]byte(accessPayload), []byte(opaqueForm))
	for _, row := range []struct {
		name, raw string
		access    bool
	}{
		{"an access token", access, true},
		{"the claims of one, sealed", seal(opaqueForm, accessPayload), true},
		{"sealed as a reference", seal(referenceForm, accessPayload), false},
		{"sealed for nothing", seal("", accessPayload), false},
		{"sealed in another box", elsewhere, false},
		{"a code", code, false},
		{"a code with the prefix", accessPrefix + code[3:], false},
		{"a refresh token", refresh, false},
		{"a refresh token with the prefix", accessPrefix + refresh[3:], false},
		{"the claims of an ID token", seal(opaqueForm, idPayload), false},
		{"another issuer's claims", seal(opaqueForm, strings.Replace(accessPayload, "b.test", "c.test", 1)), false},
		{"no grant and no client's own", seal(opaqueForm, without(accessPayload, "grant_id")), false},
		{"no client", seal(opaqueForm, without(accessPayload, "client_id")), false},
		{"no expiry", seal(opaqueForm, without(accessPayload, "exp")), false},
		{"no jti", seal(opaqueForm, without(accessPayload, "jti")), false},
		{"an actor of a person's token", seal(opaqueForm, strings.Replace(accessPayload, `"jti"`, `"act":{"sub":"x"},"jti"`, 1)), false},
		{"an actor that is none", seal(opaqueForm, strings.Replace(accessPayload, `"jti"`, `"act":1,"jti"`, 1)), false},
		{"no claims", seal(opaqueForm, ""), false},
	} {
		for range 2 {
			if got, err := m.InspectAccessToken(t.Context(), row.raw, moment()); (err == nil) != row.access || err != nil && got.ID != "" {
				t.Errorf("%s: %+v, %v", row.name, got, err)
			}
		}
		if _, _, err := m.ParseCode(row.raw); (err == nil) != (row.raw == code) {
			t.Errorf("%s as a code: %v", row.name, err)
		}
		if _, err := m.ParseRefreshToken(row.raw); (err == nil) != (row.raw == refresh) {
			t.Errorf("%s as a refresh token: %v", row.name, err)
		}
		if _, err := m.ReadIDTokenHint(t.Context(), row.raw, moment()); err == nil {
			t.Errorf("%s is a hint", row.name)
		}
	}
}

// What the linter would not have signed is not sealed either.
func TestNothingIsSealedPastTheLinter(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	for name, change := range map[string]func(*AccessTokenParams){
		"too long a life": func(p *AccessTokenParams) { p.Client.Lifetimes.AccessToken = 25 * time.Hour },
		"no account":      func(p *AccessTokenParams) { p.Grant.AccountID = "" },
		"no grant":        func(p *AccessTokenParams) { p.Grant.ID = "" },
		"nobody":          func(p *AccessTokenParams) { p.Audience = []string{""} },
	} {
		p := accessTokenParams()
		p.Client.OpaqueAccessTokens = true
		change(&p)
		if token, _, err := m.AccessToken(t.Context(), p); !errors.Is(err, ErrLint) || token != "" {
			t.Errorf("%s: %q, %v", name, token, err)
		}
	}
}

// Whatever is presented, only what this broker has made is an access token, and one that was made by another process
// is not.
func FuzzOpaqueAccessToken(f *testing.F) {
	m := fuzzMinter(f)
	for _, raw := range kindsOfAccessTokens(f, fuzzMinter(f), broker.Client{ID: "wiki", OpaqueAccessTokens: true}) {
		f.Add(raw)
		f.Add("gr_" + raw[3:])
	}
	f.Add("ga_")
	f.Fuzz(func(t *testing.T, raw string) {
		if got, err := m.InspectAccessToken(t.Context(), raw, moment()); err == nil || got.ID != "" {
			t.Errorf("%q is read as %+v", raw, got) // the ones that are have not been told to the fuzzer
		}
	})
}
