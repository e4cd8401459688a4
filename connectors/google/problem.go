package google

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// problem is an API's refusal. The older APIs say why in errors, the newer ones in
// status and details; some say both.
type problem struct {
	status  int
	reasons []string
	// number is that of a message such as "Error(4013): …". The words behind it are
	// not looked at.
	number string
}

// readProblem reads what can be read; the status speaks for itself otherwise.
func readProblem(answer connectors.Answer) problem {
	p := problem{status: answer.Status}
	var doc struct {
		Error json.RawMessage `json:"error"`
	}
	var e struct {
		Message string `json:"message"`
		Status  string `json:"status"`
		Errors  []struct {
			Reason string `json:"reason"`
		} `json:"errors"`
		Details []struct {
			Reason string `json:"reason"`
		} `json:"details"`
	}
	if jose.StrictUnmarshal(answer.Body, &doc) != nil || jose.StrictUnmarshal(doc.Error, &e) != nil {
		return p
	}
	for _, one := range e.Errors {
		p.reasons = append(p.reasons, one.Reason)
	}
	for _, one := range e.Details {
		p.reasons = append(p.reasons, one.Reason)
	}
	p.reasons = append(p.reasons, e.Status)
	p.reasons = slices.DeleteFunc(p.reasons, func(r string) bool { return connectors.SafeCode(r) == "" })
	if rest, found := strings.CutPrefix(e.Message, "Error("); found {
		number, _, _ := strings.Cut(rest, ")")
		p.number = connectors.SafeCode(number)
	}
	return p
}

func (p problem) is(reasons ...string) bool {
	return slices.ContainsFunc(reasons, func(r string) bool { return slices.Contains(p.reasons, r) })
}

// code is what is shown of it: the number, else the most telling reason.
func (p problem) code() string {
	if p.number != "" || len(p.reasons) == 0 {
		return p.number
	}
	return p.reasons[0]
}

// advice is what to do about the refusals of one API.
type advice struct {
	// api is its name in the Cloud console; scope what the token has to have.
	api, scope string
	// forbidden says what is missing where the caller may not ask, missing what a 404
	// means.
	forbidden, missing string
}

// errTokenRefused marks the cause of an error that says: the access token is not, or
// no longer, accepted.
var errTokenRefused = errors.New("the access token was not accepted")

// asError ranks a refusal. A quota says nothing about the person or our rights, and
// Google answers both with 403 ("Directory API: Limits and quotas", "Cloud APIs:
// Errors").
func (p problem) asError(answer connectors.Answer, now time.Time, a advice) *connectors.Error {
	e := &connectors.Error{
		Kind: connectors.StatusKind(p.status), Code: p.code(), RetryAfter: connectors.RetryAfter(answer.Header, now),
		Hint: fmt.Sprintf("the %s answered with status %d", a.api, p.status),
	}
	switch {
	case p.is("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"):
		e.Kind = connectors.Transient
		e.Hint += ": a quota is used up; it can be raised in the Cloud console"
	case e.Kind == connectors.Transient:
	case p.is("accessNotConfigured", "SERVICE_DISABLED"):
		e.Kind = connectors.Operator
		e.Hint += ": enable it in the Cloud console (APIs & Services > Library), in the project of the client or of the service account"
	case p.status == http.StatusUnauthorized:
		e.Kind, e.Err = connectors.Operator, errTokenRefused
		e.Hint += ": it does not accept the access token"
	case p.is("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"):
		e.Kind = connectors.Operator
		e.Hint += ": the access token lacks the scope " + a.scope
	case p.status == http.StatusForbidden:
		e.Kind = connectors.Operator
		e.Hint += ": " + a.forbidden
	case p.status == http.StatusNotFound:
		e.Kind = connectors.Operator
		e.Hint += ": " + a.missing
	case p.status >= 300 && p.status < 400:
		e.Hint += "; redirects are not followed"
	}
	return e
}

// asError is the *Error that connectors.Fetcher promises.
func asError(err error) *connectors.Error {
	var e *connectors.Error
	if errors.As(err, &e) {
		return e
	}
	return broken("Google could not be asked")
}
