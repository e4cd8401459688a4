package google_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/google"
)

// What an API's refusal means is told from its codes, and the log says the fix.
func TestRefusals(t *testing.T) {
	t.Parallel()
	nested := func(c *google.Config) { c.NestedGroups = true }
	person := func(t *testing.T) connectortest.Subject { return fromCloudIdentity(t, nested) }
	account := func(t *testing.T) connectortest.Subject { return fromDirectory(t, nil) }
	keyless := func(t *testing.T) connectortest.Subject {
		return configured(t, func(c *google.Config, base, dir string) {
			c.GroupsFrom, c.ServiceAccount = "directory", workload(base, writeJSON(t, dir, fake.GoogleExternalAccount(base, fake.GoogleURLSource(base))))
			c.ServiceAccount.AdminEmail = "admin@example.com"
		})
	}
	for _, tt := range []struct {
		name    string
		subject func(*testing.T) connectortest.Subject
		m       fake.Misbehaviour
		kind    connectors.Kind
		code    string
		hints   []string
	}{
		{"an edition without nested groups", person, fake.GooglePremiumOnly, connectors.Operator, "4013", []string{"Enterprise", "nested_groups"}},
		{"a person without a licence", person, fake.GoogleUnlicensed, connectors.Operator, "3005", []string{"Enterprise", "groups_from: directory"}},
		{"the person did not tick the scope", person, fake.GoogleScopeUnchecked, connectors.Operator, "", []string{"lacks the scope", "cloud-identity.groups.readonly"}},
		{"Cloud Identity is not enabled", person, fake.GoogleAPIDisabled, connectors.Operator, "SERVICE_DISABLED", []string{"Cloud Identity API", "enable it"}},
		{"the person's token is not accepted", person, fake.GoogleTokenRefused, connectors.Operator, "", []string{"access token"}},
		{"a rate limit", person, fake.GoogleRateLimit, connectors.Transient, "", nil},
		{"a person's quota", account, fake.GoogleUserQuota, connectors.Transient, "userRateLimitExceeded", []string{"quota"}},
		{"a quota of concurrent requests", account, fake.GoogleOtherQuota, connectors.Transient, "quotaExceeded", []string{"quota"}},
		{"a rate limit of the directory", account, fake.GoogleRateLimit, connectors.Transient, "", nil},
		{"admin_email is no administrator", account, fake.GoogleNotAdmin, connectors.Operator, "forbidden", []string{"admin_email", "Groups > Read"}},
		{"the directory is not enabled", account, fake.GoogleAPIDisabled, connectors.Operator, "accessNotConfigured", []string{"Admin SDK API", "enable it"}},
		{
			"no delegation", account, fake.GoogleNoDelegation, connectors.Operator, "unauthorized_client",
			[]string{"API controls", "Domain Wide Delegation", "Client ID " + fake.GoogleServiceAccountID, "auth/admin.directory.group.readonly"},
		},
		{"no delegation of a keyless account", keyless, fake.GoogleNoDelegation, connectors.Operator, "unauthorized_client", []string{fake.GoogleServiceAccount}},
		{"the workload may not sign", keyless, fake.GoogleNoTokenCreator, connectors.Operator, "IAM_PERMISSION_DENIED", []string{"roles/iam.serviceAccountTokenCreator", fake.GoogleServiceAccount}},
		{"the credentials API is not enabled", keyless, fake.GoogleAPIDisabled, connectors.Operator, "SERVICE_DISABLED", []string{"IAM Service Account Credentials API"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := tt.subject(t).Open(t, nil)
			b.Vendor.Misbehave(tt.m)
			err := b.Refused(t, tt.kind)
			if err.Code != tt.code && tt.code != "" {
				t.Errorf("got code %q, want %q", err.Code, tt.code)
			}
			for _, want := range tt.hints {
				if !strings.Contains(err.Hint, want) {
					t.Errorf("the hint %q does not say %q", err.Hint, want)
				}
			}
			if tt.m == fake.GoogleRateLimit && err.RetryAfter != 7*time.Second {
				t.Errorf("Google wants to be left alone for 7 s, got %v", err.RetryAfter)
			}
			b.Vendor.Behave()
			b.Vendor.EndSessions()
			b.MustSignIn(t)
		})
	}
}

// "Could not read" is not "none", unless that is what was configured.
func TestOnGroupFailure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		m    fake.Misbehaviour
		set  func(*connectors.GroupFailures, connectors.GroupFailure)
	}{
		{"unavailable", fake.GoogleRateLimit, func(f *connectors.GroupFailures, v connectors.GroupFailure) { f.Unavailable = v }},
		{"denied", fake.GooglePremiumOnly, func(f *connectors.GroupFailures, v connectors.GroupFailure) { f.Denied = v }},
		{"incomplete", fake.GoogleEndlessPages, func(f *connectors.GroupFailures, v connectors.GroupFailure) { f.Incomplete = v }},
	} {
		for _, mode := range []connectors.GroupFailure{connectors.KeepLast, connectors.NoGroups} {
			t.Run(tt.name+": "+string(mode), func(t *testing.T) {
				t.Parallel()
				b := fromCloudIdentity(t, func(c *google.Config) {
					c.NestedGroups = true
					tt.set(&c.OnGroupFailure, mode)
				}).Open(t, nil)
				b.Vendor.Misbehave(tt.m)
				id := b.MustSignIn(t)
				if len(id.Profile.Groups) != 0 || id.KeepGroups != (mode == connectors.KeepLast) {
					t.Errorf("got groups %q, keep %v", id.Profile.Groups, id.KeepGroups)
				}
				// What is wrong about the answer itself is never excused.
				b.Vendor.Behave()
				b.Vendor.Misbehave(fake.GoogleSamePage)
				b.Refused(t, connectors.Broken)
			})
		}
	}
}

// Every answer has to be a list of groups of which each is one.
func TestAnswersThatAreNoGroups(t *testing.T) {
	t.Parallel()
	set := func(e fake.Endpoint, name string, value any) func(*fake.Provider) {
		return func(v *fake.Provider) { v.Edit(e, func(doc map[string]any) { doc[name] = value }) }
	}
	row := func(e fake.Endpoint, list, name string, value any) func(*fake.Provider) {
		return func(v *fake.Provider) {
			v.Edit(e, func(doc map[string]any) { doc[list].([]any)[0].(map[string]any)[name] = value })
		}
	}
	directory, membership := fromDirectory(t, nil), fromCloudIdentity(t, nil)
	for _, tt := range []struct {
		name    string
		subject connectortest.Subject
		spoil   func(*fake.Provider)
	}{
		{"a list of something else", directory, set(fake.GoogleDirectoryGroups, "kind", "admin#directory#users")},
		{"a list that does not say what it is", directory, set(fake.GoogleDirectoryGroups, "kind", nil)},
		{"groups that are text", directory, set(fake.GoogleDirectoryGroups, "groups", "engineering")},
		{"a member in another case", directory, set(fake.GoogleDirectoryGroups, "Groups", []any{})},
		{"a group without a number", directory, row(fake.GoogleDirectoryGroups, "groups", "id", "")},
		{"a group whose address is none", directory, row(fake.GoogleDirectoryGroups, "groups", "email", "engineering")},
		{"a group whose address is two", directory, row(fake.GoogleDirectoryGroups, "groups", "email", "a@example.com@example.com")},
		{"a group whose number is not text", directory, row(fake.GoogleDirectoryGroups, "groups", "id", "a\nb")},
		{"memberships that are text", membership, set(fake.GoogleMemberships, "memberships", "engineering")},
		{"a membership in something else", membership, row(fake.GoogleMemberships, "memberships", "group", "customers/01")},
		{"a membership without a key", membership, row(fake.GoogleMemberships, "memberships", "groupKey", map[string]any{})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := tt.subject.Open(t, nil)
			tt.spoil(b.Vendor)
			b.Refused(t, connectors.Broken)
			b.Vendor.Behave()
			b.MustSignIn(t)
		})
	}
}

// Nobody is in no group by mistake: an empty list is left out by Google, in both
// APIs.
func TestAnEmptyListIsAnAnswer(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		b := s.subject(t).Open(t, nil)
		b.Vendor.Update("ada", func(p *fake.Person) { p.Google.Groups = nil })
		if id := b.MustSignIn(t); len(id.Profile.Groups) != 0 || id.KeepGroups {
			t.Errorf("%s: got %q", s.name, id.Profile.Groups)
		}
	}
}

// The scope for groups is asked for where the person's token reads them, and
// nowhere else.
func TestTheScopeForGroups(t *testing.T) {
	t.Parallel()
	const scope = "https://www.googleapis.com/auth/cloud-identity.groups.readonly"
	for _, s := range append(sources(t), source{name: "none", configure: func(*google.Config, string, string) {}}) {
		for _, own := range [][]string{nil, {"openid", "email"}} {
			b := s.subject(t).Open(t, func(setup *connectortest.Setup) { setup.Common.Scopes = own })
			asked := strings.Fields(b.Asked(t, connectortest.NewLogin()).Get("scope"))
			if want := strings.HasSuffix(s.name, "by the person"); slices.Contains(asked, scope) != want {
				t.Errorf("%s, scopes %q: asked for %q", s.name, own, asked)
			}
		}
	}
}
