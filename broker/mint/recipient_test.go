package mint

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/jose"
	"gatehouse/broker/policy"
)

// Whoever wants something encrypted gets it encrypted or not at all, and Ready knows beforehand.
func TestNothingIsIssuedInTheClearInstead(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := v.minter(t)
	without, _ := minterWith(t, func(*Config) {})
	down, _ := minterWith(t, func(c *Config) {
		c.Keys = &clientkeys.Cache{Now: moment, Fetch: func(context.Context, string, ...string) ([]byte, error) { return nil, errors.New("down") }}
	})
	for _, row := range []struct {
		name   string
		m      *Minter
		change func(*broker.Client)
	}{
		{"no keys at all", without, func(*broker.Client) {}},
		{"no key of the client's", m, func(c *broker.Client) { c.JWKS = nil }},
		{"a site that is down", down, func(c *broker.Client) { c.JWKS, c.JWKSURI = nil, "https://app.example/jwks" }},
		{"a key of another kind", m, func(c *broker.Client) { wants(c, broker.Encryption{Alg: "RSA-OAEP-256", Enc: "A128GCM"}) }},
		{"an alg that there is not", m, func(c *broker.Client) { wants(c, broker.Encryption{Alg: "RSA1_5", Enc: "A128GCM"}) }},
		{"an enc that there is not", m, func(c *broker.Client) { wants(c, broker.Encryption{Alg: "ECDH-ES", Enc: "A192GCM"}) }},
		{"no enc", m, func(c *broker.Client) { wants(c, broker.Encryption{Alg: "ECDH-ES"}) }},
		{"no alg", m, func(c *broker.Client) { wants(c, broker.Encryption{Enc: "A128GCM"}) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := v.client()
			row.change(c)
			p := idTokenParams()
			p.Client = c
			signed := *c
			signed.UserInfoAlg = "ES256"
			for what, make := range map[string]func() (string, error){
				"ID token":        func() (string, error) { return row.m.IDToken(t.Context(), p) },
				"userinfo":        func() (string, error) { return row.m.UserInfo(t.Context(), c, "a", policy.Claims{}, moment()) },
				"signed userinfo": func() (string, error) { return row.m.UserInfo(t.Context(), &signed, "a", policy.Claims{}, moment()) },
				"introspection": func() (string, error) {
					return row.m.Introspection(t.Context(), c, json.RawMessage(`{"active":false}`), moment())
				},
				"readiness": func() (string, error) { return "", row.m.Ready(t.Context(), c) },
			} {
				if got, err := make(); !errors.Is(err, ErrRecipient) || got != "" {
					t.Errorf("%s: %q, %v", what, got, err)
				}
			}
		})
	}
}

// wants has everything for the client encrypted that way.
func wants(c *broker.Client, e broker.Encryption) {
	c.IDTokenEncryption, c.UserInfoEncryption, c.IntrospectionEncryption = e, e, e
}

func TestReady(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := v.minter(t)
	other := broker.Encryption{Alg: "RSA-OAEP-256", Enc: "A128GCM"}
	for _, row := range []struct {
		name   string
		client broker.Client
		ok     bool
	}{
		{"nothing is encrypted", broker.Client{ID: "a"}, true},
		{"a key is there", *v.client(), true},
		{"none for ID tokens", broker.Client{ID: "b", JWKS: v.jwks, IDTokenEncryption: other}, false},
		{"none for userinfo", broker.Client{ID: "c", JWKS: v.jwks, IDTokenEncryption: agreement(), UserInfoEncryption: other}, false},
		{"none for introspection, which spends nothing", broker.Client{ID: "d", IntrospectionEncryption: other}, true},
	} {
		if err := m.Ready(t.Context(), &row.client); (err == nil) != row.ok || err != nil && !errors.Is(err, ErrRecipient) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// The keys of a resource server are those of its client entry, and a token is encrypted for it alone.
func TestReadyForAResource(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := v.minter(t)
	blind, _ := minterWith(t, func(c *Config) { c.Keys = &clientkeys.Cache{Now: moment} })
	for _, row := range []struct {
		name     string
		m        *Minter
		resource *broker.Resource
		ok       bool
	}{
		{"none", m, nil, true},
		{"one that wants nothing encrypted", m, &broker.Resource{URI: api}, true},
		{"one with a key", m, v.resource(), true},
		{"one without a client entry", m, &broker.Resource{URI: api, Encryption: agreement()}, false},
		{"one whose client entry is gone", m, &broker.Resource{URI: api, ClientID: "gone", Encryption: agreement()}, false},
		{"one that takes another kind of key", m, &broker.Resource{URI: api, ClientID: "api", Encryption: broker.Encryption{Alg: "RSA-OAEP-256", Enc: "A128GCM"}}, false},
		{"nobody knows any client", blind, v.resource(), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if err := row.m.ReadyFor(t.Context(), row.resource); (err == nil) != row.ok || err != nil && !errors.Is(err, ErrRecipient) {
				t.Errorf("ready: %v", err)
			}
			p := accessTokenParams()
			p.Audience, p.Recipient = []string{api}, row.resource
			if token, _, err := row.m.AccessToken(t.Context(), p); (err == nil) != row.ok || err != nil && (token != "" || !errors.Is(err, ErrRecipient)) {
				t.Errorf("%q, %v", token, err)
			}
		})
	}
	for _, audience := range [][]string{nil, {"https://other.test"}, {api, "https://other.test"}, {issuer, api}} {
		p := accessTokenParams()
		p.Audience, p.Recipient = audience, v.resource()
		if token, _, err := m.AccessToken(t.Context(), p); !errors.Is(err, ErrBeyondGrant) || token != "" {
			t.Errorf("for %v: %q, %v", audience, token, err)
		}
	}
	p := accessTokenParams()
	p.Audience, p.Recipient, p.Grant.AccountID = []string{api}, v.resource(), "a b"
	if token, _, err := m.AccessToken(t.Context(), p); !errors.Is(err, ErrLint) || token != "" {
		t.Errorf("encrypted past the linter: %q, %v", token, err)
	}
}

// The broker's own reading is not what decides: one that is encrypted to a key that has been replaced is still known.
func TestEncryptedTokensOutliveTheirKey(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := v.minter(t)
	raw := v.accessTokens(t, m, client())["a person's"]
	delete(v.clients, "api")
	if _, err := m.InspectAccessToken(t.Context(), raw, moment()); err != nil {
		t.Error(err)
	}
	if _, _, err := m.AccessToken(t.Context(), AccessTokenParams{Client: client(), Grant: grant(), Audience: []string{api}, Recipient: v.resource(), Now: moment()}); !errors.Is(err, ErrRecipient) || !errors.Is(err, broker.ErrNotFound) {
		t.Error(err)
	}
	if _, err := m.InspectAccessToken(t.Context(), "....", moment()); !errors.Is(err, jose.ErrEncrypted) {
		t.Errorf("what only looks like one: %v", err)
	}
}
