package oauth

// AuthMethod is how a client authenticates at the token endpoint: a value of token_endpoint_auth_method (RFC 7591 §2,
// OpenID Connect Core §9).
type AuthMethod string

// The registered methods. AuthMethodNone is a public client: it names itself and proves nothing.
const (
	AuthMethodClientSecretBasic AuthMethod = "client_secret_basic"
	AuthMethodClientSecretPost  AuthMethod = "client_secret_post"
	AuthMethodClientSecretJWT   AuthMethod = "client_secret_jwt"
	AuthMethodPrivateKeyJWT     AuthMethod = "private_key_jwt"
	AuthMethodNone              AuthMethod = "none"
)

// UsesSecret reports whether the method rests on a secret that client and server share.
func (m AuthMethod) UsesSecret() bool {
	switch m {
	case AuthMethodClientSecretBasic, AuthMethodClientSecretPost, AuthMethodClientSecretJWT:
		return true
	default:
		return false
	}
}

// ClientAssertionType is the only client_assertion_type there is for JWTs (RFC 7523 §2.2).
const ClientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
