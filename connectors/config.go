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
	Name     string `yaml:"name"`
	ClientID string `yaml:"client_id"`
	// ClientSecret is one secret or several, tried in order: while one is being
	// replaced both are good.
	ClientSecret Secrets  `yaml:"client_secret"`
	Scopes       []string `yaml:"scopes"`
	// ClientSecretExpires is the last day of the first secret, as the upstream's
	// console shows it.
	ClientSecretExpires Date `yaml:"client_secret_expires"`
	// CAFile is a PEM bundle trusted for this upstream instead of the system's.
	CAFile string `yaml:"ca_file"`
	// Reauthentication is "" (strict) or "best_effort".
	Reauthentication string `yaml:"reauthentication"`
	// TrustedEmailDomains are vouched for by the operator: addresses of a
	// single-tenant upstream in them count as verified.
	TrustedEmailDomains []string `yaml:"trusted_email_domains"`
	// Groups says which upstream groups count, and under which name.
	Groups GroupRules `yaml:"groups"`
	// OnGroupFailure says what to do when groups cannot be read.
	OnGroupFailure GroupFailures `yaml:"on_group_failure"`
	// RecheckInterval is how long the upstream's word about a person is good while
	// their applications refresh; zero (the default) never asks again. OutageGrace is
	// how much longer it is good while the upstream does not answer: an hour when
	// absent, and zero refuses at once.
	RecheckInterval time.Duration  `yaml:"recheck_interval"`
	OutageGrace     *time.Duration `yaml:"outage_grace"`
	// Assurance translates between the upstream's words for how somebody
	// authenticated and the levels that clients ask for, strongest first.
	Assurance Assurance `yaml:"assurance"`
	// Domains send people with such an e-mail address here without asking.
	Domains []string `yaml:"domains"`
}

// Recheck is how often an upstream is asked again about somebody.
type Recheck struct {
	Interval    time.Duration
	OutageGrace time.Duration
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
