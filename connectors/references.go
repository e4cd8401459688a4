package connectors

// Referrer is implemented by configurations that name files or secrets beside
// ca_file and client_secret, so that they can be looked at before anybody signs in.
type Referrer interface {
	References() []Reference
}

// Reference is a file or a secret that a configuration names. Either File or Secret
// is set.
type Reference struct {
	// Key is relative to the section, such as "client_key".
	Key string
	// File is the path of a file, as Environment.Path takes it, or env:NAME for a path
	// from the environment. Private: its content is for the broker alone.
	File    string
	Private bool
	// Secret is a secret, as Environment.Resolve takes it.
	Secret string
}

// NamedFiles are the references to those files that are named at all.
func NamedFiles(all ...Reference) []Reference {
	var out []Reference
	for _, one := range all {
		if one.File != "" {
			out = append(out, one)
		}
	}
	return out
}

// Scoper is implemented by connectors that can say what they ask for without asking
// the upstream what there is.
type Scoper interface {
	// Scopes are those of every sign-in. More may be asked for where the upstream's
	// metadata offers it.
	Scopes() []string
}
