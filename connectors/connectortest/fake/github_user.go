package fake

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Misbehaviours of GET /user and GET /user/emails.
const (
	GitHubIDFloat    Misbehaviour = "user: id with an exponent"
	GitHubIDHuge     Misbehaviour = "user: id beyond 64 bits"
	GitHubIDZero     Misbehaviour = "user: id is 0"
	GitHubIDNegative Misbehaviour = "user: id is negative"
	GitHubIDText     Misbehaviour = "user: id is a string"
	GitHubIDNull     Misbehaviour = "user: id is null"
	GitHubIDMissing  Misbehaviour = "user: no id"
	// GitHubRenamed is the same account under another login, GitHubReusedLogin another
	// account under the same.
	GitHubRenamed        Misbehaviour = "user: renamed"
	GitHubReusedLogin    Misbehaviour = "user: login taken over by another account"
	GitHubUserDuplicates Misbehaviour = "user: duplicate members"

	GitHubNoEmails         Misbehaviour = "emails: none"
	GitHubUnverifiedEmails Misbehaviour = "emails: none verified"
	GitHubNoreplyOnly      Misbehaviour = "emails: the noreply address alone"
	GitHubVerifiedText     Misbehaviour = `emails: verified is "true"`
	GitHubNoPrimary        Misbehaviour = "emails: none primary"
)

// GitHubIDs are the ids that are no account number and must be refused.
func GitHubIDs() []Misbehaviour {
	return []Misbehaviour{GitHubIDFloat, GitHubIDHuge, GitHubIDZero, GitHubIDNegative, GitHubIDText, GitHubIDNull, GitHubIDMissing}
}

func (f *GitHub) user(w http.ResponseWriter, _ *http.Request, c call) {
	doc := f.account(c.person)
	doc["name"] = orNull(c.person.Name)
	doc["email"] = orNull(c.person.GitHub.PublicEmail)
	for _, name := range []string{"company", "location", "hireable", "bio", "twitter_username", "notification_email"} {
		doc[name] = nil
	}
	doc["blog"], doc["created_at"], doc["updated_at"] = "", "2015-01-14T04:33:35Z", "2026-11-01T00:00:00Z"
	for name, n := range map[string]int{"public_repos": 2, "public_gists": 0, "followers": 20, "following": 0} {
		doc[name] = n
	}
	if c.allows("read:user") {
		doc["user_view_type"] = "private"
		doc["two_factor_authentication"] = true
		for name, n := range map[string]int{"private_gists": 1, "total_private_repos": 2, "owned_private_repos": 2, "disk_usage": 1000, "collaborators": 0} {
			doc[name] = n
		}
		doc["plan"] = map[string]any{"name": "free", "space": 976562499, "private_repos": 10000, "collaborators": 0}
	}
	f.spoilUser(doc, c.person)
	f.script.apply(GitHubUser, doc)
	if f.script.hit(GitHubUserDuplicates) {
		body, err := withDuplicates(doc, map[string]any{"id": 1, "login": "intruder"})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer{status: http.StatusOK, body: body}.write(w)
		return
	}
	answer{status: http.StatusOK, body: doc}.write(w)
}

func (f *GitHub) spoilUser(doc map[string]any, person Person) {
	ids := map[Misbehaviour]json.RawMessage{
		GitHubIDFloat: json.RawMessage("1.0424242e7"), GitHubIDHuge: json.RawMessage("18446744073709551617"), GitHubIDZero: json.RawMessage("0"),
		GitHubIDNegative: json.RawMessage("-10424242"), GitHubIDText: json.RawMessage(`"10424242"`), GitHubIDNull: json.RawMessage("null"),
	}
	for _, m := range GitHubIDs() {
		if !f.script.hit(m) {
			continue
		}
		if m == GitHubIDMissing {
			delete(doc, "id")
			continue
		}
		doc["id"] = ids[m]
	}
	if f.script.hit(GitHubRenamed) {
		doc["login"] = person.GitHub.Login + "-renamed"
	}
	if f.script.hit(GitHubReusedLogin) {
		doc["id"] = person.GitHub.ID + 90_000_000
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// account is the short form of a user, as it appears inside other documents too.
func (f *GitHub) account(p Person) map[string]any {
	api, login, id := f.APIURL()+"/users/"+p.GitHub.Login, p.GitHub.Login, strconv.FormatInt(p.GitHub.ID, 10)
	return map[string]any{
		"login": login, "id": p.GitHub.ID, "node_id": nodeID("User", p.GitHub.ID), "gravatar_id": "", "type": "User",
		"user_view_type": "public", "site_admin": false, "avatar_url": f.at("/avatars/u/" + id + "?v=4"), "url": api, "html_url": f.at("/" + login),
		"followers_url": api + "/followers", "following_url": api + "/following{/other_user}", "gists_url": api + "/gists{/gist_id}",
		"starred_url": api + "/starred{/owner}{/repo}", "subscriptions_url": api + "/subscriptions", "organizations_url": api + "/orgs",
		"repos_url": api + "/repos", "events_url": api + "/events{/privacy}", "received_events_url": api + "/received_events",
	}
}

func nodeID(kind string, id int64) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%02d:%s%d", len(kind), kind, id))
}

func (f *GitHub) emails(w http.ResponseWriter, r *http.Request, c call) {
	if !c.allows("user:email") {
		githubMessage(http.StatusNotFound, "Not Found").write(w)
		return
	}
	var rows []map[string]any
	for _, e := range c.person.GitHub.Emails {
		var visibility any
		if e.Primary {
			visibility = "private"
		}
		rows = append(rows, map[string]any{"email": e.Email, "primary": e.Primary, "verified": e.Verified, "visibility": visibility})
	}
	rows = f.spoilEmails(rows, c.person)
	answer{status: http.StatusOK, body: append([]map[string]any{}, githubPage(f, w, r, rows)...)}.write(w)
}

func (f *GitHub) spoilEmails(rows []map[string]any, person Person) []map[string]any {
	every := func(name string, value any) {
		for _, row := range rows {
			row[name] = value
		}
	}
	switch {
	case f.script.hit(GitHubNoEmails):
		return nil
	case f.script.hit(GitHubUnverifiedEmails):
		every("verified", false)
	case f.script.hit(GitHubVerifiedText):
		every("verified", "true")
	case f.script.hit(GitHubNoPrimary):
		every("primary", false)
	case f.script.hit(GitHubNoreplyOnly):
		return []map[string]any{{"email": noreply(person), "primary": true, "verified": true, "visibility": "private"}}
	}
	return rows
}

// noreply is the address GitHub gives to those who keep theirs private.
func noreply(p Person) string {
	return strconv.FormatInt(p.GitHub.ID, 10) + "+" + p.GitHub.Login + "@users.noreply.github.com"
}
