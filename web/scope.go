package web

// ScopeSentence says in plain words what a client may do with a scope, so that
// it completes "… will be able to:". Scopes that are not the broker's own are
// quoted, cleaned and cut.
func ScopeSentence(scope string) string {
	switch scope {
	case "openid":
		return "Recognise you when you come back"
	case "profile":
		return "See your name and profile, such as your user name and picture"
	case "email":
		return "See your e-mail address"
	case "address":
		return "See your postal address"
	case "phone":
		return "See your telephone number"
	case "groups":
		return "See which groups and teams you belong to"
	case "offline_access":
		return "Keep this access while you are away, until it is withdrawn"
	}
	return "Use “" + clean(scope, maxName) + "”, a permission the application defines"
}

// ClaimSentence says in plain words what a client learns with a claim that it asks
// for by itself (OpenID Connect Core §5.5), in the same list as scopes. A claim that
// is not the broker's own is quoted, cleaned and cut.
func ClaimSentence(claim string) string {
	switch claim {
	case "name":
		return "See your full name"
	case "given_name":
		return "See your first name"
	case "family_name":
		return "See your family name"
	case "preferred_username":
		return "See your user name"
	case "picture":
		return "See your picture"
	case "locale":
		return "See which language you prefer"
	case "email":
		return ScopeSentence("email")
	case "email_verified":
		return "See whether your e-mail address has been confirmed"
	case "groups":
		return ScopeSentence("groups")
	}
	return "See “" + clean(claim, maxName) + "” of your account"
}
