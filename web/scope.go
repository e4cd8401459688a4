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
