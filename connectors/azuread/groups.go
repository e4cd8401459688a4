package azuread

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// groups reads a person's groups, nested ones included, and app roles.
type groups struct {
	mode  string
	names bool
	roles bool
	graph graph
}

// group is an object ID and, where it was asked for, its display name.
type group struct{ id, name string }

// rolePrefix keeps app roles apart from groups: no ID begins like this, and no name
// that does is used.
const rolePrefix = "role:"

// read is Quirks.Groups.
func (g groups) read(ctx context.Context, c *oidc.Claims, api oidc.API) ([]string, error) {
	names, source, err := g.memberships(ctx, c, api)
	if err != nil {
		return nil, err
	}
	if !g.roles {
		api.Found(source)
		return names, nil
	}
	for _, name := range names {
		if hasRolePrefix(name) {
			return nil, &connectors.Error{Kind: connectors.Operator, Code: "group_name", Hint: "the ID token has a group whose name begins with " + rolePrefix +
				", as app roles do here: rename it, have the registration send IDs, or switch app_roles off"}
		}
	}
	// The claim comes whole, whatever becomes of groups ("Add app roles to your
	// application"). A registration that emits groups as roles hides them.
	roles, err := oidc.ClaimedGroups(c, "roles")
	if err != nil {
		return nil, err
	}
	for _, role := range roles {
		names = append(names, rolePrefix+role)
	}
	api.Found(source + "; app roles from the claim roles of the ID token")
	return names, nil
}

// memberships are the groups, and where they come from.
func (g groups) memberships(ctx context.Context, c *oidc.Claims, api oidc.API) (names []string, source string, err error) {
	more := overage(c)
	switch {
	case g.mode == groupsNone:
		return nil, "group_claims is none", nil
	case g.mode == groupsFromToken && more:
		return nil, "", &connectors.Error{
			Kind: connectors.Operator, Code: "groups_overage", Err: connectors.ErrGroupsIncomplete,
			Hint: "the person is in more groups than Entra puts into a token: have it emit only groups assigned to the application, or set group_claims to graph or none",
		}
	case g.mode == graphAlways, more:
		return g.ask(ctx, c, api, nil)
	}
	claimed, err := oidc.ClaimedGroups(c, "groups")
	if err != nil {
		return nil, "", err
	}
	if !c.ID.Has("groups") {
		api.Note("The ID token has no claim groups: the person is in none, or the registration sends none (App registrations > the application > Token configuration > Add groups claim).")
	}
	if g.names && len(claimed) > 0 {
		return g.ask(ctx, c, api, claimed)
	}
	return claimed, "the claim groups of the ID token", nil
}

// ask asks Graph: for everything, or for the names of what the token claims.
func (g groups) ask(ctx context.Context, c *oidc.Claims, api oidc.API, claimed []string) ([]string, string, error) {
	// Graph tells no groups of personal accounts: Microsoft's permissions tables say
	// "not supported" there, and it would answer 403.
	if tenant, _ := c.ID.String("tid"); tenant == personalAccounts {
		return nil, "", &connectors.Error{
			Kind: connectors.Operator, Code: "personal_account",
			Hint: "Microsoft Graph tells no groups of personal Microsoft accounts: take them off allowed_tenants, or set group_claims to token or none, or on_group_failure.denied to none",
		}
	}
	s, err := g.graph.session(api)
	if err != nil {
		return nil, "", err
	}
	var list []group
	source := "the claim groups of the ID token"
	if claimed == nil {
		list, source, err = s.memberships(ctx)
	} else {
		list, err = identified(claimed)
	}
	if err == nil && g.names && (claimed != nil || g.graph.method == getMemberGroups) {
		list, err = s.named(ctx, list)
		source += ", names by Microsoft Graph, getByIds"
	}
	if err != nil {
		return nil, "", err
	}
	names, ambiguous := called(list)
	if ambiguous > 0 {
		api.Note(fmt.Sprintf("Groups that are called by their IDs, because their names are not unique among the person's or could be taken for something else: %d.", ambiguous))
	}
	return names, source, nil
}

// identified takes the groups of a token, which are IDs unless the registration
// says otherwise.
func identified(claimed []string) ([]group, error) {
	var out []group
	for _, id := range claimed {
		if !isGUID(id) {
			return nil, &connectors.Error{
				Kind: connectors.Operator, Code: "group_names",
				Hint: "the ID token's groups are not IDs, so Graph cannot be asked for their names: remove group_names if the registration sends names already",
			}
		}
		out = append(out, group{id: id})
	}
	return out, nil
}

// called returns what groups are called: the name if there is one, else the ID.
// Where a name leaves a doubt it is the ID as well, which nobody can choose: a name
// that two of the groups have, one that looks like an ID or like an app role, one
// that cannot be shown. What the person is not in cannot be compared, so that a name
// still means no more than: some group of this name.
func called(list []group) (names []string, ambiguous int) {
	folded := map[string]int{}
	for _, g := range list {
		folded[fold(g.name)]++
	}
	for _, g := range list {
		switch {
		case g.name == "":
			names = append(names, g.id)
		case folded[fold(g.name)] > 1, isGUID(strings.ToLower(g.name)), hasRolePrefix(g.name), len(g.name) > maxGroupName,
			!connectors.IsText(g.name), strings.TrimSpace(g.name) != g.name:
			names = append(names, g.id)
			ambiguous++
		default:
			names = append(names, g.name)
		}
	}
	return names, ambiguous
}

// fold makes names equal that differ in case alone, as strings.EqualFold has it:
// strings.ToLower knows fewer such letters.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, name)
}

// maxGroupName is the length of a display name that Entra allows, in characters,
// counted generously in bytes.
const maxGroupName = 256 * 4

func hasRolePrefix(name string) bool {
	return len(name) >= len(rolePrefix) && strings.EqualFold(name[:len(rolePrefix)], rolePrefix)
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
