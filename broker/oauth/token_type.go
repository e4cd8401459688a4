package oauth

// TokenType is the token_type of a token response (RFC 6749 §7.1): how the access token is to be presented.
type TokenType string

// The token types. TokenTypeNotApplicable is what token exchange answers for a token that is not an access token.
const (
	TokenTypeBearer        TokenType = "Bearer" // RFC 6750 §4
	TokenTypeDPoP          TokenType = "DPoP"   // RFC 9449 §5
	TokenTypeNotApplicable TokenType = "N_A"    // RFC 8693 §2.2.1
)

// TokenTypeHint is the token_type_hint of revocation (RFC 7009 §2.1) and introspection (RFC 7662 §2.1). It is a hint:
// a wrong one changes the order of the search and nothing else.
type TokenTypeHint string

// The registered hints.
const (
	TokenTypeHintAccessToken  TokenTypeHint = "access_token"
	TokenTypeHintRefreshToken TokenTypeHint = "refresh_token"
)

// TokenKind is a token type identifier of token exchange (RFC 8693 §3): what a token is, not how it is presented.
type TokenKind string

// The identifiers of RFC 8693 §3.
const (
	TokenKindAccessToken  TokenKind = "urn:ietf:params:oauth:token-type:access_token"
	TokenKindRefreshToken TokenKind = "urn:ietf:params:oauth:token-type:refresh_token"
	TokenKindIDToken      TokenKind = "urn:ietf:params:oauth:token-type:id_token"
	TokenKindJWT          TokenKind = "urn:ietf:params:oauth:token-type:jwt"
)
