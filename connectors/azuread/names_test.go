package azuread_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// named has display names instead of IDs.
func named(method string) func(*azuread.Config) {
	return func(c *azuread.Config) { c.GroupNames, c.GraphMethod = true, method }
}

func TestNamesOfGroups(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, person, method string
		count                int
		last                 string
		calls                map[fake.Endpoint]int
	}{
		{"of a token", "ada", "", 2, "up:AllStaff", map[fake.Endpoint]int{fake.GraphByIDs: 1}},
		{"of a token, whatever the method", "ada", "transitiveMemberOf", 2, "up:AllStaff", map[fake.Endpoint]int{fake.GraphByIDs: 1}},
		{"of an overage", "chloe", "", 250, "up:Engineering", map[fake.Endpoint]int{fake.GraphMemberGroups: 1, fake.GraphByIDs: 1}},
		{"of an overage in pages", "chloe", "transitiveMemberOf", 250, "up:Engineering", map[fake.Endpoint]int{fake.GraphGroups: 1}},
		{"of nobody in any group", "eve", "", 0, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, configure(func(c *azuread.Config) {
				c.Tenant, c.AllowedTenants, c.GroupClaims = "organizations", tenants(acme, partner), "graph"
				named(tt.method)(c)
			}))
			b.Vendor.SignInAs(tt.person)
			g := groupsOf(t, b)
			if len(g) != tt.count || tt.count > 0 && g[len(g)-1] != tt.last {
				t.Errorf("got %d groups: %q", len(g), g)
			}
			for _, e := range []fake.Endpoint{fake.GraphByIDs, fake.GraphMemberGroups, fake.GraphGroups} {
				if got := b.Vendor.Calls(e); got != tt.calls[e] {
					t.Errorf("%d requests at %s, want %d", got, e, tt.calls[e])
				}
			}
		})
	}
}

// More than a thousand IDs are asked in several batches.
func TestNamesOfManyGroups(t *testing.T) {
	t.Parallel()
	b := asked(t, "chloe", named(""))
	b.Vendor.Update("chloe", func(p *fake.Person) {
		p.Entra.Groups = nil
		for i := range 2001 {
			p.Entra.Groups = append(p.Entra.Groups, fake.EntraGroup{ID: fmt.Sprintf("33333333-aaaa-4bbb-8ccc-%012x", i), Name: fmt.Sprintf("Group %d", i)})
		}
	})
	if g := groupsOf(t, b); len(g) != 2001 || g[2000] != "up:Group 2000" || b.Vendor.Calls(fake.GraphByIDs) != 3 {
		t.Errorf("got %d groups after %d requests", len(g), b.Vendor.Calls(fake.GraphByIDs))
	}
}

// What anybody who may create a group can choose makes nobody a member of another.
func TestNamesThatLeaveADoubtAreIDs(t *testing.T) {
	t.Parallel()
	const first, second, third = "44444444-aaaa-4bbb-8ccc-000000000001", "44444444-aaaa-4bbb-8ccc-000000000002", "44444444-aaaa-4bbb-8ccc-000000000003"
	for _, tt := range []struct {
		name   string
		groups []fake.EntraGroup
		want   []string
	}{
		{"two of one name", []fake.EntraGroup{{ID: first, Name: "Admins"}, {ID: second, Name: "Admins"}, {ID: third, Name: "Staff"}}, []string{first, second, "Staff"}},
		{"two that differ in case", []fake.EntraGroup{{ID: first, Name: "Admins"}, {ID: second, Name: "ADMINS"}}, []string{first, second}},
		{"the ID of another group", []fake.EntraGroup{{ID: first, Name: engineering}}, []string{first}},
		{"the ID of another group in capitals", []fake.EntraGroup{{ID: first, Name: strings.ToUpper(engineering)}}, []string{first}},
		{"an app role", []fake.EntraGroup{{ID: first, Name: "role:Approver"}}, []string{first}},
		{"an app role in capitals", []fake.EntraGroup{{ID: first, Name: "ROLE:Approver"}}, []string{first}},
		{"a line break", []fake.EntraGroup{{ID: first, Name: "Admins\nStaff"}}, []string{first}},
		{"a space at the end", []fake.EntraGroup{{ID: first, Name: "Admins "}}, []string{first}},
		{"a name of no length", []fake.EntraGroup{{ID: first, Name: ""}, {ID: second, Name: "Staff"}}, []string{first, "Staff"}},
		{"a very long name", []fake.EntraGroup{{ID: first, Name: strings.Repeat("a", 2000)}}, []string{first}},
	} {
		for _, method := range []string{"getMemberGroups", "transitiveMemberOf"} {
			t.Run(tt.name+", "+method, func(t *testing.T) {
				t.Parallel()
				b := asked(t, "ada", func(c *azuread.Config) {
					named(method)(c)
					c.GroupClaims, c.AppRoles = "graph_always", true
				})
				b.Vendor.Update("ada", func(p *fake.Person) { p.Entra.Groups, p.Entra.Roles = tt.groups, nil })
				var want []string
				for _, name := range tt.want {
					want = append(want, "up:"+name)
				}
				if g := groupsOf(t, b); !slices.Equal(g, want) {
					t.Errorf("got %q, want %q", g, want)
				}
			})
		}
	}
}

func TestHiddenNames(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"getMemberGroups", "transitiveMemberOf"} {
		b := asked(t, "chloe", named(method))
		b.Vendor.Misbehave(fake.GraphNamesHidden)
		// getMemberGroups itself needs the permission, which is what hides names.
		e := b.Refused(t, connectors.Operator)
		if !strings.Contains(e.Hint, "GroupMember.Read.All") || !strings.Contains(e.Hint, "Grant admin consent") {
			t.Errorf("%s: got %v", method, e)
		}
	}
	// The names of what a token claims are hidden too.
	b := asked(t, "ada", named(""))
	b.Vendor.Misbehave(fake.GraphNamesHidden)
	if e := b.Refused(t, connectors.Operator); e.Code != "GroupMember.Read.All" {
		t.Errorf("got %v", e)
	}
}

func TestNamesThatGraphLeavesOut(t *testing.T) {
	t.Parallel()
	b := asked(t, "ada", named(""))
	b.Vendor.Misbehave(fake.GraphForgetsNames)
	if e := b.Refused(t, connectors.Operator); !errors.Is(e, connectors.ErrGroupsIncomplete) {
		t.Errorf("got %v", e)
	}
}

func TestATokenThatClaimsNamesIsNotAskedAbout(t *testing.T) {
	t.Parallel()
	b := asked(t, "ada", named(""))
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["groups"] = []string{"Engineering"} })
	if e := b.Refused(t, connectors.Operator); e.Code != "group_names" || b.Vendor.Calls(fake.GraphByIDs) != 0 {
		t.Errorf("got %v", e)
	}
}

func TestNamesAreWarnedOf(t *testing.T) {
	t.Parallel()
	if b := asked(t, "ada", named("")); !strings.Contains(b.Log.String(), "not unique") {
		t.Errorf("the log says %q", b.Log)
	}
	if b := asked(t, "ada", func(*azuread.Config) {}); b.Log.String() != "" {
		t.Errorf("the log says %q", b.Log)
	}
}

// What is no group is not taken for one, though it is called like one.
func TestRolesAmongTheGroupsOfGraph(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"getMemberGroups", "transitiveMemberOf"} {
		b := asked(t, "ada", func(c *azuread.Config) {
			named(method)(c)
			c.GroupClaims = "graph_always"
		})
		b.Vendor.Misbehave(fake.GraphMixedTypes)
		if g := groupsOf(t, b); !slices.Equal(g, []string{"up:Engineering", "up:AllStaff"}) {
			t.Errorf("%s: got %q", method, g)
		}
	}
}

func TestSecurityGroupsOnly(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"getMemberGroups", "transitiveMemberOf"} {
		for only, want := range map[bool]int{false: 2, true: 1} {
			b := asked(t, "ada", func(c *azuread.Config) {
				c.GroupClaims, c.GraphMethod, c.SecurityGroupsOnly = "graph_always", method, only
			})
			b.Vendor.Update("ada", func(p *fake.Person) { p.Entra.Groups[1].Unsecured = true })
			if g := groupsOf(t, b); len(g) != want || g[0] != "up:"+engineering {
				t.Errorf("%s, security groups only %v: got %q", method, only, g)
			}
			if method == "transitiveMemberOf" && only {
				// Without the permission Graph does not tell which groups are.
				b.Vendor.Misbehave(fake.GraphNamesHidden)
				b.Refused(t, connectors.Operator)
			}
		}
	}
}

func TestAppRoles(t *testing.T) {
	t.Parallel()
	with := func(mode string) func(*connectortest.Setup) {
		return configure(func(c *azuread.Config) { c.AppRoles, c.GroupClaims = true, mode })
	}
	approver := "up:role:Approver"
	for mode, count := range map[string]int{"token": 3, "graph": 3, "graph_always": 3, "none": 1} {
		b := subject().Open(t, with(mode))
		_, up, err := b.SignIn(t)
		if err != nil {
			t.Fatal(err)
		}
		if g := groupsOf(t, b); len(g) != count || g[count-1] != approver {
			t.Errorf("%s: got %q", mode, g)
		}
		if !strings.Contains(up.Report.GroupSource, "app roles from the claim roles") {
			t.Errorf("%s: the groups come from %q", mode, up.Report.GroupSource)
		}
	}
	if g := groupsOf(t, subject().Open(t, nil)); slices.Contains(g, approver) {
		t.Errorf("without app_roles got %q", g)
	}
	b := subject().Open(t, with("token"))
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["groups"] = []string{"Role:Approver"}; delete(c, "roles") })
	if e := b.Refused(t, connectors.Operator); e.Code != "group_name" {
		t.Errorf("a group called like a role: got %v", e)
	}
	b = subject().Open(t, with("token"))
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["roles"] = 5 })
	b.Refused(t, connectors.Broken)
	b = subject().Open(t, with("token"))
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { delete(c, "roles") })
	if g := groupsOf(t, b); len(g) != 2 {
		t.Errorf("without roles got %q", g)
	}
}
