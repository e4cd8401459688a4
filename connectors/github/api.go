package github

import (
	"context"
	"fmt"
	"net/http"
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
	// maxRequests bounds one conversation, lists and all.
	maxRequests = 150
)

// session is the conversation with the API about one person.
type session struct {
	g     *Connector
	token string
	// retries are those used up; a token that is not fresh has none.
	retries  int
	requests int
	// expect is the subject that the token's owner has to be; empty at a sign-in.
	expect string
	report connectors.Report
}

// get fetches one address of the API. what is for error texts.
func (s *session) get(ctx context.Context, address, what string) (connectors.Answer, error) {
	for {
		answer, err := s.try(ctx, address)
		if err != nil {
			return answer, err
		}
		if answer.Status != http.StatusUnauthorized || s.retries >= freshRetries {
			return answer, s.check(answer, what)
		}
		s.retries++
		if err := s.g.pause(ctx, freshWait); err != nil {
			return answer, &connectors.Error{Kind: connectors.Transient, Hint: "GitHub did not accept its own token in time", Err: err}
		}
	}
}

func (s *session) try(ctx context.Context, address string) (connectors.Answer, error) {
	if s.requests++; s.requests > maxRequests {
		return connectors.Answer{}, &connectors.Error{
			Kind: connectors.Operator, Err: connectors.ErrGroupsIncomplete,
			Hint: fmt.Sprintf("asking GitHub about this person takes more than %d requests", maxRequests),
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return connectors.Answer{}, broken("an address of the API is not a URL")
	}
	requestHeaders(req)
	req.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := s.g.fetcher.Do(req, connectors.MaxList)
	if err == nil {
		s.readClock(answer)
		err = s.ours(answer)
	}
	return answer, err
}

// requestHeaders are those of every request to the API ("API versions").
func requestHeaders(req *http.Request) {
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", apiVersion)
}

// ours refuses a token that was issued to another application, where GitHub says
// which one it belongs to (ATTACKS UP-14, RFC 6749 §10.16).
func (s *session) ours(answer connectors.Answer) error {
	if id := answer.Header.Get("X-OAuth-Client-Id"); id != "" && id != s.g.config.ClientID {
		return &connectors.Error{Kind: connectors.Broken, Hint: "GitHub says that the token belongs to another application", Err: errForeign}
	}
	return nil
}

// readClock takes the first answer's Date for GitHub's clock.
func (s *session) readClock(answer connectors.Answer) {
	if !s.report.ServerTime.IsZero() {
		return
	}
	if at, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		s.report.ServerTime, s.report.AskedAt = at, s.g.now()
	}
}

// note adds a sentence to the report.
func (s *session) note(format string, args ...any) {
	s.report.Notes = append(s.report.Notes, fmt.Sprintf(format, args...))
}

// list fetches every page of a list, hands each to page and returns how many there
// were.
func list[T any](ctx context.Context, s *session, path, what string, page func(connectors.Answer, []T) error) (int, error) {
	address := s.g.api + path
	for n := 1; ; n++ {
		answer, err := s.get(ctx, address, what)
		if err != nil {
			return n, err
		}
		if !answer.OK() {
			return n, notThere(what)
		}
		var entries []T
		if err := decode(answer, what, &entries); err != nil {
			return n, err
		}
		if err := page(answer, entries); err != nil {
			return n, err
		}
		next, ok := connectors.NextPage(answer.Header)
		switch {
		case !ok:
			return n, broken("GitHub's list of " + what + " has a Link header that cannot be read")
		case next == "":
			return n, nil
		case !within(s.g.api, next):
			return n, broken("GitHub's list of " + what + " goes on at another address, to which the token is not sent")
		case n == maxPages:
			return n, &connectors.Error{
				Kind: connectors.Broken, Err: connectors.ErrGroupsIncomplete,
				Hint: fmt.Sprintf("GitHub's list of %s has more than %d pages", what, maxPages),
			}
		}
		address = next
	}
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
