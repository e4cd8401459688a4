package oidc

import (
	"slices"

	"gatehouse/connectors"
)

// The values of Config.Userinfo.
const (
	// UserinfoAuto asks the userinfo endpoint when the ID token lacks the name, the
	// e-mail address with its email_verified, or the groups that are wanted.
	UserinfoAuto = "auto"
	// UserinfoAlways asks at every sign-in; UserinfoNever does not.
	UserinfoAlways = "always"
	UserinfoNever  = "never"
)

// The values of Config.TokenEndpointAuthMethod (OIDC Core §9).
const (
	clientSecretBasic = "client_secret_basic"
	clientSecretPost  = "client_secret_post"
	privateKeyJWT     = "private_key_jwt"
	noClientAuth      = "none"
)

// Config is the section of a connector of type oidc.
type Config struct {
	connectors.Common `yaml:",inline"`
	ClientAuth        `yaml:",inline"`
	// Issuer is the provider's issuer, byte for byte as its discovery document and
	// its tokens spell it. http is accepted for loopback addresses only.
	Issuer string `yaml:"issuer"`
	// Userinfo is auto (default), always or never.
	Userinfo string `yaml:"userinfo"`
	// GroupsClaim names the claim that holds the groups; "groups" when absent. It is
	// another spelling of Claims.Groups.
	GroupsClaim string `yaml:"groups_claim"`
	// Claims are the names of the others.
	Claims ClaimNames `yaml:"claims"`
	// EmailVerifiedAsString lets the string "true" count as email_verified.
	EmailVerifiedAsString bool `yaml:"email_verified_as_string"`
	// AuthorizationParams are added to the authorization request, out of a list of
	// harmless ones.
	AuthorizationParams map[string]string `yaml:"authorization_params"`
	// TokenEndpointAuthMethod is client_secret_basic, client_secret_post,
	// private_key_jwt or none. When absent the discovery document decides, and basic is
	// preferred; client_key and client_assertion_file imply private_key_jwt.
	TokenEndpointAuthMethod string `yaml:"token_endpoint_auth_method"`
}

// Base implements connectors.Config.
func (c *Config) Base() *connectors.Common { return &c.Common }

// Validate implements connectors.Config.
func (c *Config) Validate() []connectors.Problem {
	out := c.Problems()
	if c.Issuer == "" {
		out = append(out, connectors.Problem{Path: "issuer", Message: "required: the issuer URL of the provider, exactly as its discovery document spells it"})
	} else if msg := connectors.CheckBaseURL(c.Issuer); msg != "" {
		out = append(out, connectors.Problem{Path: "issuer", Message: msg})
	}
	if !slices.Contains([]string{"", UserinfoAuto, UserinfoAlways, UserinfoNever}, c.Userinfo) {
		out = append(out, connectors.Problem{Path: "userinfo", Message: "must be auto, always or never"})
	}
	if !slices.Contains([]string{"", clientSecretBasic, clientSecretPost, privateKeyJWT, noClientAuth}, c.TokenEndpointAuthMethod) {
		out = append(out, connectors.Problem{Path: "token_endpoint_auth_method", Message: "must be client_secret_basic, client_secret_post, private_key_jwt or none"})
	}
	out = append(out, c.claimProblems()...)
	out = append(out, paramProblems(c.AuthorizationParams)...)
	out = append(out, c.AssertionProblems()...)
	return append(out, c.secretProblems()...)
}

func (c *Config) claimProblems() []connectors.Problem {
	out := c.Claims.problems()
	if c.GroupsClaim == "" {
		return out
	}
	if msg := claimProblem(c.GroupsClaim); msg != "" {
		out = append(out, connectors.Problem{Path: "groups_claim", Message: msg})
	} else if c.Claims.Groups != "" && c.Claims.Groups != c.GroupsClaim {
		out = append(out, connectors.Problem{Path: "groups_claim", Message: "contradicts claims.groups: remove one of them"})
	}
	return out
}

// secretProblems: a secret is needed unless the client is a public one there, or an
// assertion takes its place.
func (c *Config) secretProblems() []connectors.Problem {
	method := c.TokenEndpointAuthMethod
	problem := func(path, message string) []connectors.Problem {
		return []connectors.Problem{{Path: path, Message: message}}
	}
	switch {
	case c.Asserts() && method != "" && method != privateKeyJWT:
		return problem("token_endpoint_auth_method", "must be private_key_jwt or absent with client_key or client_assertion_file")
	case c.Asserts() && len(c.ClientSecret) > 0:
		return problem("client_secret", "must be absent with client_key or client_assertion_file")
	case c.Asserts():
		return nil
	case method == privateKeyJWT:
		return problem("client_key", "required with token_endpoint_auth_method: private_key_jwt, as the path of a private key in PEM")
	case method == noClientAuth && len(c.ClientSecret) > 0:
		return problem("client_secret", "must be absent with token_endpoint_auth_method: none")
	case method != noClientAuth && len(c.ClientSecret) == 0:
		return problem("client_secret", "required, as env:NAME, file:PATH or the secret itself")
	}
	return nil
}

// Open implements connectors.Config.
func (c *Config) Open(env connectors.Environment) (connectors.Connector, error) {
	return Open(*c, Quirks{Type: "oidc", Name: "OpenID Connect", Reauthentication: connectors.ReauthProven, MaxAgeForLogin: true}, env)
}
