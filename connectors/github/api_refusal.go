package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/connectors"
)

// Causes that are told apart further up.
var (
	// errBadToken: the API answered 401.
	errBadToken = errors.New("the token is not accepted")
	// errRefusedAccount: the call that needs no permission was refused; errSuspended
	// says for what reason.
	errRefusedAccount = errors.New("the account's own token is refused")
	errSuspended      = errors.New("the account is suspended")
	errForeign        = errors.New("the token was issued to another application")
	// errSAMLSession: an organisation wants the person to sign in there first. It says
	// nothing about the connector.
	errSAMLSession = errors.New("the person has no SAML session with the organisation")
	// errUnsighted: nobody has been found to be a member yet.
	errUnsighted = errors.New("the organisation has not shown itself to the app yet")
)

// secondaryWait is how long to wait when a secondary limit does not say ("Rate
// limits for the REST API").
const secondaryWait = time.Minute

// check turns an answer without content into an error. 404 is for the caller: at
// a membership it is an answer. GitHub says rate limit in three ways, and without
// telling them from missing rights a busy hour would look like a lost membership.
func (s *session) check(answer connectors.Answer, what string) error {
	if answer.OK() || answer.Status == http.StatusNotFound {
		return nil
	}
	if wait, limited := s.g.limited(answer); limited {
		return &connectors.Error{Kind: connectors.Transient, Hint: "GitHub limits our requests", RetryAfter: wait, Unspent: true}
	}
	e := &connectors.Error{
		Kind:       connectors.StatusKind(answer.Status),
		Hint:       fmt.Sprintf("GitHub answered the question for %s with status %d", what, answer.Status),
		RetryAfter: connectors.RetryAfter(answer.Header, s.g.now()),
	}
	sso, required := strings.CutPrefix(answer.Header.Get("X-GitHub-SSO"), "required")
	switch {
	case e.Kind == connectors.Transient:
	case answer.Status == http.StatusForbidden && required:
		e.Kind, e.Code, e.Err = connectors.Operator, "sso_required", errSAMLSession
		e.Hint += ": the organisation wants a SAML sign-in of the person first; " + s.g.ssoAdvice(sso)
	case answer.Status == http.StatusForbidden:
		e.Kind = connectors.Operator
		e.Hint += ": " + s.g.permissionAdvice()
	case answer.Status == http.StatusUnauthorized:
		e.Hint += ": it does not accept the token"
		e.Err = errBadToken
	case answer.Status == http.StatusMovedPermanently, answer.Status == http.StatusPermanentRedirect:
		// What was renamed answers so under its old name.
		e.Kind = connectors.Operator
		e.Hint += "; redirects are not followed: check api_url, and whether an organisation of the rules has another name now"
	case answer.Status >= 300 && answer.Status < 400:
		e.Hint += "; redirects are not followed"
	}
	return e
}

// limited recognises a limit and how long it lasts: 403 and 429 with Retry-After,
// with x-ratelimit-remaining 0, or with neither, when only the page that the refusal
// refers to tells it from missing rights ("Rate limits for the REST API").
func (g *Connector) limited(answer connectors.Answer) (time.Duration, bool) {
	if answer.Status != http.StatusForbidden && answer.Status != http.StatusTooManyRequests {
		return 0, false
	}
	wait := connectors.RetryAfter(answer.Header, g.now())
	var body struct {
		Documentation string `json:"documentation_url"`
	}
	_ = json.Unmarshal(answer.Body, &body) // whatever it is, it decides only for patience
	switch {
	case wait > 0, answer.Status == http.StatusTooManyRequests, answer.Header.Get("X-RateLimit-Remaining") == "0":
		return wait, true
	case strings.Contains(body.Documentation, "rate-limits"):
		return secondaryWait, true
	}
	return 0, false
}

// suspended reports whether a refusal speaks of a suspension. GitHub has no code
// for it. A wording that is missed costs outage_grace and nothing else.
func suspended(answer connectors.Answer) bool {
	var body struct {
		Message string `json:"message"`
	}
	return json.Unmarshal(answer.Body, &body) == nil && strings.Contains(lower(body.Message), "suspended")
}

// permissionAdvice is what an operator does about 403, which depends on what the
// application is.
func (g *Connector) permissionAdvice() string {
	switch g.config.App {
	case githubApp:
		return "install the GitHub App in the organisation, with the organization permission Members (read-only)"
	case oauthApp:
		return "OAuth app access restrictions: an owner of the organisation has to approve the OAuth app (Settings, OAuth app policy)"
	}
	return "an owner of the organisation may have to approve the OAuth app (Settings, OAuth app policy); a GitHub App has to be installed there, with the permission Members"
}

// ssoAdvice reads the rest of X-GitHub-SSO: "required; url=…". The address is shown
// if it is at this GitHub, and without its query, which is one person's own.
func (g *Connector) ssoAdvice(rest string) string {
	const fix = "they begin a session there and sign in here again"
	_, address, found := strings.Cut(rest, "url=")
	u, err := url.Parse(strings.TrimSpace(address))
	if !found || err != nil || u.User != nil || u.Opaque != "" {
		return fix
	}
	organization, isSSO := strings.CutSuffix(strings.TrimPrefix(u.Path, "/orgs/"), "/sso")
	if !isSSO || !isName(organization) || u.Scheme+"://"+lower(u.Host) != g.origin() {
		return fix
	}
	return fix + ": " + g.origin() + "/orgs/" + organization + "/sso"
}

// origin is the scheme and host of the base URL.
func (g *Connector) origin() string {
	u, err := url.Parse(g.base)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
