package oauth

// GrantType is a value of grant_type (RFC 6749 §4) and of the client metadatum grant_types (RFC 7591 §2).
type GrantType string

// The grant types this server knows. The password grant is missing on purpose: RFC 9700 §2.4 forbids it.
const (
	GrantTypeAuthorizationCode GrantType = "authorization_code"                              // RFC 6749 §4.1
	GrantTypeImplicit          GrantType = "implicit"                                        // registration only; never sent to /token
	GrantTypeRefreshToken      GrantType = "refresh_token"                                   // RFC 6749 §6
	GrantTypeClientCredentials GrantType = "client_credentials"                              // RFC 6749 §4.4
	GrantTypeDeviceCode        GrantType = "urn:ietf:params:oauth:grant-type:device_code"    // RFC 8628 §3.4
	GrantTypeTokenExchange     GrantType = "urn:ietf:params:oauth:grant-type:token-exchange" // RFC 8693 §2.1
	GrantTypeJWTBearer         GrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"     // RFC 7523 §2.1
)
