package fake

// GooglePeople is the cast of the emulated Google. Its Workspace domain is
// example.com.
func GooglePeople() []Person {
	return []Person{
		{
			ID: "ada", Name: "Ada Winter", GivenName: "Ada", FamilyName: "Winter", Email: "ada@example.com", EmailVerified: true,
			Note: "in the Workspace domain example.com",
			Google: GooglePerson{
				Subject: "108234567890123456789", HostedDomain: "example.com",
				Groups: []string{"engineering@example.com", "sre@example.com"},
			},
		},
		{
			ID: "ben", Name: "Ben Harrow", GivenName: "Ben", FamilyName: "Harrow", Email: "ben@mail.example", EmailVerified: true,
			Note:   "consumer account, in no Workspace domain",
			Google: GooglePerson{Subject: "113987654321098765432"},
		},
		{
			ID: "chloe", Name: "Chloë Ångström", GivenName: "Chloë", FamilyName: "Ångström", Email: "chloe@example.com", EmailVerified: true,
			Note:   "consumer account with an example.com address",
			Google: GooglePerson{Subject: "117000000000000000001"},
		},
		{
			ID: "dana", Name: "Dana Outside", GivenName: "Dana", FamilyName: "Outside", Email: "dana@partner.example", EmailVerified: true,
			Note:   "outside the hosted domain example.com",
			Google: GooglePerson{Subject: "109999999999999999999", HostedDomain: "partner.example", Groups: []string{"designers@partner.example"}},
		},
		{
			ID: "eve", Name: "Eve Forster", GivenName: "Eve", FamilyName: "Forster", Email: "eve@example.com",
			Note:   "in example.com, e-mail not verified",
			Google: GooglePerson{Subject: "117000000000000000002", HostedDomain: "example.com"},
		},
	}
}

// GoogleGroups are the groups of the emulated Google. The engineers are in the
// staff as a group, so that Ada is in it indirectly.
func GoogleGroups() []GoogleGroup {
	return []GoogleGroup{
		{ID: "01fixturegrp", Email: "engineering@example.com", Name: "engineering", In: []string{"all-staff@example.com"}},
		{ID: "02fixturegrp", Email: "sre@example.com", Name: "sre"},
		{ID: "03fixturegrp", Email: "all-staff@example.com", Name: "all-staff", Security: true},
		{ID: "04fixturegrp", Email: "designers@partner.example", Name: "designers"},
	}
}
