package fake

import (
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// GitHub emulates GitHub's OAuth and the part of its REST API that tells who
// somebody is. It is no OpenID Provider: no discovery, no ID token, no nonce, and
// no way to ask for a fresh login.
//
// The API is served below /api/v3, as on an Enterprise Server, and by API for a
// host of its own, as on github.com and ghe.com.
//
// It follows these pages of docs.github.com, named where a rule of theirs is kept:
// "Authorizing OAuth apps", "Troubleshooting OAuth app access token request errors",
// "Troubleshooting authorization request errors", "Generating a user access token
// for a GitHub App", "Refreshing user access tokens", "Token expiration and
// revocation", "Authenticating to the REST API", "Rate limits for the REST API",
// "Using pagination in the REST API", "About OAuth app access restrictions", "SAML
// and GitHub Apps", and the REST reference for users, emails, organization members,
// teams and OAuth applications.
type GitHub struct {
	*Provider
	api *http.ServeMux

	apiMu   sync.Mutex
	apiURL  *url.URL
	apiPath string
}

// The endpoints of GitHub's API.
const (
	GitHubUser         Endpoint = "api user"
	GitHubEmails       Endpoint = "api emails"
	GitHubOrgs         Endpoint = "api orgs"
	GitHubMemberships  Endpoint = "api memberships"
	GitHubMembershipOf Endpoint = "api membership of one organisation"
	GitHubTeams        Endpoint = "api teams"
	GitHubTeamByID     Endpoint = "api team by its number"
	GitHubOrg          Endpoint = "api organisation"
	GitHubApplications Endpoint = "api applications"
)

const (
	githubCodeLife    = 10 * time.Minute
	githubAppToken    = 8 * time.Hour
	githubAppRefresh  = 15897600 * time.Second
	githubTokensAlive = 10 // per person, application and set of scopes
)

// githubScope says whether this fake knows a scope, and which others it includes.
func githubScope(scope string) (included []string, known bool) {
	switch scope {
	case "user":
		return []string{"read:user", "user:email"}, true
	case "admin:org":
		return []string{"read:org", "write:org"}, true
	case "write:org":
		return []string{"read:org"}, true
	case "read:user", "user:email", "read:org", "repo":
		return nil, true
	}
	return nil, false
}

// NewGitHub makes an emulated GitHub with the cast GitHubPeople. Of a client's
// redirect URIs any sub-path is accepted, and on a loopback address any port; a
// request without one goes to the first.
func NewGitHub(o Options) *GitHub {
	f := &GitHub{api: http.NewServeMux(), apiPath: "/api/v3"}
	f.Provider = newProvider(o, brand{Name: "GitHub", Slug: "github"}, GitHubPeople(), f)
	f.route("/login/oauth/authorize", Authorize, func(w http.ResponseWriter, r *http.Request) { f.authorize(w, r, "") })
	f.route("POST /login/oauth/access_token", Token, f.accessToken)
	f.mux.HandleFunc("/", f.serveAPI)
	f.mountAPI()
	return f
}

// API serves the REST API at the root of a host of its own; SetAPIURL tells which.
func (f *GitHub) API() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.serve(w, r, f.api, mustBase(f.APIURL()).Path)
	})
}

// SetAPIURL tells the address under which API is served, such as
// https://api.github.com in reality.
func (f *GitHub) SetAPIURL(base string) {
	u := mustBase(base)
	f.apiMu.Lock()
	defer f.apiMu.Unlock()
	f.apiURL = u
}

// SetAPIPath serves the API below another path than /api/v3, for a caller who has
// one host alone and means an API that is configured by its address.
func (f *GitHub) SetAPIPath(path string) {
	f.apiMu.Lock()
	defer f.apiMu.Unlock()
	f.apiPath = path
}

// serveAPI is the API below a path of the main host.
func (f *GitHub) serveAPI(w http.ResponseWriter, r *http.Request) {
	f.apiMu.Lock()
	prefix := f.apiPath
	f.apiMu.Unlock()
	if !strings.HasPrefix(r.URL.Path, prefix+"/") {
		http.NotFound(w, r)
		return
	}
	http.StripPrefix(prefix, f.api).ServeHTTP(w, r)
}

// APIURL is the base of the REST API: what SetAPIURL said, otherwise URL and /api/v3
// or what SetAPIPath said.
func (f *GitHub) APIURL() string {
	f.apiMu.Lock()
	defer f.apiMu.Unlock()
	if f.apiURL != nil {
		return f.apiURL.String()
	}
	return f.at(f.apiPath)
}

// redirectURI accepts a sub-path of a registered URI, and any port on loopback.
func (f *GitHub) redirectURI(c Client, given string) (string, bool) {
	if len(c.RedirectURIs) == 0 {
		return "", false
	}
	if given == "" {
		return c.RedirectURIs[0], true
	}
	for _, registered := range c.RedirectURIs {
		if githubRedirectFits(registered, given) {
			return given, true
		}
	}
	return "", false
}

func githubRedirectFits(registered, given string) bool {
	want, errWant := url.Parse(registered)
	got, errGot := url.Parse(given)
	if errWant != nil || errGot != nil || want.Scheme != got.Scheme || got.User != nil || got.Fragment != "" {
		return false
	}
	ip := net.ParseIP(want.Hostname())
	sameHost := want.Host == got.Host || ip != nil && ip.IsLoopback() && want.Hostname() == got.Hostname()
	below := got.Path == want.Path || strings.HasPrefix(got.Path, strings.TrimSuffix(want.Path, "/")+"/")
	return sameHost && below && !slices.Contains(strings.Split(got.Path, "/"), "..")
}

func (f *GitHub) issuer(*request) string { return "" }

func (f *GitHub) check(r *request) *refusal {
	r.mode = "query"
	// Of prompt GitHub knows one value; it never says login_required.
	r.prompt = slices.DeleteFunc(r.prompt, func(value string) bool { return value != "select_account" })
	if r.params.Has("code_challenge") && (r.params.Get("code_challenge_method") != "S256" || len(r.params.Get("code_challenge")) != 43) {
		return f.refuse(pkceBad, r, "")
	}
	if f.opts.GitHub.App {
		return nil // a GitHub App has permissions, not scopes
	}
	for _, scope := range strings.FieldsFunc(r.params.Get("scope"), func(c rune) bool { return c == ' ' || c == ',' }) {
		if _, known := githubScope(scope); !known {
			return f.refuse(scopeBad, r, scope)
		}
		r.scopes = append(r.scopes, scope)
	}
	slices.Sort(r.scopes)
	r.scopes = slices.Compact(r.scopes)
	return nil
}

func (f *GitHub) admit(*request, Person) *refusal       { return nil }
func (f *GitHub) decorate(*request, Person, url.Values) {}

func (f *GitHub) consented(r *request, p Person) bool {
	return f.consents.cover(r.client.ID, p.ID, r.scopes)
}

// grantCode fills in the scopes granted before when the request named none.
func (f *GitHub) grantCode(r *request, g *grant) string {
	if len(g.scopes) == 0 {
		g.scopes, _ = f.consents.scopes(g.client.ID, g.person)
	}
	f.consents.add(g.client.ID, g.person, g.scopes)
	value := hex.EncodeToString([]byte(random("", 8)))[:20]
	f.ledger.putCode(value, g, f.opts.Now().Add(githubCodeLife))
	return value
}

func (f *GitHub) refuse(t trouble, r *request, detail string) *refusal {
	const doc = "https://docs.github.com/apps/troubleshooting-authorization-request-errors/"
	switch t {
	case unknownClient:
		return &refusal{status: http.StatusNotFound, description: "There is no application here."}
	case parameterRepeated:
		return &refusal{status: http.StatusBadRequest, description: "The parameter " + detail + " occurs twice."}
	case redirectUnregistered:
		no := &refusal{
			code: "redirect_uri_mismatch", uri: doc + "#redirect-uri-mismatch",
			description: "The redirect_uri MUST match the registered callback URL for this application.",
		}
		if len(r.client.RedirectURIs) == 0 {
			no.status = http.StatusNotFound
			return no
		}
		// Sent to the registered callback, not to the one asked for.
		no.to = r.client.RedirectURIs[0]
		return no
	case signInCancelled:
		return &refusal{code: "access_denied", description: "The user has denied your application access.", uri: doc + "#access-denied"}
	case accountSuspended:
		return &refusal{status: http.StatusForbidden, description: "This account is suspended."}
	case scopeBad:
		return &refusal{code: "invalid_scope", description: "The scopes requested are invalid: " + detail + "."}
	}
	return &refusal{code: "invalid_request", description: "The code challenge is not acceptable."}
}
