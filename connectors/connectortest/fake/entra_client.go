package fake

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	// entraAssertionLife is "Microsoft identity platform application authentication
	// certificate credentials": exp is 5 to 10 minutes after nbf at most.
	entraAssertionLife = 10 * time.Minute
	entraSkew          = 5 * time.Minute
)

// assertions remembers the client assertions that were presented.
type assertions struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

// first reports whether this is the first use of a jti, and forgets those of
// assertions that have expired.
func (a *assertions) first(jti string, expires, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil || len(a.seen) >= maxEntries {
		a.seen = map[string]time.Time{}
	}
	for other, until := range a.seen {
		if now.After(until.Add(entraSkew)) {
			delete(a.seen, other)
		}
	}
	if _, again := a.seen[jti]; again {
		return false
	}
	a.seen[jti] = expires
	return true
}

// assertion is a client assertion in parts.
type assertion struct {
	header struct {
		Algorithm  string `json:"alg"`
		Type       string `json:"typ"`
		KeyID      string `json:"kid"`
		Thumbprint string `json:"x5t#S256"`
	}
	claims struct {
		Issuer    string  `json:"iss"`
		Subject   string  `json:"sub"`
		Audience  string  `json:"aud"`
		ID        string  `json:"jti"`
		Expires   float64 `json:"exp"`
		NotBefore float64 `json:"nbf"`
		IssuedAt  float64 `json:"iat"`
	}
	input     string
	signature []byte
}

func readAssertion(token string) (assertion, bool) {
	var a assertion
	parts := strings.Split(token, ".")
	if len(parts) != 3 || json.Unmarshal(unb64(parts[0]), &a.header) != nil || json.Unmarshal(unb64(parts[1]), &a.claims) != nil {
		return a, false
	}
	a.input, a.signature = parts[0]+"."+parts[1], unb64(parts[2])
	return a, true
}

func (a assertion) expires() time.Time   { return time.Unix(int64(a.claims.Expires), 0) }
func (a assertion) notBefore() time.Time { return time.Unix(int64(a.claims.NotBefore), 0) }

// signedWith verifies RS256 or PS256 (RFC 7518 §3.3, §3.5).
func (a assertion) signedWith(key crypto.PublicKey) bool {
	public, ok := key.(*rsa.PublicKey)
	sum := sha256.Sum256([]byte(a.input))
	switch {
	case !ok:
		return false
	case a.header.Algorithm == "PS256":
		return rsa.VerifyPSS(public, crypto.SHA256, sum[:], a.signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	case a.header.Algorithm == "RS256":
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], a.signature) == nil
	}
	return false
}

// readRequest is readTokenRequest for a client that may authenticate with an
// assertion as well.
func (f *Entra) readRequest(r *http.Request, tenant string) (tokenRequest, answer, bool) {
	if r.Method != http.MethodPost || !r.PostForm.Has("client_assertion") {
		t, no, detail := f.readTokenRequest(r, tenant, clientAuth{basic: true, post: true})
		return t, f.tokenRefusal(no, detail), no == fine
	}
	refuse := func(number int, text string) (tokenRequest, answer, bool) {
		return tokenRequest{}, f.aadsts(http.StatusUnauthorized, "invalid_client", number, text), false
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			return tokenRequest{}, f.tokenRefusal(parameterTwice, name), false
		}
	}
	client, known := f.client(r.PostForm.Get("client_id"))
	switch {
	case !known:
		return tokenRequest{}, f.tokenRefusal(clientUnidentified, r.PostForm.Get("client_id")), false
	case r.PostForm.Get("client_assertion_type") != assertionType:
		return refuse(50027, "JWT token is invalid or malformed: client_assertion_type.")
	case r.PostForm.Has("client_secret") || r.Header.Get("Authorization") != "":
		// RFC 6749 §2.3: not more than one method in a request.
		return refuse(50012, "Authentication failed: more than one client credential was presented.")
	}
	a, ok := readAssertion(r.PostForm.Get("client_assertion"))
	if !ok {
		return refuse(50027, "JWT token is invalid or malformed.")
	}
	number, text := f.federated(a)
	if a.claims.Issuer == client.ID {
		// The path as the discovery document of the tenant spells it.
		number, text = f.certified(a, client, f.at("/"+r.PathValue("tenant")+"/oauth2/v2.0/token"))
	}
	if number != 0 {
		return refuse(number, text)
	}
	return tokenRequest{
		form: r.PostForm, client: client,
		redemption: redemption{
			client: client, realm: tenant, now: f.opts.Now(),
			redirectURI: r.PostForm.Get("redirect_uri"), verifier: r.PostForm.Get("code_verifier"),
		},
	}, answer{}, true
}

// certified checks an assertion that the client signed with the key of one of its
// certificates: "Microsoft identity platform application authentication certificate
// credentials". The numbers are those of "Microsoft Entra authentication and
// authorization error codes".
func (f *Entra) certified(a assertion, client Client, audience string) (number int, text string) {
	now := f.opts.Now()
	place := slices.IndexFunc(f.opts.Entra.Certificates, func(c *x509.Certificate) bool {
		sum := sha256.Sum256(c.Raw)
		return a.header.Thumbprint == b64(sum[:])
	})
	switch {
	case a.claims.Subject != client.ID:
		return 700021, "Client assertion application identifier doesn't match 'client_id' parameter."
	case place < 0:
		return 700027, "Client assertion failed signature validation. The certificate with the given x5t#S256 was not found in the application."
	case a.header.Algorithm != "PS256" || a.header.Type != "JWT" || !a.signedWith(f.opts.Entra.Certificates[place].PublicKey):
		return 700027, "Client assertion contains an invalid signature."
	case a.claims.Audience != audience:
		return 700023, "Client assertion audience claim does not match Realm issuer."
	case now.After(f.opts.Entra.Certificates[place].NotAfter):
		return 1000502, "The provided certificate is not within its specified validity window."
	case a.claims.NotBefore == 0 || a.claims.IssuedAt == 0 || a.notBefore().After(now.Add(entraSkew)),
		!now.Before(a.expires()), a.expires().Sub(a.notBefore()) > entraAssertionLife:
		return 700024, "Client assertion is not within its valid time range."
	case a.claims.ID == "" || !f.assertions.first(a.claims.ID, a.expires(), now):
		return 50012, "Authentication failed: the client assertion was used before."
	}
	return 0, ""
}

// federated checks a token of another identity provider against the federated
// identity credential of the registration, in which issuer, subject and audience
// are compared byte for byte: "Workload identity federation concepts". Such a token
// may be presented as often as one likes while it is valid.
func (f *Entra) federated(a assertion) (number int, text string) {
	w, now := f.opts.Entra.Workload, f.opts.Now()
	switch {
	case strings.HasPrefix(a.claims.Issuer, f.URL()+"/"):
		return 700222, "AAD-issued tokens may not be used for federated identity flows."
	case w == nil || a.claims.Issuer != w.Issuer:
		return 700211, "No matching federated identity record found for presented assertion issuer."
	case a.claims.Audience != entraExchange:
		return 700212, "No matching federated identity record found for presented assertion audience."
	case a.claims.Subject != w.Subject:
		return 700213, "No matching federated identity record found for presented assertion subject."
	case a.header.Algorithm != "RS256" || !a.signedWith(w.key.Public()):
		return 50013, "Assertion failed signature validation."
	case a.notBefore().After(now.Add(entraSkew)) || !now.Before(a.expires()):
		return 700024, "Client assertion is not within its valid time range."
	}
	return 0, ""
}

// entraExchange is the audience that Entra ID recommends for tokens to exchange.
const entraExchange = "api://AzureADTokenExchange"

// EntraWorkload is an identity provider that is not Entra ID, such as a Kubernetes
// cluster, and the workload in it that a registration trusts.
type EntraWorkload struct {
	Issuer, Subject string
	key             crypto.Signer
}

// NewEntraWorkload makes one whose key comes out of the pool.
func NewEntraWorkload(keys *KeyPool) (*EntraWorkload, error) {
	key, err := keys.key("RS256", foreignKey)
	if err != nil {
		return nil, err
	}
	return &EntraWorkload{Issuer: "https://kubernetes.example/issuer", Subject: "system:serviceaccount:broker:broker", key: key}, nil
}

// Token is a service-account token of an hour, after change, which may be nil.
func (w *EntraWorkload) Token(now time.Time, change func(claims map[string]any)) (string, error) {
	claims := map[string]any{
		"iss": w.Issuer, "sub": w.Subject, "aud": entraExchange,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if change != nil {
		change(claims)
	}
	payload, err := marshal(claims)
	if err != nil {
		return "", err
	}
	return jws(map[string]any{"alg": "RS256", "typ": "JWT", "kid": "cluster"}, payload, signedBy(w.key))
}
