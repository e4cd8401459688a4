package fake

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// visible drops the memberships a token may not see: organisations that did not
// approve the OAuth app, or where the GitHub App is not installed, are missing
// without a word, those behind SAML are named in a header, and lists then are partial
// ("Authenticating to the REST API").
func (f *GitHub) visible(w http.ResponseWriter, c call) []GitHubMembership {
	var out []GitHubMembership
	var hidden []string
	installed := !f.uninstalled()
	for _, m := range c.person.GitHub.Organizations {
		switch {
		case m.Organization.SAML:
			hidden = append(hidden, strconv.FormatInt(m.Organization.ID, 10))
		case installed && !f.restricted(m.Organization):
			out = append(out, m)
		}
	}
	if f.script.hit(GitHubPartial) {
		hidden = append(hidden, "21955855")
	}
	if f.script.hit(GitHubUnknownSSO) {
		w.Header().Set("X-GitHub-SSO", "partial-results")
	} else if len(hidden) > 0 {
		w.Header().Set("X-GitHub-SSO", "partial-results; organizations="+strings.Join(hidden, ","))
	}
	return out
}

// restricted: "About OAuth app access restrictions" concerns OAuth apps alone.
func (f *GitHub) restricted(o GitHubOrganization) bool { return o.Restricted && !f.opts.GitHub.App }

// uninstalled reports whether the GitHub App sees no organisation.
func (f *GitHub) uninstalled() bool { return f.opts.GitHub.App && f.script.hit(GitHubNotInstalled) }

// accessRestricted is the refusal of an organisation that has not approved the app.
func accessRestricted(login string) answer {
	return githubMessage(http.StatusForbidden, "Although you appear to have the correct authorization credentials, the `"+login+
		"` organization has enabled OAuth App access restrictions, meaning that data access to third-parties is limited.")
}

func (f *GitHub) mayReadOrgs(w http.ResponseWriter, c call) bool {
	if c.allows("read:org", "user") {
		return true
	}
	githubMessage(http.StatusForbidden, "You need at least read:org scope or user scope to list your organizations").write(w)
	return false
}

func (f *GitHub) orgs(w http.ResponseWriter, r *http.Request, c call) {
	if !f.mayReadOrgs(w, c) {
		return
	}
	rows := []map[string]any{}
	for _, m := range f.visible(w, c) {
		if !m.Pending {
			rows = append(rows, f.orgDocument(m.Organization))
		}
	}
	answer{status: http.StatusOK, body: githubPage(f, w, r, rows)}.write(w)
}

func (f *GitHub) memberships(w http.ResponseWriter, r *http.Request, c call) {
	if !f.mayReadOrgs(w, c) {
		return
	}
	rows := []map[string]any{}
	state := r.URL.Query().Get("state")
	for _, m := range f.visible(w, c) {
		if doc := f.membershipDocument(m, c.person); state == "" || doc["state"] == state {
			rows = append(rows, doc)
		}
	}
	answer{status: http.StatusOK, body: githubPage(f, w, r, rows)}.write(w)
}

// membership is one organisation's, by its login without regard to case.
func (f *GitHub) membership(w http.ResponseWriter, r *http.Request, c call) {
	if !f.mayReadOrgs(w, c) {
		return
	}
	installed := !f.uninstalled()
	for _, m := range c.person.GitHub.Organizations {
		if !strings.EqualFold(m.Organization.Login, r.PathValue("org")) {
			continue
		}
		open := installed && !m.Organization.SAML && !f.restricted(m.Organization)
		switch {
		case !open && f.script.hit(GitHubHidden):
			githubMessage(http.StatusNotFound, "Not Found").write(w)
		case m.Organization.SAML:
			f.samlRequired(m.Organization.Login).write(w)
		case !installed:
			githubMessage(http.StatusForbidden, "Resource not accessible by integration").write(w)
		case f.restricted(m.Organization):
			accessRestricted(m.Organization.Login).write(w)
		default:
			answer{status: http.StatusOK, body: f.membershipDocument(m, c.person)}.write(w)
		}
		return
	}
	githubMessage(http.StatusNotFound, "Not Found").write(w)
}

// organization is public to whoever asks, except through an application that its
// members may not use for it.
func (f *GitHub) organization(w http.ResponseWriter, r *http.Request, c call) {
	for _, m := range c.person.GitHub.Organizations {
		if strings.EqualFold(m.Organization.Login, r.PathValue("org")) && f.restricted(m.Organization) {
			accessRestricted(m.Organization.Login).write(w)
			return
		}
	}
	for _, p := range f.cast.all() {
		for _, m := range p.GitHub.Organizations {
			if strings.EqualFold(m.Organization.Login, r.PathValue("org")) {
				answer{status: http.StatusOK, body: f.fullOrgDocument(m.Organization)}.write(w)
				return
			}
		}
	}
	githubMessage(http.StatusNotFound, "Not Found").write(w)
}

func (f *GitHub) teams(w http.ResponseWriter, r *http.Request, c call) {
	if !c.allows("read:org", "user", "repo") {
		githubMessage(http.StatusForbidden, "You need at least read:org scope or user scope to list your teams").write(w)
		return
	}
	seen := map[int64]bool{}
	for _, m := range f.visible(w, c) {
		seen[m.Organization.ID] = !m.Pending
	}
	rows := []map[string]any{}
	for _, team := range c.person.GitHub.Teams {
		if seen[team.Organization.ID] {
			rows = append(rows, f.teamDocument(team))
		}
	}
	answer{status: http.StatusOK, body: githubPage(f, w, r, rows)}.write(w)
}

// team is one team by its number, whole: with its own parent, which the parent
// inside another team's document lacks ("Get a team by name", the route by numbers).
func (f *GitHub) team(w http.ResponseWriter, r *http.Request, c call) {
	if !c.allows("read:org", "user", "repo") {
		githubMessage(http.StatusForbidden, "You need at least read:org scope or user scope to see teams").write(w)
		return
	}
	if !f.script.hit(GitHubSecretParents) {
		for _, direct := range c.person.GitHub.Teams {
			for t := &direct; t != nil; t = t.Parent {
				if strconv.FormatInt(t.Organization.ID, 10) == r.PathValue("org") && strconv.FormatInt(t.ID, 10) == r.PathValue("team") {
					answer{status: http.StatusOK, body: f.teamDocument(*t)}.write(w)
					return
				}
			}
		}
	}
	githubMessage(http.StatusNotFound, "Not Found").write(w)
}

func (f *GitHub) orgDocument(o GitHubOrganization) map[string]any {
	api, id := f.APIURL()+"/orgs/"+o.Login, strconv.FormatInt(o.ID, 10)
	return map[string]any{
		"login": o.Login, "id": o.ID, "node_id": nodeID("Organization", o.ID), "url": api, "repos_url": api + "/repos",
		"events_url": api + "/events", "hooks_url": api + "/hooks", "issues_url": api + "/issues", "members_url": api + "/members{/member}",
		"public_members_url": api + "/public_members{/member}", "avatar_url": f.at("/avatars/u/" + id + "?v=4"), "description": nil,
	}
}

func (f *GitHub) fullOrgDocument(o GitHubOrganization) map[string]any {
	doc := f.orgDocument(o)
	for name, value := range map[string]any{
		"name": o.Login, "company": nil, "blog": nil, "location": nil, "email": nil, "is_verified": true,
		"has_organization_projects": true, "has_repository_projects": true, "public_repos": 2, "public_gists": 0, "followers": 20,
		"following": 0, "html_url": f.at("/" + o.Login), "created_at": "2014-01-14T04:33:35Z", "updated_at": "2026-01-01T00:00:00Z",
		"archived_at": nil, "type": "Organization",
	} {
		doc[name] = value
	}
	return doc
}

func (f *GitHub) membershipDocument(m GitHubMembership, p Person) map[string]any {
	state, role := "active", "member"
	if m.Pending {
		state = "pending"
	}
	if m.Admin {
		role = "admin"
	}
	api := f.APIURL() + "/orgs/" + m.Organization.Login
	return map[string]any{
		"url": api + "/memberships/" + p.GitHub.Login, "state": state, "role": role, "organization_url": api, "direct_membership": true,
		"enterprise_teams_providing_indirect_membership": []string{}, "organization": f.orgDocument(m.Organization), "user": f.account(p),
	}
}

// teamDocument has the parent inside, which in turn has no organization member.
func (f *GitHub) teamDocument(t GitHubTeam) map[string]any {
	doc := f.bareTeam(t)
	doc["parent"] = nil
	if t.Parent != nil {
		doc["parent"] = f.bareTeam(*t.Parent)
	}
	doc["members_count"], doc["repos_count"] = 3, 10
	doc["created_at"], doc["updated_at"] = "2020-07-14T16:53:42Z", "2026-08-17T12:37:15Z"
	doc["organization"] = f.fullOrgDocument(t.Organization)
	return doc
}

func (f *GitHub) bareTeam(t GitHubTeam) map[string]any {
	api := f.APIURL() + "/organizations/" + strconv.FormatInt(t.Organization.ID, 10) + "/team/" + strconv.FormatInt(t.ID, 10)
	return map[string]any{
		"id": t.ID, "node_id": nodeID("Team", t.ID), "url": api, "html_url": f.at("/orgs/" + t.Organization.Login + "/teams/" + t.Slug),
		"name": t.Name, "slug": t.Slug, "description": nil, "privacy": "closed", "notification_setting": "notifications_enabled",
		"permission": "pull", "members_url": api + "/members{/member}", "repositories_url": api + "/repos", "type": "organization",
		"organization_id": t.Organization.ID,
	}
}

// ownToken reads the access token an application asks about, with its own
// credentials by HTTP Basic.
func (f *GitHub) ownToken(w http.ResponseWriter, r *http.Request) (value string, client Client, ok bool) {
	id, secret, _ := r.BasicAuth()
	client, known := f.client(r.PathValue("client"))
	if !known || id != client.ID || !client.authenticates(secret) {
		githubMessage(http.StatusNotFound, "Not Found").write(w)
		return "", Client{}, false
	}
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		githubMessage(http.StatusUnprocessableEntity, "Validation Failed").write(w)
		return "", Client{}, false
	}
	return body.AccessToken, client, true
}

// checkToken tells an application about one of its tokens; one that is not its own
// or is dead is 404 ("Check a token"). So is, it seems, a wrong secret.
func (f *GitHub) checkToken(w http.ResponseWriter, r *http.Request) {
	value, client, ok := f.ownToken(w, r)
	if !ok {
		return
	}
	g, scopes, alive := f.ledger.bearer(value, f.opts.Now())
	person, known := f.cast.find(g.person)
	if !alive || !known || g.client.ID != client.ID {
		githubMessage(http.StatusNotFound, "Not Found").write(w)
		return
	}
	answer{status: http.StatusOK, body: map[string]any{
		"id": 1, "url": f.APIURL() + "/authorizations/1", "scopes": append([]string{}, scopes...), "token": "",
		"token_last_eight": value[len(value)-8:], "hashed_token": strings.Repeat("0", 64), "note": nil, "note_url": nil, "fingerprint": nil,
		"app":        map[string]any{"url": client.RedirectURIs[0], "name": client.title(), "client_id": client.ID},
		"created_at": "2026-11-20T00:00:00Z", "updated_at": "2026-11-20T00:00:00Z", "expires_at": nil, "user": f.account(person),
	}}.write(w)
}

// deleteToken ends a token, and on /grant the person's consent with every token.
func (f *GitHub) deleteToken(w http.ResponseWriter, r *http.Request) {
	value, client, ok := f.ownToken(w, r)
	if !ok {
		return
	}
	g, found := f.ledger.kill(value, client.ID)
	if !found {
		githubMessage(http.StatusNotFound, "Not Found").write(w)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/grant") {
		f.consents.forget(client.ID, g.person)
		f.ledger.revokeGrants(func(other *grant) bool { return other.person == g.person && other.client.ID == client.ID })
	}
	w.WriteHeader(http.StatusNoContent)
}
