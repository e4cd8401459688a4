package fake

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The one service account of the emulated Google, after "Using OAuth 2.0 for
// Server to Server Applications".
const (
	GoogleServiceAccount = "gatehouse@fixture-project.iam.gserviceaccount.com"
	// GoogleServiceAccountID is its unique ID, which domain-wide delegation names.
	GoogleServiceAccountID = "112233445566778899000"

	googleJWTBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	googleKeyID     = "0123456789abcdef0123456789abcdef01234567"
)

// GoogleKeyFile is the service account's key file, as the console hands it out, for
// a fake at base. One that was made of an unknown key is a key that was deleted.
func GoogleKeyFile(pool *KeyPool, base string, unknown bool) ([]byte, error) {
	place := secondKey
	if unknown {
		place = foreignKey
	}
	key, err := pool.key("RS256", place)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return marshal(map[string]any{
		"type": "service_account", "project_id": "fixture-project", "private_key_id": googleKeyID,
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": GoogleServiceAccount, "client_id": GoogleServiceAccountID,
		"auth_uri": base + "/o/oauth2/auth", "token_uri": base + "/token", "universe_domain": "googleapis.com",
	})
}

// serviceTokens are the access tokens of the service account and of whom it acts for.
type serviceTokens struct {
	mu     sync.Mutex
	issued map[string]serviceToken
}

type serviceToken struct {
	googleCaller
	expires time.Time
}

func (s *serviceTokens) find(value string, now time.Time) (googleCaller, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.issued[value]
	return t.googleCaller, ok && now.Before(t.expires)
}

func (s *serviceTokens) issue(c googleCaller, expires time.Time) string {
	value := random("ya29.c.c0", 48)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.issued == nil || len(s.issued) >= maxEntries {
		s.issued = map[string]serviceToken{}
	}
	s.issued[value] = serviceToken{c, expires}
	return value
}

// RevokeServiceTokens ends every access token of the service account.
func (f *Google) RevokeServiceTokens() {
	f.service.mu.Lock()
	defer f.service.mu.Unlock()
	clear(f.service.issued)
}

// googleAssertion are the claims of the assertion that a service account signs
// (RFC 7523 §3).
type googleAssertion struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// assert is the grant of RFC 7523: no client authenticates, the assertion does.
func (f *Google) assert(r *http.Request) answer {
	bad := func(description string) answer {
		return refusedToken(http.StatusBadRequest, "invalid_grant", description)
	}
	var c googleAssertion
	if !f.signedByAccount(r.PostForm.Get("assertion"), &c) {
		return bad("Invalid JWT Signature.")
	}
	now := f.opts.Now().Unix()
	if c.Audience != f.at("/token") || c.Expires <= now || c.Issued > now+60 || c.Expires > c.Issued+3600 || c.Issued < now-3600 {
		return bad("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
	}
	scopes := strings.Fields(c.Scope)
	if len(scopes) == 0 {
		return refusedToken(http.StatusBadRequest, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
	}
	if c.Subject != "" {
		if f.script.hit(GoogleNoDelegation) || slices.ContainsFunc(scopes, func(s string) bool { return !f.delegated(s) }) {
			return refusedToken(http.StatusUnauthorized, "unauthorized_client",
				"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.")
		}
		if !f.exists(c.Subject) {
			return bad("Invalid email or User ID")
		}
	}
	caller := googleCaller{account: true, subject: c.Subject, scopes: scopes}
	doc := map[string]any{
		"access_token": f.service.issue(caller, f.opts.Now().Add(googleAccessLife)), "expires_in": int(googleAccessLife.Seconds()), "token_type": "Bearer",
	}
	f.script.apply(GoogleServiceToken, doc)
	return answer{status: http.StatusOK, body: doc}
}

func (f *Google) delegated(scope string) bool {
	list := f.opts.Google.Delegated
	if list == nil {
		list = []string{googleGroupsScope, googleDirectoryRead, googleUsersRead}
	}
	return slices.Contains(list, scope)
}

func (f *Google) exists(address string) bool {
	return f.administers(address) != "" || slices.ContainsFunc(f.cast.all(), func(p Person) bool {
		return p.Google.HostedDomain != "" && p.Email == address
	})
}

// signedByAccount verifies an assertion with the key that Google knows.
func (f *Google) signedByAccount(token string, claims *googleAssertion) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	if json.Unmarshal(unb64(parts[0]), &header) != nil || header.Algorithm != "RS256" || header.KeyID != googleKeyID {
		return false
	}
	key, err := f.keys.pool.key("RS256", secondKey)
	if err != nil {
		return false
	}
	public, ok := key.Public().(*rsa.PublicKey)
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ok || rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], unb64(parts[2])) != nil {
		return false
	}
	return json.Unmarshal(unb64(parts[1]), claims) == nil && claims.Issuer == GoogleServiceAccount
}
