package google

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// assertion are the claims with which a service account asks for an access token
// (RFC 7523 §3, and scope, which is Google's).
type assertion struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub,omitempty"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

func (a *account) assertion(address, scope, tokenURL string) assertion {
	now := a.now()
	return assertion{Issuer: address, Scope: scope, Audience: tokenURL, Issued: now.Unix(), Expires: now.Add(assertionLife).Unix()}
}

// exchange turns a signed assertion into an access token (RFC 7523 §2.1). client
// is how the Admin console names the account.
func (a *account) exchange(ctx context.Context, claims assertion, signed, client string) (issued, error) {
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {signed}}
	answer, err := a.fetcher.PostForm(ctx, claims.Audience, form)
	if err != nil {
		return issued{}, err
	}
	if !answer.OK() {
		return issued{}, a.assertionRefused(answer, claims, client)
	}
	return a.readToken(answer, "the token endpoint")
}

// readToken reads the success of RFC 6749 §5.1.
func (a *account) readToken(answer connectors.Answer, who string) (issued, error) {
	var r struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if jose.StrictUnmarshal(answer.Body, &r) != nil || r.AccessToken == "" || r.ExpiresIn <= 0 || !strings.EqualFold(r.TokenType, "Bearer") {
		return issued{}, broken("the answer of " + who + " to the service account has no usable access token")
	}
	return issued{token: r.AccessToken, expires: a.now().Add(time.Duration(min(r.ExpiresIn, 24*3600)) * time.Second)}, nil
}

// assertionRefused says what to do about a refusal by its code alone: the wording is
// Google's to change.
func (a *account) assertionRefused(answer connectors.Answer, claims assertion, client string) *connectors.Error {
	e := oauthRefusal(answer, a.now())
	if e.Kind == connectors.Transient {
		return e
	}
	e.Kind = connectors.Operator
	switch e.Code {
	case "unauthorized_client":
		e.Hint = "domain-wide delegation is missing: Google Admin console > Security > Access and data control > API controls > " +
			"Manage Domain Wide Delegation > Add new: Client ID " + client + ", OAuth scope " + claims.Scope + "; it can take a day to be known everywhere"
	case "invalid_grant":
		e.Hint = "Google does not accept the service account's assertion: check that the key still exists, this machine's clock"
		if claims.Subject != "" {
			e.Hint += ", and that " + claims.Subject + " is an active account of the Workspace"
		}
	case "invalid_scope":
		e.Hint = "Google does not know the scope " + claims.Scope
	case "invalid_client", "deleted_client":
		e.Hint = "the service account was deleted or disabled"
	default:
		e.Hint = fmt.Sprintf("the token endpoint refused the service account with status %d", answer.Status)
	}
	return e
}

// oauthRefusal reads a refusal in the shape of RFC 6749 §5.2.
func oauthRefusal(answer connectors.Answer, now time.Time) *connectors.Error {
	var doc struct {
		Error string `json:"error"`
	}
	e := &connectors.Error{Kind: connectors.StatusKind(answer.Status), RetryAfter: connectors.RetryAfter(answer.Header, now)}
	if jose.StrictUnmarshal(answer.Body, &doc) == nil {
		e.Code = connectors.SafeCode(doc.Error)
	}
	e.Hint = fmt.Sprintf("Google answered the service account with status %d", answer.Status)
	return e
}

func broken(hint string) *connectors.Error {
	return &connectors.Error{Kind: connectors.Broken, Hint: hint}
}
