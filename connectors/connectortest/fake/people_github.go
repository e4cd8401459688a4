package fake

import "fmt"

// The organisations of GitHubPeople. The last is protected by SAML.
func githubAcme() GitHubOrganization    { return GitHubOrganization{ID: 5001, Login: "acme"} }
func githubWidgets() GitHubOrganization { return GitHubOrganization{ID: 5002, Login: "Widgets-Inc"} }
func githubVault() GitHubOrganization {
	return GitHubOrganization{ID: 5004, Login: "acme-vault", SAML: true}
}

// GitHubPeople is the cast of the emulated GitHub.
func GitHubPeople() []Person {
	acme, widgets := githubAcme(), githubWidgets()
	platform := GitHubTeam{ID: 7001, Name: "Platform", Slug: "platform", Organization: acme}
	reliability := GitHubTeam{ID: 7002, Name: "Site Reliability", Slug: "site-reliability", Organization: acme, Parent: &platform}
	active := []GitHubMembership{{Organization: acme}}
	people := []Person{
		{
			ID: "ada", Name: "Ada Winter", Email: "ada@example.com", EmailVerified: true, Note: "member of acme, team Site Reliability",
			GitHub: GitHubPerson{ID: 10424242, Login: "ada-winter", Organizations: active, Teams: []GitHubTeam{reliability}, Emails: []GitHubEmail{
				{Email: "ada@example.com", Primary: true, Verified: true}, {Email: "ada@old.example", Verified: true},
				{Email: "10424242+ada-winter@users.noreply.github.com", Verified: true},
			}},
		},
		{
			ID: "ben", Name: "Ben Harrow", Email: "ben@example.com", EmailVerified: true, Note: "pending member of acme (invited only)",
			GitHub: GitHubPerson{ID: 10424243, Login: "ben-harrow", Organizations: []GitHubMembership{{Organization: acme, Pending: true}},
				Emails: []GitHubEmail{{Email: "ben@example.com", Primary: true, Verified: true}}},
		},
		{
			ID: "chloe", Name: "Chloë Ångström", Email: "chloe@example.com", Note: "member of acme, e-mail not verified",
			GitHub: GitHubPerson{ID: 10424244, Login: "chloe-a", PublicEmail: "chloe@example.com", Organizations: active, Emails: []GitHubEmail{
				{Email: "chloe@example.com", Primary: true}, {Email: "chloe@old.example", Verified: true},
			}},
		},
		{
			ID: "dana", Email: "", Note: "no organisation, noreply address only",
			GitHub: GitHubPerson{ID: 10424245, Login: "dana-outside", Emails: []GitHubEmail{
				{Email: "10424245+dana-outside@users.noreply.github.com", Primary: true, Verified: true},
			}},
		},
		{
			ID: "eve", Name: "Eve Forster", Email: "eve@example.com", EmailVerified: true, Note: "130 organisations and teams",
			GitHub: GitHubPerson{ID: 10424246, Login: "eve-forster", Emails: []GitHubEmail{{Email: "eve@example.com", Primary: true, Verified: true}}},
		},
		{
			ID: "finn", Name: "Finn Acme", Email: "finn@acme.example", EmailVerified: true, Note: "organisation behind SAML sign-on",
			GitHub: GitHubPerson{ID: 20424242, Login: "finn_acme", Organizations: []GitHubMembership{{Organization: githubVault()}},
				Emails: []GitHubEmail{{Email: "finn@acme.example", Primary: true, Verified: true}}},
		},
	}
	eve := &people[4].GitHub
	for i := range 128 {
		org := GitHubOrganization{ID: int64(6000 + i), Login: fmt.Sprintf("club-%03d", i)}
		eve.Organizations = append(eve.Organizations, GitHubMembership{Organization: org})
		eve.Teams = append(eve.Teams, GitHubTeam{ID: int64(8000 + i), Name: "Members", Slug: "members", Organization: org})
	}
	// The ones that matter come last, with one slug in two organisations.
	eve.Organizations = append(eve.Organizations, GitHubMembership{Organization: widgets}, GitHubMembership{Organization: acme, Admin: true})
	eve.Teams = append(eve.Teams,
		GitHubTeam{ID: 7100, Name: "Admins", Slug: "admins", Organization: widgets},
		GitHubTeam{ID: 7200, Name: "Admins", Slug: "admins", Organization: acme})
	return people
}
