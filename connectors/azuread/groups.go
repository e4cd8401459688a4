package azuread

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// groups reads a person's groups: object IDs, nested ones included.
type groups struct {
	mode  string
	graph string
}

// graph returns Microsoft Graph of the authority's cloud; empty when it is not
// known.
func (c *Config) graph() string {
	if c.GraphURL != "" {
		return strings.TrimRight(c.GraphURL, "/")
	}
	u, err := url.Parse(c.authority())
	if err != nil {
		return ""
	}
	return map[string]string{
		"login.microsoftonline.com":        "https://graph.microsoft.com",
		"login.microsoftonline.us":         "https://graph.microsoft.us",
		"login.partner.microsoftonline.cn": "https://microsoftgraph.chinacloudapi.cn",
	}[u.Host]
}

// scopes are those of one resource, as Entra wants it: Graph's beside OpenID's.
func (g groups) scopes([]string) []string {
	scopes := []string{oauth.OpenID, oauth.Profile, oauth.Email}
	if g.mode == groupsFromGraph {
		scopes = append(scopes, "User.Read", "GroupMember.Read.All")
	}
	return scopes
}

// read is Quirks.Groups.
func (g groups) read(ctx context.Context, c *oidc.Claims, api oidc.API) ([]string, error) {
	switch {
	case g.mode == groupsNone:
		return nil, nil
	case !overage(c):
		return oidc.ClaimedGroups(c, "groups")
	case g.mode == groupsFromGraph:
		return g.ask(ctx, api)
	}
	return nil, &connectors.Error{Kind: connectors.Operator, Code: "groups_overage", Hint: "the person is in more groups than Entra puts into a token: " +
		"have it emit only groups assigned to the application, or set group_claims to graph or none"}
}

// overage reports whether the token leaves groups out (ATTACKS UP-22): it names
// the claim as being elsewhere, or says hasgroups, or points elsewhere for other
// claims while groups is absent, which some applications took for "no groups".
func overage(c *oidc.Claims) bool {
	switch string(c.ID.Raw["hasgroups"]) {
	case "", "false", `"false"`, "null", "0":
	default:
		return true
	}
	if !c.ID.Has("_claim_names") {
		return false
	}
	names, err := jose.StrictObject(c.ID.Raw["_claim_names"])
	_, named := names["groups"]
	return err != nil || named || !c.ID.Has("groups")
}

// ask asks Graph for the transitive memberships of the person. It answers all of
// them at once, without pages.
func (g groups) ask(ctx context.Context, api oidc.API) ([]string, error) {
	answer, err := api.Post(ctx, g.graph+"/v1.0/me/getMemberGroups", []byte(`{"securityEnabledOnly":false}`))
	if err != nil {
		return nil, err
	}
	if !answer.OK() {
		return nil, graphRefused(answer)
	}
	var list struct {
		Value []string `json:"value"`
	}
	if jose.StrictUnmarshal(answer.Body, &list) != nil || list.Value == nil {
		return nil, broken("Graph's list of groups cannot be read")
	}
	for _, id := range list.Value {
		if !isGUID(id) {
			return nil, broken("Graph's list of groups holds something that is not a group's ID")
		}
	}
	return list.Value, nil
}

func graphRefused(answer connectors.Answer) error {
	e := &connectors.Error{
		Kind: connectors.StatusKind(answer.Status),
		Hint: fmt.Sprintf("Graph answered the question for groups with status %d", answer.Status),
	}
	switch answer.Status {
	case http.StatusForbidden:
		e.Kind = connectors.Operator
		e.Hint += ": grant admin consent for GroupMember.Read.All"
	case http.StatusUnauthorized:
		e.Kind = connectors.Operator
		e.Hint += ": check that graph_url belongs to the authority's cloud, and scopes"
	}
	return e
}
