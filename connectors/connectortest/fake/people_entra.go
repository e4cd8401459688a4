package fake

import "fmt"

// EntraPeople is the cast of the emulated Entra ID: the tenant acme.example, a
// guest in it, another tenant, and a personal account.
func EntraPeople() []Person {
	engineering := EntraGroup{ID: "11111111-aaaa-4bbb-8ccc-000000000001", Name: "Engineering"}
	staff := EntraGroup{ID: "11111111-aaaa-4bbb-8ccc-000000000002", Name: "AllStaff"}
	people := []Person{
		{
			ID: "ada", Name: "Ada Winter", GivenName: "Ada", FamilyName: "Winter", Email: "ada@acme.example", EmailVerified: true,
			Note: "member of acme.example, e-mail verified",
			Entra: EntraPerson{TenantID: acmeTenant, ObjectID: "5b6c7d8e-4444-4f0a-8b1c-2d3e4f5a6b7c", Subject: "ada", PreferredUsername: "ada@acme.example",
				DomainOwnerVerified: true, Groups: []EntraGroup{engineering, staff}, Roles: []string{"Approver"}},
		},
		{
			ID: "ben", Name: "Ben Harrow", GivenName: "Ben", FamilyName: "Harrow", Email: "ben@acme.example",
			Note: "member of acme.example, e-mail not proven",
			Entra: EntraPerson{TenantID: acmeTenant, ObjectID: "5b6c7d8e-4444-4f0a-8b1c-2d3e4f5a6b7d", Subject: "ben", PreferredUsername: "ben@acme.example",
				Groups: []EntraGroup{staff}},
		},
		{
			ID: "chloe", Name: "Chloë Ångström", GivenName: "Chloë", FamilyName: "Ångström", Email: "chloe@acme.example", EmailVerified: true,
			Note: "250 groups, more than a token holds",
			Entra: EntraPerson{TenantID: acmeTenant, ObjectID: "5b6c7d8e-4444-4f0a-8b1c-2d3e4f5a6b7e", Subject: "chloe",
				PreferredUsername: "chloe@acme.example", DomainOwnerVerified: true},
		},
		{
			ID: "dana", Name: "Dana Outside", GivenName: "Dana", FamilyName: "Outside", Email: "dana@partner.example",
			Note: "guest from partner.example",
			Entra: EntraPerson{TenantID: acmeTenant, ObjectID: "6c7d8e9f-5555-4a0b-9c2d-3e4f5a6b7c8d", Subject: "dana", PreferredUsername: "dana@partner.example",
				HomeTenantID: partnerTenant, Groups: []EntraGroup{engineering}},
		},
		{
			ID: "eve", Name: "Eve Forster", GivenName: "Eve", FamilyName: "Forster", Email: "ada@acme.example",
			Note: "other tenant, claims Ada's e-mail address",
			Entra: EntraPerson{TenantID: partnerTenant, ObjectID: "7d8e9fa0-6666-4b1c-8d3e-4f5a6b7c8d9e", Subject: "eve",
				PreferredUsername: "eve@partner.example"},
		},
		{
			ID: "finn", Name: "Finn Holm", GivenName: "Finn", FamilyName: "Holm", Email: "finn@outlook.example", EmailVerified: true,
			Note: "personal Microsoft account",
			Entra: EntraPerson{TenantID: personalTenant, ObjectID: "00000000-0000-0000-a1b2-c3d4e5f60718", Subject: "finn",
				PreferredUsername: "finn@outlook.example", DomainOwnerVerified: true},
		},
	}
	for i := range 250 {
		people[2].Entra.Groups = append(people[2].Entra.Groups, EntraGroup{
			ID: fmt.Sprintf("11111111-aaaa-4bbb-8ccc-0000000002%02x", i), Name: fmt.Sprintf("Project %03d", i+1),
		})
	}
	people[2].Entra.Groups = append(people[2].Entra.Groups[:249], engineering) // the one that matters comes last
	return people
}
