package main

// oidcAdvice is for any OpenID provider, whose console nobody knows.
func oidcAdvice() advice {
	return advice{
		title:    "OpenID Connect",
		register: "where this client is registered at the provider: its redirect URIs, also called callback or reply URLs",
		hurry:    "codes are good for a minute or so",
		pages: []shownPage{
			{"something about redirect_uri", "Register {redirect_uri} for this client, to the byte."},
			{"something about the client, or client_id", "The provider knows no client {client_id}: compare client_id, and issuer, with the registration (realm, tenant, environment)."},
			{"something about a scope", "The provider does not know or allow one of scopes to this client."},
		},
		mistakes: []mistake{
			{hint: "keeps this person's groups elsewhere", what: "The groups are at another place, which is never asked",
				fix: "Have the provider put the groups into the ID token or the userinfo answer (claim groups_claim), or fewer of them."},
			{hint: "is not a list of group names", what: "The claim groups_claim holds something else than names",
				fix: "Point groups_claim at a claim that is a list of strings: have the provider map group names, not objects."},
		},
	}
}
