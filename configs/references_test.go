package configs_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gatehouse/configs"
)

// withConnector is a configuration with one connector entry.
func withConnector(entry string) string {
	return "issuer: https://sso.example.com\nconnectors:\n  - {" + entry + "}\n" +
		"clients:\n  - {client_id: wiki, client_secret: a-literal-of-good-length, redirect_uris: [https://wiki.example.com/callback]}\n"
}

// What a connector names beside ca_file and client_secret is looked for, with its line and key.
func TestFilesOfConnectorsAreLookedFor(t *testing.T) {
	const okta = "id: okta, type: okta, client_id: x, client_secret: a-literal-of-good-length, issuer: https://acme.okta.com, groups_from: api, "
	const entra = "id: entra, type: azuread, client_id: x, tenant: 11111111-2222-3333-4444-555555555555, "
	const directory = "id: google, type: google, client_id: x, client_secret: a-literal-of-good-length, groups_from: directory, "
	t.Setenv("PATH_OF_THE_TOKEN", "there")
	for _, row := range []struct{ name, entry, want string }{
		{"a private key", "id: corp, type: oidc, client_id: x, issuer: https://idp.example.com, client_key: nowhere.pem", "connectors[0].client_key: the file DIR/nowhere.pem cannot be read: no such file or directory"},
		{"an assertion that is read at each sign-in", "id: corp, type: oidc, client_id: x, issuer: https://idp.example.com, client_assertion_file: /nowhere/token",
			"connectors[0].client_assertion_file: the file /nowhere/token cannot be read"},
		{"a certificate", entra + "client_key: there, client_certificate: nowhere.crt", "connectors[0].client_certificate: the file DIR/nowhere.crt cannot be read"},
		{"a federated token", entra + "federated_token_file: nowhere", "connectors[0].federated_token_file: the file DIR/nowhere cannot be read"},
		{"a path that the environment lacks", entra + `federated_token_file: "env:NOT_SET_ANYWHERE"`, "connectors[0].federated_token_file: env:NOT_SET_ANYWHERE: the environment variable is not set"},
		{"a path of the environment", entra + `federated_token_file: "env:PATH_OF_THE_TOKEN"`, ""},
		{"an API token", okta + `api_token: "env:NOT_SET_ANYWHERE"`, "connectors[0].api_token: env:NOT_SET_ANYWHERE: the environment variable is not set"},
		{"the second of two API tokens", okta + `api_token: ["env:PATH_OF_THE_TOKEN", "file:nowhere"]`, "connectors[0].api_token: file:nowhere: the file cannot be read"},
		{"a key for the API", okta + "api_client_id: y, api_client_key: nowhere.pem", "connectors[0].api_client_key: the file DIR/nowhere.pem cannot be read"},
		{"a service account's key", directory + "service_account: {credentials: nowhere.json, admin_email: admin@example.com}", "connectors[0].service_account.credentials: the file DIR/nowhere.json cannot be read"},
		{"credentials that the machine has", directory + "service_account: {credentials: default, email: a@b.example, admin_email: admin@example.com}", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := copySample(t, withConnector(row.entry))
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "there"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := configs.Load(path, vendors())
			want := ""
			if row.want != "" {
				want = path + ":3: " + strings.ReplaceAll(row.want, "DIR", filepath.Dir(path))
			}
			got := ""
			if err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, want) || (got == "") != (want == "") || strings.Contains(got, "\n") {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestPrivateFilesOfConnectorsAreForTheBrokerAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files have no such modes here")
	}
	path := copySample(t, withConnector("id: entra, type: azuread, client_id: x, tenant: 11111111-2222-3333-4444-555555555555, client_key: entra.key, client_certificate: entra.crt"))
	dir := filepath.Dir(path)
	for name, mode := range map[string]os.FileMode{"entra.key": 0o644, "entra.crt": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), mode); err != nil {
			t.Fatal(err)
		}
	}
	c, err := configs.Load(path, vendors())
	if err != nil {
		t.Fatal(err)
	}
	about := func(c *configs.Config) (out []configs.Problem) {
		for _, w := range c.Warnings() {
			if strings.HasPrefix(w.Path, "connectors") { // where the test runs is another matter
				out = append(out, w)
			}
		}
		return out
	}
	if got := about(c); len(got) != 1 || got[0].Path != "connectors[0].client_key" || !strings.Contains(got[0].Message, "chmod 600 "+filepath.Join(dir, "entra.key")) {
		t.Errorf("warnings: %v", got)
	}
	if err := os.Chmod(filepath.Join(dir, "entra.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = configs.Load(path, vendors()); err != nil || len(about(c)) != 0 {
		t.Errorf("warnings: %v, %v", about(c), err)
	}
}

// Keys of connectors that trade safety for something else, or do nothing.
func TestWarningsOfConnectors(t *testing.T) {
	t.Parallel()
	const corp = "id: corp, type: oidc, client_id: x, client_secret: a-literal-of-good-length, issuer: https://idp.example.com, "
	for _, row := range []struct{ name, entry, client, want string }{
		{"groups that cannot be read are none", corp + "on_group_failure: none", "", "connectors[0].on_group_failure: none: people come in without groups"},
		{"in one case", corp + "on_group_failure: {unavailable: keep_last, incomplete: none}", "", "connectors[0].on_group_failure"},
		{"they are refused", corp + "on_group_failure: keep_last", "", ""},
		{"re-check with clients that refresh", corp + "recheck_interval: 15m", "", ""},
		{"re-check where no client may", corp + "recheck_interval: 15m", ", grant_types: [authorization_code]", "connectors[0].recheck_interval: no client of this connector can refresh"},
		{"re-check without the scope", corp + "recheck_interval: 15m", ", scope: openid profile", "connectors[0].recheck_interval: no client"},
		{"levels from strong to weak", corp + "assurance: [{level: mfa, amr: [pwd, otp]}, {level: pwd, amr: [pwd]}]", "", ""},
		{"levels from weak to strong", corp + "assurance: [{level: pwd, amr: [pwd]}, {level: mfa, amr: [pwd, otp]}]", "",
			"connectors[0].assurance[1]: level mfa is never reached: whatever proves it proves pwd"},
		{"two ways to one level", corp + "assurance: [{level: mfa, amr: [otp]}, {level: mfa, amr: [pwd, otp]}]", "", ""},
		{"the same acr for two levels", corp + "assurance: [{level: a, acr: [x, y]}, {level: b, acr: [y]}]", "", "connectors[0].assurance[1]: level b is never reached"},
		{"another acr for the weaker one", corp + "assurance: [{level: a, acr: [x]}, {level: b, acr: [x, y]}]", "", ""},
		{"an acr or methods", corp + "assurance: [{level: a, acr: [x]}, {level: b, acr: [x], amr: [pwd]}]", "", ""},
		{"one domain for two connectors is what the chooser is for", corp + "domains: [example.com]}\n  - {id: other, type: github, client_id: x, client_secret: a-literal-of-good-length, domains: [example.com]", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(withConnector(row.entry), "[https://wiki.example.com/callback]", "[https://wiki.example.com/callback]"+row.client, 1)
			c, err := configs.Load(copySample(t, text), vendors())
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, w := range c.Warnings() {
				if strings.HasPrefix(w.Path, "connectors") { // where the test runs is another matter
					got += w.Path + ": " + w.Message + "\n"
				}
			}
			if !strings.HasPrefix(got, row.want) || (got == "") != (row.want == "") || strings.Count(got, "\n") > 1 {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
