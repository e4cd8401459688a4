package connectors

import (
	"log/slog"
	"time"
)

// Problem is something wrong with a configuration: where, and what to do.
type Problem struct {
	// Path is relative to the section, such as "tenant" or "allowed_tenants[0]".
	Path    string
	Message string
}

// Environment is what a connector gets from the process that opens it.
type Environment struct {
	Now func() time.Time
	Log *slog.Logger
	// Resolve turns "env:NAME", "file:PATH" or a literal into the secret; relative
	// paths are relative to the configuration file.
	Resolve func(reference string) (string, error)
	// Path makes a configured path absolute, relative to the configuration file.
	Path func(path string) string
}

// Common are the keys every connector type has. Configs embed it inline.
type Common struct {
	// ID names the connector in paths and identities: [a-z0-9-], unique, never to
	// be changed afterwards.
	ID string `yaml:"id"`
	// Type chooses the adapter.
	Type string `yaml:"type"`
	// Name is shown to people; the type's own name when absent.
	Name         string   `yaml:"name"`
	ClientID     string   `yaml:"client_id"`
	ClientSecret string   `yaml:"client_secret"`
	Scopes       []string `yaml:"scopes"`
	// CAFile is a PEM bundle trusted for this upstream instead of the system's.
	CAFile string `yaml:"ca_file"`
	// Reauthentication is "" (strict) or "best_effort".
	Reauthentication string `yaml:"reauthentication"`
	// TrustedEmailDomains are vouched for by the operator: addresses of a
	// single-tenant upstream in them count as verified.
	TrustedEmailDomains []string `yaml:"trusted_email_domains"`
	// Groups says which upstream groups count, and under which name.
	Groups GroupRules `yaml:"groups"`
}

// GroupRules keep one upstream from asserting another's groups (DESIGN.md §4).
// The default prefixes every group with the connector's ID and a colon.
type GroupRules struct {
	// Prefix replaces "<id>:"; Allow, when set, lets only these upstream groups
	// through, and then an empty prefix is permitted.
	Prefix *string  `yaml:"prefix"`
	Allow  []string `yaml:"allow"`
}

// Config is one connector's section of the configuration.
type Config interface {
	// Base returns the embedded common part.
	Base() *Common
	// Validate returns every problem at once.
	Validate() []Problem
	// Open makes the connector. It does no network I/O; it may read ca_file and
	// secret references.
	Open(env Environment) (Connector, error)
}
