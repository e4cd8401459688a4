package fake

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Misbehaviours of GitHub's API, whichever call comes next.
const (
	GitHubRateLimited   Misbehaviour = "api: 403, the hourly limit is used up"
	GitHubSecondary     Misbehaviour = "api: 403, a secondary limit with Retry-After"
	GitHubSecondaryBare Misbehaviour = "api: 403, a secondary limit that names no time"
	GitHubAbuse         Misbehaviour = "api: 429, a secondary limit with Retry-After"
	GitHubSAMLRequired  Misbehaviour = "api: 403, SAML single sign-on required"
	GitHubPartial       Misbehaviour = "api: lists are partial for want of SAML sessions"
	GitHubLinkElsewhere Misbehaviour = "api: the next page is on another host"
	GitHubEndlessPages  Misbehaviour = "api: there is always a next page"
	// GitHubNotInstalled: the GitHub App is installed in no organisation. GitHubHidden
	// makes the look-up of a membership in what a token may not see answer 404 and not
	// 403: GitHub promises neither.
	GitHubNotInstalled  Misbehaviour = "api: the GitHub App is installed nowhere"
	GitHubHidden        Misbehaviour = "api: memberships that may not be seen answer 404"
	GitHubSecretParents Misbehaviour = "api: parent teams answer 404"
	GitHubUnknownSSO    Misbehaviour = "api: lists are partial, of which organisations is not said"
)

// call is an API request whose token is good.
type call struct {
	person Person
	scopes []string
}

// allows says whether the token holds one of the scopes, directly or as part of a
// wider one.
func (c call) allows(enough ...string) bool {
	for _, held := range c.scopes {
		included, _ := githubScope(held)
		for _, scope := range append(included, held) {
			if slices.Contains(enough, scope) {
				return true
			}
		}
	}
	return false
}

func (f *GitHub) mountAPI() {
	f.apiRoute("GET /user", GitHubUser, "", f.user)
	f.apiRoute("GET /user/emails", GitHubEmails, "user, user:email", f.emails)
	f.apiRoute("GET /user/orgs", GitHubOrgs, "admin:org, read:org, user, write:org", f.orgs)
	f.apiRoute("GET /user/memberships/orgs", GitHubMemberships, "admin:org, read:org, user, write:org", f.memberships)
	f.apiRoute("GET /user/memberships/orgs/{org}", GitHubMembershipOf, "admin:org, read:org, user, write:org", f.membership)
	f.apiRoute("GET /user/teams", GitHubTeams, "admin:org, read:org, repo, user, write:org", f.teams)
	f.apiRoute("GET /orgs/{org}", GitHubOrg, "", f.organization)
	f.apiRoute("GET /organizations/{org}/team/{team}", GitHubTeamByID, "admin:org, read:org, repo, user, write:org", f.team)
	f.api.HandleFunc("POST /applications/{client}/token", f.faulty(GitHubApplications, f.checkToken))
	f.api.HandleFunc("DELETE /applications/{client}/token", f.faulty(GitHubApplications, f.deleteToken))
	f.api.HandleFunc("DELETE /applications/{client}/grant", f.faulty(GitHubApplications, f.deleteToken))
	f.api.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { githubMessage(404, "Not Found").write(w) })
}

// apiRoute checks what every call needs before h: a User-Agent, a known API
// version, a live token.
func (f *GitHub) apiRoute(pattern string, e Endpoint, accepted string, h func(http.ResponseWriter, *http.Request, call)) {
	f.api.HandleFunc(pattern, f.faulty(e, func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() == "" {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.")
			return
		}
		if v := r.Header.Get("X-GitHub-Api-Version"); v != "" && v != "2022-11-28" && v != "2026-03-10" {
			githubMessage(http.StatusBadRequest, "The version "+v+" is not a supported API version.").write(w)
			return
		}
		scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "bearer") && !strings.EqualFold(scheme, "token") {
			githubMessage(http.StatusUnauthorized, "Requires authentication").write(w)
			return
		}
		g, scopes, ok := f.ledger.bearer(value, f.opts.Now())
		person, known := f.cast.find(g.person)
		switch {
		case !ok || !known:
			githubMessage(http.StatusUnauthorized, "Bad credentials").write(w)
			return
		case f.cast.isDisabled(person.ID):
			// The token of a suspended account lives on and opens nothing.
			githubMessage(http.StatusForbidden, "Sorry. Your account was suspended").write(w)
			return
		}
		if f.opts.GitHub.App {
			scopes = []string{"user", "read:org"} // what the app's permissions amount to
		}
		f.apiHeaders(w.Header(), g, scopes, accepted)
		if !f.limited(w, person) {
			h(w, r, call{person: person, scopes: scopes})
		}
	}))
}

func (f *GitHub) apiHeaders(h http.Header, g grant, scopes []string, accepted string) {
	if !f.opts.GitHub.App {
		h.Set("X-OAuth-Scopes", strings.Join(scopes, ", "))
		h.Set("X-Accepted-OAuth-Scopes", accepted)
		h.Set("X-OAuth-Client-Id", g.client.ID)
	}
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	h.Set("X-GitHub-Api-Version-Selected", "2022-11-28")
	h.Set("X-GitHub-Request-Id", random("", 9))
	h.Set("X-RateLimit-Limit", "5000")
	h.Set("X-RateLimit-Remaining", "4987")
	h.Set("X-RateLimit-Used", "13")
	h.Set("X-RateLimit-Reset", f.inHalfAnHour())
	h.Set("X-RateLimit-Resource", "core")
}

// limited answers the refusals that may come at any call.
func (f *GitHub) limited(w http.ResponseWriter, person Person) bool {
	switch {
	case f.script.hit(GitHubRateLimited):
		f.rateLimited(http.StatusForbidden, person).write(w)
	case f.script.hit(GitHubSecondary):
		f.secondary(http.StatusForbidden, strconv.Itoa(retryAfter)).write(w)
	case f.script.hit(GitHubAbuse):
		f.secondary(http.StatusTooManyRequests, strconv.Itoa(retryAfter)).write(w)
	case f.script.hit(GitHubSecondaryBare):
		f.secondary(http.StatusForbidden, "").write(w)
	case f.script.hit(GitHubSAMLRequired):
		f.samlRequired("acme-corp").write(w)
	default:
		return false
	}
	return true
}

// githubLimits is the documentation_url of what was refused for a rate limit.
const githubLimits = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"

// secondary is a secondary limit ("Rate limits for the REST API": 403 or 429, with
// Retry-After or without).
func (f *GitHub) secondary(status int, wait string) answer {
	a := githubMessage(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
	a.body.(map[string]any)["documentation_url"] = githubLimits + "#about-secondary-rate-limits"
	if wait != "" {
		a.header = http.Header{"Retry-After": {wait}}
	}
	return a
}

func (f *GitHub) inHalfAnHour() string {
	return strconv.FormatInt(f.opts.Now().Unix()+1800, 10)
}

func (f *GitHub) rateLimited(status int, person Person) answer {
	a := githubMessage(status, fmt.Sprintf("API rate limit exceeded for user ID %d.", person.GitHub.ID))
	a.body.(map[string]any)["documentation_url"] = githubLimits
	a.header = http.Header{
		"X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Used": {"5000"},
		"X-Ratelimit-Reset": {f.inHalfAnHour()}, "X-Ratelimit-Resource": {"core"},
	}
	return a
}

func (f *GitHub) samlRequired(org string) answer {
	a := githubMessage(http.StatusForbidden, "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization.")
	a.header = http.Header{"X-Github-Sso": {"required; url=" + f.at("/orgs/"+org+"/sso?authorization_request=AZ")}}
	return a
}

// githubMessage is the error shape of the API.
func githubMessage(status int, message string) answer {
	return answer{status: status, body: map[string]any{
		"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status),
	}}
}

// fault is GitHub's shape of a fault.
func (f *GitHub) fault(_ Endpoint, fault Fault) answer {
	switch fault {
	case TooManyRequests:
		a := f.rateLimited(http.StatusTooManyRequests, Person{})
		a.header.Set("Retry-After", strconv.Itoa(retryAfter))
		return a
	case Unauthorized:
		return githubMessage(http.StatusUnauthorized, "Bad credentials")
	case Forbidden:
		return githubMessage(http.StatusForbidden, "Resource not accessible by integration")
	case NotFound:
		return githubMessage(http.StatusNotFound, "Not Found")
	}
	a := githubMessage(statusOf(fault), "Server Error")
	a.header = retryHeader(fault)
	return a
}

// page cuts one page out of all and sets Link (RFC 8288) as GitHub does.
func githubPage[E any](f *GitHub, w http.ResponseWriter, r *http.Request, all []E) []E {
	number := func(name string, fallback, most int) int {
		n, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil || n < 1 {
			return fallback
		}
		return min(n, most)
	}
	size, page := number("per_page", 30, 100), number("page", 1, 1<<20)
	last := max(1, (len(all)+size-1)/size)
	endless := f.script.hit(GitHubEndlessPages)
	if endless {
		last = page + 1
	}
	at := func(base string, n int, rel string) string {
		return fmt.Sprintf("<%s%s?per_page=%d&page=%d>; rel=%q", base, r.URL.Path, size, n, rel)
	}
	var links []string
	if page > 1 {
		links = append(links, at(f.APIURL(), page-1, "prev"))
	}
	if page < last {
		next := f.APIURL()
		if f.script.hit(GitHubLinkElsewhere) {
			_, next = f.script.settings()
		}
		links = append(links, at(next, page+1, "next"), at(f.APIURL(), last, "last"))
	} else if f.script.hit(GitHubLinkElsewhere) {
		_, elsewhere := f.script.settings()
		links = append(links, at(elsewhere, page+1, "next"))
	}
	if page > 1 {
		links = append(links, at(f.APIURL(), 1, "first"))
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, ", "))
	}
	if endless {
		return all[:min(size, len(all))]
	}
	from := min((page-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}
