package configs

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// register is a file whose section registration, with its tokens, begins on line 4.
func register(lines ...string) string {
	return minimal + "registration:\n  initial_access_tokens: [{token: env:SEAL}]\n" + strings.Join(lines, "\n") + "\n"
}

func TestRegistrationSection(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"an empty section", minimal + "registration:\n", nil},
		{"a token", register(), nil},
		{"open to everybody", minimal + "registration: {open: true}\n", nil},
		{"all that there is", register("  scopes: [openid, groups, orders.read]", "  grant_types: [authorization_code, implicit, client_credentials, 'urn:ietf:params:oauth:grant-type:device_code']",
			"  redirect_hosts: [app.example.com, '*.dev.example.com', 192.0.2.1]", "  redirect_loopback: true", "  redirect_schemes: true", "  require_pkce: false", "  unused: 0s", "  connectors: [corp]",
			"resources: [{resource: 'https://orders.example', scopes: [orders.read]}]"), nil},
		{"open to nobody", minimal + "registration: {scopes: [openid]}\n", []string{"4: registration: lets nobody register"}},
		{"open to nobody in so many words", minimal + "registration: {initial_access_tokens: []}\n", []string{"4: registration: lets nobody register"}},
		{"a token without a token", minimal + "registration: {initial_access_tokens: [{clients: 1}]}\n", []string{"4: registration.initial_access_tokens[0].token: required"}},
		{"a token twice", minimal + "registration: {initial_access_tokens: [{token: env:SEAL}, {token: env:SEAL}]}\n", []string{"4: registration.initial_access_tokens[1].token: is in the list already"}},
		{"a token twice, written in two ways", minimal + "registration: {initial_access_tokens: [{token: env:SEAL}, {token: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}]}\n",
			[]string{"4: registration.initial_access_tokens[1].token: is the same as that of initial_access_tokens[0]"}},
		{"a token that can be guessed", minimal + "registration: {initial_access_tokens: [{token: env:SHORT}]}\n", []string{"4: registration.initial_access_tokens[0].token: has fewer than 16"}},
		{"a hash of a token", minimal + "registration: {initial_access_tokens: [{token: '" + bcryptHash + "'}]}\n", []string{"4: registration.initial_access_tokens[0].token: is a hash"}},
		{"a token that no header can carry", minimal + "registration: {initial_access_tokens: [{token: 'sixteen characters and spaces'}]}\n", []string{"4: registration.initial_access_tokens[0].token: must be made of"}},
		{"a token that is not set", minimal + "registration: {initial_access_tokens: [{token: env:NONE}]}\n", []string{"4: registration.initial_access_tokens[0].token: env:NONE: the environment variable is not set"}},
		{"a token for no client", minimal + "registration: {initial_access_tokens: [{token: env:SEAL, clients: 0}]}\n", []string{"4: registration.initial_access_tokens[0].clients: must be from 1"}},
		{"a token for less than no client", minimal + "registration: {initial_access_tokens: [{token: env:SEAL, clients: -1}]}\n", []string{"4: registration.initial_access_tokens[0].clients: must be a whole number of zero or more"}},
		{"an end that is no day", minimal + "registration: {initial_access_tokens: [{token: env:SEAL, expires: soon}]}\n", []string{"4: registration.initial_access_tokens[0].expires: must be a day"}},
		{"a long name", minimal + "registration: {initial_access_tokens: [{token: env:SEAL, name: " + strings.Repeat("x", 101) + "}]}\n", []string{"4: registration.initial_access_tokens[0].name: must be at most 100"}},
		{"more tokens than are compared", minimal + "registration: {initial_access_tokens: [" + strings.Repeat("{clients: 1}, ", 101) + "]}\n", append([]string{"4: registration.initial_access_tokens: must have at most 100"}, slices.Repeat([]string{"4: registration.initial_access_tokens["}, 101)...)},
		{"no scope", register("  scopes: []"), []string{"6: registration.scopes: is an empty list"}},
		{"an unknown scope", register("  scopes: [openid, admin]"), []string{"6: registration.scopes[1]: is no scope"}},
		{"a scope twice", register("  scopes: [openid, openid]"), []string{"6: registration.scopes[1]: is in the list already"}},
		{"no grant", register("  grant_types: []"), []string{"6: registration.grant_types: is an empty list"}},
		{"token exchange", register("  grant_types: [authorization_code, " + exchangeGrant + "]"), []string{"6: registration.grant_types[1]: must be one of authorization_code"}},
		{"the JWTs of workloads", register("  grant_types: [" + bearerGrant + "]"), []string{"6: registration.grant_types[0]: must be one of"}},
		{"no host", register("  redirect_hosts: []"), []string{"6: registration.redirect_hosts: is an empty list"}},
		{"a URL for a host", register("  redirect_hosts: ['https://app.example.com']"), []string{"6: registration.redirect_hosts[0]: must be a host"}},
		{"a host with a port", register("  redirect_hosts: ['app.example.com:8443']"), []string{"6: registration.redirect_hosts[0]: must be a host"}},
		{"a host in capitals", register("  redirect_hosts: [App.example.com]"), []string{"6: registration.redirect_hosts[0]: must be a host"}},
		{"everybody", register("  redirect_hosts: ['*']"), []string{"6: registration.redirect_hosts[0]: must be a host"}},
		{"everybody below a top-level domain", register("  redirect_hosts: ['*.com']"), []string{"6: registration.redirect_hosts[0]: must be a host"}},
		{"a star in the middle", register("  redirect_hosts: ['app.*.example.com']"), []string{"6: registration.redirect_hosts[0]: must be a host"}},
		{"the person's own machine", register("  redirect_hosts: [localhost]"), []string{"6: registration.redirect_hosts[0]: is the person's own machine"}},
		{"forgotten at once", register("  unused: 1m"), []string{"6: registration.unused: must be from 1h to 87840h"}},
		{"an unknown connector", register("  connectors: [crop]"), []string{"6: registration.connectors[0]: is not the id of a connector: did you mean corp?"}},
		{"no connector", register("  connectors: []"), []string{"6: registration.connectors: is an empty list, which would admit nobody"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, row.content, row.want...)
		})
	}
}

func TestRegistrationPolicy(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal+wiki)
	if c.Registration.Enabled() {
		t.Error("registration is on without a section")
	}
	c = mustLoad(t, minimal+`registration:
  initial_access_tokens:
    - {name: platform, token: env:SEAL, clients: 20, expires: 2027-01-31}
    - {token: env:SEAL2}
  redirect_hosts: [app.example.com]
  redirect_loopback: true
  require_pkce: false
  connectors: [corp]
`)
	seal, _ := environment("SEAL")
	seal2, _ := environment("SEAL2")
	got, err := c.RegistrationPolicy()
	want := broker.RegistrationPolicy{
		Tokens: []broker.InitialToken{
			{Digest: broker.DigestOf(seal), Name: "platform", Limit: 20, Expires: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)},
			{Digest: broker.DigestOf(seal2), Name: "initial_access_tokens[1]"},
		},
		Scopes: oauth.Scopes{"openid", "profile", "email", "offline_access"}, GrantTypes: []oauth.GrantType{"authorization_code", "refresh_token"},
		RedirectHosts: []string{"app.example.com"}, Loopback: true, PKCEOptional: true, Unused: 2160 * time.Hour, Connectors: []string{"corp"},
	}
	if err != nil || !reflect.DeepEqual(got, want) || !c.Registration.Enabled() {
		t.Errorf("%+v, %v", got, err)
	}
	c = mustLoad(t, minimal+"registration: {open: true, redirect_schemes: true, unused: 1h}\n")
	if got, err = c.RegistrationPolicy(); err != nil || !got.Open || got.PKCEOptional || !got.PrivateSchemes || got.Loopback || got.Unused != time.Hour || got.Tokens != nil {
		t.Errorf("%+v, %v", got, err)
	}
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("a-token-of-good-length\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c = mustLoad(t, minimal+"registration: {initial_access_tokens: [{token: 'file:"+path+"'}]}\n")
	if got, err = c.RegistrationPolicy(); err != nil || got.Tokens[0].Digest != broker.DigestOf("a-token-of-good-length") {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err = c.RegistrationPolicy(); err == nil || !strings.Contains(err.Error(), "initial_access_tokens[0]") {
		t.Errorf("a token that can no longer be read: %v", err)
	}
}

func TestOpenRegistrationIsWarnedOf(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, section, want string }{
		{"behind tokens", "{initial_access_tokens: [{token: env:SEAL}], unused: 0s}", ""},
		{"open within bounds", "{open: true, redirect_hosts: [app.example.com]}", "registration.open"},
		{"open without bounds", "{open: true, unused: 0s}", "registration.open registration.redirect_hosts registration.unused"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			// That there are no clients is no matter where they come by themselves.
			var got []string
			for _, w := range mustLoad(t, minimal+"registration: "+row.section+"\n").Warnings() {
				got = append(got, w.Path)
			}
			if strings.Join(got, " ") != row.want {
				t.Errorf("warnings: %v", got)
			}
		})
	}
	path := write(t, minimal+"registration: {initial_access_tokens: [{token: a-token-of-good-length}]}\n")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := load(path, fakeTypes(), environment)
	if err != nil || len(c.Warnings()) != 1 || c.Warnings()[0].Path != "registration.initial_access_tokens[0].token" {
		t.Errorf("a token that everybody can read: %v, %v", c.Warnings(), err)
	}
}

// Whoever registers chooses among all algorithms, so there have to be keys for them.
func TestKeysForClientsThatRegister(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, register("signing: {id_token: EdDSA}"))
	if got := strings.Join(c.SigningAlgorithms(), " "); got != "EdDSA ES256 RS256 PS256 ES384" {
		t.Errorf("algorithms: %s", got)
	}
	c = mustLoad(t, minimal+wiki+"    introspection_signed_response_alg: PS256\n")
	if got := strings.Join(c.SigningAlgorithms(), " "); got != "RS256 ES256 PS256" {
		t.Errorf("algorithms: %s", got)
	}
}
