package oauth

import "net/http"

// Code is an error code of the IANA "OAuth Extensions Error" registry, as it stands in the error parameter or member.
type Code string

// Codes of RFC 6749 §4.1.2.1 (authorization endpoint) and §5.2 (token endpoint).
const (
	InvalidRequest          Code = "invalid_request"
	UnauthorizedClient      Code = "unauthorized_client"
	AccessDenied            Code = "access_denied"
	UnsupportedResponseType Code = "unsupported_response_type"
	InvalidScope            Code = "invalid_scope"
	ServerError             Code = "server_error"
	TemporarilyUnavailable  Code = "temporarily_unavailable"
	InvalidClient           Code = "invalid_client"
	InvalidGrant            Code = "invalid_grant"
	UnsupportedGrantType    Code = "unsupported_grant_type"
)

// Codes of OpenID Connect Core §3.1.2.6; the request-object ones are registered again by RFC 9101 §10.2, and RFC 9126
// §2.3 uses them at the pushed authorization request endpoint.
const (
	InteractionRequired      Code = "interaction_required"
	LoginRequired            Code = "login_required"
	AccountSelectionRequired Code = "account_selection_required"
	ConsentRequired          Code = "consent_required"
	InvalidRequestURI        Code = "invalid_request_uri"
	InvalidRequestObject     Code = "invalid_request_object"
	RequestNotSupported      Code = "request_not_supported"
	RequestURINotSupported   Code = "request_uri_not_supported"
	RegistrationNotSupported Code = "registration_not_supported"
)

// UnmetAuthenticationRequirements says that the authentication asked for (an essential acr, a max_age) cannot be had
// (OpenID Connect Core Unmet Authentication Requirements 1.0).
const UnmetAuthenticationRequirements Code = "unmet_authentication_requirements"

// Codes a bearer-protected resource answers with (RFC 6750 §3.1).
const (
	InvalidToken      Code = "invalid_token"
	InsufficientScope Code = "insufficient_scope"
)

// Codes of the device grant (RFC 8628 §3.5).
const (
	AuthorizationPending Code = "authorization_pending"
	SlowDown             Code = "slow_down"
	ExpiredToken         Code = "expired_token"
)

// Codes of token exchange and resource indicators (RFC 8693 §2.2.2, RFC 8707 §2) and of revocation (RFC 7009 §2.2.1).
const (
	InvalidTarget        Code = "invalid_target"
	UnsupportedTokenType Code = "unsupported_token_type"
)

// Codes of DPoP (RFC 9449 §5, §8).
const (
	InvalidDPoPProof Code = "invalid_dpop_proof"
	UseDPoPNonce     Code = "use_dpop_nonce"
)

// Codes of dynamic client registration (RFC 7591 §3.2.2).
const (
	InvalidRedirectURI          Code = "invalid_redirect_uri"
	InvalidClientMetadata       Code = "invalid_client_metadata"
	InvalidSoftwareStatement    Code = "invalid_software_statement"
	UnapprovedSoftwareStatement Code = "unapproved_software_statement"
)

// Status is the HTTP status that goes with the code when it is sent in a body. RFC 6749 §5.2 answers everything with
// 400 unless it says otherwise; the exceptions are listed here.
func (c Code) Status() int {
	switch c {
	case InvalidClient, InvalidToken: // RFC 6749 §5.2, RFC 6750 §3.1
		return http.StatusUnauthorized
	case InsufficientScope: // RFC 6750 §3.1
		return http.StatusForbidden
	case ServerError:
		return http.StatusInternalServerError
	case TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}
