package github_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/github"
)

const api = "https://api.github.com"

func TestLinksStayAtTheAPI(t *testing.T) {
	t.Parallel()
	const ghes = "https://ghes.example/api/v3"
	for _, tt := range []struct {
		name, api, link string
		want            bool
	}{
		{"the same host", api, "https://api.github.com/user/orgs?page=2", true},
		{"the host in capitals", api, "https://API.github.com/user/orgs?page=2", true},
		{"another host", api, "https://evil.example/user/orgs?page=2", false},
		{"the host as a user", api, "https://api.github.com@evil.example/user", false},
		{"a user at the host", api, "https://x@api.github.com/user", false},
		{"the host as a prefix", api, "https://api.github.com.evil.example/user", false},
		{"another port", api, "https://api.github.com:444/user", false},
		{"plain http", api, "http://api.github.com/user", false},
		{"relative", api, "/user/orgs?page=2", false},
		{"without a scheme", api, "//api.github.com/user", false},
		{"below the API's path", ghes, "https://ghes.example/api/v3/user?page=2", true},
		{"beside the API's path", ghes, "https://ghes.example/evil", false},
		{"out of the API's path", ghes, "https://ghes.example/api/v3/../../evil", false},
		{"out of the API's path, escaped", ghes, "https://ghes.example/api/v3/%2e%2e/evil", false},
		{"a path that begins alike", ghes, "https://ghes.example/api/v3evil", false},
		{"not a URL", api, "https://api.github.com/%zz", false},
		{"a backslash", api, `https://evil.example\@api.github.com/user`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := github.Within(tt.api, tt.link); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// Whatever a Link header says, the bearer token goes to the API's host alone.
func FuzzLink(f *testing.F) {
	for _, seed := range []string{
		`<https://api.github.com/user/orgs?page=2>; rel="next", <https://api.github.com/user/orgs?page=2>; rel="last"`,
		`<https://evil.example/user/orgs?page=2>; rel="next"`, `<https://api.github.com@evil.example/>; rel=next`, `<`, `<>;rel="next"`, `<a>; rel="next`, ",,,",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		next, _ := connectors.NextPage(http.Header{"Link": {header}})
		if !github.Within(api, next) {
			return
		}
		u, err := url.Parse(next)
		if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Host, "api.github.com") || u.User != nil {
			t.Fatalf("the token would go to %q", next)
		}
	})
}

// An address is verified only if the document says so of the one primary address.
func FuzzEmails(f *testing.F) {
	for _, seed := range []string{
		`[{"email":"ada@example.com","primary":true,"verified":true,"visibility":"private"}]`,
		`[{"email":"ada@example.com","primary":true,"verified":"true"}]`, `[{"email":"a@users.noreply.github.com","primary":true,"verified":true}]`,
		`[{"email":"a@x.noreply.github.com","primary":true,"verified":true}]`,
		`[{"email":"a@b.c","primary":true,"verified":true},{"email":"d@e.f","primary":true,"verified":true}]`, `[{"primary":true,"verified":true}]`, `null`, `{}`, `[null]`, `[{"EMAIL":"a@b.c"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		address, verified, ok := github.DecodeEmails(body)
		if !ok && (address != "" || verified) {
			t.Fatalf("unreadable, and %q", address)
		}
		domain := strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
		if verified && (address == "" || slices.Contains(strings.Split(domain, "."), "noreply") || !strings.Contains(string(body), "rue")) {
			t.Fatalf("%q counts as verified", address)
		}
	})
}

func FuzzTokenResponse(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"gho_x","scope":"read:org,user:email","token_type":"bearer"}`, "access_token=gho_x&scope=read%3Aorg&token_type=bearer",
		`{"error":"bad_verification_code"}`, "error=bad_verification_code&error_description=x", "access_token=a&access_token=b", `{"access_token":"a","access_token":"b"}`, "<html>", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		token, refusal, ok := github.ReadTokenResponse(body)
		if !ok {
			return
		}
		for _, s := range []string{token, refusal} {
			if len(s) > len(body) {
				t.Fatalf("%q is more than was sent", s)
			}
		}
	})
}

// Whatever the header holds, only an address of this GitHub is shown, and a list that
// has the header is never taken for a whole one.
func FuzzSSO(f *testing.F) {
	for _, seed := range []string{
		"required; url=https://github.com/orgs/acme-corp/sso?authorization_request=FIXTURE", "partial-results; organizations=21955855,20582480",
		"required; url=https://github.com.evil.example/orgs/a/sso", "required; url=//github.com/orgs/a/sso", "required;url=https://GITHUB.com/orgs/../sso",
		"partial-results", "partial-results; organizations=", "partial-results; organizations=-1,0x2", "required; url=https://github.com/orgs/a%2Fb/sso#x", "; ; url=",
	} {
		f.Add(seed)
	}
	page := regexp.MustCompile(`^https://github\.com/orgs/[A-Za-z0-9._-]+/sso$`)
	f.Fuzz(func(t *testing.T, header string) {
		_, address, shown := strings.Cut(github.SSOAdvice("https://github.com", header), "sign in here again: ")
		if shown && !page.MatchString(address) {
			t.Errorf("%q is shown", address)
		}
		if withheld, unnamed := github.LeftOut(header); header != "" && len(withheld) == 0 && !unnamed {
			t.Error("the list counts as whole")
		}
	})
}
