package configs

import (
	"strings"

	"gatehouse/connectors"
)

// references are the files and secrets that a connector names beside ca_file and client_secret.
func references(one connectors.Config) []connectors.Reference {
	if r, ok := one.(connectors.Referrer); ok {
		return r.References()
	}
	return nil
}

// referredFile is a file that a connector names: where it is named, and its absolute path.
type referredFile struct {
	key, path string
	private   bool
}

// referredFiles lists them, as far as their paths are known.
func (c *Config) referredFiles(f *faults) []referredFile {
	var out []referredFile
	for i, one := range c.Connectors {
		if one == nil {
			continue
		}
		for _, r := range references(one) {
			if r.File == "" {
				continue
			}
			key, path := join(element("connectors", i), r.Key), r.File
			if strings.HasPrefix(path, envPrefix) { // a path from the environment
				value, err := c.Resolve(path)
				if err != nil {
					f.add(key, "%v", err)
					continue
				}
				path = value
			}
			out = append(out, referredFile{key, c.Path(path), r.Private})
		}
	}
	return out
}

// checkReferences looks whether the files that connectors name can be read. What is in them is for the connector to
// judge when it is opened.
func (c *Config) checkReferences(f *faults) {
	for _, file := range c.referredFiles(f) {
		if _, err := readFile(file.path, 0); err != nil {
			f.add(file.key, "the file %s cannot be read: %v", file.path, reason(err))
		}
	}
}

// warnOfOpenFiles tells of private keys and the like that everybody on the machine may read.
func (c *Config) warnOfOpenFiles(w *faults) {
	for _, file := range c.referredFiles(new(faults)) {
		if file.private && openToOthers(file.path) {
			w.add(file.key, "the file can be read by everybody on this machine: chmod 600 %s", file.path)
		}
	}
}
