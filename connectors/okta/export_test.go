package okta

// ReadGroups reads a page of the API's list.
func ReadGroups(body []byte) ([]string, error) { return (&directory{}).read(body) }

// Code reads the code out of a refusal.
func Code(body []byte) string { return code(body) }

// IsUserID reports whether the API may be asked about a sub.
func IsUserID(sub string) bool { return isUserID(sub) }
