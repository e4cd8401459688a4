package google

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// maxGroupText bounds the name of a group, in bytes.
const maxGroupText = 320

// group is a Google Group: its number, which stays, and its address, which may
// change hands.
type group struct{ id, address string }

func (g group) sound() bool {
	_, ok := connectors.EmailDomain(g.address)
	return ok && g.id != "" && len(g.id) <= maxGroupText && len(g.address) <= maxGroupText && connectors.IsText(g.id)
}

// caller asks an API with one access token: the person's own, or the service
// account's.
type caller struct {
	api oidc.API
	now func() time.Time
	// account is nil for the person's.
	account        *account
	scope, subject string
}

// with runs an exchange with the access token. One of the service account that is no
// longer accepted is replaced once.
func (c caller) with(ctx context.Context, exchange func(api oidc.API) error) error {
	if c.account == nil {
		return exchange(c.api)
	}
	var err error
	for range 2 {
		var token string
		if token, err = c.account.token(ctx, c.scope, c.subject); err != nil {
			return err
		}
		if err = exchange(c.api.WithToken(token)); !errors.Is(err, errTokenRefused) {
			return err
		}
		c.account.forget(c.scope, c.subject, token)
	}
	return err
}

// get asks for one document; a refusal is an answer, but for that of the token.
func (c caller) get(ctx context.Context, address string) (answer connectors.Answer, err error) {
	err = c.with(ctx, func(api oidc.API) error {
		if answer, err = api.Get(ctx, address, nil); err == nil && answer.Status == http.StatusUnauthorized {
			return &connectors.Error{Kind: connectors.Operator, Hint: "Google does not accept the service account's access token", Err: errTokenRefused}
		}
		return err
	})
	return answer, err
}

// pages reads a list of groups to its end and returns the number of pages. read
// understands one page, and returns the token of the next.
func (c caller) pages(ctx context.Context, first string, a advice, read func(page []byte) ([]group, string, error)) ([]group, int, error) {
	var out []group
	var pages int
	err := c.with(ctx, func(api oidc.API) error {
		var err error
		out = nil
		pages, err = api.Pages(ctx, oidc.Paging{Address: first, Read: func(page connectors.Answer) (string, error) {
			if page.Status != http.StatusOK {
				return "", readProblem(page).asError(page, c.now(), a)
			}
			rows, next, err := read(page.Body)
			out = append(out, rows...)
			if err != nil || next == "" {
				return "", err
			}
			return first + "&" + url.Values{"pageToken": {next}}.Encode(), nil
		}})
		return err
	})
	if err != nil {
		return nil, pages, err
	}
	return out, pages, nil
}

// isObject: null would be read as an empty list.
func isObject(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) }

// reader reads the groups of people, and whether they are still there.
type reader struct {
	from      string // a value of groups_from
	key       string // a value of group_key
	now       func() time.Time
	account   *account
	identity  cloudIdentity
	directory *directory
}

// read is Quirks.Groups. Somebody without a hosted domain belongs to no Workspace,
// and so to none of the groups that these APIs know: that is an answer, and nobody
// is asked (dexidp/dex#2719). Above all a consumer account with an address in the
// domain must not be looked up by it (ATTACKS UP-17).
func (r *reader) read(ctx context.Context, c *oidc.Claims, api oidc.API) ([]string, error) {
	domain, _ := c.ID.String("hd")
	switch {
	case r.from == groupsNone:
		return nil, nil
	case domain == "":
		api.Found("none: the account belongs to no Workspace")
		return nil, nil
	}
	list, how, err := r.list(ctx, c, api, domain)
	if err != nil {
		return nil, err
	}
	api.Found(how)
	var names []string
	for _, g := range list {
		if r.key == keyID {
			names = append(names, g.id)
		} else {
			names = append(names, g.address)
		}
	}
	return names, nil
}

func (r *reader) list(ctx context.Context, c *oidc.Claims, api oidc.API, domain string) ([]group, string, error) {
	ask := caller{api: api, now: r.now}
	as := "the person's own access token"
	var admin string
	if r.account != nil {
		var err error
		if admin, err = r.account.config.admin(domain); err != nil {
			return nil, "", err
		}
		ask.account, ask.scope, ask.subject = r.account, cloudIdentityScope, admin
		if r.from == groupsFromDirectory {
			ask.scope = directoryScope
		}
		as = "the service account"
		if admin != "" {
			as += " as " + admin
		}
	}
	if r.from == groupsFromDirectory {
		// By the signed ID: an address can change hands.
		list, requests, err := r.directory.groups(ctx, ask, admin, c.ID.Subject)
		return list, fmt.Sprintf("Directory API, groups.list, asked by %s, groups looked at: %d", as, requests), err
	}
	address, evidence := email(c)
	if evidence != broker.EmailVerified {
		return nil, "", &connectors.Error{Kind: connectors.NotAllowed, Code: "email_unverified", Hint: "Cloud Identity knows members by their address, and Google does not vouch for this person's"}
	}
	list, pages, err := r.identity.groups(ctx, ask, address)
	return list, fmt.Sprintf("Cloud Identity API, %s, asked with %s, pages: %d", r.identity.method(), as, pages), err
}

// recheck is Quirks.Recheck: whether the account was suspended or archived. People
// without a Workspace have nobody who could.
func (r *reader) recheck(ctx context.Context, c *oidc.Claims, api oidc.API) error {
	domain, _ := c.ID.String("hd")
	if domain == "" {
		return nil
	}
	admin, err := r.account.config.admin(domain)
	if err != nil {
		return err
	}
	ask := caller{api: api, now: r.now, account: r.account, scope: usersScope, subject: admin}
	return r.directory.active(ctx, ask, c.ID.Subject)
}
