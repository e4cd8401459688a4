package fake

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestGitHubTeamsHaveOneParentInside(t *testing.T) {
	t.Parallel()
	f, b, token := signedInGitHub(t, "ada")
	acme := githubAcme()
	top := GitHubTeam{ID: 7000, Name: "Engineering", Slug: "engineering", Organization: acme}
	middle := GitHubTeam{ID: 7001, Name: "Platform", Slug: "platform", Organization: acme, Parent: &top}
	f.Update("ada", func(p *Person) {
		p.GitHub.Teams = []GitHubTeam{{ID: 7002, Name: "Site Reliability", Slug: "site-reliability", Organization: acme, Parent: &middle}}
	})
	direct := list(t, ask(t, f, b, token, "/user/teams"))[0]["parent"].(map[string]any)
	if _, has := direct["parent"]; has || direct["slug"] != "platform" {
		t.Errorf("the parent inside is %v", direct)
	}
	whole := ask(t, f, b, token, "/organizations/5001/team/7001").json(t)
	if above := whole["parent"].(map[string]any); above["slug"] != "engineering" || whole["slug"] != "platform" {
		t.Errorf("the team by its number is %v", whole)
	}
	if whole := ask(t, f, b, token, "/organizations/5001/team/7000").json(t); whole["parent"] != nil {
		t.Errorf("the topmost has the parent %v", whole["parent"])
	}
	for _, path := range []string{"/organizations/5002/team/7001", "/organizations/5001/team/7100"} {
		if res := ask(t, f, b, token, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	f.Misbehave(GitHubSecretParents)
	if res := ask(t, f, b, token, "/organizations/5001/team/7001"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a secret parent answers %d", res.StatusCode)
	}
}

func TestGitHubAppsSeeWhereTheyAreInstalled(t *testing.T) {
	t.Parallel()
	f := newGitHub(t, newClock(), func(o *Options) { o.GitHub.App = true })
	b := browser(t)
	token := githubToken(t, f, b, "")["access_token"].(string)
	const one = "/user/memberships/orgs/acme"
	if res := ask(t, f, b, token, one); res.StatusCode != http.StatusOK {
		t.Errorf("installed: %d", res.StatusCode)
	}
	f.Misbehave(GitHubNotInstalled)
	for _, path := range []string{"/user/memberships/orgs", "/user/orgs", "/user/teams"} {
		if res := ask(t, f, b, token, path); len(list(t, res)) != 0 || res.Header.Get("X-GitHub-SSO") != "" {
			t.Errorf("%s shows %s", path, res.body)
		}
	}
	if res := ask(t, f, b, token, one); res.StatusCode != http.StatusForbidden {
		t.Errorf("not installed: %d", res.StatusCode)
	}
	f.Misbehave(GitHubHidden)
	if res := ask(t, f, b, token, one); res.StatusCode != http.StatusNotFound {
		t.Errorf("hidden: %d", res.StatusCode)
	}
	// Restrictions are for OAuth apps.
	f.Behave()
	f.Update("ada", func(p *Person) { p.GitHub.Organizations[0].Organization.Restricted = true })
	if res := ask(t, f, b, token, one); res.StatusCode != http.StatusOK {
		t.Errorf("restricted: %d", res.StatusCode)
	}
}

func TestGitHubRestrictedOrganizationsRefuseTheirMembersToo(t *testing.T) {
	t.Parallel()
	f, b, token := signedInGitHub(t, "ada")
	f.Update("ada", func(p *Person) { p.GitHub.Organizations[0].Organization.Restricted = true })
	f.Misbehave(GitHubHidden)
	for path, want := range map[string]int{"/user/memberships/orgs/acme": 404, "/orgs/acme": 403, "/orgs/widgets-inc": 200, "/orgs/nobody": 404} {
		if res := ask(t, f, b, token, path); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

func TestGitHubSuspendedAccounts(t *testing.T) {
	t.Parallel()
	f, b, token := signedInGitHub(t, "ada")
	f.Disable("ada")
	if res := ask(t, f, b, token, "/user"); res.StatusCode != http.StatusForbidden || !strings.Contains(res.body, "suspended") {
		t.Errorf("got %d %s", res.StatusCode, res.body)
	}
}

func TestGitHubSecondaryLimits(t *testing.T) {
	t.Parallel()
	f, b, token := signedInGitHub(t, "ada")
	for m, want := range map[Misbehaviour]string{GitHubSecondaryBare: "403 ", GitHubSecondary: "403 7", GitHubAbuse: "429 7"} {
		f.MisbehaveOnce(m)
		res := ask(t, f, b, token, "/user")
		if got := fmt.Sprintf("%d %s", res.StatusCode, res.Header.Get("Retry-After")); got != want {
			t.Errorf("%s: got %q", m, got)
		}
		if at := res.json(t)["documentation_url"].(string); !strings.Contains(at, "rate-limits") || res.Header.Get("X-RateLimit-Remaining") == "0" {
			t.Errorf("%s: documented at %s, %s remain", m, at, res.Header.Get("X-RateLimit-Remaining"))
		}
	}
}

func TestGitHubTokensOfAnotherApplication(t *testing.T) {
	t.Parallel()
	f := newGitHub(t, newClock(), nil)
	b := browser(t)
	f.MisbehaveOnce(GitHubForeignToken)
	token := githubToken(t, f, b, githubScope4)["access_token"].(string)
	if got := ask(t, f, b, token, "/user").Header.Get("X-OAuth-Client-Id"); got != "another-application" {
		t.Errorf("the token is one of %q", got)
	}
}

func TestGitHubAppsMayOptOutOfExpiry(t *testing.T) {
	t.Parallel()
	f := newGitHub(t, newClock(), func(o *Options) { o.GitHub.App = true })
	f.Misbehave(GitHubNoExpiry)
	tokens := githubToken(t, f, browser(t), "")
	if tokens["refresh_token"] != nil || tokens["expires_in"] != nil || !strings.HasPrefix(tokens["access_token"].(string), "ghu_") {
		t.Errorf("tokens %v", tokens)
	}
}

func TestGitHubAPIBelowAnotherPath(t *testing.T) {
	t.Parallel()
	f := newGitHub(t, newClock(), nil)
	f.SetAPIPath("/rest")
	b := browser(t)
	token := githubToken(t, f, b, githubScope4)["access_token"].(string)
	if f.APIURL() != f.URL()+"/rest" {
		t.Errorf("the API is at %s", f.APIURL())
	}
	if res := ask(t, f, b, token, "/user"); res.StatusCode != http.StatusOK {
		t.Errorf("got %d", res.StatusCode)
	}
	if res := get(t, b, f.URL()+"/api/v3/user", "Authorization", "Bearer "+token); res.StatusCode != http.StatusNotFound {
		t.Errorf("the Enterprise path answers %d", res.StatusCode)
	}
}
