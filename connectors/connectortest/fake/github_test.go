package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func newGitHub(t *testing.T, c *clock, change func(*Options)) *GitHub {
	t.Helper()
	o := options(c)
	o.SignInAs = "ada"
	if change != nil {
		change(&o)
	}
	f := NewGitHub(o)
	serve(t, f.Provider)
	return f
}

const githubScope4 = "read:user user:email read:org"

func githubCode(t *testing.T, f *GitHub, b *http.Client, scope string) string {
	t.Helper()
	return get(t, b, f.at("/login/oauth/authorize?"+authRequest(scope, "nonce", "").Encode())).location(t).Get("code")
}

func githubToken(t *testing.T, f *GitHub, b *http.Client, scope string) map[string]any {
	t.Helper()
	return post(t, b, f.at("/login/oauth/access_token"), codeRequest(githubCode(t, f, b, scope)), "Accept", "application/json").json(t)
}

// ask calls the API with a token.
func ask(t *testing.T, f *GitHub, b *http.Client, token, path string) reply {
	t.Helper()
	return get(t, b, f.APIURL()+path, "Authorization", "Bearer "+token)
}

func signedInGitHub(t *testing.T, person string) (*GitHub, *http.Client, string) {
	t.Helper()
	f := newGitHub(t, newClock(), func(o *Options) { o.SignInAs = person })
	b := browser(t)
	return f, b, githubToken(t, f, b, githubScope4)["access_token"].(string)
}

func list(t *testing.T, r reply) []map[string]any {
	t.Helper()
	var rows []map[string]any
	if err := json.Unmarshal([]byte(r.body), &rows); err != nil {
		t.Fatalf("%d %s: %v", r.StatusCode, r.body, err)
	}
	return rows
}

func TestGitHubSignIn(t *testing.T) {
	t.Parallel()
	f := newGitHub(t, newClock(), nil)
	b := browser(t)
	tokens := githubToken(t, f, b, githubScope4)
	sameMembers(t, fixture(t, "github/token_success.json"), tokens)
	if tokens["scope"] != "read:org,read:user,user:email" || tokens["token_type"] != "bearer" || !strings.HasPrefix(tokens["access_token"].(string), "gho_") {
		t.Errorf("tokens %v", tokens)
	}
	user := ask(t, f, b, tokens["access_token"].(string), "/user")
	sameMembers(t, fixture(t, "github/user_private_scope.json"), user.json(t))
	if !strings.Contains(user.body, `"id":10424242,`) || user.json(t)["node_id"] != "MDQ6VXNlcjEwNDI0MjQy" {
		t.Errorf("user %s", user.body)
	}
	emails := list(t, ask(t, f, b, tokens["access_token"].(string), "/user/emails"))
	if len(emails) != 3 || emails[0]["primary"] != true || emails[0]["verified"] != true || emails[0]["visibility"] != "private" || emails[1]["visibility"] != nil {
		t.Errorf("emails %v", emails)
	}
	teams := list(t, ask(t, f, b, tokens["access_token"].(string), "/user/teams"))
	if len(teams) != 1 || teams[0]["parent"].(map[string]any)["slug"] != "platform" || teams[0]["parent"].(map[string]any)["organization"] != nil ||
		teams[0]["organization"].(map[string]any)["login"] != "acme" {
		t.Errorf("teams %v", teams)
	}
}

func TestGitHubAnswersFormEncodedWithoutAccept(t *testing.T) {
	t.Parallel()
	f := newGitHub(t, newClock(), nil)
	b := browser(t)
	code := githubCode(t, f, b, githubScope4)
	for _, row := range []struct{ name, accept, member string }{
		{"success", "", "access_token"}, {"reuse is an error with status 200", "", "error"},
	} {
		res := post(t, b, f.at("/login/oauth/access_token"), codeRequest(code))
		form, err := url.ParseQuery(res.body)
		if err != nil || res.StatusCode != 200 || form.Get(row.member) == "" || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			t.Errorf("%s: %d %s %v", row.name, res.StatusCode, res.body, err)
		}
	}
	f.MisbehaveOnce(GitHubFormAnswer)
	res := post(t, b, f.at("/login/oauth/access_token"), codeRequest("nothing"), "Accept", "application/json")
	if !strings.HasPrefix(res.body, "error=bad_verification_code&") {
		t.Errorf("got %s", res.body)
	}
}

func TestGitHubTokenErrorsAre200(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name      string
		overrides []string
		want      string
	}{
		{"a wrong secret", []string{"client_secret", "wrong"}, "incorrect_client_credentials"},
		{"an unknown client", []string{"client_id", "nobody"}, "incorrect_client_credentials"},
		{"another redirect URI", []string{"redirect_uri", callback + "/else"}, "redirect_uri_mismatch"},
		{"a made-up code", []string{"code", "0123456789"}, "bad_verification_code"},
		{"a wrong verifier", []string{"code_verifier", strings.Repeat("a", 43)}, "bad_verification_code"},
		{"another grant type", []string{"grant_type", "password"}, "unsupported_grant_type"},
	}
	f := newGitHub(t, newClock(), nil)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := browser(t)
			res := post(t, b, f.at("/login/oauth/access_token"), codeRequest(githubCode(t, f, b, "user:email"), row.overrides...), "Accept", "application/json")
			sameMembers(t, fixture(t, "github/error_bad_verification_code.json"), res.json(t))
			if res.StatusCode != http.StatusOK || res.json(t)["error"] != row.want {
				t.Errorf("got %d %s", res.StatusCode, res.body)
			}
		})
	}
}

func TestGitHubTakesTheSecretFromTheBodyAlone(t *testing.T) {
	t.Parallel()
	f := newGitHub(t, newClock(), nil)
	b := browser(t)
	form := codeRequest(githubCode(t, f, b, "user:email"), "client_id", "", "client_secret", "")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.at("/login/oauth/access_token"), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.SetBasicAuth(clientID, url.QueryEscape(clientSecret))
	if res := do(t, b, req); res.json(t)["error"] != "incorrect_client_credentials" {
		t.Errorf("got %s", res.body)
	}
}

func TestGitHubRedirectURIs(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, registered, given string
		fits                    bool
	}{
		{"the same", "https://a.example/cb", "https://a.example/cb", true},
		{"a sub-path", "https://a.example/cb", "https://a.example/cb/github", true},
		{"a path that only begins alike", "https://a.example/cb", "https://a.example/cbx", false},
		{"a way out of the path", "https://a.example/cb", "https://a.example/cb/../x", false},
		{"another host", "https://a.example/cb", "https://b.example/cb", false},
		{"another scheme", "https://a.example/cb", "http://a.example/cb", false},
		{"user information", "https://a.example/cb", "https://x@a.example/cb", false},
		{"another port", "https://a.example/cb", "https://a.example:8443/cb", false},
		{"another port on loopback", "http://127.0.0.1/cb", "http://127.0.0.1:5556/cb", true},
		{"another port on a name", "http://localhost/cb", "http://localhost:5556/cb", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := githubRedirectFits(row.registered, row.given); got != row.fits {
				t.Errorf("%s for %s: %v", row.given, row.registered, got)
			}
		})
	}
	f := newGitHub(t, newClock(), nil)
	b := browser(t)
	// The error goes to the registered callback.
	back := get(t, b, f.at("/login/oauth/authorize?"+authRequest("", "redirect_uri", "https://evil.example/").Encode())).location(t)
	if back.Get("error") != "redirect_uri_mismatch" || back.Get("state") != "st-1" {
		t.Errorf("got %v", back)
	}
	if back := get(t, b, f.at("/login/oauth/authorize?"+authRequest("", "redirect_uri", "").Encode())).location(t); back.Get("code") == "" {
		t.Errorf("without a redirect URI: %v", back)
	}
}

func TestGitHubAsksForNewScopesOnly(t *testing.T) {
	t.Parallel()
	f := newGitHub(t, newClock(), func(o *Options) { o.SignInAs = "" })
	b := browser(t)
	at := f.at("/login/oauth/authorize")
	post(t, b, at, choice(authRequest("user:email"), "ada")).location(t)
	if back := get(t, b, at+"?"+authRequest("user:email").Encode()).location(t); back.Get("code") == "" {
		t.Errorf("asked again: %v", back)
	}
	if res := get(t, b, at+"?"+authRequest("user:email read:org").Encode()); res.StatusCode != http.StatusOK {
		t.Errorf("did not ask for the new scope: %d", res.StatusCode)
	}
	if res := get(t, b, at+"?"+authRequest("user:email", "prompt", "select_account").Encode()); res.StatusCode != http.StatusOK {
		t.Errorf("select_account is silent: %d", res.StatusCode)
	}
	// GitHub has no prompt=none and no prompt=login.
	for _, prompt := range []string{"none", "login"} {
		if back := get(t, b, at+"?"+authRequest("", "prompt", prompt).Encode()).location(t); back.Get("code") == "" {
			t.Errorf("prompt=%s: %v", prompt, back)
		}
	}
	// Without scope the ones granted before are granted again.
	code := get(t, b, at+"?"+authRequest("").Encode()).location(t).Get("code")
	if got := post(t, b, f.at("/login/oauth/access_token"), codeRequest(code), "Accept", "application/json").json(t)["scope"]; got != "user:email" {
		t.Errorf("scope %v", got)
	}
}

func TestGitHubAPIHost(t *testing.T) {
	t.Parallel()
	f := newGitHub(t, newClock(), nil)
	b := browser(t)
	token := githubToken(t, f, b, githubScope4)["access_token"].(string)
	if f.APIURL() != f.URL()+"/api/v3" {
		t.Errorf("the Enterprise form is %s", f.APIURL())
	}
	srv := httptest.NewServer(f.API())
	t.Cleanup(srv.Close)
	f.SetAPIURL(srv.URL)
	user := ask(t, f, b, token, "/user").json(t)
	if user["url"] != srv.URL+"/users/ada-winter" || user["html_url"] != f.URL()+"/ada-winter" {
		t.Errorf("user %v", user)
	}
	if f.Count("/user") != 1 || f.Calls(GitHubUser) != 1 {
		t.Error("the call was not counted")
	}
}

// follow reads all pages of a list.
func follow(t *testing.T, f *GitHub, b *http.Client, token, path string) (rows []map[string]any, pages int) {
	t.Helper()
	next := regexp.MustCompile(`<([^>]+)>; rel="next"`)
	for at := f.APIURL() + path; at != ""; {
		res := get(t, b, at, "Authorization", "Bearer "+token)
		rows = append(rows, list(t, res)...)
		pages++
		at = ""
		if m := next.FindStringSubmatch(res.Header.Get("Link")); m != nil && pages < 50 {
			at = m[1]
		}
	}
	return rows, pages
}

func TestGitHubPages(t *testing.T) {
	t.Parallel()
	f, b, token := signedInGitHub(t, "eve")
	for _, row := range []struct {
		path        string
		rows, pages int
	}{
		{"/user/orgs", 130, 5}, {"/user/orgs?per_page=100", 130, 2}, {"/user/orgs?per_page=1000", 130, 2},
		{"/user/teams?per_page=65", 130, 2}, {"/user/memberships/orgs?per_page=50", 130, 3}, {"/user/emails", 1, 1},
	} {
		rows, pages := follow(t, f, b, token, row.path)
		if len(rows) != row.rows || pages != row.pages {
			t.Errorf("%s: %d rows on %d pages", row.path, len(rows), pages)
		}
	}
	res := ask(t, f, b, token, "/user/orgs?per_page=50&page=2")
	at := f.APIURL() + "/user/orgs?per_page=50&page=%d"
	want := fmt.Sprintf(`<`+at+`>; rel="prev", <`+at+`>; rel="next", <`+at+`>; rel="last", <`+at+`>; rel="first"`, 1, 3, 3, 1)
	if got := res.Header.Get("Link"); got != want {
		t.Errorf("Link %s\nwant %s", got, want)
	}
	f.Misbehave(GitHubLinkElsewhere)
	if got := ask(t, f, b, token, "/user/orgs").Header.Get("Link"); !strings.HasPrefix(got, `<https://elsewhere.invalid/user/orgs?`) {
		t.Errorf("Link %s", got)
	}
	f.Behave()
	f.Misbehave(GitHubEndlessPages)
	if rows, pages := follow(t, f, b, token, "/user/orgs"); pages != 50 || len(rows) != 50*30 {
		t.Errorf("%d rows on %d pages", len(rows), pages)
	}
}
