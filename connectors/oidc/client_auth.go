package oidc

import (
	"slices"
	"strings"

	"gatehouse/connectors"
)

// The values of ClientAuth.ClientAssertionAudience.
const (
	audienceTokenEndpoint = "token_endpoint"
	audienceIssuer        = "issuer"
)

// ClientAuth are the keys of a configuration with which a client authenticates
// without a shared secret (private_key_jwt, OIDC Core §9). Configs embed it inline.
type ClientAuth struct {
	// ClientKey is a file with our private key in PEM (PKCS #8, PKCS #1 or SEC 1).
	ClientKey string `yaml:"client_key"`
	// ClientCertificate is a file with the key's certificate in PEM, where the upstream
	// knows the key by it: its thumbprint is sent as x5t#S256, and its end reported.
	ClientCertificate string `yaml:"client_certificate"`
	// ClientKeyID is sent as kid, where several keys are registered.
	ClientKeyID string `yaml:"client_key_id"`
	// ClientKeyAlg is RS256, ES256, ES384, ES512 or EdDSA after the key when absent.
	ClientKeyAlg string `yaml:"client_key_alg"`
	// ClientAssertionAudience is token_endpoint (default) or issuer.
	ClientAssertionAudience string `yaml:"client_assertion_audience"`
	// ClientAssertionFile is a file with an assertion that somebody else issues and
	// renews, such as the platform's workload identity. It is read anew each time and
	// sent as it is.
	ClientAssertionFile string `yaml:"client_assertion_file"`
}

// Asserts reports whether an assertion takes the place of the client secret.
func (a *ClientAuth) Asserts() bool { return a.ClientKey != "" || a.ClientAssertionFile != "" }

// AssertionProblems returns what is wrong with the keys themselves. Whether they go
// together with client_secret is for the config to say.
func (a *ClientAuth) AssertionProblems() []connectors.Problem {
	var out []connectors.Problem
	add := func(path, message string) { out = append(out, connectors.Problem{Path: path, Message: message}) }
	for _, one := range []struct{ path, value string }{
		{"client_key", a.ClientKey}, {"client_certificate", a.ClientCertificate}, {"client_assertion_file", a.ClientAssertionFile},
	} {
		if strings.HasPrefix(one.value, "file:") || strings.HasPrefix(one.value, "env:") || strings.HasPrefix(one.value, "-----BEGIN") {
			add(one.path, "must be the path of a file, with nothing before it")
		}
	}
	if a.ClientKey != "" && a.ClientAssertionFile != "" {
		add("client_assertion_file", "must be absent with client_key: only one assertion can be sent")
	}
	if a.ClientKey == "" {
		for _, one := range []struct{ path, value string }{
			{"client_certificate", a.ClientCertificate}, {"client_key_id", a.ClientKeyID},
			{"client_key_alg", a.ClientKeyAlg}, {"client_assertion_audience", a.ClientAssertionAudience},
		} {
			if one.value != "" {
				add(one.path, "belongs to client_key, which is absent")
			}
		}
		return out
	}
	if a.ClientKeyAlg != "" && !slices.Contains(connectors.SigningAlgorithms(), a.ClientKeyAlg) {
		add("client_key_alg", "must be an asymmetric algorithm such as RS256, PS256 or ES256")
	}
	if !slices.Contains([]string{"", audienceTokenEndpoint, audienceIssuer}, a.ClientAssertionAudience) {
		add("client_assertion_audience", "must be token_endpoint or issuer")
	}
	return out
}

// References implements connectors.Referrer.
func (a *ClientAuth) References() []connectors.Reference {
	return connectors.NamedFiles(
		connectors.Reference{Key: "client_key", File: a.ClientKey, Private: true},
		connectors.Reference{Key: "client_certificate", File: a.ClientCertificate},
		connectors.Reference{Key: "client_assertion_file", File: a.ClientAssertionFile, Private: true})
}
