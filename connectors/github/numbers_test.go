package github_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/github"
)

// acme is the organisation as the cast has it.
func acme() fake.GitHubOrganization { return fake.GitHubOrganization{ID: 5001, Login: "acme"} }

// call renames organisations for everybody: what has the number is called so now.
func call(b *connectortest.Bench, names map[int64]string) {
	for _, someone := range b.Vendor.People() {
		b.Vendor.Update(someone.ID, func(p *fake.Person) {
			for i := range p.GitHub.Organizations {
				if name, ok := names[p.GitHub.Organizations[i].Organization.ID]; ok {
					p.GitHub.Organizations[i].Organization.Login = name
				}
			}
			for i := range p.GitHub.Teams {
				if name, ok := names[p.GitHub.Teams[i].Organization.ID]; ok {
					p.GitHub.Teams[i].Organization.Login = name
				}
			}
		})
	}
}

// takeOver lets a stranger register a name that acme has given up, and invite dana.
func takeOver(b *connectortest.Bench) {
	call(b, map[int64]string{5001: "acme-now"})
	squatted := fake.GitHubOrganization{ID: 9999, Login: "acme"}
	b.Vendor.Update("dana", func(p *fake.Person) {
		p.GitHub.Organizations = []fake.GitHubMembership{{Organization: squatted, Admin: true}}
		p.GitHub.Teams = []fake.GitHubTeam{{ID: 9001, Name: "Platform", Slug: "platform", Organization: squatted}}
	})
}

func TestUP19AnOrganisationsNameIsTakenOver(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rule github.Organization
		// before: a member signs in under the old name first.
		before bool
	}{
		{"the number is configured", github.Organization{Name: "acme", ID: 5001}, false},
		{"the number is configured, and the team's name", github.Organization{Name: "acme", ID: 5001, Teams: []github.Team{{Slug: "platform"}}}, false},
		{"the number was seen first", github.Organization{Name: "acme"}, true},
		{"the number was seen first, and the team's", github.Organization{Name: "acme", Teams: []github.Team{{Slug: "platform"}}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, rules(tt.rule))
			if tt.before {
				b.MustSignIn(t)
			}
			takeOver(b)
			b.Vendor.SignInAs("dana")
			for range 2 {
				if e := b.Refused(t, connectors.Operator); !strings.Contains(e.Hint, "9999") || !strings.Contains(e.Hint, "5001") {
					t.Errorf("got hint %q", e.Hint)
				}
			}
			if n := strings.Count(b.Log.String(), "stands for something else"); n != 1 {
				t.Errorf("the log says so %d times: %s", n, b.Log)
			}
			// The organisation that is meant goes on under whatever name, and its groups do.
			b.Vendor.SignInAs("ada")
			want := []string{"up:acme", "up:acme:site-reliability", "up:acme:platform"}
			if got := b.MustSignIn(t).Profile.Groups; !slices.Equal(got, want) {
				t.Errorf("got groups %q, want %q", got, want)
			}
		})
	}
}

func TestUP19AStrangerOfATakenOverName(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, rules(github.Organization{Name: "acme", ID: 5001}))
	takeOver(b)
	b.Vendor.Update("finn", func(p *fake.Person) { p.GitHub.Organizations = nil })
	b.Vendor.SignInAs("finn") // in neither
	b.Refused(t, connectors.Operator)
}

func TestUP19ATeamsNameIsTakenOver(t *testing.T) {
	t.Parallel()
	squatters := fake.GitHubTeam{ID: 9001, Name: "Platform", Slug: "platform", Organization: acme()}
	moved := fake.GitHubTeam{ID: 7001, Name: "Infra", Slug: "infra", Organization: acme()}
	for _, tt := range []struct {
		name   string
		team   github.Team
		before bool
		kind   connectors.Kind
	}{
		{"the number is configured", github.Team{Slug: "platform", ID: 7001}, false, connectors.NotAllowed},
		{"the number was seen first", github.Team{Slug: "platform"}, true, connectors.Operator},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, rules(github.Organization{Name: "acme", Teams: []github.Team{tt.team}}))
			if tt.before {
				b.MustSignIn(t)
			}
			b.Vendor.Update("ada", func(p *fake.Person) { p.GitHub.Teams = []fake.GitHubTeam{moved} })
			b.Vendor.Update("chloe", func(p *fake.Person) { p.GitHub.Teams = []fake.GitHubTeam{squatters} })
			if got, want := b.MustSignIn(t).Profile.Groups, []string{"up:acme", "up:acme:platform"}; !slices.Equal(got, want) {
				t.Errorf("of the team that was renamed got groups %q, want %q", got, want)
			}
			b.Vendor.SignInAs("chloe")
			b.Refused(t, tt.kind)
			if n := strings.Count(b.Log.String(), "stands for something else"); n != 1 {
				t.Errorf("the log says so %d times: %s", n, b.Log)
			}
		})
	}
}

func TestUP19ATakenOverNameGivesNoGroup(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, rules(
		github.Organization{Name: "acme", ID: 5001, Teams: []github.Team{{Slug: "platform", ID: 7001}, {Slug: "everybody"}}}))
	b.Vendor.Update("ada", func(p *fake.Person) {
		p.GitHub.Teams = []fake.GitHubTeam{
			{ID: 9001, Name: "Platform", Slug: "platform", Organization: acme()}, {ID: 7300, Name: "Everybody", Slug: "everybody", Organization: acme()},
		}
	})
	if got, want := b.MustSignIn(t).Profile.Groups, []string{"up:acme", "up:acme:everybody"}; !slices.Equal(got, want) {
		t.Errorf("got groups %q, want %q", got, want)
	}
}

func TestGroupsMayBeNumbers(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Common.Scopes = []string{"read:user", "user:email", "read:org"}
		s.Configure = func(c connectors.Config) {
			config := c.(*github.Config)
			config.Organizations, config.GroupNames = nil, "ids"
		}
	})
	before := b.MustSignIn(t).Profile.Groups
	if want := []string{"up:5001", "up:5001:7002", "up:5001:7001"}; !slices.Equal(before, want) {
		t.Errorf("got groups %q, want %q", before, want)
	}
	call(b, map[int64]string{5001: "acme-now"})
	if got := b.MustSignIn(t).Profile.Groups; !slices.Equal(got, before) {
		t.Errorf("a rename changed the groups to %q", got)
	}
}

func TestParentsOfParents(t *testing.T) {
	t.Parallel()
	top := fake.GitHubTeam{ID: 7000, Name: "Engineering", Slug: "engineering", Organization: acme()}
	middle := fake.GitHubTeam{ID: 7001, Name: "Platform", Slug: "platform", Organization: acme(), Parent: &top}
	low := fake.GitHubTeam{ID: 7002, Name: "Site Reliability", Slug: "site-reliability", Organization: acme(), Parent: &middle}
	all := []string{"up:acme", "up:acme:site-reliability", "up:acme:platform", "up:acme:engineering"}
	for _, tt := range []struct {
		name   string
		teams  []fake.GitHubTeam
		groups []string
		asked  int
	}{
		{"one at the bottom", []fake.GitHubTeam{low}, all, 2},
		{"the bottom and the middle", []fake.GitHubTeam{low, middle}, all, 1},
		{"all of them", []fake.GitHubTeam{low, middle, top}, all, 0},
		{"the top", []fake.GitHubTeam{top}, []string{"up:acme", "up:acme:engineering"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, rules(github.Organization{Name: "acme", Teams: []github.Team{{Slug: "engineering"}}}))
			b.Vendor.Update("ada", func(p *fake.Person) { p.GitHub.Teams = tt.teams })
			for range 2 { // the second time nobody is asked again
				if got := b.MustSignIn(t).Profile.Groups; !slices.Equal(got, tt.groups) {
					t.Errorf("got groups %q, want %q", got, tt.groups)
				}
				if n := b.Vendor.Calls(fake.GitHubTeamByID); n != tt.asked {
					t.Errorf("%d teams were asked for, want %d", n, tt.asked)
				}
			}
			b.Clock.Advance(6 * time.Minute)
			b.MustSignIn(t)
			if n := b.Vendor.Calls(fake.GitHubTeamByID); n != 2*tt.asked {
				t.Errorf("after six minutes %d teams were asked for, want %d", n, 2*tt.asked)
			}
		})
	}
}

func TestManyAtOnceShareWhatIsRemembered(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, rules(github.Organization{Name: "acme", Teams: []github.Team{{Slug: "platform"}}}))
	var group sync.WaitGroup
	for range 8 { // of one person ten tokens live
		group.Go(func() {
			if id, _, err := b.SignIn(t); err != nil || len(id.Profile.Groups) != 3 {
				t.Errorf("got %q, %v", id.Profile.Groups, err)
			}
		})
	}
	group.Wait()
}
