// Package discovery publishes what clients need to know to use the broker:
//
//	GET /.well-known/openid-configuration        OpenID Connect Discovery §4
//	GET /.well-known/oauth-authorization-server  RFC 8414 §3
//	GET /jwks                                    RFC 7517
//
// The metadata says exactly what is enabled and works. Both documents are
// rendered once per configuration and the key set once per change of keys, so
// that answering is a write.
package discovery

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

// Metadata is the document of OpenID Connect Discovery §3 and RFC 8414 §2.
type Metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	DeviceEndpoint        string   `json:"device_authorization_endpoint,omitempty"`
	RegistrationEndpoint  string   `json:"registration_endpoint,omitempty"`
	ScopesSupported       []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	IDTokenAlgs           []string `json:"id_token_signing_alg_values_supported"`
	IDTokenKeyAlgs        []string `json:"id_token_encryption_alg_values_supported,omitempty"`
	IDTokenEncs           []string `json:"id_token_encryption_enc_values_supported,omitempty"`
	UserInfoAlgs          []string `json:"userinfo_signing_alg_values_supported,omitempty"`
	UserInfoKeyAlgs       []string `json:"userinfo_encryption_alg_values_supported,omitempty"`
	UserInfoEncs          []string `json:"userinfo_encryption_enc_values_supported,omitempty"`
	// The three of RFC 9701 §7.
	IntrospectionSigning []string `json:"introspection_signing_alg_values_supported,omitempty"`
	IntrospectionKeyAlgs []string `json:"introspection_encryption_alg_values_supported,omitempty"`
	IntrospectionEncs    []string `json:"introspection_encryption_enc_values_supported,omitempty"`
	TokenAuthMethods     []string `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgs        []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAlgs    []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAlgs       []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	ClaimsSupported      []string `json:"claims_supported"`
	ChallengeMethods     []string `json:"code_challenge_methods_supported"`
	Prompts              []string `json:"prompt_values_supported"`
	ACRValues            []string `json:"acr_values_supported,omitempty"`
	// RequestObjectAlgs: none is not among them.
	RequestObjectAlgs []string `json:"request_object_signing_alg_values_supported,omitempty"`
	ClaimsParameter   bool     `json:"claims_parameter_supported"`
	RequestParameter  bool     `json:"request_parameter_supported"`
	RequestURI        bool     `json:"request_uri_parameter_supported"`
	RegisteredURIs    bool     `json:"require_request_uri_registration"`
	ResponseIssuer    bool     `json:"authorization_response_iss_parameter_supported"`
}

// Enabled is what some client of the configuration has, beside what every one may.
type Enabled struct {
	// Scopes are those of resource servers.
	Scopes oauth.Scopes
	// IDTokenAlgs and UserInfoAlgs sign for some client; the default comes first.
	IDTokenAlgs   []string
	UserInfoAlgs  []string
	ResponseTypes []string
	// Implicit: some client gets tokens from the authorization endpoint.
	Implicit bool
	// WebMessage: some client is answered by message.
	WebMessage bool
	// TokenExchange, JWTBearer and Device: some client may use these grants.
	TokenExchange, JWTBearer, Device bool
	// Registration: clients may register themselves.
	Registration bool
	// Pairwise: some client has, or may register for, pairwise subjects.
	Pairwise bool
	// What is encrypted for some client.
	IDTokenEncryption, UserInfoEncryption, IntrospectionEncryption []broker.Encryption
	// IntrospectionAlgs sign answers of introspection, where somebody asks for them.
	IntrospectionAlgs []string
	// ACRValues are the levels that some connector can prove.
	ACRValues []string
}

// Describe returns the metadata of an issuer.
func Describe(issuer string, e Enabled) Metadata {
	proving := []string{string(oauth.AuthMethodClientSecretBasic), string(oauth.AuthMethodClientSecretPost),
		string(oauth.AuthMethodClientSecretJWT), string(oauth.AuthMethodPrivateKeyJWT)}
	var requests []string
	for _, alg := range jose.Recommended() {
		requests = append(requests, string(alg))
	}
	modes := []string{string(oauth.ResponseModeQuery), string(oauth.ResponseModeFragment), string(oauth.ResponseModeFormPost)}
	if e.WebMessage {
		modes = append(modes, string(oauth.ResponseModeWebMessage))
	}
	signing := clientauth.AssertionAlgorithms()
	grants := []string{string(oauth.GrantTypeAuthorizationCode), string(oauth.GrantTypeRefreshToken), string(oauth.GrantTypeClientCredentials)}
	if e.Implicit {
		grants = append(grants, string(oauth.GrantTypeImplicit))
	}
	if e.TokenExchange {
		grants = append(grants, string(oauth.GrantTypeTokenExchange))
	}
	if e.JWTBearer {
		grants = append(grants, string(oauth.GrantTypeJWTBearer))
	}
	m := Metadata{
		IntrospectionEndpoint: issuer + "/introspect",
		RevocationEndpoint:    issuer + "/revoke",
		TokenAuthAlgs:         signing,
		IntrospectionMethods:  proving, IntrospectionAlgs: signing,
		RevocationMethods: append(slices.Clone(proving), string(oauth.AuthMethodNone)), RevocationAlgs: signing,

		Issuer:                issuer,
		AuthorizationEndpoint: issuer + "/authorize",
		TokenEndpoint:         issuer + "/token",
		UserinfoEndpoint:      issuer + "/userinfo",
		JWKSURI:               issuer + "/jwks",
		EndSessionEndpoint:    issuer + "/logout",
		ScopesSupported:       append(Scopes(), e.Scopes...),
		ResponseTypes:         e.ResponseTypes,
		ResponseModes:         modes,
		GrantTypes:            grants,
		SubjectTypes:          []string{"public"},
		IDTokenAlgs:           e.IDTokenAlgs,
		UserInfoAlgs:          e.UserInfoAlgs,
		IntrospectionSigning:  e.IntrospectionAlgs,
		ACRValues:             e.ACRValues,
		TokenAuthMethods:      append(slices.Clone(proving), string(oauth.AuthMethodNone)),
		ClaimsSupported: []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash",
			"name", "given_name", "family_name", "preferred_username", "picture", "locale", "email", "email_verified", "groups"},
		ChallengeMethods:  []string{oauth.ChallengeMethodS256},
		Prompts:           []string{"none", "login", "consent", "select_account"},
		RequestObjectAlgs: requests,
		ClaimsParameter:   true,
		RequestParameter:  true,
		RequestURI:        true,
		RegisteredURIs:    true,
		ResponseIssuer:    true,
	}
	m.optional(e)
	return m
}

// optional adds what is there only if some client has it.
func (m *Metadata) optional(e Enabled) {
	if e.Device {
		m.DeviceEndpoint = m.Issuer + "/device_authorization"
		m.GrantTypes = append(m.GrantTypes, string(oauth.GrantTypeDeviceCode))
	}
	if e.Registration {
		m.RegistrationEndpoint = m.Issuer + "/register"
	}
	if e.Pairwise {
		m.SubjectTypes = append(m.SubjectTypes, "pairwise")
	}
	if slices.ContainsFunc(m.ResponseTypes, func(t string) bool { return strings.HasPrefix(t, "code id_token") }) {
		m.ClaimsSupported = append(m.ClaimsSupported, "c_hash") // OpenID Connect Core §3.3.2.11
	}
	m.IDTokenKeyAlgs, m.IDTokenEncs = encryptions(e.IDTokenEncryption)
	m.UserInfoKeyAlgs, m.UserInfoEncs = encryptions(e.UserInfoEncryption)
	m.IntrospectionKeyAlgs, m.IntrospectionEncs = encryptions(e.IntrospectionEncryption)
}

// encryptions lists each alg and each enc once.
func encryptions(list []broker.Encryption) (algs, encs []string) {
	for _, one := range list {
		if !slices.Contains(algs, one.Alg) {
			algs = append(algs, one.Alg)
		}
		if !slices.Contains(encs, one.Enc) {
			encs = append(encs, one.Enc)
		}
	}
	slices.Sort(algs)
	slices.Sort(encs)
	return algs, encs
}

// Scopes are those the broker knows.
func Scopes() oauth.Scopes {
	return oauth.Scopes{oauth.OpenID, oauth.Profile, oauth.Email, oauth.Groups, oauth.OfflineAccess}
}

// maxAge is how long clients may keep the metadata: a new endpoint or algorithm
// has to be seen on the day it comes.
const maxAge = time.Hour

// Endpoint serves the documents.
type Endpoint struct {
	body []byte
	path string
	jwks func() ([]byte, time.Duration)
}

// New renders the metadata. jwks answers the published keys and how long they
// may be cached.
func New(m Metadata, jwks func() ([]byte, time.Duration)) (*Endpoint, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(m.Issuer)
	if err != nil {
		return nil, err
	}
	return &Endpoint{body: body, path: strings.TrimSuffix(u.EscapedPath(), "/"), jwks: jwks}, nil
}

// Mount adds the routes below the issuer.
func (e *Endpoint) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/openid-configuration", e.metadata)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", e.metadata)
	mux.HandleFunc("GET /jwks", e.keys)
}

// MountRoot adds the route that is outside of an issuer with a path: RFC 8414
// §3.1 puts the well-known part before it.
func (e *Endpoint) MountRoot(mux *http.ServeMux) {
	if e.path != "" {
		mux.HandleFunc("GET /.well-known/oauth-authorization-server"+e.path, e.metadata)
	}
}

func (e *Endpoint) metadata(w http.ResponseWriter, _ *http.Request) { write(w, e.body, maxAge) }

func (e *Endpoint) keys(w http.ResponseWriter, _ *http.Request) {
	body, age := e.jwks()
	write(w, body, min(age, maxAge))
}

func write(w http.ResponseWriter, body []byte, age time.Duration) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(age/time.Second)))
	// Public documents without credentials: any page may read them (Fetch §3.2).
	h.Set("Access-Control-Allow-Origin", "*")
	// If this fails the client has gone.
	_, _ = w.Write(body)
}
