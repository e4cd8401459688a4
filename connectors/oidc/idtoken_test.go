package oidc_test

import (
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

func TestClocksMayDifferByAMinute(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		claim string
		at    time.Duration
		fine  bool
	}{
		{"issued a minute from now", "iat", time.Minute, true},
		{"issued more than a minute from now", "iat", 61 * time.Second, false},
		{"expired less than a minute ago", "exp", -59 * time.Second, true},
		{"expired a minute ago", "exp", -61 * time.Second, false},
		{"valid from a minute from now", "nbf", time.Minute, true},
		{"valid from later than that", "nbf", 61 * time.Second, false},
		{"authenticated a minute from now", "auth_time", time.Minute, true},
		{"authenticated later than that", "auth_time", 61 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c[tt.claim] = b.Clock.Now().Add(tt.at).Unix() })
			if tt.fine {
				b.MustSignIn(t)
				return
			}
			b.Refused(t, connectors.Broken)
		})
	}
}

func TestIDTokenClaimsOfWrongTypes(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"nonce": 5, "aud": map[string]any{"a": "b"}, "azp": []string{"gatehouse-at-vendor"}, "exp": "1895132800", "iat": -1,
		"at_hash": true, "iss": []string{"https://idp.example"}, "sub": []string{"a"}, "c_hash": "bm90IHRoZSBjb2Rl",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c[name] = value })
			b.Refused(t, connectors.Broken)
		})
	}
}

func TestCodeHashIsOfTheCode(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["c_hash"] = c["at_hash"] })
	b.Refused(t, connectors.Broken)
}
