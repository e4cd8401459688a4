package oidc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// Step says where an upstream refused.
type Step uint8

// The steps at which an upstream answers with an error of its own.
const (
	// AtCallback: the authorization response carried error instead of code.
	AtCallback Step = iota
	AtToken
	AtUserinfo
	// AtRefresh: the token endpoint, asked with a refresh token.
	AtRefresh
	// AtDocument: the discovery document or the keys, which a vendor may refuse because
	// of what our registration is there.
	AtDocument
)

// Failure is an upstream's refusal as it came. Everything in it is the
// upstream's word: nothing but Code, after connectors.SafeCode, leaves us.
type Failure struct {
	Step Step
	// Status is the HTTP status; 0 at the callback.
	Status int
	// Code is the OAuth error, or the errorCode of an API-shaped answer.
	Code string
	// Description is read for vendor codes at its beginning only, never matched on.
	Description string
	// Codes are Entra's error_codes.
	Codes []int
	// RetryAfter is what the headers ask for.
	RetryAfter time.Duration
}

// readFailure reads a refusal out of an answer: the OAuth shape (RFC 6749 §5.2)
// and the API shape that Okta sends from the same endpoints. What cannot be read
// leaves the status to speak for itself.
func readFailure(step Step, answer connectors.Answer, now time.Time) Failure {
	f := Failure{Step: step, Status: answer.Status, RetryAfter: connectors.RetryAfter(answer.Header, now)}
	var doc struct {
		Error       json.RawMessage `json:"error"`
		Description json.RawMessage `json:"error_description"`
		Codes       json.RawMessage `json:"error_codes"`
		ErrorCode   json.RawMessage `json:"errorCode"`
	}
	if jose.StrictUnmarshal(answer.Body, &doc) == nil {
		f.Code, f.Description = text(doc.Error), text(doc.Description)
		if f.Code == "" {
			f.Code = text(doc.ErrorCode)
		}
		if json.Unmarshal(doc.Codes, &f.Codes) != nil {
			f.Codes = nil
		}
	}
	// RFC 6750 §3: a resource endpoint says it in a header.
	if f.Code == "" && step == AtUserinfo {
		f.Code = challengeError(answer.Header.Get("WWW-Authenticate"))
	}
	return f
}

// text decodes a JSON string; anything else is none.
func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func challengeError(challenge string) string {
	_, rest, found := strings.Cut(challenge, `error="`)
	if !found {
		return ""
	}
	code, _, _ := strings.Cut(rest, `"`)
	return code
}

// failed turns a refusal into the error the broker shows and logs, and remembers
// it where it speaks of the upstream.
func (p *Provider) failed(f Failure) *connectors.Error {
	e := p.refused(f)
	p.health.Note(e)
	return e
}

// refused turns a refusal into the error the broker shows and logs.
func (p *Provider) refused(f Failure) *connectors.Error {
	e := p.quirks.classify(f)
	if e == nil {
		e = StandardFailure(f)
	}
	if e.Code == "" {
		e.Code = connectors.SafeCode(f.Code)
	}
	e.RetryAfter = f.RetryAfter
	// What a vendor knows of its codes refines these meanings and does not undo them.
	switch {
	case e.Kind == connectors.Operator && f.clientRefused():
		e.Err, e.Unspent = connectors.ErrClientRefused, true
	case f.Status == http.StatusTooManyRequests, f.Status == http.StatusServiceUnavailable:
		e.Unspent = true
	case f.Step == AtRefresh && f.Code == "invalid_grant" && e.Kind == connectors.Broken:
		// RFC 6749 §5.2: the refresh token is invalid, expired or revoked.
		e.Kind = connectors.Gone
	}
	return e
}

// clientRefused reports whether a token endpoint says that it does not accept the
// client (RFC 6749 §5.2). A vendor's own way of saying so has the cause
// connectors.ErrClientRefused by itself.
func (f Failure) clientRefused() bool {
	at := f.Step == AtToken || f.Step == AtRefresh
	return at && (f.Code == "invalid_client" || f.Code == "" && f.Status == http.StatusUnauthorized)
}

// StandardFailure is the error for a refusal by the codes that the specifications
// define, and by status. It is never nil.
func StandardFailure(f Failure) *connectors.Error {
	if f.Status == http.StatusTooManyRequests {
		return &connectors.Error{Kind: connectors.Transient, Hint: "the upstream limits our requests"}
	}
	if f.Step == AtRefresh && f.Code == "invalid_grant" {
		return &connectors.Error{Kind: connectors.Gone, Hint: "the upstream no longer accepts the refresh token: it was revoked, has expired, or the account is disabled"}
	}
	for _, known := range standardCodes {
		if f.Code == known.code {
			return &connectors.Error{Kind: known.kind, Hint: known.hint}
		}
	}
	if f.Step == AtCallback {
		return &connectors.Error{Kind: connectors.Broken, Hint: "the upstream sent the browser back with an error we do not know"}
	}
	e := &connectors.Error{Kind: connectors.StatusKind(f.Status), Hint: fmt.Sprintf("the upstream answered with status %d", f.Status)}
	switch {
	case e.Kind == connectors.Transient:
	case f.Status == http.StatusNotFound:
		e.Kind, e.Hint = connectors.Operator, "the upstream does not know this endpoint: check the configured issuer"
	case f.Status == http.StatusUnauthorized && (f.Step == AtToken || f.Step == AtRefresh):
		e.Kind, e.Hint = connectors.Operator, "the upstream does not accept our credentials: check client_id and client_secret"
	}
	return e
}

// standardCodes: RFC 6749 §4.1.2.1 and §5.2, OIDC Core §3.1.2.6, RFC 6750 §3.1,
// and the extension "Unmet Authentication Requirements". redirect_uri_mismatch is
// Google's and GitHub's name for what the standards leave nameless.
var standardCodes = []struct {
	code string
	kind connectors.Kind
	hint string
}{
	{"access_denied", connectors.Declined, "the person or the upstream's policy said no; if this happens to everybody, check who is assigned to the application there"},
	{"login_required", connectors.Interaction, "the upstream wants the person to sign in"},
	{"interaction_required", connectors.Interaction, "the upstream wants something from the person"},
	{"consent_required", connectors.Interaction, "the upstream wants the person's consent"},
	{"account_selection_required", connectors.Interaction, "the upstream wants the person to choose an account"},
	{"unmet_authentication_requirements", connectors.Unmet, "the upstream could not authenticate as strongly as was asked for"},
	{"invalid_client", connectors.Operator, "the upstream does not accept client_id and client_secret (or client_key): check both, whether they have expired, and token_endpoint_auth_method"},
	{"unauthorized_client", connectors.Operator, "the client is not registered at the upstream for what was asked: the authorization code flow, and with recheck_interval the refresh token grant"},
	{"redirect_uri_mismatch", connectors.Operator, "register this connector's callback URL at the upstream, byte for byte"},
	{"invalid_scope", connectors.Operator, "a scope is not known at the upstream: check scopes"},
	{"invalid_request", connectors.Operator, "the upstream finds our request malformed: check the registration there, and scopes"},
	{"unsupported_response_type", connectors.Operator, "the upstream does not offer the authorization code flow to this client"},
	{"unsupported_grant_type", connectors.Operator, "the upstream does not offer this grant to the client: authorization code, and with recheck_interval refresh token"},
	{"invalid_grant", connectors.Broken, "the upstream did not accept the code: it was used before, has expired, or belongs to another sign-in; if this happens to everybody, check the clock and the registered callback URL"},
	{"invalid_token", connectors.Broken, "the upstream does not accept the access token it has just issued"},
	{"insufficient_scope", connectors.Operator, "the upstream wants another scope for this: check scopes"},
	{"server_error", connectors.Transient, "the upstream reports a fault of its own"},
	{"temporarily_unavailable", connectors.Transient, "the upstream is temporarily unavailable"},
}
