package fake

import (
	"net/http"
	"strings"
	"testing"
)

func graphSession(t *testing.T, person, scope string) (*Entra, func(method, path, body string) reply) {
	t.Helper()
	f := newEntra(t, newClock(), func(o *Options) { o.SignInAs = person })
	b := browser(t)
	access := entraTokens(t, f, b, "common", "scope", scope)["access_token"].(string)
	return f, func(method, path, body string) reply {
		t.Helper()
		at := path
		if !strings.HasPrefix(path, "http") {
			at = f.GraphURL() + path
		}
		req, err := http.NewRequestWithContext(t.Context(), method, at, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+access)
		req.Header.Set("ConsistencyLevel", "eventual")
		req.Header.Set("Content-Type", "application/json")
		return do(t, b, req)
	}
}

const groupsQuery = "/v1.0/me/transitiveMemberOf/microsoft.graph.group?$select=id,displayName&$count=true&$top=100"

func TestGraphPages(t *testing.T) {
	t.Parallel()
	f, call := graphSession(t, "chloe", entraScopes)
	read := func() (rows []map[string]any, pages int) {
		for next := groupsQuery; next != "" && pages < 20; pages++ {
			doc := call("GET", next, "").json(t)
			if pages == 0 {
				sameMembers(t, fixture(t, "entra/graph_transitiveMemberOf_group.json"), doc)
				if doc["@odata.count"] != float64(250) {
					t.Errorf("count %v", doc["@odata.count"])
				}
			}
			for _, row := range doc["value"].([]any) {
				rows = append(rows, row.(map[string]any))
			}
			next, _ = doc["@odata.nextLink"].(string)
		}
		return rows, pages
	}
	rows, pages := read()
	if len(rows) != 250 || pages != 3 || rows[249]["displayName"] != "Engineering" || len(rows[0]) != 2 {
		t.Errorf("%d rows on %d pages, the last is %v", len(rows), pages, rows[len(rows)-1])
	}
	f.MisbehaveOnce(GraphNextElsewhere)
	if next := call("GET", groupsQuery, "").json(t)["@odata.nextLink"].(string); !strings.HasPrefix(next, "https://elsewhere.invalid/v1.0/me/") {
		t.Errorf("next %s", next)
	}
	f.Misbehave(GraphEndlessPages)
	if _, pages := read(); pages != 20 {
		t.Errorf("endless: %d pages", pages)
	}
	f.Behave()
	f.MisbehaveOnce(GraphNamesHidden)
	doc := call("GET", groupsQuery, "").json(t)
	if row := doc["value"].([]any)[0].(map[string]any); row["displayName"] != nil || row["id"] == nil {
		t.Errorf("hidden: %v", row)
	}
}

func TestGraphNeedsAdvancedQueriesForTheCast(t *testing.T) {
	t.Parallel()
	f, call := graphSession(t, "ada", entraScopes)
	if res := call("GET", "/v1.0/me/transitiveMemberOf/microsoft.graph.group", ""); res.StatusCode != 400 {
		t.Errorf("without $count: %d", res.StatusCode)
	}
	mixed := call("GET", "/v1.0/me/transitiveMemberOf", "").json(t)["value"].([]any)
	kinds := map[string]bool{}
	for _, row := range mixed {
		kinds[row.(map[string]any)["@odata.type"].(string)] = true
	}
	if len(kinds) != 3 {
		t.Errorf("memberOf holds %v", kinds)
	}
	if f.Calls(GraphGroups) != 2 || f.Count("/v1.0/me/transitiveMemberOf") != 1 {
		t.Error("calls were not counted")
	}
}

func TestGraphPermissions(t *testing.T) {
	t.Parallel()
	rows := []struct {
		scope                   string
		me, groups, ids, byName int
	}{
		{"openid", 403, 403, 403, 403},
		{"openid User.Read", 200, 200, 403, 200},
		{"openid User.Read GroupMember.Read.All", 200, 200, 200, 200},
		{"openid https://graph.microsoft.com/.default", 200, 200, 200, 200},
	}
	for _, row := range rows {
		t.Run(row.scope, func(t *testing.T) {
			t.Parallel()
			_, call := graphSession(t, "ada", row.scope)
			for _, one := range []struct {
				method, path, body string
				want               int
			}{
				{"GET", "/v1.0/me", "", row.me}, {"GET", groupsQuery, "", row.groups},
				{"POST", "/v1.0/me/getMemberGroups", `{"securityEnabledOnly":false}`, row.ids},
				{"POST", "/v1.0/directoryObjects/getByIds", `{"ids":["11111111-aaaa-4bbb-8ccc-000000000001"],"types":["group"]}`, row.byName},
			} {
				res := call(one.method, one.path, one.body)
				if res.StatusCode != one.want {
					t.Errorf("%s: %d %s", one.path, res.StatusCode, res.body)
				}
				if one.want == 403 {
					sameMembers(t, fixture(t, "entra/graph_error_403.json"), res.json(t))
				}
			}
		})
	}
	_, call := graphSession(t, "ada", "openid User.Read")
	if row := call("GET", groupsQuery, "").json(t)["value"].([]any)[0].(map[string]any); row["displayName"] != nil {
		t.Errorf("names without the permission: %v", row)
	}
	_, personal := graphSession(t, "finn", entraScopes)
	if res := personal("GET", groupsQuery, ""); res.StatusCode != 403 {
		t.Errorf("personal account: %d", res.StatusCode)
	}
}

func TestGraphDocuments(t *testing.T) {
	t.Parallel()
	f, call := graphSession(t, "ada", entraScopes)
	sameMembers(t, fixture(t, "entra/graph_me.json"), call("GET", "/v1.0/me", "").json(t))
	ids := call("POST", "/v1.0/me/getMemberGroups", `{"securityEnabledOnly":true}`).json(t)
	sameMembers(t, fixture(t, "entra/graph_getMemberGroups.json"), ids)
	if len(ids["value"].([]any)) != 2 {
		t.Errorf("ids %v", ids)
	}
	names := call("POST", "/v1.0/directoryObjects/getByIds", `{"ids":["11111111-aaaa-4bbb-8ccc-000000000002","unknown"]}`).json(t)["value"].([]any)
	if len(names) != 1 || names[0].(map[string]any)["displayName"] != "AllStaff" {
		t.Errorf("names %v", names)
	}
	sameMembers(t, fixture(t, "entra/graph_getByIds.json"), call("POST", "/v1.0/directoryObjects/getByIds", `{"ids":["11111111-aaaa-4bbb-8ccc-000000000002"]}`).json(t))
	const role = `{"ids":["22222222-aaaa-4bbb-8ccc-000000000001"]`
	if rows := call("POST", "/v1.0/directoryObjects/getByIds", role+`}`).json(t)["value"].([]any); len(rows) != 1 {
		t.Errorf("of any type %v", rows)
	}
	if rows := call("POST", "/v1.0/directoryObjects/getByIds", role+`,"types":["group"]}`).json(t)["value"].([]any); len(rows) != 0 {
		t.Errorf("of groups %v", rows)
	}
	for path, body := range map[string]string{"/v1.0/me/getMemberGroups": `{}`, "/v1.0/directoryObjects/getByIds": `{"ids":[]}`} {
		if res := call("POST", path, body); res.StatusCode != 400 {
			t.Errorf("%s with %s: %d", path, body, res.StatusCode)
		}
	}
	f.MisbehaveOnce(At(GraphGroups, TooManyRequests))
	res := call("GET", groupsQuery, "")
	if res.StatusCode != 429 || res.Header.Get("Retry-After") == "" || res.json(t)["error"].(map[string]any)["code"] != "TooManyRequests" {
		t.Errorf("429: %d %s", res.StatusCode, res.body)
	}
	f.MisbehaveOnce(GraphClaimsChallenge)
	if res := call("GET", "/v1.0/me", ""); res.StatusCode != 401 || !strings.Contains(res.Header.Get("WWW-Authenticate"), `error="insufficient_claims"`) {
		t.Errorf("claims challenge: %d %v", res.StatusCode, res.Header)
	}
	f.RevokeTokens("ada")
	if res := call("GET", "/v1.0/me", ""); res.StatusCode != 401 {
		t.Errorf("revoked: %d", res.StatusCode)
	}
}

func TestGraphMisbehaves(t *testing.T) {
	t.Parallel()
	f, call := graphSession(t, "ada", entraScopes)
	host := strings.TrimPrefix(f.GraphURL(), "http://")
	for m, want := range map[Misbehaviour]string{
		GraphNextOtherPath: f.GraphURL() + "/beta/me/", GraphNextDotted: f.GraphURL() + "/v1.0/../beta/",
		GraphNextUserinfo: "http://" + strings.ReplaceAll(host, ":", "%3A") + "@elsewhere.invalid/v1.0/me/", GraphNextScheme: "ftp://" + host + "/v1.0/me/",
	} {
		f.MisbehaveOnce(m)
		if next, _ := call("GET", groupsQuery, "").json(t)["@odata.nextLink"].(string); !strings.HasPrefix(next, want) {
			t.Errorf("%s: next is %q", m, next)
		}
	}
	f.MisbehaveOnce(GraphNextNumber)
	if next := call("GET", groupsQuery, "").json(t)["@odata.nextLink"]; next != float64(2) {
		t.Errorf("next is %v", next)
	}
	f.MisbehaveOnce(GraphMixedTypes)
	if rows := call("GET", groupsQuery, "").json(t)["value"].([]any); len(rows) != 3 || rows[2].(map[string]any)["@odata.type"] != "#microsoft.graph.directoryRole" {
		t.Errorf("mixed: %v", rows)
	}
	const both = `{"ids":["11111111-aaaa-4bbb-8ccc-000000000001","11111111-aaaa-4bbb-8ccc-000000000002"]}`
	f.MisbehaveOnce(GraphForgetsNames)
	if rows := call("POST", "/v1.0/directoryObjects/getByIds", both).json(t)["value"].([]any); len(rows) != 1 {
		t.Errorf("forgotten: %v", rows)
	}
	f.Update("ada", func(p *Person) { p.Entra.Groups[1].Unsecured = true })
	for body, want := range map[string]int{`{"securityEnabledOnly":true}`: 1, `{"securityEnabledOnly":false}`: 2} {
		if ids := call("POST", "/v1.0/me/getMemberGroups", body).json(t)["value"].([]any); len(ids) != want {
			t.Errorf("%s: %v", body, ids)
		}
	}
	small := newEntra(t, newClock(), func(o *Options) { o.Entra.GraphPage = 1 })
	access := entraTokens(t, small, browser(t), "common", "scope", entraScopes)["access_token"].(string)
	doc := get(t, browser(t), small.GraphURL()+groupsQuery, "Authorization", "Bearer "+access, "ConsistencyLevel", "eventual").json(t)
	if rows := doc["value"].([]any); len(rows) != 1 || doc["@odata.nextLink"] == nil {
		t.Errorf("a small page: %v", doc)
	}
}
