package configs

// Form returns what is wrong with the form of a file: syntax, unknown keys, types; not what its values mean. The
// configuration is what could be read.
func Form(path string, types Types) (*Config, []Problem) {
	c, d := decode(path, types, func(string) (string, bool) { return "", false })
	return c, d.problems
}

// Defaults is what an empty file means.
func Defaults() Config { return defaults() }
