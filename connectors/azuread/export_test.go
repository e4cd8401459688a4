package azuread

import (
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// GraphOf chooses the Graph to ask.
func GraphOf(authority, documented string) (string, error) { return graphOf(authority, documented) }

// Classify reads Entra's numbers.
func Classify(f oidc.Failure) *connectors.Error { return classify(f) }

// Called returns what groups of these IDs and names are called.
func Called(ids, names []string) []string {
	var list []group
	for i := range ids {
		list = append(list, group{id: ids[i], name: names[i]})
	}
	out, _ := called(list)
	return out
}

// Endpoint is the address of a choice.
func Endpoint(authority string, allowed []string, address, choice string) string {
	d := directory{authority: authority, allowed: map[string]bool{}}
	for _, tenant := range allowed {
		d.allowed[tenant] = true
	}
	return d.endpoint(tenantOrganizations)(address, choice)
}
