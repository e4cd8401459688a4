package fake

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"time"
)

// reason is why a token request is refused; each vendor words it its own way.
type reason int

const (
	fine reason = iota
	methodNotAllowed
	parameterMissing
	parameterTwice
	clientUnidentified // no client_id, or an unknown one
	clientNoSecret
	clientBadSecret
	grantTypeUnknown
	codeUnknown
	codeExpired
	codeReused
	redirectDiffers
	verifierWrong
	refreshUnknown
	refreshExpired
	refreshRevoked
	refreshReused
	accountDisabled
	scopeUnknown
	groupsTooMany
)

// redemption is what a token request offers besides the code or token itself.
type redemption struct {
	client      Client
	realm       string
	redirectURI string
	verifier    string
	now         time.Time
	// lenient redirect URIs may be left out of either request (GitHub).
	lenient bool
}

// fits compares the redirect URI with the authorization request's (RFC 6749 §4.1.3).
func (r redemption) fits(g *grant) bool {
	if r.lenient && (r.redirectURI == "" || g.redirectURI == "") {
		return true
	}
	return r.redirectURI == g.redirectURI
}

// verified checks PKCE (RFC 7636 §4.6). A verifier without a challenge is refused
// too: it shows that somebody removed the challenge (RFC 9700 §2.1.1).
func verified(g *grant, verifier string) bool {
	switch {
	case g.challenge == "":
		return verifier == ""
	case g.method == "plain":
		return subtle.ConstantTimeCompare([]byte(verifier), []byte(g.challenge)) == 1
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(b64(sum[:])), []byte(g.challenge)) == 1
}

// clientAuth says which ways a vendor lets a client authenticate. assertion names
// the audiences that a client assertion may have; none where it cannot be used.
type clientAuth struct {
	basic, post bool
	assertion   []string
}

// authenticate finds the client of a token request. Basic credentials are
// form-encoded (RFC 6749 §2.3.1).
func (p *Provider) authenticate(r *http.Request, how clientAuth) (Client, reason) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	given := how.post && r.PostForm.Has("client_secret")
	if user, password, ok := r.BasicAuth(); ok && how.basic {
		var errID, errSecret error
		id, errID = url.QueryUnescape(user)
		secret, errSecret = url.QueryUnescape(password)
		if errID != nil || errSecret != nil {
			return Client{}, clientUnidentified
		}
		given = true
	}
	client, known := p.client(id)
	switch {
	case !known:
		return Client{}, clientUnidentified
	case len(how.assertion) > 0 && r.PostForm.Has("client_assertion"):
		return client, p.authenticateByAssertion(r.PostForm, client, how.assertion)
	case len(client.AssertionKeys)+len(client.ForeignAssertions) > 0 && client.Secret == "":
		return Client{}, clientNoSecret
	case client.Secret == "" && !given:
		return client, fine
	case !given || secret == "":
		return Client{}, clientNoSecret
	case !client.authenticates(secret):
		return Client{}, clientBadSecret
	}
	return client, fine
}

// authenticates reports whether this is one of the client's secrets.
func (c Client) authenticates(secret string) bool {
	good := false
	for _, s := range append([]string{c.Secret}, c.Secrets...) {
		good = good || s != "" && subtle.ConstantTimeCompare([]byte(secret), []byte(s)) == 1
	}
	return good
}

func (p *Provider) client(id string) (Client, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clients {
		if id != "" && c.ID == id {
			return c, true
		}
	}
	return Client{}, false
}

// tokenRequest is a token request that has been read and whose client is known.
type tokenRequest struct {
	form   url.Values
	client Client
	redemption
}

// readTokenRequest does what is common to all: POST, no parameter twice (RFC 6749
// §3.2), a client that authenticates.
func (p *Provider) readTokenRequest(r *http.Request, realm string, how clientAuth) (tokenRequest, reason, string) {
	if r.Method != http.MethodPost {
		return tokenRequest{}, methodNotAllowed, ""
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			return tokenRequest{}, parameterTwice, name
		}
	}
	client, no := p.authenticate(r, how)
	if no != fine {
		return tokenRequest{}, no, r.PostForm.Get("client_id")
	}
	return tokenRequest{
		form: r.PostForm, client: client,
		redemption: redemption{
			client: client, realm: realm, now: p.opts.Now(),
			redirectURI: r.PostForm.Get("redirect_uri"), verifier: r.PostForm.Get("code_verifier"),
		},
	}, fine, ""
}

// redeemCode is the authorization_code grant up to the person.
func (p *Provider) redeemCode(t tokenRequest) (*grant, Person, reason) {
	value := t.form.Get("code")
	if value == "" {
		return nil, Person{}, parameterMissing
	}
	if p.script.hit(CodeAlreadyRedeemed) {
		return nil, Person{}, codeReused
	}
	g, no := p.ledger.redeem(value, t.redemption)
	return p.present(g, no)
}

// redeemRefresh is the refresh_token grant up to the person.
func (p *Provider) redeemRefresh(t tokenRequest, spend bool, grace time.Duration) (*grant, Person, reason) {
	value := t.form.Get("refresh_token")
	if value == "" {
		return nil, Person{}, parameterMissing
	}
	if p.script.hit(RefreshRefused) {
		return nil, Person{}, refreshRevoked
	}
	g, no := p.ledger.present(value, t.redemption, spend, grace)
	return p.present(g, no)
}

// present finds the grant's person, who may have been disabled since.
func (p *Provider) present(g *grant, no reason) (*grant, Person, reason) {
	if no != fine {
		return nil, Person{}, no
	}
	person, ok := p.cast.find(g.person)
	if !ok || p.cast.isDisabled(person.ID) {
		return nil, Person{}, accountDisabled
	}
	return g, person, fine
}
