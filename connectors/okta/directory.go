package okta

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// maxName bounds a group's name, in bytes; Okta's own limit is 255 characters.
const maxName = 2 << 10

// directory reads people's groups from the management API.
type directory struct {
	fetcher    *connectors.Fetcher
	credential credential
	base       string
	types      []string
	now        func() time.Time
}

// credential is what the broker authenticates with at the API.
type credential interface {
	// use calls ask with the value of an Authorization header, and again with another
	// if its error has the cause connectors.ErrClientRefused.
	use(ctx context.Context, ask func(authorization string) error) error
	// refused says what to do about a status of 401 or 403.
	refused() string
}

func (c *Config) openDirectory(env connectors.Environment) (*directory, error) {
	fetcher, err := c.OpenFetcher(env)
	if err != nil {
		return nil, err
	}
	d := &directory{fetcher: fetcher, base: c.apiBase(), types: c.GroupTypes, now: env.Now}
	if c.APIClientID != "" {
		d.credential, err = c.openServiceApp(env, d)
		return d, err
	}
	secrets, err := c.OpenSecretsOf(env, "api_token", c.APIToken)
	d.credential = apiToken{secrets}
	return d, err
}

// apiBase is the org's address: the API is not below an authorization server.
func (c *Config) apiBase() string {
	address := strings.TrimRight(c.OrgURL, "/")
	if u, err := url.Parse(c.Issuer); address == "" && err == nil {
		address = u.Scheme + "://" + u.Host
	}
	return address
}

// apiToken is the scheme SSWS, with a token that an administrator made.
type apiToken struct{ secrets *connectors.SecretSource }

func (t apiToken) use(_ context.Context, ask func(string) error) error {
	return t.secrets.Try(func(secret string) error { return ask("SSWS " + secret) })
}

func (apiToken) refused() string {
	return "check api_token (a token is revoked after 30 days without use, and with the administrator who made it), " +
		"and that this administrator may view users and groups"
}

// groups is oidc.Quirks.Groups.
func (d *directory) groups(ctx context.Context, c *oidc.Claims, api oidc.API) ([]string, error) {
	if !isUserID(c.ID.Subject) {
		return nil, broken("the ID token's sub is not the ID of a user at Okta, so the API cannot be asked about them")
	}
	var names []string
	var pages int
	err := d.credential.use(ctx, func(authorization string) (err error) {
		names, pages, err = d.list(ctx, "/api/v1/users/"+c.ID.Subject+"/groups", authorization)
		return err
	})
	if err != nil {
		return nil, err
	}
	api.Found(fmt.Sprintf("Okta's API, /api/v1/users/{id}/groups, %d pages", pages))
	return names, nil
}

// isUserID: the API takes logins and "me" in the same place, and those mean
// somebody else tomorrow, or the owner of our token.
func isUserID(sub string) bool {
	if len(sub) < 10 || len(sub) > 64 || !strings.HasPrefix(sub, "00u") {
		return false
	}
	return !strings.ContainsFunc(sub, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// list reads all pages. Groups of types that do not count are left out.
func (d *directory) list(ctx context.Context, path, authorization string) (names []string, pages int, err error) {
	pages, err = connectors.Walk{First: d.base + path}.Each(ctx, func(ctx context.Context, address string) (string, error) {
		answer, err := d.get(ctx, address, authorization)
		if err != nil {
			return "", err
		}
		page, err := d.read(answer.Body)
		if err != nil {
			return "", err
		}
		names = append(names, page...)
		next, ok := connectors.NextPage(answer.Header)
		if !ok {
			return "", broken("Okta's list of groups has a Link header that cannot be read")
		}
		return next, nil
	})
	if err != nil {
		return nil, pages, err
	}
	return names, pages, nil
}

func (d *directory) get(ctx context.Context, address, authorization string) (connectors.Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return connectors.Answer{}, broken("the address of Okta's API is not a URL")
	}
	req.Header.Set("Authorization", authorization)
	answer, err := d.fetcher.Do(req, connectors.MaxList)
	if err == nil && !answer.OK() {
		err = d.refusal(answer)
	}
	return answer, err
}

// refusal words an answer that is no list.
func (d *directory) refusal(answer connectors.Answer) error {
	e := &connectors.Error{
		Kind: connectors.StatusKind(answer.Status), Code: connectors.SafeCode(code(answer.Body)),
		Hint:       fmt.Sprintf("Okta's API answered the question for groups with status %d", answer.Status),
		RetryAfter: connectors.RetryAfter(answer.Header, d.now()),
	}
	switch answer.Status {
	case http.StatusUnauthorized:
		e.Kind, e.Err = connectors.Operator, connectors.ErrClientRefused
		e.Hint += ": " + d.credential.refused()
	case http.StatusForbidden:
		e.Kind = connectors.Operator
		e.Hint += ": " + d.credential.refused()
	case http.StatusNotFound:
		e.Kind = connectors.Operator
		e.Hint += ": the org there does not know the person, or does not show them to us. Check org_url; " + d.credential.refused()
	}
	return e
}

// code reads the code out of either shape of Okta's errors.
func code(body []byte) string {
	var doc struct {
		Error     json.RawMessage `json:"error"`
		ErrorCode json.RawMessage `json:"errorCode"`
	}
	if jose.StrictUnmarshal(body, &doc) != nil {
		return ""
	}
	var oauth, api string
	if json.Unmarshal(doc.Error, &oauth) != nil {
		oauth = ""
	}
	if json.Unmarshal(doc.ErrorCode, &api) != nil {
		api = ""
	}
	return cmp.Or(oauth, api)
}

// read reads one page of groups.
func (d *directory) read(body []byte) ([]string, error) {
	var rows []struct {
		Type    string `json:"type"`
		Profile struct {
			Name string `json:"name"`
		} `json:"profile"`
	}
	if err := jose.StrictUnmarshal(body, &rows); err != nil || rows == nil {
		return nil, broken("Okta's list of groups cannot be read")
	}
	var names []string
	for _, row := range rows {
		if row.Profile.Name == "" || len(row.Profile.Name) > maxName || !connectors.IsText(row.Profile.Name) {
			return nil, broken("Okta's list of groups holds something that is not a group's name")
		}
		if len(d.types) == 0 || slices.Contains(d.types, row.Type) {
			names = append(names, row.Profile.Name)
		}
	}
	return names, nil
}

func broken(hint string) error {
	return &connectors.Error{Kind: connectors.Broken, Hint: hint, Err: errors.New("not what Okta documents")}
}
