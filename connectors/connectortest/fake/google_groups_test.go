package fake

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// serviceToken is an access token of the service account, as itself or as somebody.
func (f *Google) serviceToken(subject string, scopes ...string) string {
	return "Bearer " + f.service.issue(googleCaller{account: true, subject: subject, scopes: scopes}, f.opts.Now().Add(googleAccessLife))
}

func (f *Google) ask(t *testing.T, token, path string, params ...string) reply {
	t.Helper()
	return get(t, browser(t), f.at(path+"?"+pairs(params).Encode()), "Authorization", token)
}

func pairs(list []string) url.Values {
	v := url.Values{}
	for i := 0; i < len(list); i += 2 {
		v.Set(list[i], list[i+1])
	}
	return v
}

const (
	directoryPath  = "/admin/directory/v1/groups"
	transitivePath = "/v1/groups/-/memberships:searchTransitiveGroups"
	directPath     = "/v1/groups/-/memberships:searchDirectGroups"
	adaQuery       = "member_key_id == 'ada@example.com' && 'cloudidentity.googleapis.com/groups.discussion_forum' in labels"
)

func TestGoogleDirectoryGroups(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), func(o *Options) { o.Google.Page = 2 })
	f.Update("ada", func(p *Person) { p.Google.Groups = append(p.Google.Groups, "all-staff@example.com") })
	admin := f.serviceToken("admin@example.com", googleDirectoryRead)
	page := f.ask(t, admin, directoryPath, "userKey", "108234567890123456789", "maxResults", "200").json(t)
	shape := fixture(t, "google/directory_groups_page1.json")
	sameMembers(t, shape, page)
	sameMembers(t, shape["groups"].([]any)[0].(map[string]any), page["groups"].([]any)[0].(map[string]any))
	rest := f.ask(t, admin, directoryPath, "userKey", "ada@example.com", "pageToken", page["nextPageToken"].(string)).json(t)
	sameMembers(t, fixture(t, "google/directory_groups_page2.json"), rest)
	if rest["nextPageToken"] != nil || rest["groups"].([]any)[0].(map[string]any)["email"] != "all-staff@example.com" {
		t.Errorf("the second page: %v", rest)
	}
	// Direct memberships only, of groups too.
	if above := f.ask(t, admin, directoryPath, "userKey", "engineering@example.com").json(t); len(above["groups"].([]any)) != 1 {
		t.Errorf("the groups of a group: %v", above)
	}
	f.Update("ada", func(p *Person) { p.Google.Groups = nil })
	empty := f.ask(t, admin, directoryPath, "userKey", "ada@example.com").json(t)
	sameMembers(t, fixture(t, "google/directory_groups_empty.json"), empty)
	if _, there := empty["groups"]; there {
		t.Error("an empty list is sent")
	}
}

func TestGoogleDirectoryRefusals(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	admin := f.serviceToken("admin@example.com", googleDirectoryRead)
	for _, row := range []struct {
		name    string
		m       Misbehaviour
		token   string
		userKey string
		status  int
		reason  string
		shape   string
	}{
		{"no token", "", "Bearer x", "ada@example.com", 401, "authError", ""},
		{"another scope", "", f.serviceToken("admin@example.com", googleGroupsScope), "ada@example.com", 403, "insufficientPermissions", ""},
		{"the account itself", "", f.serviceToken("", googleDirectoryRead), "ada@example.com", 403, "forbidden", "google/directory_error_403.json"},
		{"somebody who is no administrator", "", f.serviceToken("ada@example.com", googleDirectoryRead), "ada@example.com", 403, "forbidden", ""},
		{"an administrator without the privilege", GoogleNotAdmin, admin, "ada@example.com", 403, "forbidden", ""},
		{"a consumer account", "", admin, "ben@gmail.com", 404, "notFound", "google/directory_error_404.json"},
		{"a person of another domain", "", admin, "dana@partner.example", 404, "notFound", ""},
		{"a rate limit", GoogleRateLimit, admin, "ada@example.com", 429, "rateLimitExceeded", "google/directory_error_429.json"},
		{"a person's quota", GoogleUserQuota, admin, "ada@example.com", 403, "userRateLimitExceeded", ""},
		{"another quota", GoogleOtherQuota, admin, "ada@example.com", 403, "quotaExceeded", ""},
		{"not enabled", GoogleAPIDisabled, admin, "ada@example.com", 403, "accessNotConfigured", ""},
		{"nobody asked about", "", admin, "", 400, "required", ""},
	} {
		f.MisbehaveOnce(row.m)
		res := f.ask(t, row.token, directoryPath, "userKey", row.userKey)
		e, _ := res.json(t)["error"].(map[string]any)
		if row.shape != "" {
			sameMembers(t, fixture(t, row.shape)["error"].(map[string]any), e)
		}
		if res.StatusCode != row.status || !strings.Contains(res.body, `"reason":"`+row.reason+`"`) {
			t.Errorf("%s: %d %s", row.name, res.StatusCode, res.body)
		}
		if row.status == 429 && res.Header.Get("Retry-After") != fmt.Sprint(retryAfter) {
			t.Errorf("%s: no Retry-After", row.name)
		}
	}
}

func TestGoogleDirectoryUser(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	admin := f.serviceToken("admin@example.com", googleUsersRead)
	f.Update("ada", func(p *Person) { p.Google.Suspended = true })
	if doc := f.ask(t, admin, "/admin/directory/v1/users/108234567890123456789").json(t); doc["suspended"] != true || doc["archived"] != false || doc["kind"] != "admin#directory#user" {
		t.Errorf("got %v", doc)
	}
	if res := f.ask(t, admin, "/admin/directory/v1/users/109999999999999999999"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a person of another domain: %d", res.StatusCode)
	}
}

func TestGoogleMembershipSearch(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	admin := f.serviceToken("admin@example.com", googleGroupsScope)
	doc := f.ask(t, admin, transitivePath, "query", adaQuery).json(t)
	shape := fixture(t, "google/cloudidentity_searchTransitiveGroups.json")
	sameMembers(t, shape, doc)
	relations := map[string]any{}
	for _, row := range doc["memberships"].([]any) {
		row := row.(map[string]any)
		sameMembers(t, shape["memberships"].([]any)[0].(map[string]any), row)
		relations[row["groupKey"].(map[string]any)["id"].(string)] = row["relationType"]
	}
	if relations["engineering@example.com"] != "DIRECT" || relations["all-staff@example.com"] != "INDIRECT" || len(relations) != 3 {
		t.Errorf("got %v", relations)
	}
	if direct := f.ask(t, admin, directPath, "query", adaQuery).json(t); len(direct["memberships"].([]any)) != 2 {
		t.Errorf("direct groups: %v", direct)
	}
	// "Security" is a label like any other.
	security := strings.Replace(adaQuery, "discussion_forum", "security", 1)
	if only := f.ask(t, admin, transitivePath, "query", security).json(t); len(only["memberships"].([]any)) != 1 {
		t.Errorf("security groups: %v", only)
	}
}

func TestGoogleMembershipRefusals(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), nil)
	b := browser(t)
	scopes := "openid email profile " + googleGroupsScope
	back := get(t, b, f.at("/o/oauth2/v2/auth?"+authRequest(scopes).Encode())).location(t)
	ada := "Bearer " + post(t, b, f.at("/token"), codeRequest(back.Get("code"))).json(t)["access_token"].(string)
	benQuery := strings.Replace(adaQuery, "ada@example.com", "ben@mail.example", 1)
	for _, row := range []struct {
		name   string
		m      Misbehaviour
		token  string
		path   string
		query  string
		status int
		text   string
	}{
		{"people about themselves", "", ada, transitivePath, adaQuery, 200, "all-staff"},
		{"people about others", "", ada, transitivePath, benQuery, 403, "Error(4013)"},
		{"an edition without it", GooglePremiumOnly, ada, transitivePath, adaQuery, 403, "Error(4013)"},
		{"no licence", GoogleUnlicensed, ada, transitivePath, adaQuery, 403, "Error(3005)"},
		{"direct groups in any edition", GooglePremiumOnly, ada, directPath, adaQuery, 200, "engineering"},
		{"the account itself", "", f.serviceToken("", googleGroupsScope), directPath, adaQuery, 403, "Error(4013)"},
		{"another domain's administrator", "", f.serviceToken("admin@partner.example", googleGroupsScope), directPath, adaQuery, 403, "Error(4013)"},
		{"a token for other things", "", f.serviceToken("admin@example.com", googleUsersRead), directPath, adaQuery, 403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"},
		{"no label", "", ada, directPath, "member_key_id == 'ada@example.com'", 400, "INVALID_ARGUMENT"},
		{"no member", "", ada, directPath, "'cloudidentity.googleapis.com/groups.discussion_forum' in labels", 400, "INVALID_ARGUMENT"},
	} {
		f.Behave()
		f.MisbehaveOnce(row.m)
		res := f.ask(t, row.token, row.path, "query", row.query)
		if res.StatusCode != row.status || !strings.Contains(res.body, row.text) {
			t.Errorf("%s: %d %s", row.name, res.StatusCode, res.body)
		}
	}
	sameMembers(t, fixture(t, "google/cloudidentity_error_403.json")["error"].(map[string]any), f.ask(t, ada, directPath, "query", benQuery).json(t)["error"].(map[string]any))
}

func TestGoogleReadsMembershipQueriesAsCEL(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		adaQuery: "ada@example.com",
		`"x" in labels && member_key_id == "o'brien@example.com"`:           "o'brien@example.com",
		`member_key_id == 'o\'brien\\@example.com' && 'x' in labels`:        `o'brien\@example.com`,
		`member_key_id == 'a' && member_key_id == 'b' && 'x' in labels`:     "b",
		`member_key_id == 'a' && parent == 'customers/C1' && 'x' in labels`: "a",
		`member_key_id == 'o'brien@example.com' && 'x' in labels`:           "",
		`member_key_id == 'a' || member_key_id == 'b' && 'x' in labels`:     "",
		`member_key_id == 'a' && other == 'b' && 'x' in labels`:             "",
		`member_key_id == 'a\n' && 'x' in labels`:                           "",
		"member_key_id == 'a\n' && 'x' in labels":                           "",
		`member_key_id == 'a`: "",
		``:                    "",
	} {
		q, ok := parseMembershipQuery(query)
		if ok != (want != "") || ok && q.member != want {
			t.Errorf("%s: %q, %v", query, q.member, ok)
		}
	}
}

func FuzzGoogleMembershipQuery(f *testing.F) {
	f.Add(adaQuery)
	f.Add(`'x' in labels && member_key_id == "a\"b"`)
	f.Fuzz(func(t *testing.T, query string) {
		if q, ok := parseMembershipQuery(query); ok && (q.member == "" || q.label == "") {
			t.Errorf("%q was taken for a whole query", query)
		}
	})
}

func TestGoogleGroupsMayContainEachOther(t *testing.T) {
	t.Parallel()
	f := newGoogle(t, newClock(), func(o *Options) {
		o.Google.Groups = []GoogleGroup{
			{ID: "1", Email: "a@example.com", In: []string{"b@example.com"}}, {ID: "2", Email: "b@example.com", In: []string{"a@example.com"}},
		}
	})
	var got []string
	for _, m := range f.memberships([]string{"a@example.com", "gone@example.com"}, true) {
		got = append(got, m.Email+" "+m.relation())
	}
	if want := []string{"a@example.com DIRECT_AND_INDIRECT", "b@example.com INDIRECT"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
