// Package metadata is what clients say of themselves, in the configuration and when
// they register: the metadata of RFC 7591 §2, OpenID Connect Registration §2 and the
// specifications that add to them. It is the only place that judges them, so that a
// registered client cannot have what a configured one could not.
//
// Secrets, and what an operator grants (connectors, allow, lifetimes, token
// exchange), are not metadata of a client.
package metadata

import (
	"encoding/json"

	"gatehouse/broker/oauth"
)

// Client is the metadata of one client. Members are named as in JSON; nil and the
// zero value mean that a member is absent.
type Client struct {
	RedirectURIs      []string        `json:"redirect_uris,omitzero"`
	AuthMethod        string          `json:"token_endpoint_auth_method,omitempty"`
	AssertionAlg      string          `json:"token_endpoint_auth_signing_alg,omitempty"`
	GrantTypes        []string        `json:"grant_types,omitzero"`
	ResponseTypes     []string        `json:"response_types,omitzero"`
	ResponseModes     []string        `json:"response_modes,omitzero"`
	ClientName        string          `json:"client_name,omitempty"`
	ClientURI         string          `json:"client_uri,omitempty"`
	LogoURI           string          `json:"logo_uri,omitempty"`
	PolicyURI         string          `json:"policy_uri,omitempty"`
	TermsURI          string          `json:"tos_uri,omitempty"`
	Scope             *string         `json:"scope,omitempty"`
	Contacts          []string        `json:"contacts,omitzero"`
	JWKS              json.RawMessage `json:"jwks,omitempty"`
	JWKSURI           string          `json:"jwks_uri,omitempty"`
	SoftwareID        string          `json:"software_id,omitempty"`
	SoftwareVersion   string          `json:"software_version,omitempty"`
	ApplicationType   string          `json:"application_type,omitempty"`
	SubjectType       string          `json:"subject_type,omitempty"`
	SectorURI         string          `json:"sector_identifier_uri,omitempty"`
	IDTokenAlg        string          `json:"id_token_signed_response_alg,omitempty"`
	IDTokenKeyAlg     string          `json:"id_token_encrypted_response_alg,omitempty"`
	IDTokenEnc        string          `json:"id_token_encrypted_response_enc,omitempty"`
	UserInfoAlg       string          `json:"userinfo_signed_response_alg,omitempty"`
	UserInfoKeyAlg    string          `json:"userinfo_encrypted_response_alg,omitempty"`
	UserInfoEnc       string          `json:"userinfo_encrypted_response_enc,omitempty"`
	IntrospectionAlg  string          `json:"introspection_signed_response_alg,omitempty"`
	IntrospectKeyAlg  string          `json:"introspection_encrypted_response_alg,omitempty"`
	IntrospectionEnc  string          `json:"introspection_encrypted_response_enc,omitempty"`
	RequestObjectAlg  string          `json:"request_object_signing_alg,omitempty"`
	RequestURIs       []string        `json:"request_uris,omitzero"`
	DefaultMaxAge     *int            `json:"default_max_age,omitempty"`
	RequireAuthTime   *bool           `json:"require_auth_time,omitempty"`
	DefaultACRValues  []string        `json:"default_acr_values,omitzero"`
	InitiateLoginURI  string          `json:"initiate_login_uri,omitempty"`
	PostLogout        []string        `json:"post_logout_redirect_uris,omitzero"`
	WebOrigins        []string        `json:"web_origins,omitzero"`
	AccessTokenAlg    string          `json:"access_token_signed_response_alg,omitempty"`
	AccessTokenFormat string          `json:"access_token_format,omitempty"`
}

// Problem is one thing wrong with metadata: which member, as "redirect_uris" or
// "redirect_uris[1]", and what to do.
type Problem struct{ Member, Message string }

// Rules are what metadata are held against.
type Rules struct {
	// Scopes are those that the client may name.
	Scopes oauth.Scopes
	// KeysApart says that the client has a jwks which is kept in another place than its
	// metadata, and looked at there.
	KeysApart bool
}
