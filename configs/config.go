package configs

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"

	"github.com/goccy/go-yaml/ast"

	"gatehouse/connectors"
)

// Config is a loaded configuration file. Its fields are the file's sections; paths in them have been made absolute.
// It is not changed after [Load].
type Config struct {
	Issuer         string              `yaml:"issuer"`
	Listen         string              `yaml:"listen"`
	TLS            TLS                 `yaml:"tls"`
	TrustedProxies []netip.Prefix      `yaml:"trusted_proxies"`
	Storage        Storage             `yaml:"storage"`
	SecretKey      SecretList          `yaml:"secret_key"`
	Connectors     []connectors.Config `yaml:"connectors"`
	Clients        []Client            `yaml:"clients"`
	Resources      []Resource          `yaml:"resources"`
	// ExternalIssuers are CI systems and clusters whose workloads get tokens.
	ExternalIssuers []ExternalIssuer `yaml:"external_issuers"`
	Lifetimes       Lifetimes        `yaml:"lifetimes"`
	RefreshTokens   RefreshTokens    `yaml:"refresh_tokens"`
	Signing         Signing          `yaml:"signing"`
	Registration    Registration     `yaml:"registration"`
	Limits          Limits           `yaml:"limits"`
	Outbound        Outbound         `yaml:"outbound"`
	Health          Health           `yaml:"health"`
	Admin           Admin            `yaml:"admin"`
	Theme           Theme            `yaml:"theme"`
	Log             Log              `yaml:"log"`

	file     string
	dir      string
	env      func(string) (string, bool)
	warnings []Problem
}

// defaults is what an empty file means. What it leaves out is required.
func defaults() Config {
	return Config{
		Listen:        "127.0.0.1:5556",
		Storage:       Storage{Type: "bolt", Path: "broker.db"},
		Lifetimes:     defaultLifetimes(),
		RefreshTokens: RefreshTokens{RetryWindow: defaultRetryWindow},
		Signing:       Signing{IDToken: "RS256", AccessToken: "ES256"},
		Registration:  defaultRegistration(),
		Limits:        defaultLimits(),
		Health:        Health{Listen: "127.0.0.1:5557"},
		Log:           Log{Level: "info", Format: "text"},
	}
}

// later are keys that the format will have, so that somebody who reads ahead, or copies a client's registration, is not
// sent looking for a typing mistake. Indices are left out of their paths.
func later() map[string]string {
	const section, key = "is not supported by this version: remove the section", "is not supported by this version: remove the key"
	out := map[string]string{
		"mtls":        section,
		"storage.dsn": "is for type postgres, which this build does not have: use {type: bolt, path: broker.db}",
	}
	// RFC 7591 §2, OpenID Connect Registration §2 and what registers beside them.
	for _, name := range []string{
		"backchannel_logout_session_required", "backchannel_logout_uri", "dpop_bound_access_tokens",
		"frontchannel_logout_session_required", "frontchannel_logout_uri",
		"request_object_encryption_alg", "request_object_encryption_enc", "require_pushed_authorization_requests",
	} {
		out["clients."+name] = key
	}
	return out
}

// Load reads and checks the file. Its error is a [*Problems]. Besides the file it reads the environment variables and
// files that the file refers to; it writes nothing and keeps nothing.
func Load(path string, types Types) (*Config, error) { return load(path, types, os.LookupEnv) }

func load(path string, types Types, env func(string) (string, bool)) (*Config, error) {
	c, d := read(path, types, env)
	if c == nil {
		return nil, &Problems{d.problems}
	}
	surroundings, warnings := c.surroundings()
	d.add(surroundings)
	if err := d.err(); err != nil {
		return nil, err
	}
	for _, w := range warnings {
		c.warnings = append(c.warnings, Problem{path, d.line(w.Path), w.Path, w.Message})
	}
	sortProblems(c.warnings)
	return c, nil
}

// Parse is [Load] without a look at what the file refers to, and without warnings. It is for commands that only ask
// where things are: whoever runs them need not hold the broker's secrets.
func Parse(path string, types Types) (*Config, error) {
	c, d := read(path, types, os.LookupEnv)
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// read decodes the file and validates its values. The problems are in the decoder; the configuration is nil when there
// is nothing more to be found.
func read(path string, types Types, env func(string) (string, bool)) (*Config, *decoder) {
	c, d := decode(path, types, env)
	if c != nil {
		d.add(c.Validate())
		c.absolutePaths()
	}
	return c, d
}

// decode reads the file as far as its form goes.
func decode(path string, types Types, env func(string) (string, bool)) (*Config, *decoder) {
	d := &decoder{file: path, types: types, later: later(), lines: map[string]int{}, failed: map[string]bool{}}
	complain := func(format string, args ...any) (*Config, *decoder) {
		d.problems = append(d.problems, Problem{File: path, Message: fmt.Sprintf(format, args...)})
		return nil, d
	}
	source, err := readFile(path, maxFile)
	if err != nil {
		return complain("cannot be read: %v", reason(err))
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return complain("has no absolute path: %v", err)
	}
	var root ast.Node
	if root, d.problems = parse(path, source); len(d.problems) > 0 {
		return nil, d
	}
	c := defaults()
	c.file, c.dir, c.env = path, dir, env
	if root != nil && !empty(root) {
		d.structure(root, reflect.ValueOf(&c).Elem(), "")
	}
	if d.judged("") {
		return nil, d // it is no mapping at all
	}
	return &c, d
}

// Validate returns every problem that can be seen in the values alone, without looking at files or the environment.
func (c *Config) Validate() []connectors.Problem {
	var f faults
	f.under("issuer", validateIssuer(c.Issuer))
	f.under("tls", c.TLS.Validate())
	f.under("trusted_proxies", validateProxies(c.TrustedProxies))
	f.under("storage", c.Storage.Validate())
	f.under("secret_key", c.SecretKey.Validate())
	f.under("connectors", validateConnectors(c.Connectors))
	f.under("clients", validateClients(c.Clients, c.scopes()))
	f.under("resources", validateResources(c.Resources, c.Clients, c.Issuer))
	f.under("external_issuers", c.validateExternalIssuers())
	f = append(f, c.validateExchanges()...)
	f.under("lifetimes", c.Lifetimes.Validate())
	f.under("refresh_tokens", c.RefreshTokens.Validate())
	f.under("signing", c.Signing.Validate())
	f.under("registration", c.validateRegistration())
	f.under("limits", c.Limits.Validate())
	f.under("outbound", c.Outbound.Validate())
	f.under("health", c.Health.Validate())
	f.under("log", c.Log.Validate())
	f = append(f, c.validateListeners()...)
	f = append(f, c.validateReferences()...)
	return append(f, c.validateClientLifetimes()...)
}

// Warnings are what the file may well mean, but a careful operator wants to be told.
func (c *Config) Warnings() []Problem { return c.warnings }

// LogValue is the name of the file: the sections of connectors hold secrets that are plain strings.
func (c *Config) LogValue() slog.Value { return slog.StringValue(c.file) }

// File is the path that was given to [Load].
func (c *Config) File() string { return c.file }

// Path makes a path that is relative to the configuration file absolute.
func (c *Config) Path(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.dir, path)
}

// absolutePaths resolves the paths of the sections. Those of connectors are theirs to resolve, with Path.
func (c *Config) absolutePaths() {
	if c.Admin.Socket == "" {
		if socket := c.Path(besideDatabase(c.Storage.Path, ".sock")); len(socket) <= maxSocketPath {
			c.Admin.Socket = socket
		}
	}
	if c.TLS.ACME != nil && c.TLS.ACME.CacheDir == "" {
		c.TLS.ACME.CacheDir = filepath.Join(filepath.Dir(c.Storage.Path), "acme")
	}
	paths := []*string{&c.Storage.Path, &c.TLS.CertFile, &c.TLS.KeyFile, &c.Admin.Socket, &c.Theme.Dir}
	if c.TLS.ACME != nil {
		paths = append(paths, &c.TLS.ACME.CacheDir)
	}
	for _, p := range paths {
		*p = c.Path(*p)
	}
}

// readFile reads at most limit bytes and one more, so that the caller can tell that there are more.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// reason leaves the operation and the path, which the caller names, out of an error of package os.
func reason(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}
