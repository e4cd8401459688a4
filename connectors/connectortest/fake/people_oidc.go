package fake

// OIDCPeople is the cast of the generic provider.
func OIDCPeople() []Person {
	return []Person{
		{
			ID: "ada", Name: "Ada Winter", GivenName: "Ada", FamilyName: "Winter", Email: "ada@corp.example", EmailVerified: true,
			Note: "in the groups staff and admins",
			OIDC: OIDCPerson{Subject: "3f6c1d52-ada", PreferredUsername: "ada", Groups: []string{"staff", "admins"}, AMR: []string{"pwd", "otp"}},
		},
		{
			ID: "ben", Name: "Ben Harrow", GivenName: "Ben", FamilyName: "Harrow", Email: "ben@corp.example",
			Note: "e-mail not verified",
			OIDC: OIDCPerson{Subject: "9b1e07aa-ben", PreferredUsername: "ben", Groups: []string{"staff"}},
		},
		{
			ID: "chloe", Name: "Chloë Ångström", GivenName: "Chloë", FamilyName: "Ångström",
			Note: "no e-mail address",
			OIDC: OIDCPerson{Subject: "chloe|42:1/7", PreferredUsername: "chloë", Groups: []string{"staff", "Büro – Zürich"}},
		},
		{
			ID: "dana", Name: "Dana Outside", GivenName: "Dana", FamilyName: "Outside", Email: "dana@partner.example", EmailVerified: true,
			Note: "in no group",
			OIDC: OIDCPerson{Subject: "00000000-dana", PreferredUsername: "dana"},
		},
		{
			ID: "eve", Name: "Eve Forster", GivenName: "Eve", FamilyName: "Forster", Email: "ada@corp.example", EmailVerified: true,
			Note: "same e-mail address as Ada, another account",
			OIDC: OIDCPerson{Subject: "b7d9f3c4-eve", PreferredUsername: "ada.", Groups: []string{"broker-admins"}},
		},
	}
}
