package configs

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// minSecret is the length below which an operator's own secret is worth a warning, in characters.
const minSecret = 16

// surroundings checks what the file refers to: files, directories and the environment. It returns problems, and
// warnings about what works but should not stay so.
func (c *Config) surroundings() (problems, warnings []connectors.Problem) {
	var f, w faults
	f = append(f, c.checkSecretKeys()...)
	c.checkFiles(&f)
	for _, s := range c.secrets() {
		value, err := c.Resolve(string(s.reference))
		switch {
		case err != nil:
			f.add(s.path, "%v", err)
		case s.client:
			if err := checkClientSecret(value, s.signs); err != nil {
				f.add(s.path, "%v", err)
			} else if !isHashed(value) && len(value) < minSecret {
				w.add(s.path, "has fewer than %d characters: replace it by what broker secret prints", minSecret)
			}
		}
	}
	c.checkInitialAccessTokens(&f)
	if _, err := c.OutboundTLS(); err != nil {
		f.add("outbound.ca_file", "%v", err)
	}
	c.warnOfOpenSecrets(&w)
	c.warnOfChoices(&w)
	return f, w
}

// namedSecret is a secret, where it stands, and whether it is one that a client of ours presents.
type namedSecret struct {
	path      string
	reference Secret
	client    bool
	// signs: the client signs with it instead of sending it.
	signs bool
}

// secrets lists the references of connectors and clients.
func (c *Config) secrets() []namedSecret {
	var out []namedSecret
	for i, one := range c.Connectors {
		if one == nil {
			continue
		}
		path := element("connectors", i)
		for _, reference := range one.Base().ClientSecret {
			out = append(out, namedSecret{path + ".client_secret", Secret(reference), false, false})
		}
		for _, r := range references(one) {
			if r.Secret != "" {
				out = append(out, namedSecret{join(path, r.Key), Secret(r.Secret), false, false})
			}
		}
	}
	for i, client := range c.Clients {
		path, signs := element("clients", i), oauth.AuthMethod(client.AuthMethod) == oauth.AuthMethodClientSecretJWT
		if client.ClientSecret != "" {
			out = append(out, namedSecret{path + ".client_secret", client.ClientSecret, true, signs})
		}
		for j, s := range client.ClientSecrets {
			if s != "" {
				out = append(out, namedSecret{element(path+".client_secrets", j), s, true, signs})
			}
		}
	}
	return out
}

// checkFiles looks for the files and directories that have to be there.
func (c *Config) checkFiles(f *faults) {
	if dir := filepath.Dir(c.Storage.Path); !isDirectory(dir) {
		f.add("storage.path", "is in the directory %s, which does not exist: make it, readable by the broker alone", dir)
	}
	if len(c.Admin.Socket) > maxSocketPath {
		f.add("admin.socket", "is longer than a socket's path can be (%d bytes with the directory): choose a shorter one", maxSocketPath)
	} else if c.Admin.Socket != "" && !isDirectory(filepath.Dir(c.Admin.Socket)) && filepath.Dir(c.Admin.Socket) != filepath.Dir(c.Storage.Path) {
		f.add("admin.socket", "is in a directory that does not exist: make it, writable by the broker alone")
	}
	if c.Theme.Dir != "" && !isDirectory(c.Theme.Dir) {
		f.add("theme.dir", "is not a directory: %s", c.Theme.Dir)
	}
	if c.TLS.CertFile != "" && c.TLS.KeyFile != "" {
		if _, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile); err != nil {
			f.add("tls", "the certificate cannot be used: %v", err)
		}
	}
	for i, one := range c.Connectors {
		if one == nil || one.Base().CAFile == "" {
			continue
		}
		if _, err := connectors.NewFetcher(c.Path(one.Base().CAFile)); err != nil {
			f.add(element("connectors", i)+".ca_file", "%v", err)
		}
	}
	c.checkReferences(f)
	c.checkExternalFiles(f)
	c.checkJWKS(f)
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// warnOfOpenSecrets tells of files with secrets in them that everybody on the machine may read.
func (c *Config) warnOfOpenSecrets(w *faults) {
	all := c.secrets()
	for i, t := range c.Registration.InitialAccessTokens {
		all = append(all, namedSecret{element("registration.initial_access_tokens", i) + ".token", t.Token, false, false})
	}
	for i, reference := range c.SecretKey {
		all = append(all, namedSecret{element("secret_key", i), reference, false, false})
	}
	c.warnOfOpenFiles(w)
	open := openToOthers(c.file)
	for _, s := range all {
		if path, isFile := s.reference.file(); isFile && openToOthers(c.Path(path)) {
			w.add(s.path, "the file can be read by everybody on this machine: chmod 600 %s", c.Path(path))
		}
		if open && s.reference.literal() && !isHashed(string(s.reference)) {
			w.add(s.path, "is written into a file that everybody on this machine can read: use env: or file:, or chmod 600 %s", c.file)
		}
	}
}

// warnOfChoices tells of keys that trade safety for something else.
func (c *Config) warnOfChoices(w *faults) {
	for i, p := range c.Outbound.AllowNetworks {
		w.add(element("outbound.allow_networks", i), "addresses in %s are fetched from when a client names them", p)
	}
	for i, one := range c.Connectors {
		path, base := element("connectors", i), (*connectors.Common)(nil)
		if one != nil {
			base = one.Base()
		}
		if base != nil && len(base.TrustedEmailDomains) > 0 {
			w.add(path+".trusted_email_domains", "every address in %v that this upstream names counts as verified, on your word", base.TrustedEmailDomains)
		}
		if base != nil && base.BestEffort() {
			w.add(path+".reauthentication", "best_effort: applications that ask for a fresh sign-in may get an older one")
		}
	}
	c.warnOfGroups(w)
	c.warnOfConnectors(w)
	c.warnOfRegistration(w)
	if !c.Health.Off() && !isLoopbackAddress(c.Health.Listen) {
		w.add("health.listen", "health and metrics can be read by whoever reaches %s", c.Health.Listen)
	}
	if len(c.Clients) == 0 && !c.Registration.Enabled() {
		w.add("clients", "is empty: no application can send anybody here")
	}
	if c.Admin.Socket == "" {
		w.add("admin.socket", "the path beside the database is too long for a socket, so the other commands will not reach a running broker: set a shorter one")
	}
}

// warnOfGroups tells of rules that nobody can meet, because no connector's groups have such names.
func (c *Config) warnOfGroups(w *faults) {
	if slices.Contains(c.Connectors, nil) {
		return // an entry that could not be read may be the one with the group
	}
	for i, client := range c.Clients {
		if client.Allow == nil {
			continue
		}
		for j, group := range client.Allow.Groups {
			var names []string
			possible := false
			for _, one := range c.Connectors {
				base := one.Base()
				if client.Connectors != nil && !slices.Contains(client.Connectors, base.ID) {
					continue
				}
				prefix, allowed := base.ID+":", base.Groups.Allow
				if base.Groups.Prefix != nil {
					prefix = *base.Groups.Prefix
				}
				rest, ok := strings.CutPrefix(group, prefix)
				possible = possible || ok && (len(allowed) == 0 || slices.Contains(allowed, rest))
				names = append(names, prefix+"…")
			}
			if !possible {
				w.add(element(element("clients", i)+".allow.groups", j), "no connector of this client has such a group: theirs are named %s", strings.Join(names, ", "))
			}
		}
	}
}
