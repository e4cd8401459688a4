package fake

// Misbehaviour is one way in which a fake can be told to be wrong. The text is
// fit for the name of a test. Fault and At make further ones per endpoint.
type Misbehaviour string

// What may be wrong with an ID token: its claims.
const (
	WrongNonce             Misbehaviour = "id token: nonce of another flow"
	MissingNonce           Misbehaviour = "id token: no nonce"
	WrongIssuer            Misbehaviour = "id token: another issuer"
	IssuerTrailingSlash    Misbehaviour = "id token: issuer with a trailing slash"
	WrongAudience          Misbehaviour = "id token: audience is another client"
	EmptyAudience          Misbehaviour = "id token: audience is an empty array"
	BlankAudience          Misbehaviour = "id token: audience is an empty string"
	AudiencesWithoutAZP    Misbehaviour = "id token: two audiences, no azp"
	AudiencesForeignAZP    Misbehaviour = "id token: two audiences, azp is the other"
	AudiencesOwnAZP        Misbehaviour = "id token: two audiences, azp is ours" // legal in itself: OIDC Core §3.1.3.7
	ForeignAZP             Misbehaviour = "id token: azp is another client"
	ExpiredToken           Misbehaviour = "id token: expired an hour ago"
	MissingExpiry          Misbehaviour = "id token: no exp"
	FutureIssuedAt         Misbehaviour = "id token: issued a day from now"
	MissingIssuedAt        Misbehaviour = "id token: no iat"
	FutureNotBefore        Misbehaviour = "id token: not valid before tomorrow"
	EmptySubject           Misbehaviour = "id token: sub is empty"
	MissingSubject         Misbehaviour = "id token: no sub"
	LongSubject            Misbehaviour = "id token: sub of 300 bytes"
	NumericSubject         Misbehaviour = "id token: sub is a number"
	WrongAccessTokenHash   Misbehaviour = "id token: at_hash of another access token"
	DuplicateMembers       Misbehaviour = "id token: duplicate members"
	CaseShadowedClaims     Misbehaviour = "id token: claims shadowed in another case"
	ReservedClaims         Misbehaviour = "id token: claims reserved for the broker"
	StaleAuthTime          Misbehaviour = "id token: auth_time a day ago"
	MissingAuthTime        Misbehaviour = "id token: no auth_time"
	WeakerACR              Misbehaviour = "id token: acr weaker than asked for"
	ReplayedIDToken        Misbehaviour = "id token: the one issued before"
	EmailVerifiedFalseText Misbehaviour = `email_verified: "false"`
	EmailVerifiedTrueText  Misbehaviour = `email_verified: "true"`
	EmailVerifiedTrueSpace Misbehaviour = `email_verified: "true "`
	EmailVerifiedZero      Misbehaviour = "email_verified: 0"
	EmailVerifiedOne       Misbehaviour = "email_verified: 1"
	EmailVerifiedNull      Misbehaviour = "email_verified: null"
	EmailVerifiedArray     Misbehaviour = "email_verified: []"
	EmailVerifiedObject    Misbehaviour = "email_verified: {}"
	EmailVerifiedMissing   Misbehaviour = "email_verified: absent"
)

// What may be wrong with an ID token: its envelope and signature.
const (
	AlgNone              Misbehaviour = "signature: alg none"
	HMACWithPublicKey    Misbehaviour = "signature: HS256 keyed with the public key"
	HMACWithClientSecret Misbehaviour = "signature: HS256 keyed with the client secret"
	ForeignKey           Misbehaviour = "signature: a foreign key under our kid"
	ForeignKeyNoKid      Misbehaviour = "signature: a foreign key, no kid"
	UnknownKid           Misbehaviour = "signature: a kid that is never published"
	EmbeddedKey          Misbehaviour = "signature: a foreign key brought along in the header"
	EmptySignature       Misbehaviour = "signature: empty"
	AlteredPayload       Misbehaviour = "signature: payload altered after signing"
	CriticalHeader       Misbehaviour = "header: unknown crit extension"
	AccessTokenType      Misbehaviour = "header: typ at+jwt"
	NonCanonicalBase64   Misbehaviour = "encoding: spare bits set in the last character"
	PaddedBase64         Misbehaviour = "encoding: padding"
	NewlineInToken       Misbehaviour = "encoding: newline inside"
)

// What may be wrong with the userinfo answer.
const (
	UserinfoWrongSubject   Misbehaviour = "userinfo: sub of somebody else"
	UserinfoMissingSubject Misbehaviour = "userinfo: no sub"
	UserinfoNumericSubject Misbehaviour = "userinfo: sub is a number"
	UserinfoEmailVerified  Misbehaviour = "userinfo: says email_verified true against the ID token"
	UserinfoAnotherEmail   Misbehaviour = "userinfo: another e-mail, verified"
	UserinfoReservedClaims Misbehaviour = "userinfo: reserved claims and another issuer"
	UserinfoDuplicates     Misbehaviour = "userinfo: duplicate members"
	UserinfoCaseShadowed   Misbehaviour = "userinfo: members shadowed in another case"
)

// What may be wrong with discovery and keys. Endpoints that move name the host of
// Options.Elsewhere.
const (
	DiscoveryWrongIssuer   Misbehaviour = "discovery: another issuer"
	DiscoveryIssuerSlash   Misbehaviour = "discovery: issuer with a trailing slash"
	DiscoveryNoIssuer      Misbehaviour = "discovery: no issuer"
	DiscoveryInsecureKeys  Misbehaviour = "discovery: jwks_uri over plain http"
	DiscoveryInsecureToken Misbehaviour = "discovery: token_endpoint over plain http"
	DiscoveryMovedKeys     Misbehaviour = "discovery: jwks_uri on another host"
	DiscoveryMovedToken    Misbehaviour = "discovery: token_endpoint on another host"
	DiscoveryMovedAll      Misbehaviour = "discovery: every endpoint on another host"
	DiscoveryDuplicates    Misbehaviour = "discovery: duplicate members"
	KeysDuplicateKid       Misbehaviour = "keys: a foreign key first under the same kid"
	KeysPrivateMembers     Misbehaviour = "keys: private members published"
	KeysEmpty              Misbehaviour = "keys: none"
	KeysSymmetric          Misbehaviour = "keys: a symmetric key under our kid"
	KeysForEncryption      Misbehaviour = "keys: use is enc"
)

// What may be wrong at the authorization and token endpoints beside the ID token.
const (
	ResponseWrongIssuer   Misbehaviour = "callback: iss of another issuer"
	ResponseMissingIssuer Misbehaviour = "callback: no iss although promised"
	ResponseTwoIssuers    Misbehaviour = "callback: iss twice"
	ResponseWrongState    Misbehaviour = "callback: state of another flow"
	ResponseMissingState  Misbehaviour = "callback: no state"
	ResponseHostileError  Misbehaviour = "callback: an error with hostile text"
	ResponseErrorAndCode  Misbehaviour = "callback: error and code together"

	CodeAlreadyRedeemed  Misbehaviour = "token: code was redeemed before"
	TokenWithoutIDToken  Misbehaviour = "token: no id_token"
	TokenWithoutAccess   Misbehaviour = "token: no access_token"
	TokenWrongType       Misbehaviour = "token: token_type is not Bearer"
	TokenDuplicates      Misbehaviour = "token: duplicate members"
	TokenReducedScope    Misbehaviour = "token: less scope than asked for"
	RefreshGivesSomebody Misbehaviour = "token: refresh answers for somebody else"
	// The next ones concern the refresh_token grant of every vendor. Faults of the
	// pseudo endpoint Refresh do too.
	RefreshWithoutIDToken Misbehaviour = "token: refresh without id_token"
	RefreshWithoutAccess  Misbehaviour = "token: refresh without access_token"
	RefreshRefused        Misbehaviour = "token: the refresh token was revoked"
)

// UnacceptableIDTokens are the misbehaviours that make an ID token of the code
// flow one that every client must refuse, whatever the vendor: OIDC Core §3.1.3.7
// and RFC 8725, and for spelling and duplicates RFC 7515 §5.2 and RFC 7519 §4.
func UnacceptableIDTokens() []Misbehaviour {
	return []Misbehaviour{
		WrongNonce, MissingNonce, WrongIssuer, IssuerTrailingSlash, WrongAudience, EmptyAudience, BlankAudience,
		AudiencesWithoutAZP, AudiencesForeignAZP, ForeignAZP, ExpiredToken, MissingExpiry, FutureIssuedAt, MissingIssuedAt,
		FutureNotBefore, EmptySubject, MissingSubject, LongSubject, NumericSubject, DuplicateMembers, ReplayedIDToken,
		AlgNone, HMACWithPublicKey, HMACWithClientSecret, ForeignKey, ForeignKeyNoKid, UnknownKid, EmbeddedKey,
		EmptySignature, AlteredPayload, CriticalHeader, NonCanonicalBase64, PaddedBase64, NewlineInToken,
	}
}

// EmailVerifiedOddities are the values of email_verified that are not the JSON
// true and must not count as verified.
func EmailVerifiedOddities() []Misbehaviour {
	return []Misbehaviour{
		EmailVerifiedFalseText, EmailVerifiedTrueText, EmailVerifiedTrueSpace, EmailVerifiedZero, EmailVerifiedOne,
		EmailVerifiedNull, EmailVerifiedArray, EmailVerifiedObject, EmailVerifiedMissing,
	}
}
