package fake

import (
	"net/http"
	"strings"
)

// The Cloud Identity Groups API, after "groups.memberships.searchTransitiveGroups",
// "groups.memberships.searchDirectGroups" and "Querying for memberships".

const (
	googleDiscussionLabel = "cloudidentity.googleapis.com/groups.discussion_forum"
	googleSecurityLabel   = "cloudidentity.googleapis.com/groups.security"
	googleExternalLabel   = "system/groups/external"
)

func (f *Google) mountCloudIdentity() {
	scopes := []string{googleGroupsScope, googleCloudScope}
	for verb, nested := range map[string]bool{"searchTransitiveGroups": true, "searchDirectGroups": false} {
		f.apiRoute("GET /v1/groups/-/memberships:"+verb, GoogleMemberships, scopes, func(w http.ResponseWriter, r *http.Request, c googleCaller) {
			f.searchGroups(w, r, c, nested)
		})
	}
}

func membershipsDenied(number string) googleProblem {
	return googleProblem{status: 403, message: "Error(" + number + "): Insufficient permissions to retrieve memberships.", name: "PERMISSION_DENIED"}
}

func (f *Google) searchGroups(w http.ResponseWriter, r *http.Request, c googleCaller, nested bool) {
	q, ok := parseMembershipQuery(r.FormValue("query"))
	switch {
	case !ok:
		googleProblem{status: 400, message: "Request contains an invalid argument.", name: "INVALID_ARGUMENT"}.answer().write(w)
		return
	case nested && f.script.hit(GooglePremiumOnly):
		membershipsDenied("4013").answer().write(w)
		return
	case nested && f.script.hit(GoogleUnlicensed):
		membershipsDenied("3005").answer().write(w)
		return
	case !f.mayAskAbout(c, q.member):
		membershipsDenied("4013").answer().write(w)
		return
	}
	var rows []googleMember
	for _, p := range f.cast.all() {
		if p.Email == q.member && p.Google.HostedDomain != "" {
			rows = f.memberships(p.Google.Groups, nested)
		}
	}
	list := []any{}
	for _, g := range rows {
		if labels := labelsOf(g.GoogleGroup); labels[q.label] {
			list = append(list, membershipRow(g, labels, nested))
		}
	}
	from, to, next := f.page(r, "pageSize", 200, 1000, len(list))
	doc := map[string]any{}
	if len(list) > 0 {
		doc["memberships"] = list[from:to]
	}
	if nested {
		doc["nextPageToken"] = next
	} else {
		setNonEmpty(doc, "nextPageToken", next)
	}
	f.document(w, GoogleMemberships, doc)
}

// mayAskAbout: people about themselves, administrators about their domain.
func (f *Google) mayAskAbout(c googleCaller, member string) bool {
	_, host, _ := strings.Cut(member, "@")
	switch {
	case c.account && c.subject == "":
		return f.opts.Google.AccountIsAdmin
	case c.account:
		return f.administers(c.subject) == host
	}
	return c.person.Google.HostedDomain != "" && c.person.Email == member
}

func labelsOf(g GoogleGroup) map[string]bool {
	if g.Namespace != "" {
		return map[string]bool{googleExternalLabel: true, googleDiscussionLabel: true}
	}
	return map[string]bool{googleDiscussionLabel: true, googleSecurityLabel: g.Security}
}

// membershipRow is a GroupRelation, or a MembershipRelation where only direct
// groups are searched, which has no relationType.
func membershipRow(g googleMember, labels map[string]bool, nested bool) map[string]any {
	named := map[string]string{}
	for label, has := range labels {
		if has {
			named[label] = ""
		}
	}
	key := map[string]any{"id": g.Email}
	setNonEmpty(key, "namespace", g.Namespace)
	row := map[string]any{
		"displayName": g.Name, "group": "groups/" + g.ID, "groupKey": key, "labels": named,
		"roles": []any{map[string]any{"role": "MEMBER", "name": "MEMBER"}},
	}
	if nested {
		row["relationType"] = g.relation()
		row["roles"] = []any{map[string]any{"role": "MEMBER"}}
	}
	return row
}

type membershipQuery struct{ member, label string }

// parseMembershipQuery reads the part of CEL that the API takes: comparisons joined
// by &&. Of two members the later one counts, as it would suit an attacker.
func parseMembershipQuery(text string) (q membershipQuery, ok bool) {
	for rest := text; ; {
		rest = strings.TrimLeft(rest, " ")
		var value string
		if name, after, found := strings.Cut(rest, "=="); found && !strings.ContainsAny(name, `'"`) {
			value, rest, ok = celLiteral(strings.TrimLeft(after, " "))
			switch strings.TrimSpace(name) {
			case "member_key_id":
				q.member = value
			case "parent":
			default:
				return q, false
			}
		} else {
			value, rest, ok = celLiteral(rest)
			after, in := strings.CutPrefix(strings.TrimLeft(rest, " "), "in labels")
			q.label, rest, ok = value, after, ok && in
		}
		rest = strings.TrimSpace(rest)
		if !ok || rest == "" {
			return q, ok && q.member != "" && q.label != ""
		}
		if rest, ok = strings.CutPrefix(rest, "&&"); !ok {
			return q, false
		}
	}
}

// celLiteral reads a string literal with its escapes (CEL language definition,
// "String and Bytes Values").
func celLiteral(text string) (value, rest string, ok bool) {
	if text == "" || text[0] != '\'' && text[0] != '"' {
		return "", "", false
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == text[0]:
			return b.String(), text[i+1:], true
		case c == '\n' || c == '\r':
			return "", "", false
		case c == '\\':
			i++
			if i == len(text) || !strings.ContainsRune(`\'"`, rune(text[i])) {
				return "", "", false
			}
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}
