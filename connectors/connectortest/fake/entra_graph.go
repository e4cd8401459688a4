package fake

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The endpoints of Graph. Userinfo is served by Graph too.
const (
	GraphMe           Endpoint = "graph me"
	GraphGroups       Endpoint = "graph groups"
	GraphMemberGroups Endpoint = "graph getMemberGroups"
	GraphByIDs        Endpoint = "graph getByIds"
)

// Misbehaviours of Graph.
const (
	GraphNextElsewhere   Misbehaviour = "graph: the next page is on another host"
	GraphEndlessPages    Misbehaviour = "graph: there is always a next page"
	GraphNamesHidden     Misbehaviour = "graph: group names are null"
	GraphClaimsChallenge Misbehaviour = "graph: 401 with a claims challenge"
	// GraphNextOtherPath and GraphNextDotted name the right host, but a path outside of
	// the version; GraphNextUserinfo hides another host behind the right one.
	GraphNextOtherPath Misbehaviour = "graph: the next page is outside of /v1.0"
	GraphNextDotted    Misbehaviour = "graph: the next page leaves /v1.0 by dots"
	GraphNextUserinfo  Misbehaviour = "graph: the next page has the host as user name"
	GraphNextScheme    Misbehaviour = "graph: the next page has another scheme"
	GraphNextNumber    Misbehaviour = "graph: the next page is a number"
	// GraphMixedTypes puts a directory role into what was cast to groups, of the same
	// name as a group.
	GraphMixedTypes Misbehaviour = "graph: a directory role among the groups"
	// GraphForgetsNames leaves one of the objects out that were asked for by id.
	GraphForgetsNames Misbehaviour = "graph: getByIds leaves an object out"
)

const graphResource = "https://graph.microsoft.com/"

func knownGraphScope(name string) bool {
	return slices.Contains([]string{"User.Read", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All", "User.ReadBasic.All"}, name)
}

func (f *Entra) mountGraph() {
	f.graphRoute("GET /oidc/userinfo", Userinfo, f.userinfo)
	f.graphRoute("POST /oidc/userinfo", Userinfo, f.userinfo)
	f.graphRoute("GET /v1.0/me", GraphMe, f.me)
	f.graphRoute("GET /v1.0/me/memberOf", GraphGroups, f.memberOf)
	f.graphRoute("GET /v1.0/me/transitiveMemberOf", GraphGroups, f.memberOf)
	f.graphRoute("GET /v1.0/me/transitiveMemberOf/microsoft.graph.group", GraphGroups, f.transitiveGroups)
	f.graphRoute("POST /v1.0/me/getMemberGroups", GraphMemberGroups, f.memberGroups)
	f.graphRoute("POST /v1.0/directoryObjects/getByIds", GraphByIDs, f.byIDs)
}

func (f *Entra) graphRoute(pattern string, e Endpoint, h func(http.ResponseWriter, *http.Request, call)) {
	f.graph.HandleFunc(pattern, f.faulty(e, func(w http.ResponseWriter, r *http.Request) {
		_, person, scopes, ok := f.bearer(r)
		switch {
		case !ok:
			f.graphError(http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty, invalid or expired.").write(w)
		case f.script.hit(GraphClaimsChallenge):
			a := f.graphError(http.StatusUnauthorized, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge.")
			claims := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"nbf":{"essential":true,"value":"1795132800"}}}`))
			a.header = http.Header{"Www-Authenticate": {`Bearer realm="", authorization_uri="` + f.at("/common/oauth2/authorize") + `", error="insufficient_claims", claims="` + claims + `"`}}
			a.write(w)
		default:
			h(w, r, call{person: person, scopes: scopes})
		}
	}))
}

// permitted says whether the token has one of Graph's permissions.
func (c call) permitted(names ...string) bool {
	for _, scope := range c.scopes {
		if name, ok := strings.CutPrefix(scope, graphResource); ok && (name == ".default" || slices.Contains(names, name)) {
			return true
		}
	}
	return false
}

func (f *Entra) denied(w http.ResponseWriter) {
	f.graphError(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.").write(w)
}

// graphError is the shape of "Microsoft Graph error responses and resource types".
func (f *Entra) graphError(status int, code, message string) answer {
	id := guid()
	return answer{status: status, body: map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]any{"date": f.opts.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": id, "client-request-id": id},
	}}}
}

// userinfo never says email_verified, and has a picture for everybody.
func (f *Entra) userinfo(w http.ResponseWriter, r *http.Request, c call) {
	g, _, _, _ := f.bearer(r)
	if !slices.Contains(c.scopes, "openid") {
		f.denied(w)
		return
	}
	doc := map[string]any{"sub": EntraSubject(g.client.ID, c.person), "picture": f.GraphURL() + "/v1.0/me/photo/$value"}
	if slices.Contains(c.scopes, "profile") {
		setNonEmpty(doc, "name", c.person.Name)
		setNonEmpty(doc, "given_name", c.person.GivenName)
		setNonEmpty(doc, "family_name", c.person.FamilyName)
	}
	if slices.Contains(c.scopes, "email") && !c.person.Entra.NoEmail {
		setNonEmpty(doc, "email", c.person.Email)
	}
	f.serveUserinfo(w, doc)
}

func (f *Entra) me(w http.ResponseWriter, _ *http.Request, c call) {
	if !c.permitted("User.Read", "User.ReadBasic.All", "Directory.Read.All") {
		f.denied(w)
		return
	}
	f.document(w, GraphMe, map[string]any{
		"@odata.context": f.GraphURL() + "/v1.0/$metadata#users/$entity", "businessPhones": []string{}, "displayName": c.person.Name,
		"givenName": orNull(c.person.GivenName), "surname": orNull(c.person.FamilyName), "jobTitle": nil, "mail": orNull(c.person.Email),
		"mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil, "userPrincipalName": c.person.Entra.PreferredUsername,
		"id": c.person.Entra.ObjectID,
	})
}

// mayReadGroups: User.Read is enough to see ids, but not names ("Microsoft Graph
// permissions overview", limited information for inaccessible member objects).
func (f *Entra) mayReadGroups(w http.ResponseWriter, c call) (names, ok bool) {
	if c.person.Entra.TenantID == personalTenant || !c.permitted("User.Read", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All") {
		f.denied(w)
		return false, false
	}
	names = c.permitted("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All")
	return names && !f.script.hit(GraphNamesHidden), true
}

// memberOf mixes groups with directory roles and administrative units.
func (f *Entra) memberOf(w http.ResponseWriter, r *http.Request, c call) {
	names, ok := f.mayReadGroups(w, c)
	if !ok {
		return
	}
	var rows []map[string]any
	for _, g := range c.person.Entra.Groups {
		rows = append(rows, groupObject(g, names))
	}
	if len(rows) > 0 {
		rows = append(rows, directoryRole(), map[string]any{
			"@odata.type": "#microsoft.graph.administrativeUnit", "id": "33333333-aaaa-4bbb-8ccc-000000000001", "displayName": "EMEA",
		})
	}
	f.graphPage(w, r, "/v1.0/$metadata#directoryObjects", rows)
}

func groupObject(g EntraGroup, names bool) map[string]any {
	doc := map[string]any{
		"@odata.type": "#microsoft.graph.group", "id": g.ID, "deletedDateTime": nil, "description": nil, "displayName": nil, "groupTypes": []string{},
		"mailEnabled": false, "mailNickname": nil, "onPremisesSamAccountName": nil, "onPremisesSyncEnabled": nil, "securityEnabled": nil, "visibility": nil,
	}
	if names {
		doc["displayName"], doc["mailNickname"], doc["securityEnabled"] = g.Name, strings.ToLower(strings.ReplaceAll(g.Name, " ", "-")), !g.Unsecured
	}
	return doc
}

// transitiveGroups casts the collection ("List a user's memberships (direct and
// transitive)"), which Graph does in its advanced queries alone: with $count=true and
// ConsistencyLevel: eventual ("Advanced query capabilities on Microsoft Entra ID
// objects").
func (f *Entra) transitiveGroups(w http.ResponseWriter, r *http.Request, c call) {
	q := r.URL.Query()
	if q.Get("$count") != "true" || !strings.EqualFold(r.Header.Get("ConsistencyLevel"), "eventual") {
		f.graphError(http.StatusBadRequest, "Request_UnsupportedQuery", "The specified query needs $count=true and the header ConsistencyLevel.").write(w)
		return
	}
	names, ok := f.mayReadGroups(w, c)
	if !ok {
		return
	}
	var selected []string
	if s := q.Get("$select"); s != "" {
		selected = strings.Split(s, ",")
	}
	var rows []map[string]any
	for _, g := range c.person.Entra.Groups {
		row := groupObject(g, names)
		delete(row, "@odata.type")
		for name := range row {
			if selected != nil && !slices.Contains(selected, name) {
				delete(row, name)
			}
		}
		rows = append(rows, row)
	}
	if f.script.hit(GraphMixedTypes) {
		rows = append(rows, directoryRole())
	}
	f.graphPage(w, r, "/v1.0/$metadata#groups("+q.Get("$select")+")", rows)
}

func directoryRole() map[string]any {
	return map[string]any{
		"@odata.type": "#microsoft.graph.directoryRole", "id": "22222222-aaaa-4bbb-8ccc-000000000001", "displayName": "Directory Readers",
		"roleTemplateId": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
	}
}

// graphPage cuts one page and names the next ("Paging Microsoft Graph data in your
// app").
func (f *Entra) graphPage(w http.ResponseWriter, r *http.Request, context string, rows []map[string]any) {
	q := r.URL.Query()
	size, err := strconv.Atoi(q.Get("$top"))
	if err != nil || size < 1 {
		size = 100
	}
	size = min(size, cmp.Or(f.opts.Entra.GraphPage, 999))
	from, _ := strconv.Atoi(string(unb64(q.Get("$skiptoken"))))
	from = max(0, min(from, len(rows)))
	to := min(from+size, len(rows))
	doc := map[string]any{"@odata.context": f.GraphURL() + context, "value": append([]map[string]any{}, rows[from:to]...)}
	if q.Get("$count") == "true" && !q.Has("$skiptoken") {
		doc["@odata.count"] = len(rows)
	}
	endless := f.script.hit(GraphEndlessPages)
	if endless {
		to = 0
	}
	next := url.Values{}
	for name, values := range q {
		next[name] = values
	}
	next.Set("$skiptoken", b64([]byte(strconv.Itoa(to))))
	if link, astray := f.astray(r.URL.Path, next.Encode()); astray {
		doc["@odata.nextLink"] = link
	} else if to < len(rows) || endless {
		doc["@odata.nextLink"] = f.GraphURL() + r.URL.Path + "?" + next.Encode()
	}
	f.document(w, GraphGroups, doc)
}

// astray is a link to the next page that nobody should follow, where the script
// wants one.
func (f *Entra) astray(path, query string) (link any, hit bool) {
	_, elsewhere := f.script.settings()
	base := f.GraphURL()
	switch {
	case f.script.hit(GraphNextElsewhere):
		return elsewhere + path + "?" + query, true
	case f.script.hit(GraphNextOtherPath):
		return base + "/beta/me/memberOf?" + query, true
	case f.script.hit(GraphNextDotted):
		return base + "/v1.0/../beta/me/memberOf?" + query, true
	case f.script.hit(GraphNextUserinfo):
		_, host, _ := strings.Cut(base, "://")
		_, other, _ := strings.Cut(elsewhere, "://")
		return "http://" + strings.ReplaceAll(host, ":", "%3A") + "@" + other + path + "?" + query, true
	case f.script.hit(GraphNextScheme):
		return "ftp" + base[strings.Index(base, ":"):] + path + "?" + query, true
	case f.script.hit(GraphNextNumber):
		return 2, true
	}
	return nil, false
}

// memberGroups are the ids, nested ones included, in one answer
// ("directoryObject: getMemberGroups").
func (f *Entra) memberGroups(w http.ResponseWriter, r *http.Request, c call) {
	var body struct {
		SecurityEnabledOnly *bool `json:"securityEnabledOnly"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.SecurityEnabledOnly == nil {
		f.graphError(http.StatusBadRequest, "Request_BadRequest", "securityEnabledOnly is required.").write(w)
		return
	}
	if names, ok := f.mayReadGroups(w, c); !ok {
		return
	} else if !names {
		f.denied(w)
		return
	}
	ids := []string{}
	for _, g := range c.person.Entra.Groups {
		if !*body.SecurityEnabledOnly || !g.Unsecured {
			ids = append(ids, g.ID)
		}
	}
	f.document(w, GraphMemberGroups, map[string]any{"@odata.context": f.GraphURL() + "/v1.0/$metadata#Collection(Edm.String)", "value": ids})
}

// byIDs gives the names of at most a thousand objects of the types that are named,
// or of any; unknown ones are left out ("directoryObject: getByIds").
func (f *Entra) byIDs(w http.ResponseWriter, r *http.Request, c call) {
	var body struct {
		IDs   []string `json:"ids"`
		Types []string `json:"types"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.IDs) == 0 || len(body.IDs) > 1000 {
		f.graphError(http.StatusBadRequest, "Request_BadRequest", "ids must hold between 1 and 1000 values.").write(w)
		return
	}
	names, ok := f.mayReadGroups(w, c)
	if !ok {
		return
	}
	rows := []map[string]any{}
	seen := map[string]bool{}
	for _, p := range f.cast.all() {
		for _, g := range p.Entra.Groups {
			if p.Entra.TenantID == c.person.Entra.TenantID && slices.Contains(body.IDs, g.ID) && !seen[g.ID] {
				seen[g.ID] = true
				rows = append(rows, groupObject(g, names))
			}
		}
	}
	if role := directoryRole(); len(body.Types) == 0 && slices.Contains(body.IDs, role["id"].(string)) {
		rows = append(rows, role)
	}
	if len(rows) > 0 && f.script.hit(GraphForgetsNames) {
		rows = rows[1:]
	}
	f.document(w, GraphByIDs, map[string]any{"@odata.context": f.GraphURL() + "/v1.0/$metadata#directoryObjects", "value": rows})
}
