package google_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/google"
)

const nobody = "http://127.0.0.1:1"

// openWith opens a connector with these credentials; environment is the value of
// GOOGLE_APPLICATION_CREDENTIALS.
func openWith(t testing.TB, credentials, environment string, change func(*google.Config)) error {
	t.Helper()
	c := &google.Config{
		Common: connectors.Common{ID: "google", ClientID: "c", ClientSecret: connectors.Secrets{"s"}}, GroupsFrom: "directory",
		ServiceAccount: &google.ServiceAccount{Credentials: credentials, AdminEmail: "admin@example.com", STSURL: nobody, IAMURL: nobody},
	}
	if change != nil {
		change(c)
	}
	clock := connectortest.NewClock()
	_, err := c.Open(connectors.Environment{
		Now: clock.Now, Log: slog.New(slog.DiscardHandler), Path: func(p string) string { return p },
		Resolve: func(reference string) (string, error) {
			if reference == "env:GOOGLE_APPLICATION_CREDENTIALS" {
				if environment == "" {
					return "", errors.New("is not set")
				}
				return environment, nil
			}
			return reference, nil
		},
	})
	return err
}

// externalAccount is a sound credential configuration after a change.
func externalAccount(change func(doc map[string]any)) map[string]any {
	doc := maps.Clone(fake.GoogleExternalAccount(nobody, fake.GoogleFileSource("/var/run/token")))
	change(doc)
	return doc
}

func sourced(source map[string]any) map[string]any {
	return externalAccount(func(doc map[string]any) { doc["credential_source"] = source })
}

func set(name string, value any) func(map[string]any) {
	return func(doc map[string]any) { doc[name] = value }
}

func keyFile(t testing.TB, change func(doc map[string]any)) map[string]any {
	t.Helper()
	content, err := fake.GoogleKeyFile(pool, nobody, false)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(content, &doc); err != nil {
		t.Fatal(err)
	}
	change(doc)
	return doc
}

func TestCredentialsFiles(t *testing.T) {
	t.Parallel()
	same := func(map[string]any) {}
	json := map[string]any{"url": "https://platform.example/token", "format": map[string]any{"type": "json"}}
	for _, tt := range []struct {
		name string
		doc  any
		want string // in the error; empty: accepted
	}{
		{"a key", keyFile(t, same), ""},
		{"a key without an address", keyFile(t, set("client_email", "")), "client_email"},
		{"a key that is none", keyFile(t, set("private_key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")), "private key"},
		{"a key for plain http", keyFile(t, set("token_uri", "http://oauth2.googleapis.com/token")), "token_uri"},
		{"federation by a file", externalAccount(same), ""},
		{"federation by https", sourced(map[string]any{"url": "https://platform.example/token?audience=x"}), ""},
		{"federation by the platform's metadata", sourced(map[string]any{"url": "http://169.254.169.254/metadata/identity/oauth2/token?resource=x"}), ""},
		{"federation over plain http", sourced(map[string]any{"url": "http://platform.example/token"}), "credential_source.url"},
		{"a program", sourced(map[string]any{"executable": map[string]any{"command": "/bin/token"}}), "never do"},
		{"a program beside a file", sourced(map[string]any{"file": "/t", "executable": map[string]any{"command": "/bin/token"}}), "never do"},
		{"AWS", sourced(map[string]any{"environment_id": "aws1", "url": "https://169.254.169.254/"}), "other than file or url"},
		{"two sources", sourced(map[string]any{"file": "/t", "url": "https://platform.example/token"}), "exactly one"},
		{"no source", sourced(map[string]any{}), "exactly one"},
		{"a field of JSON without a name", sourced(json), "subject_token_field_name"},
		{"an unknown format", sourced(map[string]any{"file": "/t", "format": map[string]any{"type": "xml"}}), "neither text nor json"},
		{"no audience", externalAccount(set("audience", "")), "audience"},
		{"a token service that is not Google's", externalAccount(set("token_url", "https://sts.googleapis.com.evil.example/v1/token")), "token_url"},
		{"a token service of a name that only ends alike", externalAccount(set("token_url", "https://evilgoogleapis.com/v1/token")), "token_url"},
		{"a token service over plain http", externalAccount(set("token_url", "http://sts.googleapis.com/v1/token")), "token_url"},
		{"a token service on another port", externalAccount(set("token_url", "https://sts.googleapis.com:8443/v1/token")), "token_url"},
		{"a token service in the zone of an address", externalAccount(set("token_url", "https://[fe80::1%25.googleapis.com]/v1/token")), "token_url"},
		{"a token service at the domain itself", externalAccount(set("token_url", "https://googleapis.com/v1/token")), "token_url"},
		{"Google's own token service", externalAccount(set("token_url", "https://sts.googleapis.com/v1/token")), ""},
		{"an impersonation that is not Google's", externalAccount(set("service_account_impersonation_url", "https://evil.example/v1/x")), "service_account_impersonation_url"},
		{"federation without a service account", externalAccount(set("service_account_impersonation_url", "")), "service_account.email"},
		{"a person's credentials", map[string]any{"type": "authorized_user", "refresh_token": "secret-refresh"}, "person's own"},
		{"an unknown type", map[string]any{"type": "gdch_service_account"}, "do not know"},
		{"no JSON", "text", "not a credentials file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := writeJSON(t, t.TempDir(), tt.doc)
			for _, err := range []error{openWith(t, path, "", nil), openWith(t, "default", path, nil)} {
				switch {
				case tt.want == "" && err != nil:
					t.Errorf("refused: %v", err)
				case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "service_account.")):
					t.Errorf("got %v, want %q", err, tt.want)
				case err != nil && strings.Contains(err.Error(), "secret-refresh"):
					t.Errorf("the error repeats the file: %v", err)
				}
			}
		})
	}
	if err := openWith(t, "/nowhere/key.json", "", nil); err == nil {
		t.Error("a missing file is accepted")
	}
	if err := openWith(t, "default", "", nil); err != nil {
		t.Errorf("the machine's own account: %v", err)
	}
	plain := writeJSON(t, t.TempDir(), externalAccount(set("service_account_impersonation_url", "")))
	if err := openWith(t, plain, "", func(c *google.Config) { c.ServiceAccount.Email = fake.GoogleServiceAccount }); err != nil {
		t.Errorf("a configured address: %v", err)
	}
}
