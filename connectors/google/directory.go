package google

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

const (
	// directoryPage is the largest page of the Directory API.
	directoryPage = 200
	// maxLookups bounds the groups whose own groups are looked up for one person, and
	// lookupsAtOnce how many of them are at the same time.
	maxLookups    = 300
	lookupsAtOnce = 8
	// nestingFresh is how long it is remembered which groups a group is in: the same
	// ones are asked about for everybody, and the quota is counted by the minute.
	nestingFresh = 5 * time.Minute
)

// directory asks the Admin SDK's Directory API ("Groups.list", "Users.get"). It
// knows direct memberships only; those of groups in groups are found by asking
// about the groups.
type directory struct {
	base   string
	nested bool
	now    func() time.Time
	above  connectors.Kept[nesting, []group]
}

// nesting is a group as one administrator sees it.
type nesting struct{ admin, address string }

// groups lists the groups of a member, a person's ID, and returns how many requests
// it took. admin is who asks.
func (d *directory) groups(ctx context.Context, ask caller, admin, member string) ([]group, int, error) {
	out, requests, err := d.direct(ctx, ask, member)
	if err != nil || !d.nested {
		return out, requests, err
	}
	seen := map[string]bool{}
	for _, g := range out {
		seen[g.id] = true
	}
	// Level by level, each group once: groups may well contain each other.
	for level := out; len(level) > 0; {
		if requests += len(level); requests > maxLookups {
			return nil, requests, &connectors.Error{
				Kind: connectors.Operator, Err: connectors.ErrGroupsIncomplete,
				Hint: fmt.Sprintf("the groups are nested so much that more than %d would have to be looked up; groups_from: cloud_identity answers at once", maxLookups),
			}
		}
		found, err := d.level(ctx, ask, admin, level)
		if err != nil {
			return nil, requests, err
		}
		level = nil
		for _, g := range found {
			if !seen[g.id] {
				seen[g.id] = true
				level = append(level, g)
			}
		}
		out = append(out, level...)
	}
	return out, requests, nil
}

// level returns the groups that these are in, in the same order.
func (d *directory) level(ctx context.Context, ask caller, admin string, list []group) ([]group, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	found := make([][]group, len(list))
	errs := make([]error, len(list))
	slots := make(chan struct{}, lookupsAtOnce)
	var wait sync.WaitGroup
	for i, g := range list {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			found[i], errs[i] = d.above.Get(ctx, nesting{admin, g.address}, func(ctx context.Context) (connectors.Fetched[[]group], error) {
				above, _, err := d.direct(ctx, ask, g.address)
				until := d.now().Add(nestingFresh)
				return connectors.Fetched[[]group]{Value: above, Renew: until, Until: until}, err
			})
			if errs[i] != nil {
				cancel()
			}
		})
	}
	wait.Wait()
	return slices.Concat(found...), cause(errs)
}

// cause is the first error that is not only the end of waiting because of another.
func cause(errs []error) error {
	var first error
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		first = cmp.Or(first, err)
	}
	return first
}

// direct lists the groups that a person or a group is itself a member of.
func (d *directory) direct(ctx context.Context, ask caller, member string) ([]group, int, error) {
	first := d.base + "/admin/directory/v1/groups?" + url.Values{"userKey": {member}, "maxResults": {strconv.Itoa(directoryPage)}}.Encode()
	return ask.pages(ctx, first, groupsAdvice(), readDirectoryGroups)
}

func groupsAdvice() advice {
	return advice{
		api: "Admin SDK API", scope: directoryScope,
		forbidden: "admin_email must be an administrator of the person's Workspace with the privilege Groups > Read, such as of the role Groups Reader",
		missing:   "the directory of admin_email does not know the person: check that admin_email belongs to the same Workspace as the person's hosted domain",
	}
}

// readDirectoryGroups reads one page. An empty list is left out by Google, so kind
// has to show that it is a list at all.
func readDirectoryGroups(body []byte) ([]group, string, error) {
	var page struct {
		Kind   string `json:"kind"`
		Groups []struct {
			ID    string `json:"id"`
			Email string `json:"email"`
		} `json:"groups"`
		Next string `json:"nextPageToken"`
	}
	if jose.StrictUnmarshal(body, &page) != nil || page.Kind != "admin#directory#groups" {
		return nil, "", broken("the Directory API's list of groups cannot be read")
	}
	var out []group
	for _, row := range page.Groups {
		g := group{id: row.ID, address: row.Email}
		if !g.sound() {
			return nil, "", broken("the Directory API's list of groups holds something that is no group")
		}
		out = append(out, g)
	}
	return out, page.Next, nil
}

// active reports whether the account of a person, by ID, may still be used. Gone is
// the answer for one that is suspended or archived.
func (d *directory) active(ctx context.Context, ask caller, subject string) error {
	answer, err := ask.get(ctx, d.base+"/admin/directory/v1/users/"+url.PathEscape(subject)+"?projection=basic")
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		// A 404 too: whether the person was deleted or admin_email is of another
		// Workspace, it does not say. Of somebody deleted the refresh token is dead.
		return readProblem(answer).asError(answer, d.now(), advice{
			api: "Admin SDK API", scope: usersScope,
			forbidden: "admin_email must be an administrator of the person's Workspace with the privilege Users > Read",
			missing:   "the directory of admin_email does not know the person: check that admin_email belongs to the same Workspace as the person's hosted domain",
		})
	}
	var user struct {
		Kind      string `json:"kind"`
		ID        string `json:"id"`
		Suspended *bool  `json:"suspended"`
		Archived  bool   `json:"archived"`
	}
	switch {
	case jose.StrictUnmarshal(answer.Body, &user) != nil, user.Kind != "admin#directory#user", user.ID != subject, user.Suspended == nil:
		return broken("the Directory API's answer about a person cannot be read")
	case *user.Suspended:
		return &connectors.Error{Kind: connectors.Gone, Code: "suspended", Hint: "the Workspace administrator has suspended the account"}
	case user.Archived:
		return &connectors.Error{Kind: connectors.Gone, Code: "archived", Hint: "the Workspace administrator has archived the account"}
	}
	return nil
}
