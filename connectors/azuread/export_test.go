package azuread

// GraphOf chooses the Graph to ask.
func GraphOf(authority, documented string) (string, error) { return graphOf(authority, documented) }
