package google

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"gatehouse/broker/jose"
)

// cloudIdentityPage is the largest page of the Cloud Identity API.
const cloudIdentityPage = 1000

// cloudIdentity asks the Cloud Identity Groups API ("groups.memberships.
// searchTransitiveGroups", "searchDirectGroups").
type cloudIdentity struct {
	base   string
	nested bool
}

func (ci cloudIdentity) method() string {
	if ci.nested {
		return "searchTransitiveGroups"
	}
	return "searchDirectGroups"
}

// groups lists the groups of the Workspace member with this address.
func (ci cloudIdentity) groups(ctx context.Context, ask caller, member string) ([]group, int, error) {
	query, ok := membershipQuery(member)
	if !ok {
		return nil, 0, broken("the address in the ID token cannot be asked about")
	}
	first := ci.base + "/v1/groups/-/memberships:" + ci.method() + "?" +
		url.Values{"query": {query}, "pageSize": {strconv.Itoa(cloudIdentityPage)}}.Encode()
	return ask.pages(ctx, first, ci.advice(), readMemberships)
}

func (ci cloudIdentity) advice() advice {
	a := advice{
		api: "Cloud Identity API", scope: cloudIdentityScope,
		forbidden: "who asks may not read these memberships: it takes an account of the same Workspace that may view its groups, or the administrator privilege Groups > Read",
		missing:   "the member is not known",
	}
	if ci.nested {
		a.forbidden = "nested groups (" + ci.method() + ") need an edition of Workspace Enterprise Standard or Plus, Education, or Cloud Identity Premium, and leave to view the groups: " +
			"set nested_groups to false, or ask with groups_from: directory"
	}
	return a
}

// membershipQuery is the CEL expression for the Google Groups of a member. The
// address is a string literal whose quotes and backslashes are escaped (CEL
// language definition, "String and Bytes Values"), so that it stays one.
func membershipQuery(member string) (string, bool) {
	if member == "" || strings.ContainsFunc(member, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return "", false
	}
	literal := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(member)
	return fmt.Sprintf("member_key_id == '%s' && 'cloudidentity.googleapis.com/groups.discussion_forum' in labels", literal), true
}

// readMemberships reads one page. An empty answer is an empty list.
func readMemberships(body []byte) ([]group, string, error) {
	var page struct {
		Memberships []struct {
			Group string `json:"group"`
			Key   struct {
				ID        string `json:"id"`
				Namespace string `json:"namespace"`
			} `json:"groupKey"`
		} `json:"memberships"`
		Next string `json:"nextPageToken"`
	}
	if !isObject(body) || jose.StrictUnmarshal(body, &page) != nil {
		return nil, "", broken("the Cloud Identity API's list of groups cannot be read")
	}
	var out []group
	for _, m := range page.Memberships {
		// The ID of a group that was mapped from another directory is any text that
		// directory likes, an address of ours too.
		if m.Key.Namespace != "" {
			continue
		}
		id, found := strings.CutPrefix(m.Group, "groups/")
		g := group{id: id, address: m.Key.ID}
		if !found || !g.sound() {
			return nil, "", broken("the Cloud Identity API's list of groups holds something that is no group")
		}
		out = append(out, g)
	}
	return out, page.Next, nil
}
