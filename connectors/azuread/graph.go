package azuread

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// graph is how Microsoft Graph is asked. Its address comes out of the configuration,
// or is the known one of the authority's cloud; never out of a token.
type graph struct {
	url       string // as configured; empty for the cloud's
	authority string
	method    string
	names     bool
	// securityOnly leaves groups out that are not security-enabled.
	securityOnly bool
	now          func() time.Time
}

// session is Graph for one person.
type session struct {
	graph
	api  oidc.API
	base string
}

func (g graph) session(api oidc.API) (session, error) {
	base := g.url
	if base == "" {
		var err error
		if base, err = graphOf(g.authority, api.Metadata("msgraph_host")); err != nil {
			return session{}, err
		}
	}
	return session{graph: g, api: api, base: base + "/v1.0"}, nil
}

// memberships are all groups of the person, and how they were found.
func (s session) memberships(ctx context.Context) ([]group, string, error) {
	if s.method == getMemberGroups {
		list, err := s.memberGroups(ctx)
		return list, "Microsoft Graph, getMemberGroups", err
	}
	list, pages, err := s.transitiveMemberOf(ctx)
	return list, fmt.Sprintf("Microsoft Graph, transitiveMemberOf, pages: %d", pages), err
}

// memberGroups is "directoryObject: getMemberGroups": IDs, nested groups included,
// in one answer. It is an error where there are more than 11,000.
func (s session) memberGroups(ctx context.Context) ([]group, error) {
	var list struct {
		Value []string `json:"value"`
	}
	body := map[string]any{"securityEnabledOnly": s.securityOnly}
	if err := s.post(ctx, "/me/getMemberGroups", body, &list); err != nil {
		return nil, err
	}
	if list.Value == nil {
		return nil, broken("Graph's list of groups cannot be read")
	}
	var out []group
	for _, id := range list.Value {
		if !isGUID(id) {
			return nil, notAGroup()
		}
		out = append(out, group{id: id})
	}
	return out, nil
}

// object is a directory object. What the permissions do not reach is null.
type object struct {
	Type            string  `json:"@odata.type"`
	ID              string  `json:"id"`
	DisplayName     *string `json:"displayName"`
	SecurityEnabled *bool   `json:"securityEnabled"`
}

// objectPage is a page of them ("Paging Microsoft Graph data in your app").
type objectPage struct {
	Value []object `json:"value"`
	Next  string   `json:"@odata.nextLink"`
}

// largePage is the most rows that Graph puts on a page.
const largePage = 999

// transitiveMemberOf is "List a user's memberships (direct and transitive)", cast to
// groups: an advanced query, which needs $count and ConsistencyLevel.
func (s session) transitiveMemberOf(ctx context.Context) ([]group, int, error) {
	selected := "id,displayName"
	if s.securityOnly {
		selected += ",securityEnabled"
	}
	query := url.Values{"$select": {selected}, "$count": {"true"}, "$top": {fmt.Sprint(largePage)}}
	base, err := url.Parse(s.base)
	if err != nil {
		return nil, 0, broken("the address of Graph is not a URL")
	}
	var out []group
	pages, err := s.api.Pages(ctx, oidc.Paging{
		Address: s.base + "/me/transitiveMemberOf/microsoft.graph.group?" + query.Encode(), Prefix: base.EscapedPath(),
		Header: http.Header{"ConsistencyLevel": {"eventual"}},
		Read: func(answer connectors.Answer) (string, error) {
			var page objectPage
			if err := s.read(answer, &page); err != nil {
				return "", err
			}
			if page.Value == nil {
				return "", broken("Graph's list of groups cannot be read")
			}
			found, err := s.take(page.Value)
			out = append(out, found...)
			return page.Next, err
		},
	})
	return out, pages, err
}

// groupType is @odata.type of a group. Rows of a list that was cast have none.
const groupType = "#microsoft.graph.group"

// take picks the groups that count: memberOf mixes directory roles and
// administrative units among them.
func (s session) take(rows []object) ([]group, error) {
	var out []group
	for _, row := range rows {
		if cmp.Or(row.Type, groupType) != groupType {
			continue
		}
		g := group{id: row.ID}
		switch {
		case !isGUID(row.ID):
			return nil, notAGroup()
		case s.names && row.DisplayName == nil, s.securityOnly && row.SecurityEnabled == nil:
			return nil, hidden()
		case s.securityOnly && !*row.SecurityEnabled:
			continue
		case s.names:
			g.name = *row.DisplayName
		}
		out = append(out, g)
	}
	return out, nil
}

// largeBatch is the most IDs that getByIds takes.
const largeBatch = 1000

// maxBatches bounds what one sign-in may ask; more than Entra's own limit for a
// person's groups needs.
const maxBatches = 20

// named asks for the names of groups ("directoryObject: getByIds").
func (s session) named(ctx context.Context, list []group) ([]group, error) {
	if len(list) > largeBatch*maxBatches {
		return nil, incomplete("the person is in more groups than Graph is asked the names of")
	}
	names := map[string]string{}
	for batch := range slices.Chunk(list, largeBatch) {
		ids := make([]string, 0, len(batch))
		for _, g := range batch {
			ids = append(ids, g.id)
		}
		var page objectPage
		if err := s.post(ctx, "/directoryObjects/getByIds", map[string]any{"ids": ids, "types": []string{"group"}}, &page); err != nil {
			return nil, err
		}
		for _, row := range page.Value {
			switch {
			case cmp.Or(row.Type, groupType) != groupType:
			case row.DisplayName == nil:
				return nil, hidden()
			default:
				names[row.ID] = *row.DisplayName
			}
		}
	}
	out := make([]group, 0, len(list))
	for _, g := range list {
		name, known := names[g.id]
		if !known {
			return nil, incomplete("Graph does not tell the names of all of the person's groups")
		}
		out = append(out, group{id: g.id, name: name})
	}
	return out, nil
}

func (s session) post(ctx context.Context, path string, body, v any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return broken("the question for Graph cannot be written")
	}
	answer, err := s.api.Post(ctx, s.base+path, sent)
	if err != nil {
		return err
	}
	return s.read(answer, v)
}

func (s session) read(answer connectors.Answer, v any) error {
	if !answer.OK() {
		return s.refused(answer)
	}
	if jose.StrictUnmarshal(answer.Body, v) != nil {
		return broken("Graph's list of groups cannot be read")
	}
	return nil
}

func notAGroup() *connectors.Error {
	return broken("Graph's list of groups holds something that is not a group's ID")
}

func incomplete(hint string) *connectors.Error {
	return &connectors.Error{Kind: connectors.Operator, Hint: hint, Err: connectors.ErrGroupsIncomplete}
}

// consent is where the permission is given, as the admin center calls it.
const consent = "in the Entra admin center, App registrations > the application > API permissions > Add a permission > Microsoft Graph > Delegated permissions, add GroupMember.Read.All and User.Read, then Grant admin consent"

// hidden: members that the permissions do not reach come with their type and ID
// alone ("Limited information returned for inaccessible member objects").
func hidden() *connectors.Error {
	return &connectors.Error{
		Kind: connectors.Operator, Code: "GroupMember.Read.All",
		Hint: "Graph hides what the groups are called, because GroupMember.Read.All is missing: " + consent,
	}
}

// refused words an error of Graph ("Microsoft Graph error responses and resource
// types"). Its message is prose and is not read.
func (s session) refused(answer connectors.Answer) error {
	var doc struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if jose.StrictUnmarshal(answer.Body, &doc) != nil {
		doc.Error.Code = ""
	}
	e := &connectors.Error{
		Kind: connectors.StatusKind(answer.Status), Code: connectors.SafeCode(doc.Error.Code),
		Hint:       fmt.Sprintf("Graph answered the question for groups with status %d", answer.Status),
		RetryAfter: connectors.RetryAfter(answer.Header, s.now()),
	}
	switch {
	case doc.Error.Code == "Directory_ResultSizeLimitExceeded":
		e.Kind, e.Err = connectors.Operator, connectors.ErrGroupsIncomplete
		e.Hint = "the person is in more groups than getMemberGroups tells: set graph_method to transitiveMemberOf"
	case answer.Status == http.StatusForbidden:
		e.Kind = connectors.Operator
		e.Hint += ": consent is missing; " + consent + "; a guest may also be kept from it by the directory's guest user access restrictions"
	case answer.Status == http.StatusUnauthorized:
		e.Kind = connectors.Operator
		e.Hint += ": check that graph_url belongs to the authority's cloud, and scopes"
	}
	return e
}
