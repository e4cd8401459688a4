package fake

import (
	"net/http"
	"slices"
	"strings"
)

// The Admin SDK's Directory API, after "Directory API: Groups.list", "Users.get"
// and "Resolve errors".

func (f *Google) mountDirectory() {
	f.apiRoute("GET /admin/directory/v1/groups", GoogleDirectoryGroups,
		[]string{googleDirectoryRead, strings.TrimSuffix(googleDirectoryRead, ".readonly")}, f.directoryGroups)
	f.apiRoute("GET /admin/directory/v1/users/{userKey}", GoogleDirectoryUser,
		[]string{googleUsersRead, strings.TrimSuffix(googleUsersRead, ".readonly")}, f.directoryUser)
}

// domains are the Workspace domains of the cast.
func (f *Google) domains() []string {
	var out []string
	for _, p := range f.cast.all() {
		if d := p.Google.HostedDomain; d != "" && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// administers is the domain whose administrator an address is: each has one, by
// the name of admin.
func (f *Google) administers(address string) string {
	name, domain, _ := strings.Cut(address, "@")
	if name != "admin" || !slices.Contains(f.domains(), domain) {
		return ""
	}
	return domain
}

func directoryForbidden() googleProblem {
	return googleProblem{status: 403, reason: "forbidden", message: "Not Authorized to access this resource/api"}
}

// asAdministrator is the domain that the caller may read.
func (f *Google) asAdministrator(c googleCaller) (string, *googleProblem) {
	domain := f.administers(c.subject)
	if domain == "" || f.script.hit(GoogleNotAdmin) {
		p := directoryForbidden()
		return "", &p
	}
	return domain, nil
}

// user finds somebody by address or ID within a domain. An address of a domain
// that Google hosts nowhere is answered differently (dexidp/dex#2719).
func (f *Google) user(key, domain string) (Person, *googleProblem) {
	for _, p := range f.cast.all() {
		if p.Google.HostedDomain == domain && (key == p.Google.Subject || key == p.Email) {
			return p, nil
		}
	}
	if _, host, ok := strings.Cut(key, "@"); ok && !slices.Contains(f.domains(), host) {
		return Person{}, &googleProblem{status: 404, reason: "notFound", message: "Domain not found."}
	}
	return Person{}, &googleProblem{status: 404, reason: "notFound", message: "Resource Not Found: userKey"}
}

// directoryGroups lists direct memberships only; userKey may be a group's address.
func (f *Google) directoryGroups(w http.ResponseWriter, r *http.Request, c googleCaller) {
	domain, no := f.asAdministrator(c)
	if no != nil {
		no.answer().write(w)
		return
	}
	key := r.FormValue("userKey")
	if key == "" {
		googleProblem{status: 400, reason: "required", message: "Missing required parameter: userKey"}.answer().write(w)
		return
	}
	var direct []string
	all := f.groups()
	if i := slices.IndexFunc(all, func(g GoogleGroup) bool { return g.Email == key && strings.HasSuffix(key, "@"+domain) }); i >= 0 {
		direct = all[i].In
	} else {
		person, no := f.user(key, domain)
		if no != nil {
			no.answer().write(w)
			return
		}
		direct = person.Google.Groups
	}
	rows := f.memberships(direct, false)
	from, to, next := f.page(r, "maxResults", 200, 200, len(rows))
	doc := map[string]any{"kind": "admin#directory#groups", "etag": `"fixture-etag"`}
	var list []any
	for _, g := range rows[from:to] {
		list = append(list, map[string]any{
			"kind": "admin#directory#group", "id": g.ID, "etag": `"fixture-etag"`, "email": g.Email, "name": g.Name,
			"directMembersCount": "4", "description": "Fixture " + g.Name, "adminCreated": true,
			"nonEditableAliases": []string{g.Email + ".test-google-a.com"},
		})
	}
	// An empty list is left out.
	if len(list) > 0 {
		doc["groups"] = list
	}
	setNonEmpty(doc, "nextPageToken", next)
	f.document(w, GoogleDirectoryGroups, doc)
}

func (f *Google) directoryUser(w http.ResponseWriter, r *http.Request, c googleCaller) {
	domain, no := f.asAdministrator(c)
	if no != nil {
		no.answer().write(w)
		return
	}
	person, no := f.user(r.PathValue("userKey"), domain)
	if no != nil {
		no.answer().write(w)
		return
	}
	f.document(w, GoogleDirectoryUser, map[string]any{
		"kind": "admin#directory#user", "id": person.Google.Subject, "etag": `"fixture-etag"`, "primaryEmail": person.Email,
		"name":    map[string]any{"givenName": person.GivenName, "familyName": person.FamilyName, "fullName": person.Name},
		"isAdmin": false, "isDelegatedAdmin": false, "suspended": person.Google.Suspended, "archived": person.Google.Archived,
	})
}
