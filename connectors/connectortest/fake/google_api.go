package fake

import (
	"net/http"
	"slices"
	"strings"
)

// The endpoints of Google's APIs beside the sign-in's own.
const (
	GoogleDirectoryGroups Endpoint = "directory groups"
	GoogleDirectoryUser   Endpoint = "directory user"
	GoogleMemberships     Endpoint = "cloud identity memberships"
	GoogleSTS             Endpoint = "security token service"
	GoogleIAM             Endpoint = "iam credentials"
	GoogleMetadata        Endpoint = "metadata server"
	GoogleWorkload        Endpoint = "workload's own token"
	// GoogleServiceToken is no endpoint but a document: the token endpoint's answer to
	// an assertion, for Edit alone.
	GoogleServiceToken Endpoint = "service account token"
)

// Misbehaviours of Google's APIs.
const (
	GoogleNoDelegation   Misbehaviour = "token: no domain-wide delegation"
	GoogleScopeUnchecked Misbehaviour = "token: the person unchecked the scope for groups"
	GoogleNoTokenCreator Misbehaviour = "iam: the caller may not sign for the service account"
	GoogleAPIDisabled    Misbehaviour = "api: not enabled in the project"
	GoogleNotAdmin       Misbehaviour = "directory: who asks is no administrator"
	GooglePremiumOnly    Misbehaviour = "cloud identity: Error(4013)"
	GoogleUnlicensed     Misbehaviour = "cloud identity: Error(3005)"
	GoogleUserQuota      Misbehaviour = "api: 403 userRateLimitExceeded"
	GoogleOtherQuota     Misbehaviour = "api: 403 quotaExceeded"
	GoogleRateLimit      Misbehaviour = "api: 429 rateLimitExceeded"
	GoogleTokenRefused   Misbehaviour = "api: 401"
	GoogleEndlessPages   Misbehaviour = "api: there is always a next page"
	GoogleSamePage       Misbehaviour = "api: the next page is this one"
)

// Scopes of Google's APIs, as the documents "OAuth 2.0 Scopes for Google APIs"
// lists them.
const (
	googleGroupsScope   = "https://www.googleapis.com/auth/cloud-identity.groups.readonly"
	googleDirectoryRead = "https://www.googleapis.com/auth/admin.directory.group.readonly"
	googleUsersRead     = "https://www.googleapis.com/auth/admin.directory.user.readonly"
	googleCloudScope    = "https://www.googleapis.com/auth/cloud-platform"
)

// googleCaller is who an access token speaks for: a person who signed in, the
// service account, or an administrator whom it impersonates.
type googleCaller struct {
	person  Person
	account bool
	subject string
	scopes  []string
}

// caller reads the bearer token of a request.
func (f *Google) caller(r *http.Request) (googleCaller, bool) {
	if value, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if c, ok := f.service.find(value, f.opts.Now()); ok {
			return c, true
		}
	}
	_, person, scopes, ok := f.bearer(r)
	return googleCaller{person: person, scopes: scopes}, ok
}

// googleProblem is an API error in both shapes at once: the old one has errors,
// the new one status and details ("Cloud APIs: Errors", "Directory API: Resolve
// errors").
type googleProblem struct {
	status          int
	reason, message string
	// name is the new shape's status, detail the reason of its ErrorInfo.
	name, detail string
}

func (p googleProblem) answer() answer {
	e := map[string]any{"code": p.status, "message": p.message}
	if p.reason != "" {
		e["errors"] = []any{map[string]any{"message": p.message, "domain": "global", "reason": p.reason}}
	}
	if p.name != "" {
		e["status"] = p.name
	}
	if p.detail != "" {
		e["details"] = []any{map[string]any{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": p.detail, "domain": "googleapis.com",
		}}
	}
	return answer{status: p.status, body: map[string]any{"error": e}}
}

// apiRoute serves one method of an API to whoever has a token with one of its
// scopes.
func (f *Google) apiRoute(pattern string, e Endpoint, scopes []string, serve func(http.ResponseWriter, *http.Request, googleCaller)) {
	f.route(pattern, e, func(w http.ResponseWriter, r *http.Request) {
		c, ok := f.caller(r)
		if p := f.apiTrouble(e, c, ok, scopes); p != nil {
			a := p.answer()
			if p.status == http.StatusTooManyRequests {
				a.header = retryHeader(TooManyRequests)
			}
			a.write(w)
			return
		}
		serve(w, r, c)
	})
}

// apiTrouble is what stands before every method: quotas and permissions. Codes and
// reasons are those of "Directory API: Limits and quotas" and "Troubleshoot
// authentication and authorization issues".
func (f *Google) apiTrouble(e Endpoint, c googleCaller, known bool, scopes []string) *googleProblem {
	directory := e == GoogleDirectoryGroups || e == GoogleDirectoryUser
	switch {
	case !known || f.script.hit(GoogleTokenRefused):
		return &googleProblem{status: 401, reason: "authError", message: "Invalid Credentials", name: "UNAUTHENTICATED"}
	case f.script.hit(GoogleRateLimit):
		return &googleProblem{status: 429, reason: "rateLimitExceeded", message: "Quota exceeded for quota metric 'Queries'.", name: "RESOURCE_EXHAUSTED"}
	case f.script.hit(GoogleUserQuota):
		return &googleProblem{status: 403, reason: "userRateLimitExceeded", message: "User Rate Limit Exceeded"}
	case f.script.hit(GoogleOtherQuota):
		return &googleProblem{status: 403, reason: "quotaExceeded", message: "Concurrent requests limit reached"}
	case f.script.hit(GoogleAPIDisabled) && directory:
		return &googleProblem{status: 403, reason: "accessNotConfigured", message: "Admin SDK API has not been used in project 123456789012 before or it is disabled."}
	case f.script.hit(GoogleAPIDisabled):
		return &googleProblem{status: 403, message: "The API has not been used in project 123456789012 before or it is disabled.", name: "PERMISSION_DENIED", detail: "SERVICE_DISABLED"}
	case !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(c.scopes, s) }):
		p := &googleProblem{status: 403, message: "Request had insufficient authentication scopes.", name: "PERMISSION_DENIED", detail: "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
		if directory {
			p.reason = "insufficientPermissions"
		}
		return p
	}
	return nil
}

// fault gives the APIs their own error shape.
func (f *Google) fault(e Endpoint, fault Fault) answer {
	switch e {
	case GoogleDirectoryGroups, GoogleDirectoryUser, GoogleMemberships, GoogleIAM:
		names := map[Fault]string{
			Unavailable: "UNAVAILABLE", TooManyRequests: "RESOURCE_EXHAUSTED", Unauthorized: "UNAUTHENTICATED",
			Forbidden: "PERMISSION_DENIED", NotFound: "NOT_FOUND",
		}
		p := googleProblem{status: statusOf(fault), message: "emulated fault", name: names[fault]}
		if p.name == "" {
			p.name = "INTERNAL"
		}
		a := p.answer()
		a.header = retryHeader(fault)
		return a
	}
	return plainFault(fault)
}
