package google_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/google"
)

// pool is shared so that the package makes each RSA key once.
var pool = &fake.KeyPool{}

func subject() connectortest.Subject {
	return connectortest.Subject{
		Fake: func(o fake.Options) *fake.Provider { return fake.NewGoogle(o).Provider },
		Config: func(c connectors.Common, base string) connectors.Config {
			return &google.Config{Common: c, Issuer: base, CloudIdentityURL: base, DirectoryURL: base}
		},
		Person: "ada", Other: "ben",
		Key:   func(p fake.Person, base string) (string, string) { return base, p.Google.Subject },
		Calls: map[fake.Endpoint]int{fake.Token: 1},
		OpenID: &connectortest.OpenID{
			EmailVerified: true, AccessTokenHash: true, ResponseIssuer: true, Cooldown: time.Minute, Flood: 50,
		},
		Recheck: &connectortest.Recheck{
			Offline: map[string]string{"access_type": "offline", "prompt": "consent"},
			Calls:   map[fake.Endpoint]int{fake.Refresh: 1, fake.Userinfo: 1},
			Change: func(p *fake.Person) {
				p.Name, p.Email, p.Google.Groups = "Ada Summer", "summer@example.com", []string{"sre@example.com"}
			},
			Somebody: func(v *fake.Provider) { v.Misbehave(fake.RefreshGivesSomebody) },
		},
		Keys: pool,
	}
}

func misbehave(m fake.Misbehaviour) func(*fake.Provider) {
	return func(v *fake.Provider) { v.Misbehave(m) }
}

func TestContract(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, subject())
}

// source is a way to read groups.
type source struct {
	name string
	// configure sets it up; dir is for files.
	configure func(c *google.Config, base, dir string)
	// groups are Ada's, calls the requests of a sign-in when tokens are cached.
	groups []string
	calls  map[fake.Endpoint]int
	// byAddress: members are asked about by an address, so Google has to vouch for it.
	byAddress bool
	// covered: another source does all that this one does; the contract takes a while.
	covered bool
}

func sources(t testing.TB) []source {
	t.Helper()
	direct := []string{"engineering@example.com", "sre@example.com"}
	nested := append(direct[:2:2], "all-staff@example.com")
	keyFile := func(c *google.Config, base, dir string) {
		c.ServiceAccount = &google.ServiceAccount{Credentials: writeKey(t, dir, base, false), AdminEmail: "admin@example.com"}
	}
	membership := map[fake.Endpoint]int{fake.Token: 1, fake.GoogleMemberships: 1}
	return []source{
		{
			name: "Cloud Identity, asked by the person", groups: direct, calls: membership, byAddress: true,
			configure: func(c *google.Config, _, _ string) { c.GroupsFrom = "cloud_identity" },
		},
		{
			name: "Cloud Identity, nested, asked by a service account with a key", groups: nested, calls: membership, byAddress: true,
			configure: func(c *google.Config, base, dir string) {
				c.GroupsFrom, c.NestedGroups = "cloud_identity", true
				keyFile(c, base, dir)
			},
		},
		{
			name: "Directory, asked by a service account with a key", groups: direct, covered: true,
			calls: map[fake.Endpoint]int{fake.Token: 1, fake.GoogleDirectoryGroups: 1},
			configure: func(c *google.Config, base, dir string) {
				c.GroupsFrom = "directory"
				keyFile(c, base, dir)
			},
		},
		{
			// The groups of groups are remembered.
			name: "Directory, nested, asked by a workload without a key", groups: nested,
			calls: map[fake.Endpoint]int{fake.Token: 1, fake.GoogleDirectoryGroups: 1},
			configure: func(c *google.Config, base, dir string) {
				c.GroupsFrom, c.NestedGroups = "directory", true
				c.ServiceAccount = workload(base, writeJSON(t, dir, fake.GoogleExternalAccount(base, fake.GoogleURLSource(base))))
				c.ServiceAccount.AdminEmail = "admin@example.com"
			},
		},
	}
}

// subject is the connector with a source of groups.
func (s source) subject(t testing.TB) connectortest.Subject {
	t.Helper()
	out := subject()
	plain := out.Config
	out.Config = func(common connectors.Common, base string) connectors.Config {
		c := plain(common, base).(*google.Config)
		s.configure(c, base, t.TempDir())
		return c
	}
	out.Groups, out.Calls, out.OpenID.NeedsVerified = s.groups, s.calls, s.byAddress
	out.GroupTrouble = map[connectortest.Cause]connectortest.Trouble{
		connectortest.Incomplete: {Vendor: misbehave(fake.GoogleEndlessPages)},
	}
	for e := range s.calls {
		if e == fake.Token {
			continue
		}
		out.Recheck.Calls[e] = 1
		out.GroupTrouble[connectortest.Unavailable] = connectortest.Trouble{Vendor: misbehave(fake.At(e, fake.ServerError))}
		out.GroupTrouble[connectortest.Denied] = connectortest.Trouble{Vendor: misbehave(fake.At(e, fake.Forbidden))}
		out.GroupNonsense = misbehave(fake.At(e, fake.HTMLBody))
	}
	return out
}

func TestContractWithGroups(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.covered {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, s.subject(t))
		})
	}
}

// workload is a service account that gets its tokens at the fake.
func workload(base, credentials string) *google.ServiceAccount {
	return &google.ServiceAccount{Credentials: credentials, TokenURL: base + "/token", STSURL: base, IAMURL: base, MetadataURL: base}
}

func writeKey(t testing.TB, dir, base string, unknown bool) string {
	t.Helper()
	content, err := fake.GoogleKeyFile(pool, base, unknown)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, dir, content)
}

func writeJSON(t testing.TB, dir string, doc any) string {
	t.Helper()
	content, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, dir, content)
}

func writeFile(t testing.TB, dir string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, "credentials.json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
