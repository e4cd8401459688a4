package google_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/google"
)

// configured is the connector with a configuration that needs the fake's address.
func configured(t testing.TB, configure func(c *google.Config, base, dir string)) connectortest.Subject {
	return source{configure: configure}.subject(t)
}

// fromDirectory reads groups with a key file as admin@example.com.
func fromDirectory(t testing.TB, change func(*google.Config)) connectortest.Subject {
	return configured(t, func(c *google.Config, base, dir string) {
		c.GroupsFrom = "directory"
		c.ServiceAccount = &google.ServiceAccount{Credentials: writeKey(t, dir, base, false), AdminEmail: "admin@example.com"}
		if change != nil {
			change(c)
		}
	})
}

func fromCloudIdentity(t testing.TB, change func(*google.Config)) connectortest.Subject {
	return configured(t, func(c *google.Config, _, _ string) {
		c.GroupsFrom = "cloud_identity"
		if change != nil {
			change(c)
		}
	})
}

func named(groups ...string) []string {
	for i := range groups {
		groups[i] = "up:" + groups[i]
	}
	return groups
}

// A consumer account may have any address: looked up by it, it would get the
// groups of the colleague who has that address in the Workspace.
func TestUP17AConsumerAccountIsLookedUpNowhere(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := s.subject(t).Open(t, nil)
			for _, person := range []string{"ben", "chloe"} {
				b.Vendor.SignInAs(person)
				b.Vendor.Update(person, func(p *fake.Person) { p.Email = "ada@example.com" })
				id, up, err := b.SignIn(t)
				if err != nil || len(id.Profile.Groups) != 0 || id.KeepGroups {
					t.Errorf("%s got groups %q (%v)", person, id.Profile.Groups, err)
				}
				if !strings.Contains(up.Report.GroupSource, "no Workspace") {
					t.Errorf("the report says %q", up.Report.GroupSource)
				}
			}
			for _, e := range []fake.Endpoint{fake.GoogleMemberships, fake.GoogleDirectoryGroups} {
				if n := b.Vendor.Calls(e); n != 0 {
					t.Errorf("%d questions at %s", n, e)
				}
			}
		})
	}
}

// A re-created mailbox has a new subject, and only that is asked about.
func TestUP18TheDirectoryIsAskedByTheSignedSubject(t *testing.T) {
	t.Parallel()
	b := fromDirectory(t, nil).Open(t, nil)
	b.MustSignIn(t)
	keys := userKeys(b)
	if want := []string{"108234567890123456789"}; !slices.Equal(keys, want) {
		t.Errorf("asked about %q, want %q", keys, want)
	}
	b.Vendor.Add(fake.Person{ID: "new", Name: "New Ada", Email: "ada@example.com", EmailVerified: true,
		Google: fake.GooglePerson{Subject: "199999999999999999999", HostedDomain: "example.com"}})
	b.Vendor.SignInAs("new")
	if id := b.MustSignIn(t); len(id.Profile.Groups) != 0 {
		t.Errorf("the new holder of the address has the groups %q", id.Profile.Groups)
	}
}

func userKeys(b *connectortest.Bench) []string {
	var out []string
	for _, r := range b.Vendor.Requests() {
		if key := r.Query.Get("userKey"); key != "" {
			out = append(out, key)
		}
	}
	return out
}

func TestGroupsAreNamedByAddressOrNumber(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for key, want := range map[string]string{"": s.groups[0], "email": s.groups[0], "id": "01fixturegrp"} {
			t.Run(s.name+", "+key, func(t *testing.T) {
				t.Parallel()
				b := s.subject(t).Open(t, func(setup *connectortest.Setup) {
					setup.Configure = func(c connectors.Config) { c.(*google.Config).GroupKey = key }
				})
				id, up, err := b.SignIn(t)
				if err != nil || len(id.Profile.Groups) != len(s.groups) || id.Profile.Groups[0] != "up:"+want {
					t.Errorf("got %q (%v)", id.Profile.Groups, err)
				}
				if up.Report.GroupSource == "" || !connectors.IsText(up.Report.GroupSource) {
					t.Errorf("the report says %q", up.Report.GroupSource)
				}
			})
		}
	}
}

func TestGroupsInPages(t *testing.T) {
	t.Parallel()
	var all []fake.GoogleGroup
	var addresses []string
	for i := range 7 {
		address := fmt.Sprintf("team-%d@example.com", i)
		all = append(all, fake.GoogleGroup{ID: fmt.Sprintf("id%d", i), Email: address, Name: "team"})
		addresses = append(addresses, address)
	}
	for _, s := range sources(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := s.subject(t).Open(t, func(setup *connectortest.Setup) {
				setup.Vendor.Google = fake.GoogleOptions{Groups: all, Page: 3}
			})
			b.Vendor.Update("ada", func(p *fake.Person) { p.Google.Groups = addresses })
			if got, want := b.MustSignIn(t).Profile.Groups, named(slices.Clone(addresses)...); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			b.Vendor.Misbehave(fake.GoogleEndlessPages)
			if err := b.Refused(t, connectors.Operator); !errors.Is(err, connectors.ErrGroupsIncomplete) {
				t.Errorf("a list without end: %v", err)
			}
			b.Vendor.Behave()
			b.Vendor.Misbehave(fake.GoogleSamePage)
			b.Refused(t, connectors.Broken)
		})
	}
}

// Nobody's address may end the literal it stands in.
func TestAnAddressIsNoQuery(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"x' && member_key_id == 'ada@example.com", `x\' && member_key_id == 'ada@example.com`, `x\`, "o'brien@example.com", "ada@example.com'", `x"@example.com`,
	} {
		b := fromCloudIdentity(t, nil).Open(t, nil)
		// The fake lets people ask about themselves alone, and so about the whole text.
		b.Vendor.Update("eve", func(p *fake.Person) {
			p.Email, p.EmailVerified, p.Google.Groups = address, true, []string{"sre@example.com"}
		})
		b.Vendor.SignInAs("eve")
		if got := b.MustSignIn(t).Profile.Groups; !slices.Equal(got, named("sre@example.com")) {
			t.Errorf("%s: got %q", address, got)
		}
	}
	b := fromCloudIdentity(t, nil).Open(t, nil)
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["email"] = "ada\n@example.com" })
	b.Refused(t, connectors.Broken)
}

// Cloud Identity knows members by their address alone, so it has to be theirs.
func TestUP02AnAddressThatNobodyVouchesForIsNotLookedUp(t *testing.T) {
	t.Parallel()
	b := fromCloudIdentity(t, nil).Open(t, nil)
	b.Vendor.SignInAs("eve")
	if err := b.Refused(t, connectors.NotAllowed); err.Code != "email_unverified" {
		t.Errorf("got %v", err)
	}
	if n := b.Vendor.Calls(fake.GoogleMemberships); n != 0 {
		t.Errorf("%d questions were asked", n)
	}
}

// The scopes of a token are told by other names than they were asked by.
func TestTheReportNamesTheScopeThatWasNotGranted(t *testing.T) {
	t.Parallel()
	b := fromCloudIdentity(t, func(c *google.Config) { c.OnGroupFailure.Denied = connectors.NoGroups }).Open(t, nil)
	if _, up, err := b.SignIn(t); err != nil || strings.Contains(strings.Join(up.Report.Notes, " "), "scope") {
		t.Errorf("got %q (%v)", up.Report.Notes, err)
	}
	b.Vendor.Misbehave(fake.GoogleScopeUnchecked)
	b.Vendor.EndSessions()
	_, up, err := b.SignIn(t)
	if notes := strings.Join(up.Report.Notes, " "); err != nil || !strings.Contains(notes, "cloud-identity.groups.readonly is missing") {
		t.Errorf("got %q (%v)", notes, err)
	}
}

func TestGroupsOfAnotherDirectoryAreNotGooglesOwn(t *testing.T) {
	t.Parallel()
	b := fromCloudIdentity(t, func(c *google.Config) { c.NestedGroups = true }).Open(t, func(setup *connectortest.Setup) {
		setup.Vendor.Google.Groups = append(fake.GoogleGroups(),
			fake.GoogleGroup{ID: "66mapped", Email: "all-staff@example.com", Namespace: "identitysources/1234", Name: "mapped"},
			fake.GoogleGroup{ID: "67mapped", Email: "not an address", Namespace: "identitysources/1234", Name: "mapped"})
	})
	b.Vendor.Update("ada", func(p *fake.Person) { p.Google.Groups = []string{"sre@example.com", "not an address"} })
	if got := b.MustSignIn(t).Profile.Groups; !slices.Equal(got, named("sre@example.com")) {
		t.Errorf("got %q", got)
	}
}

func TestOneAdministratorForEachDomain(t *testing.T) {
	t.Parallel()
	both := map[string]string{"example.com": "admin@example.com", "partner.example": "admin@partner.example"}
	b := fromDirectory(t, func(c *google.Config) {
		c.ServiceAccount.AdminEmail, c.ServiceAccount.AdminEmails = "", both
	}).Open(t, nil)
	b.Vendor.SignInAs("dana")
	if got := b.MustSignIn(t).Profile.Groups; !slices.Equal(got, named("designers@partner.example")) {
		t.Errorf("got %q", got)
	}
	b.Vendor.SignInAs("ada")
	b.MustSignIn(t)

	// The wrong administrator, and none.
	for _, change := range []func(*google.ServiceAccount){
		func(s *google.ServiceAccount) {},
		func(s *google.ServiceAccount) {
			s.AdminEmail, s.AdminEmails = "", map[string]string{"example.com": "admin@example.com"}
		},
	} {
		b := fromDirectory(t, func(c *google.Config) { change(c.ServiceAccount) }).Open(t, nil)
		b.Vendor.SignInAs("dana")
		if err := b.Refused(t, connectors.Operator); !strings.Contains(err.Hint, "hosted domain") {
			t.Errorf("got %v", err)
		}
	}
}

func TestNestedGroupsOfTheDirectory(t *testing.T) {
	t.Parallel()
	nested := func(c *google.Config) { c.NestedGroups = true }
	circle := []fake.GoogleGroup{
		{ID: "1", Email: "a@example.com", Name: "a", In: []string{"b@example.com", "c@example.com"}},
		{ID: "2", Email: "b@example.com", Name: "b", In: []string{"c@example.com", "a@example.com"}},
		{ID: "3", Email: "c@example.com", Name: "c", In: []string{"a@example.com", "d@example.com"}},
		{ID: "4", Email: "d@example.com", Name: "d"},
	}
	b := fromDirectory(t, nested).Open(t, func(s *connectortest.Setup) { s.Vendor.Google.Groups = circle })
	b.Vendor.Update("ada", func(p *fake.Person) { p.Google.Groups = []string{"a@example.com"} })
	want := named("a@example.com", "b@example.com", "c@example.com", "d@example.com")
	if got := b.MustSignIn(t).Profile.Groups; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// One for the person and one for each group; the next person costs one.
	if n := b.Vendor.Calls(fake.GoogleDirectoryGroups); n != 5 {
		t.Errorf("%d requests, want 5", n)
	}
	b.MustSignIn(t)
	if n := b.Vendor.Calls(fake.GoogleDirectoryGroups); n != 6 {
		t.Errorf("%d requests, want 6", n)
	}
	b.Clock.Advance(6 * time.Minute)
	b.MustSignIn(t)
	if n := b.Vendor.Calls(fake.GoogleDirectoryGroups); n != 11 {
		t.Errorf("%d requests, want 11: a nesting was remembered for too long", n)
	}
}

func TestNestingHasABound(t *testing.T) {
	t.Parallel()
	var many []fake.GoogleGroup
	var mine []string
	for i := range 301 {
		address := fmt.Sprintf("g%d@example.com", i)
		many = append(many, fake.GoogleGroup{ID: fmt.Sprint(i), Email: address, Name: "g"})
		mine = append(mine, address)
	}
	b := fromDirectory(t, func(c *google.Config) { c.NestedGroups = true }).Open(t, func(s *connectortest.Setup) { s.Vendor.Google.Groups = many })
	b.Vendor.Update("ada", func(p *fake.Person) { p.Google.Groups = mine })
	if err := b.Refused(t, connectors.Operator); !errors.Is(err, connectors.ErrGroupsIncomplete) {
		t.Errorf("got %v", err)
	}
	if n := b.Vendor.Calls(fake.GoogleDirectoryGroups); n != 2 { // two pages of the person's own
		t.Errorf("%d requests were sent before giving up", n)
	}
}

// What fails two levels up fails the sign-in, and not as somebody's impatience.
func TestAFailureAmongNestedGroupsIsTheSignIns(t *testing.T) {
	t.Parallel()
	b := fromDirectory(t, func(c *google.Config) { c.NestedGroups = true }).Open(t, nil)
	b.Vendor.Edit(fake.GoogleDirectoryGroups, func(doc map[string]any) {
		if list, _ := doc["groups"].([]any); len(list) == 1 {
			doc["kind"] = "admin#directory#users"
		}
	})
	b.Refused(t, connectors.Broken)
}
