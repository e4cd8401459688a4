package configs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad: whatever the file holds, the answer is a valid configuration or at least one problem, and never a panic.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", minimal, minimal + wiki, "issuer: [", "- a", "a: &b c", "limits: off", "secret_key: []", "? a",
		minimal + "tls: {acme: {email: a@b.example}}\nlimits: {token: {per_client: 1/s}}\ntrusted_proxies: [10.0.0.0/8]\n",
		minimal + wiki + "    allow: {groups: [a]}\n    lifetimes: {code: 1s}\n    client_secrets: [a, b]\n    scope: openid\n",
		minimal + strings.Replace(wiki, "env:WIKI_SECRET", argonHash, 1), minimal + strings.Replace(wiki, "env:WIKI_SECRET", bcryptHash, 1),
		minimal + "registration: {open: true, initial_access_tokens: [{token: env:SEAL, clients: 1, expires: 2027-01-31}], redirect_hosts: ['*.a.example'], unused: 1h}\nlifetimes: {device_code: 5m}\n",
		minimal + wiki + "    subject_type: pairwise\n    jwks: {keys: []}\n    id_token_encrypted_response_alg: ECDH-ES\n    audience: ['urn:a']\n    access_token_format: opaque\n",
		"a: |\n  b\n  c\nd: >-\n e", "{a: {b: [c, {d: e}]}}", "\"a\": 'b'\n", "clients: [{client_id: .inf, redirect_uris: [~, 1, true]}]", "connectors:\n- 0\nclients:\n  - allow: {groups: [0]}",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := os.CreateTemp(dir, "*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		defer os.Remove(file.Name())
		if _, err := file.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		c, err := load(file.Name(), fakeTypes(), environment)
		if err != nil {
			problems, ok := errors.AsType[*Problems](err)
			if !ok || len(problems.List) == 0 || c != nil {
				t.Fatalf("an error without a problem: %T %v", err, err)
			}
			for _, p := range problems.List {
				if p.File != file.Name() || p.Line < 0 || p.Message == "" {
					t.Fatalf("a problem that says nothing: %+v", p)
				}
			}
			return
		}
		if found := c.Validate(); len(found) > 0 {
			t.Fatalf("a loaded configuration is not valid: %v", found)
		}
		if !filepath.IsAbs(c.Storage.Path) || c.Issuer == "" {
			t.Fatalf("a loaded configuration lacks the necessary: %+v", c)
		}
		if _, err := c.BrokerClients(func(s string) (string, error) { return s, nil }); err != nil {
			t.Fatalf("a loaded configuration has clients without secrets: %v", err)
		}
		if r, err := c.RegistrationPolicy(); err != nil || c.Registration.Enabled() != (r.Open || len(r.Tokens) > 0) {
			t.Fatalf("a loaded configuration has a section registration that cannot be used: %+v, %v", r, err)
		}
	})
}
