package azuread_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/oidc"
)

// Whatever Entra's text is, what leaves is a number out of its beginning.
func FuzzDescription(f *testing.F) {
	for _, seed := range []string{"", "AADSTS50011: x", "AADSTS: x", "AADSTS-1: x", "AADSTS99999999999999999999: x", "AADSTS50011", "x AADSTS50011: y", "AADSTS+5: x", "AADSTS5\n: x"} {
		f.Add(seed, 0)
	}
	f.Add("", 50011)
	f.Fuzz(func(t *testing.T, description string, code int) {
		failure := oidc.Failure{Step: oidc.AtToken, Status: 400, Code: "invalid_grant", Description: description}
		if code != 0 {
			failure.Codes = []int{code}
		}
		e := azuread.Classify(failure)
		if e == nil {
			return
		}
		if !strings.HasPrefix(e.Code, "AADSTS") || connectors.SafeCode(e.Code) != e.Code || e.Hint == "" {
			t.Fatalf("got code %q, hint %q", e.Code, e.Hint)
		}
		if code == 0 && !strings.HasPrefix(description, "AADSTS") {
			t.Fatalf("%q was read as %s", description, e.Code)
		}
	})
}

// A group is called by its ID or by its name, and a name never looks like an ID or
// an app role, or is that of two groups.
func FuzzNames(f *testing.F) {
	f.Add("Staff", "Admins")
	f.Add("Staff", "STAFF")
	f.Add("role:x", "Role:x")
	f.Add("11111111-aaaa-4bbb-8ccc-000000000002", " x")
	f.Add("", "a\nb")
	f.Add("\u212a", "k")
	f.Add("\u017f", "S")
	ids := []string{"11111111-aaaa-4bbb-8ccc-000000000001", "11111111-aaaa-4bbb-8ccc-000000000002"}
	f.Fuzz(func(t *testing.T, first, second string) {
		names := []string{first, second}
		got := azuread.Called(ids, names)
		if len(got) != 2 {
			t.Fatalf("got %q", got)
		}
		for i, name := range got {
			if name == ids[i] {
				continue
			}
			if name != names[i] || name == "" || name == ids[0] || name == ids[1] || strings.EqualFold(first, second) && first != "" ||
				len(name) >= 5 && strings.EqualFold(name[:5], "role:") || !connectors.IsText(name) {
				t.Fatalf("%q, %q are called %q", first, second, got)
			}
		}
	})
}

// A choice leads nowhere but below the authority, to an allowed directory.
func FuzzEndpoint(f *testing.F) {
	const authority = "https://login.example"
	for _, choice := range []string{"", acme, partner, "../x", "@evil.example", "common"} {
		f.Add(authority+"/organizations/oauth2/v2.0/token", choice)
		f.Add("https://login.example.evil/organizations/oauth2/v2.0/token", choice)
		f.Add(authority+"/"+acme+"/oauth2/v2.0/token", choice)
	}
	f.Fuzz(func(t *testing.T, address, choice string) {
		got := azuread.Endpoint(authority, []string{acme}, address, choice)
		if choice == "" {
			if got != address {
				t.Fatalf("without a choice %q became %q", address, got)
			}
			return
		}
		if got != "" && (choice != acme || !strings.HasPrefix(got, authority+"/"+acme+"/")) {
			t.Fatalf("%q at %q became %q", choice, address, got)
		}
	})
}

func TestDirectoriesInAFile(t *testing.T) {
	t.Parallel()
	read := func(list string) ([]azuread.Tenant, error) {
		file := filepath.Join(t.TempDir(), "broker.yaml")
		write(t, file, `issuer: https://sso.example.com
storage: {type: bolt, path: broker.db}
secret_key: file:broker.key
connectors:
  - id: entra
    type: azuread
    client_id: c
    client_secret: s
    allowed_tenants: `+list+`
`)
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), "broker.key"), []byte(strings.Repeat("k", 64)), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := configs.Parse(file, configs.Types{"azuread": func() connectors.Config { return new(azuread.Config) }})
		if err != nil {
			return nil, err
		}
		return c.Connectors[0].(*azuread.Config).AllowedTenants, nil
	}
	for list, want := range map[string][]azuread.Tenant{
		"[" + acme + ", " + partner + "]":                                        tenants(acme, partner),
		"[{id: " + acme + ", name: Acme}, {id: " + partner + ", name: 'P & S'}]": {{ID: acme, Name: "Acme"}, {ID: partner, Name: "P & S"}},
	} {
		got, err := read(list)
		if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%s: got %+v, %v", list, got, err)
		}
	}
	for list, want := range map[string]string{
		"[{id: " + acme + ", nmae: Acme}]": "did you mean name", "[{name: Acme}]": "must be a directory's ID", "['']": "a directory's ID is required",
		"[{id: " + acme + ", name: Acme}, " + partner + "]": "allowed_tenants[1].name: required",
	} {
		if _, err := read(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", list, err, want)
		}
	}
}
