package fake

import "fmt"

// OktaPeople is the cast of the emulated Okta organisation.
func OktaPeople() []Person {
	people := []Person{
		{
			ID: "ada", Name: "Ada Winter", GivenName: "Ada", FamilyName: "Winter", Email: "ada@acme.example", EmailVerified: true,
			Note: "two factors, in the group Engineering",
			Okta: OktaPerson{Subject: "00u1ada0acme00000d7", Login: "ada@acme.example", Groups: []string{"Everyone", "Engineering", "West Coast Admins"},
				Factors: []string{"pwd", "mfa", "otp"}},
		},
		{
			ID: "ben", Name: "Ben Harrow", GivenName: "Ben", FamilyName: "Harrow", Email: "ben@acme.example", EmailVerified: true,
			Note: "in no group",
			Okta: OktaPerson{Subject: "00u1ben0acme00000d7", Login: "ben@acme.example"},
		},
		{
			ID: "chloe", Name: "Chloë Ångström", GivenName: "Chloë", FamilyName: "Ångström", Email: "chloe@acme.example",
			Note: "e-mail not verified, password only",
			Okta: OktaPerson{Subject: "00u1chloe0acme000d7", Login: "chloe.angstrom", Groups: []string{"Everyone"}, Factors: []string{"pwd"}},
		},
		{
			ID: "dana", Name: "Dana Outside", GivenName: "Dana", FamilyName: "Outside", Email: "dana@acme.example", EmailVerified: true,
			Note: "120 groups, more than a token may hold",
			Okta: OktaPerson{Subject: "00u1dana0acme0000d7", Login: "dana@acme.example"},
		},
		{
			ID: "eve", Name: "Eve Forster", GivenName: "Eve", FamilyName: "Forster", Email: "eve@acme.example", EmailVerified: true,
			Note: "not assigned to the application",
			Okta: OktaPerson{Subject: "00u1eve0acme00000d7", Login: "eve@acme.example", Groups: []string{"Everyone"}, Unassigned: true},
		},
	}
	for i := range 120 {
		people[3].Okta.Groups = append(people[3].Okta.Groups, fmt.Sprintf("Project %03d", i+1))
	}
	return people
}
