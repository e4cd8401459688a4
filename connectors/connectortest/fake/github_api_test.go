package fake

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestGitHubScopesDecideWhatAnswers(t *testing.T) {
	t.Parallel()
	rows := []struct {
		scope  string
		status map[string]int
	}{
		{"read:user", map[string]int{"/user": 200, "/user/emails": 404, "/user/orgs": 403, "/user/teams": 403, "/user/memberships/orgs": 403, "/user/memberships/orgs/acme": 403}},
		{"user:email", map[string]int{"/user": 200, "/user/emails": 200, "/user/orgs": 403}},
		{"read:org", map[string]int{"/user/emails": 404, "/user/orgs": 200, "/user/teams": 200, "/user/memberships/orgs": 200, "/user/memberships/orgs/ACME": 200}},
		{"user", map[string]int{"/user/emails": 200, "/user/orgs": 200}},
	}
	for _, row := range rows {
		t.Run(row.scope, func(t *testing.T) {
			t.Parallel()
			f := newGitHub(t, newClock(), nil)
			b := browser(t)
			token := githubToken(t, f, b, row.scope)["access_token"].(string)
			for path, want := range row.status {
				if res := ask(t, f, b, token, path); res.StatusCode != want {
					t.Errorf("%s: %d %s", path, res.StatusCode, res.body)
				}
			}
			if got := ask(t, f, b, token, "/user").Header.Get("X-OAuth-Scopes"); got != row.scope {
				t.Errorf("X-OAuth-Scopes %q", got)
			}
		})
	}
}

func TestGitHubAPIRefusals(t *testing.T) {
	t.Parallel()
	f, b, token := signedInGitHub(t, "ada")
	at := f.APIURL() + "/user"
	rows := []struct {
		name   string
		header []string
		want   int
	}{
		{"no token", nil, 401},
		{"a made-up token", []string{"Authorization", "Bearer gho_x"}, 401},
		{"the old scheme works", []string{"Authorization", "token " + token}, 200},
		{"no User-Agent", []string{"Authorization", "Bearer " + token, "User-Agent", ""}, 403},
		{"an unknown API version", []string{"Authorization", "Bearer " + token, "X-GitHub-Api-Version", "1999-01-01"}, 400},
		{"the known API version", []string{"Authorization", "Bearer " + token, "X-GitHub-Api-Version", "2022-11-28"}, 200},
	}
	for _, row := range rows {
		res := get(t, b, at, row.header...)
		if res.StatusCode != row.want {
			t.Errorf("%s: %d %s", row.name, res.StatusCode, res.body)
		}
		if row.want == 401 {
			sameMembers(t, fixture(t, "github/error_401_bad_credentials.json"), res.json(t))
		}
	}
}

func TestGitHubMembershipStates(t *testing.T) {
	t.Parallel()
	f, b, token := signedInGitHub(t, "ben")
	if rows := list(t, ask(t, f, b, token, "/user/orgs")); len(rows) != 0 {
		t.Errorf("an invitation is listed as membership: %v", rows)
	}
	rows := list(t, ask(t, f, b, token, "/user/memberships/orgs"))
	if len(rows) != 1 || rows[0]["state"] != "pending" {
		t.Errorf("memberships %v", rows)
	}
	if rows := list(t, ask(t, f, b, token, "/user/memberships/orgs?state=active")); len(rows) != 0 {
		t.Errorf("active memberships %v", rows)
	}
	if one := ask(t, f, b, token, "/user/memberships/orgs/acme").json(t); one["state"] != "pending" {
		t.Errorf("one %v", one)
	}
	if res := ask(t, f, b, token, "/user/memberships/orgs/widgets-inc"); res.StatusCode != http.StatusNotFound {
		t.Errorf("not a member: %d", res.StatusCode)
	}
}

func TestGitHubOrganizationsBehindSAML(t *testing.T) {
	t.Parallel()
	f, b, token := signedInGitHub(t, "finn")
	res := ask(t, f, b, token, "/user/orgs")
	if len(list(t, res)) != 0 || res.Header.Get("X-GitHub-SSO") != "partial-results; organizations=5004" {
		t.Errorf("%s %q", res.body, res.Header.Get("X-GitHub-SSO"))
	}
	res = ask(t, f, b, token, "/user/memberships/orgs/acme-vault")
	if res.StatusCode != 403 || !strings.HasPrefix(res.Header.Get("X-GitHub-SSO"), "required; url=") {
		t.Errorf("%d %q", res.StatusCode, res.Header.Get("X-GitHub-SSO"))
	}
	f.Update("finn", func(p *Person) {
		p.GitHub.Organizations = []GitHubMembership{{Organization: GitHubOrganization{ID: 9, Login: "closed", Restricted: true}}}
	})
	if res := ask(t, f, b, token, "/user/orgs"); len(list(t, res)) != 0 || res.Header.Get("X-GitHub-SSO") != "" {
		t.Errorf("a restricted organisation shows: %s", res.body)
	}
	if res := ask(t, f, b, token, "/user/memberships/orgs/closed"); res.StatusCode != 403 {
		t.Errorf("a restricted organisation answers: %d", res.StatusCode)
	}
}

func TestGitHubMisbehaviours(t *testing.T) {
	t.Parallel()
	f, b, token := signedInGitHub(t, "ada")
	raw := func(m Misbehaviour, path string) (reply, string) {
		f.MisbehaveOnce(m)
		res := ask(t, f, b, token, path)
		var doc map[string]json.RawMessage
		_ = json.Unmarshal([]byte(res.body), &doc)
		return res, string(doc["id"])
	}
	for m, want := range map[Misbehaviour]string{
		GitHubIDFloat: "1.0424242e7", GitHubIDHuge: "18446744073709551617", GitHubIDZero: "0", GitHubIDNegative: "-10424242",
		GitHubIDText: `"10424242"`, GitHubIDNull: "null", GitHubIDMissing: "", GitHubReusedLogin: "100424242",
	} {
		if _, id := raw(m, "/user"); id != want {
			t.Errorf("%s: id %s", m, id)
		}
	}
	if res, _ := raw(GitHubRenamed, "/user"); res.json(t)["login"] != "ada-winter-renamed" {
		t.Errorf("login %v", res.json(t)["login"])
	}
	if res, _ := raw(GitHubUserDuplicates, "/user"); strings.Count(res.body, `"id":`) != 2 {
		t.Error("no duplicate")
	}
	for m, fine := range map[Misbehaviour]func(rows []map[string]any) bool{
		GitHubNoEmails:         func(r []map[string]any) bool { return len(r) == 0 },
		GitHubUnverifiedEmails: func(r []map[string]any) bool { return r[0]["verified"] == false },
		GitHubVerifiedText:     func(r []map[string]any) bool { return r[0]["verified"] == "true" },
		GitHubNoPrimary:        func(r []map[string]any) bool { return r[0]["primary"] == false },
		GitHubNoreplyOnly: func(r []map[string]any) bool {
			return len(r) == 1 && strings.HasSuffix(r[0]["email"].(string), "@users.noreply.github.com")
		},
	} {
		f.MisbehaveOnce(m)
		if rows := list(t, ask(t, f, b, token, "/user/emails")); !fine(rows) {
			t.Errorf("%s: %v", m, rows)
		}
	}
	for m, header := range map[Misbehaviour]string{GitHubRateLimited: "X-RateLimit-Reset", GitHubSecondary: "Retry-After", GitHubSAMLRequired: "X-GitHub-SSO"} {
		res, _ := raw(m, "/user/orgs")
		if res.StatusCode != 403 || res.Header.Get(header) == "" || res.json(t)["message"] == nil {
			t.Errorf("%s: %d %v", m, res.StatusCode, res.Header)
		}
	}
	if res, _ := raw(GitHubRateLimited, "/user"); res.Header.Get("X-RateLimit-Remaining") != "0" {
		t.Error("the limit is not used up")
	}
	if res, _ := raw(GitHubPartial, "/user/orgs"); !strings.HasPrefix(res.Header.Get("X-GitHub-SSO"), "partial-results") {
		t.Error("not partial")
	}
	for fault, status := range map[Fault]int{Unauthorized: 401, TooManyRequests: 429, ServerError: 500} {
		if res, _ := raw(At(GitHubTeams, fault), "/user/teams"); res.StatusCode != status || res.json(t)["message"] == nil {
			t.Errorf("%s: %d", fault, res.StatusCode)
		}
	}
	if res := ask(t, f, b, token, "/user"); res.StatusCode != 200 || !strings.Contains(res.body, `"id":10424242,`) {
		t.Errorf("afterwards %s", res.body)
	}
}

func TestGitHubScopeMisbehaviours(t *testing.T) {
	t.Parallel()
	f := newGitHub(t, newClock(), nil)
	b := browser(t)
	f.MisbehaveOnce(TokenReducedScope)
	if got := githubToken(t, f, b, githubScope4)["scope"]; got != "read:user,user:email" {
		t.Errorf("scope %v", got)
	}
	f.MisbehaveOnce(GitHubHollowScope)
	tokens := githubToken(t, f, b, githubScope4)
	if res := ask(t, f, b, tokens["access_token"].(string), "/user/teams"); tokens["scope"] != "read:org,read:user,user:email" || res.StatusCode != 403 {
		t.Errorf("scope %v, teams %d", tokens["scope"], res.StatusCode)
	}
	for m, want := range map[Misbehaviour]string{GitHubBadSecret: "incorrect_client_credentials", GitHubUnverifiedAccount: "unverified_user_email"} {
		f.MisbehaveOnce(m)
		if got := githubToken(t, f, b, githubScope4)["error"]; got != want {
			t.Errorf("%s: %v", m, got)
		}
	}
}

func TestGitHubKeepsTenTokens(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newGitHub(t, c, nil)
	b := browser(t)
	var tokens []string
	for range 11 {
		tokens = append(tokens, githubToken(t, f, b, "user:email")["access_token"].(string))
		c.Advance(time.Second)
	}
	other := githubToken(t, f, b, "read:org")["access_token"].(string)
	for i, want := range map[int]int{0: 401, 1: 200, 10: 200} {
		if res := ask(t, f, b, tokens[i], "/user"); res.StatusCode != want {
			t.Errorf("token %d: %d", i, res.StatusCode)
		}
	}
	if res := ask(t, f, b, other, "/user"); res.StatusCode != 200 {
		t.Errorf("another set of scopes: %d", res.StatusCode)
	}
}

func TestGitHubAppTokensExpireAndRotate(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newGitHub(t, c, func(o *Options) { o.GitHub.App = true })
	b := browser(t)
	tokens := githubToken(t, f, b, "")
	sameMembers(t, fixture(t, "github/token_success_github_app_expiring.json"), tokens)
	if tokens["scope"] != "" {
		t.Errorf("scope %v", tokens["scope"])
	}
	c.Advance(githubAppToken)
	if res := ask(t, f, b, tokens["access_token"].(string), "/user"); res.StatusCode != 401 {
		t.Errorf("after eight hours: %d", res.StatusCode)
	}
	refresh := func() map[string]any {
		return post(t, b, f.at("/login/oauth/access_token"), refreshRequest(tokens["refresh_token"].(string)), "Accept", "application/json").json(t)
	}
	fresh := refresh()
	if res := ask(t, f, b, fresh["access_token"].(string), "/user/teams"); res.StatusCode != 200 {
		t.Errorf("refreshed: %d", res.StatusCode)
	}
	if again := refresh(); again["error"] != "bad_refresh_token" {
		t.Errorf("second use: %v", again)
	}
}

func TestGitHubApplicationsMayCheckAndEndTheirTokens(t *testing.T) {
	t.Parallel()
	f, b, token := signedInGitHub(t, "ada")
	call := func(method, path, secret string) reply {
		req, err := http.NewRequestWithContext(t.Context(), method, f.APIURL()+"/applications/"+clientID+path, strings.NewReader(`{"access_token":"`+token+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(clientID, secret)
		return do(t, b, req)
	}
	if res := call("POST", "/token", "wrong"); res.StatusCode != 404 {
		t.Errorf("wrong secret: %d", res.StatusCode)
	}
	res := call("POST", "/token", clientSecret)
	sameMembers(t, fixture(t, "github/check_token_response.json"), res.json(t))
	if res := call("DELETE", "/grant", clientSecret); res.StatusCode != 204 {
		t.Errorf("delete: %d", res.StatusCode)
	}
	if res := call("POST", "/token", clientSecret); res.StatusCode != 404 {
		t.Errorf("afterwards: %d", res.StatusCode)
	}
	if res := ask(t, f, b, token, "/user"); res.StatusCode != 401 {
		t.Errorf("the token lives: %d", res.StatusCode)
	}
}
