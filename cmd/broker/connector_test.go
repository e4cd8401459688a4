package main

import (
	"testing"
)

// A sign-in through each of the five types, by pasting the address.
func TestConnectorTestSignsIn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		kind string
		want []string
	}{
		{"google", []string{"Testing connector up (Google)", "subject 108234567890123456789", "name Ada Winter", "e-mail ada@example.com: verified"}},
		{"azuread", []string{"Testing connector up (Microsoft Entra ID)", "subject 5b6c7d8e-4444-4f0a-8b1c-2d3e4f5a6b7c", "here up:11111111-aaaa-4bbb-8ccc-000000000001"}},
		{"okta", []string{"Testing connector up (Okta)", "subject 00u1ada0acme00000d7", "here up:Everyone, up:Engineering"}},
		{"github", []string{"Testing connector up (GitHub)", "subject 10424242", "here up:acme, up:acme:site-reliability, up:acme:platform"}},
		{"oidc", []string{"Testing connector up (OpenID Connect)", "subject 3f6c1d52-ada", "here up:staff, up:admins"}},
	} {
		t.Run(row.kind, func(t *testing.T) {
			t.Parallel()
			b := newTrialBench(t, trialSetup{kind: row.kind})
			got := b.run(nil)
			got.says(t, 0, append(row.want, "Signed in connector up", trialIssuer+"/callback/up")...)
			if got.stderr != "" {
				t.Errorf("standard error is %q", got.stderr)
			}
			if b.heard.count < 2 { // a code, and a token or two
				t.Errorf("%d secrets were heard: the search for leaks sees nothing", b.heard.count)
			}
		})
	}
}
