package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"gatehouse/connectors"
)

// checkedToken is what is read of "Check a token".
type checkedToken struct {
	App struct {
		ClientID string `json:"client_id"`
	} `json:"app"`
	User struct {
		ID int64 `json:"id"`
	} `json:"user"`
}

// confirm asks, as the application and not as the person, whether a token that the
// API did not accept is finished: POST /applications/{client_id}/token answers 404
// for one that is dead or another application's (ATTACKS UP-14), and 200 for one
// that lives, so that the refusal was about something else.
func (g *Connector) confirm(ctx context.Context, token, subject string) error {
	var found checkedToken
	err := g.secrets.Try(func(secret string) error { return g.checkToken(ctx, secret, token, &found) })
	switch {
	case errors.Is(err, connectors.ErrClientRefused):
		// 404 is also what a wrong secret gets. One that was replaced at GitHub must not
		// end everybody's sessions, so the token endpoint, which tells, is asked too.
		if err := g.authenticate(ctx); err != nil {
			return err
		}
		return &connectors.Error{Kind: connectors.Gone, Hint: "the token was revoked: by the person, or by GitHub because of more than ten sign-ins or a year without one"}
	case err != nil:
		return err
	case found.App.ClientID != "" && found.App.ClientID != g.config.ClientID:
		return &connectors.Error{Kind: connectors.Gone, Hint: "the kept token belongs to another application", Err: errForeign}
	case strconv.FormatInt(found.User.ID, 10) != subject:
		return &connectors.Error{Kind: connectors.Gone, Hint: "the token is another account's now"}
	}
	return &connectors.Error{Kind: connectors.Transient, Hint: "GitHub refused a token at its API and calls it good where tokens are checked"}
}

func (g *Connector) checkToken(ctx context.Context, secret, token string, found *checkedToken) error {
	body, err := json.Marshal(map[string]string{"access_token": token})
	if err != nil {
		return broken("the check of a token cannot be made")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.api+"/applications/"+url.PathEscape(g.config.ClientID)+"/token", bytes.NewReader(body))
	if err != nil {
		return broken("an address of the API is not a URL")
	}
	requestHeaders(req)
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(g.config.ClientID, secret)
	answer, err := g.fetcher.Do(req, connectors.MaxDocument)
	switch {
	case err != nil:
		return err
	case answer.OK():
		return decode(answer, "a token", found)
	case answer.Status == http.StatusNotFound, answer.Status == http.StatusUnauthorized:
		return &connectors.Error{Kind: connectors.Operator, Hint: "GitHub does not know the token, or not the client", Err: connectors.ErrClientRefused}
	}
	return &connectors.Error{
		Kind: connectors.Transient, RetryAfter: connectors.RetryAfter(answer.Header, g.now()),
		Hint: fmt.Sprintf("GitHub answered the check of a token with status %d", answer.Status),
	}
}

// authenticate makes sure that GitHub accepts one of our secrets, by offering a code
// that cannot be one: the client is looked at before the code.
func (g *Connector) authenticate(ctx context.Context) error {
	_, err := g.exchange(ctx, connectors.Exchange{Code: "none", Verifier: "none"}, "")
	e, ok := errors.AsType[*connectors.Error](err)
	switch {
	case ok && e.Code == "bad_verification_code":
		return nil
	case ok && (e.Kind == connectors.Operator || e.Kind == connectors.Transient):
		return err
	}
	return &connectors.Error{Kind: connectors.Transient, Hint: "GitHub does not say whether it accepts client_id and client_secret", Err: err}
}
