package fake

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fields of the sign-in page's form that are no request parameters.
const (
	personField = "-person"
	cancelField = "-cancel"
)

// request is an authorization request with a known client and a redirect URI that
// is the client's.
type request struct {
	params      url.Values
	client      Client
	redirectURI string
	realm       string
	scopes      []string
	prompt      []string
	mode        string
	acr         string
	// refreshable says that the tokens include a refresh token.
	refreshable bool
	// maxAge is negative when the request has none.
	maxAge time.Duration
}

func (r *request) prompts(value string) bool { return slices.Contains(r.prompt, value) }

// asks says that the person must see the page although they are signed in.
func (r *request) asks() bool {
	return r.prompts("login") || r.prompts("consent") || r.prompts("select_account") || r.prompts("enroll_authenticator")
}

// reauthenticates says that the session is not fresh enough (OIDC Core §3.1.2.1).
func (r *request) reauthenticates(s session, now time.Time) bool {
	return r.prompts("login") || r.maxAge == 0 || r.maxAge > 0 && now.Sub(s.authTime) > r.maxAge
}

// trouble is why an authorization request is refused; each vendor words it its own way.
type trouble int

const (
	parameterRepeated trouble = iota
	unknownClient
	redirectUnregistered
	parameterBad
	responseTypeBad
	scopeBad
	pkceBad
	pkceRequired
	stateMissing
	signInCancelled
	signInRequired
	consentRequired
	accountSuspended
	accountElsewhere // not of this tenant, not assigned
	policyDenies
	acrUnmet
	methodBad
)

// refusal is a vendor's no to an authorization request: a page when it has a
// status, otherwise a redirect.
type refusal struct {
	status      int
	code        string
	description string
	uri         string
	// extra are further members of the redirect.
	extra url.Values
	// to replaces the request's redirect URI.
	to string
	// retry is where the page lets the person choose somebody else.
	retry string
}

// open reads an authorization request (GET or POST: OIDC Core §3.1.2.1) up to
// where the vendor's own rules have agreed.
func (p *Provider) open(r *http.Request, realm string) (*request, *refusal) {
	params := r.URL.Query()
	if r.Method == http.MethodPost {
		params = url.Values{}
		for name, values := range r.PostForm {
			if name != personField && name != cancelField {
				params[name] = values
			}
		}
	}
	req := &request{params: params, realm: realm, maxAge: -1, prompt: strings.Fields(params.Get("prompt"))}
	for name, values := range params {
		if len(values) > 1 { // RFC 6749 §3.1
			return req, p.vendor.refuse(parameterRepeated, req, name)
		}
	}
	client, known := p.client(params.Get("client_id"))
	if !known {
		return req, p.vendor.refuse(unknownClient, req, params.Get("client_id"))
	}
	req.client = client
	uri, ok := p.vendor.redirectURI(client, params.Get("redirect_uri"))
	if !ok {
		return req, p.vendor.refuse(redirectUnregistered, req, params.Get("redirect_uri"))
	}
	req.redirectURI = uri
	return req, p.vendor.check(req)
}

// exactRedirects is the comparison of every vendor but GitHub: byte for byte.
type exactRedirects struct{}

func (exactRedirects) redirectURI(c Client, given string) (string, bool) {
	return given, c.registered(given)
}

// readMode settles the response mode among those the vendor has; false if it is
// another. The first is the default.
func (r *request) readMode(modes ...string) bool {
	r.mode = r.params.Get("response_mode")
	if r.mode == "" {
		r.mode = modes[0]
	}
	return slices.Contains(modes, r.mode)
}

// readMaxAge reads max_age; false if it is no number of seconds.
func (r *request) readMaxAge() bool {
	text := r.params.Get("max_age")
	if text == "" {
		return true
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	r.maxAge = time.Duration(seconds) * time.Second
	return err == nil
}

// promptAmong says whether every prompt is one of these, and none stands alone.
func (r *request) promptAmong(known ...string) bool {
	for _, value := range r.prompt {
		if !slices.Contains(known, value) {
			return false
		}
	}
	return !r.prompts("none") || len(r.prompt) == 1
}

// pkce checks the form of the challenge (RFC 7636 §4.2, §4.3); a challenge is
// required of clients without a secret (RFC 9700 §2.1.1).
func (r *request) pkce(methods ...string) (trouble, bool) {
	challenge, method := r.params.Get("code_challenge"), r.params.Get("code_challenge_method")
	switch {
	case challenge == "" && method != "":
		return pkceBad, false
	case challenge == "" && r.client.Secret == "":
		return pkceRequired, false
	case challenge == "":
		return 0, true
	}
	if method == "" {
		method = "plain"
	}
	if !slices.Contains(methods, method) || len(challenge) < 43 || len(challenge) > 128 {
		return pkceBad, false
	}
	return 0, true
}

// grant is what the person has now agreed to.
func (r *request) grant(person Person, authTime time.Time) *grant {
	g := &grant{
		person: person.ID, client: r.client, realm: r.realm, scopes: r.scopes, nonce: r.params.Get("nonce"),
		challenge: r.params.Get("code_challenge"), method: r.params.Get("code_challenge_method"),
		redirectURI: r.params.Get("redirect_uri"), authTime: authTime, acr: r.acr, refreshable: r.refreshable,
	}
	if g.challenge != "" && g.method == "" {
		g.method = "plain"
	}
	return g
}
