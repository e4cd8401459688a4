package configs

import (
	"slices"
	"strings"

	"gatehouse/broker/metadata"
	"gatehouse/connectors"
)

// Signing chooses the algorithms of our own tokens, where a client does not choose its own.
type Signing struct {
	IDToken     string `yaml:"id_token"`
	AccessToken string `yaml:"access_token"`
}

// Validate checks the names, exactly as JOSE spells them.
func (s Signing) Validate() []connectors.Problem {
	var f faults
	validateAlgorithm(&f, "id_token", s.IDToken)
	validateAlgorithm(&f, "access_token", s.AccessToken)
	return f
}

func validateAlgorithm(f *faults, path, alg string) {
	// RS256 is what every client can verify (OpenID Connect Core §15.1).
	if known := metadata.SigningAlgorithms(); !slices.Contains(known, alg) {
		f.add(path, "must be one of %s", strings.Join(known, ", "))
	}
}

// SigningAlgorithms are those that some token is signed with, each once, the general ones first: there has to be a key
// for each.
func (c *Config) SigningAlgorithms() []string {
	var out []string
	add := func(alg string) {
		if alg != "" && !slices.Contains(out, alg) {
			out = append(out, alg)
		}
	}
	add(c.Signing.IDToken)
	add(c.Signing.AccessToken)
	for _, client := range c.Clients {
		add(client.IDTokenAlg)
		add(client.UserInfoAlg)
		add(client.IntrospectionAlg)
		add(client.AccessTokenAlg)
	}
	if c.Registration.Enabled() {
		// Whoever registers chooses among all of them; RS256 is what they mean by saying nothing (OpenID Connect
		// Registration §2).
		for _, alg := range metadata.SigningAlgorithms() {
			add(alg)
		}
	}
	return out
}
