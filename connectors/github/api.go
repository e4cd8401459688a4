package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

const (
	apiVersion = "2022-11-28"
	// freshRetries and freshWait: a token can be refused for a moment after it was
	// issued, until all of GitHub knows it.
	freshRetries = 2
	freshWait    = time.Second
	// maxPages bounds a list; at 100 entries a page nobody is in more organisations.
	maxPages = 50
)

// session is the conversation with the API during one sign-in.
type session struct {
	g       *Connector
	token   string
	retries int
}

// get fetches one address of the API. what is for error texts.
func (s *session) get(ctx context.Context, address, what string) (connectors.Answer, error) {
	for {
		answer, err := s.try(ctx, address)
		if err != nil {
			return answer, err
		}
		if answer.Status != http.StatusUnauthorized || s.retries == freshRetries {
			return answer, s.check(answer, what)
		}
		s.retries++
		if err := s.g.pause(ctx, freshWait); err != nil {
			return answer, &connectors.Error{Kind: connectors.Transient, Hint: "GitHub did not accept its own token in time", Err: err}
		}
	}
}

func (s *session) try(ctx context.Context, address string) (connectors.Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return connectors.Answer{}, broken("an address of the API is not a URL")
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", apiVersion)
	req.Header.Set("Authorization", "Bearer "+s.token)
	return s.g.fetcher.Do(req, connectors.MaxList)
}

// check turns an answer without content into an error. 404 is for the caller: at
// a membership it is an answer. GitHub says rate limit in three ways, and without
// telling them from missing rights a busy hour would look like a lost membership.
func (s *session) check(answer connectors.Answer, what string) error {
	if answer.OK() || answer.Status == http.StatusNotFound {
		return nil
	}
	e := &connectors.Error{
		Kind:       connectors.StatusKind(answer.Status),
		Hint:       fmt.Sprintf("GitHub answered the question for %s with status %d", what, answer.Status),
		RetryAfter: connectors.RetryAfter(answer.Header, s.g.now()),
	}
	sso := answer.Header.Get("X-GitHub-SSO")
	switch {
	case e.Kind == connectors.Transient:
	case answer.Status == http.StatusForbidden && e.RetryAfter > 0,
		answer.Status == http.StatusForbidden && answer.Header.Get("X-RateLimit-Remaining") == "0":
		e.Kind, e.Hint = connectors.Transient, "GitHub limits our requests"
	case answer.Status == http.StatusForbidden && strings.HasPrefix(sso, "required"):
		e.Kind, e.Code = connectors.Interaction, "sso_required"
		e.Hint += ": the organisation wants a SAML sign-in of the person first"
	case answer.Status == http.StatusForbidden:
		e.Kind = connectors.Operator
		e.Hint += ": the organisation may have to approve the OAuth app, or the app lacks a permission"
	case answer.Status == http.StatusUnauthorized:
		e.Hint += ": it does not accept the token it has just issued"
	case answer.Status == http.StatusMovedPermanently, answer.Status == http.StatusPermanentRedirect:
		// What was renamed answers so under its old name.
		e.Kind = connectors.Operator
		e.Hint += "; redirects are not followed: check api_url, and whether an organisation of the rules has another name now"
	case answer.Status >= 300 && answer.Status < 400:
		e.Hint += "; redirects are not followed"
	}
	return e
}

// list fetches every page of a list and hands each to page.
func list[T any](ctx context.Context, s *session, path, what string, page func(connectors.Answer, []T) error) error {
	address := s.g.api + path
	for range maxPages {
		answer, err := s.get(ctx, address, what)
		if err != nil {
			return err
		}
		if !answer.OK() {
			return notThere(what)
		}
		var entries []T
		if err := decode(answer, what, &entries); err != nil {
			return err
		}
		if err := page(answer, entries); err != nil {
			return err
		}
		next, ok := nextPage(answer.Header)
		switch {
		case !ok:
			return broken("GitHub's list of " + what + " has a Link header that cannot be read")
		case next == "":
			return nil
		case !within(s.g.api, next):
			return broken("GitHub's list of " + what + " goes on at another address, to which the token is not sent")
		}
		address = next
	}
	return broken(fmt.Sprintf("GitHub's list of %s has more than %d pages", what, maxPages))
}

func notThere(what string) *connectors.Error {
	return &connectors.Error{Kind: connectors.Operator, Hint: fmt.Sprintf("GitHub answered the question for %s with status 404: check api_url and scopes", what)}
}

// decode reads strictly. A list has to be one: null would be read as empty.
func decode(answer connectors.Answer, what string, v any) error {
	if jose.StrictUnmarshal(answer.Body, v) != nil || string(answer.Body) == "null" {
		return broken("GitHub's answer about " + what + " cannot be read")
	}
	return nil
}
