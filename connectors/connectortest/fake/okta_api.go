package fake

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// OktaGroups is the list of a person's groups at the management API.
const OktaGroups Endpoint = "okta groups"

const oktaGroupPage = 200

// oktaGroup is one row of the list.
type oktaGroup struct{ kind, name string }

// userGroups is "List all groups" of "User resources" in the management API: a list
// in pages ("Design principles", pagination), for a scoped API token or for an access
// token of the org's server with okta.users.read.
func (f *Okta) userGroups(w http.ResponseWriter, r *http.Request) {
	if status, code, text := f.mayReadUsers(r.Header.Get("Authorization")); status != 0 {
		oktaAPI(status, code, text).write(w)
		return
	}
	groups, known := f.groupsOf(r.PathValue("user"))
	if !known {
		oktaAPI(http.StatusNotFound, "E0000007", "Not found: Resource not found: "+r.PathValue("user")+" (User)").write(w)
		return
	}
	size := f.opts.Okta.GroupPage
	if size == 0 {
		size = oktaGroupPage
	}
	if asked, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil {
		size = min(size, max(asked, 1))
	}
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	from := min(max(after, 0), len(groups))
	to := min(from+size, len(groups))
	switch {
	case f.script.hit(OktaEndlessGroups):
		f.link(w, r, after+1)
	case to < len(groups):
		f.link(w, r, to)
	}
	rows := make([]map[string]any, 0, size)
	for _, g := range groups[from:to] {
		rows = append(rows, f.groupRow(g))
	}
	answer{status: http.StatusOK, body: rows}.write(w)
}

// mayReadUsers refuses with the documented codes: E0000011 for a token that is not
// good, E0000006 for one that may not.
func (f *Okta) mayReadUsers(authorization string) (status int, code, text string) {
	scheme, value, _ := strings.Cut(authorization, " ")
	switch {
	case scheme == "SSWS" && slices.Contains(f.opts.Okta.APITokens, value):
		return 0, "", ""
	case scheme == "Bearer":
		g, scopes, ok := f.ledger.bearer(value, f.opts.Now())
		switch {
		case !ok || g.realm != "" || g.person != "":
			return http.StatusUnauthorized, "E0000011", "Invalid token provided"
		case !slices.Contains(scopes, "okta.users.read"):
			return http.StatusForbidden, "E0000006", "You do not have permission to perform the requested action"
		}
		return 0, "", ""
	}
	return http.StatusUnauthorized, "E0000011", "Invalid token provided"
}

// groupsOf finds a user as the API does: by ID, by login, or as "me", who is whom the
// token acts for.
func (f *Okta) groupsOf(user string) ([]oktaGroup, bool) {
	if user == "me" {
		return []oktaGroup{{"BUILT_IN", "Everyone"}, {"OKTA_GROUP", "Okta Administrators"}}, true
	}
	for _, p := range f.cast.all() {
		if p.Okta.Subject != user && p.Okta.Login != user {
			continue
		}
		var out []oktaGroup
		for _, name := range p.Okta.Groups {
			kind := "OKTA_GROUP"
			if name == "Everyone" {
				kind = "BUILT_IN"
			}
			out = append(out, oktaGroup{kind, name})
		}
		for _, name := range p.Okta.AppGroups {
			out = append(out, oktaGroup{"APP_GROUP", name})
		}
		return out, true
	}
	return nil, false
}

func (f *Okta) groupRow(g oktaGroup) map[string]any {
	sum := sha256.Sum256([]byte(g.name))
	id := fmt.Sprintf("00g%x", sum[:8])
	profile := map[string]any{"name": g.name, "description": nil}
	switch {
	case f.script.hit(OktaNamelessGroup):
		delete(profile, "name")
	case f.script.hit(OktaHostileGroup):
		profile["name"] = g.name + "\nadmin"
	}
	at := f.at("/api/v1/groups/" + id)
	return map[string]any{
		"id": id, "created": "2026-01-02T03:04:05.000Z", "lastUpdated": "2026-01-02T03:04:05.000Z",
		"lastMembershipUpdated": "2026-11-01T00:00:00.000Z", "objectClass": []string{"okta:user_group"}, "type": g.kind,
		"profile": profile,
		"_links": map[string]any{
			"logo": []any{}, "users": map[string]any{"href": at + "/users"}, "apps": map[string]any{"href": at + "/apps"},
		},
	}
}

// link names this page and the next, each in a header of its own, as Okta does.
func (f *Okta) link(w http.ResponseWriter, r *http.Request, after int) {
	_, elsewhere := f.script.settings()
	self := f.reached(r) + r.URL.RequestURI()
	next := f.reached(r) + r.URL.Path
	query := url.Values{"after": {strconv.Itoa(after)}}
	if limit := r.URL.Query().Get("limit"); limit != "" {
		query.Set("limit", limit)
	}
	next += "?" + query.Encode()
	switch {
	case f.script.hit(OktaNextElsewhere):
		next = elsewhere + r.URL.Path + "?" + query.Encode()
	case f.script.hit(OktaNextOtherPath):
		next = f.reached(r) + "/api/v1/users/me/groups?" + query.Encode()
	case f.script.hit(OktaNextIsPrevious):
		next = self
	case f.script.hit(OktaBrokenLink):
		w.Header().Add("Link", next+`; rel="next"`) // without its angle brackets
		return
	}
	w.Header().Add("Link", "<"+self+`>; rel="self"`)
	w.Header().Add("Link", "<"+next+`>; rel="next"`)
}

// clientAuth of an Okta endpoint: an assertion names the token endpoint as its
// audience ("Build a JWT for client authentication").
func (f *Okta) clientAuth(r *http.Request, server string) clientAuth {
	return clientAuth{basic: true, post: true, assertion: []string{oktaEndpoint(f.reached(r), server, "token")}}
}

// respondService is "Implement OAuth for Okta with a service app": client credentials
// at the org's server alone, with private_key_jwt alone, for scopes granted to the app.
func (f *Okta) respondService(r *http.Request, t tokenRequest, server string) answer {
	granted, service := f.opts.Okta.ServiceScopes[t.client.ID]
	asked := strings.Fields(t.form.Get("scope"))
	foreign := func(scope string) bool { return !slices.Contains(granted, scope) }
	switch {
	case !service:
		return refusedToken(http.StatusBadRequest, "unauthorized_client", "The client is not authorized to use the provided grant type.")
	case server != "" || len(asked) == 0 || slices.ContainsFunc(asked, foreign):
		return f.tokenRefusal(scopeUnknown, "")
	case t.form.Get("client_assertion") == "":
		return refusedToken(http.StatusUnauthorized, "invalid_client", "Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.")
	case f.script.hit(OktaDPoPRequired) && r.Header.Get("DPoP") == "":
		return refusedToken(http.StatusBadRequest, "invalid_dpop_proof", "The DPoP proof JWT header is missing.")
	}
	g := &grant{client: t.client, scopes: asked}
	access := random("", 48)
	f.ledger.putAccess(access, g, asked, f.opts.Now(), oktaTokenLife)
	return f.tokenAnswer(map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(oktaTokenLife.Seconds()), "scope": strings.Join(asked, " "),
	})
}
