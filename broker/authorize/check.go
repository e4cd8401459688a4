package authorize

import (
	"context"
	"slices"
	"strings"

	"gatehouse/broker/oauth"
)

// checks are the rules for a request whose redirect URI is good, in order.
var checks = []func(*request, context.Context) *oauth.Error{
	(*request).checkRequestObject,
	(*request).checkState,
	(*request).checkResponseMode,
	(*request).checkRepeated,
	(*request).checkResponseType,
	(*request).checkUnsupported,
	(*request).checkScope,
	(*request).checkResource,
	(*request).checkNonce,
	(*request).checkPKCE,
	(*request).checkPrompt,
	(*request).checkMaxAge,
	(*request).checkLoginHint,
	(*request).checkIDTokenHint,
	(*request).checkACRValues,
	(*request).checkClaims,
	(*request).checkUILocales,
	(*request).checkConnector,
	(*request).checkEncryption,
}

// check runs the rules. Its error is a redirect.
func (q *request) check(ctx context.Context) *oauth.Error {
	// How a refusal travels is settled before the first: also a bad state is refused
	// by the response mode asked for, and a bad response mode with the state.
	q.out.ResponseMode, _ = q.responseMode()
	if state := q.params.Get("state"); oauth.ValidateState(state) == nil {
		q.out.State = state
	}
	for _, rule := range checks {
		if err := rule(q, ctx); err != nil {
			return err
		}
	}
	return nil
}

// checkState bounds what is echoed byte for byte (RFC 6749 §4.1.1).
func (q *request) checkState(context.Context) *oauth.Error {
	if err := oauth.ValidateState(q.params.Get("state")); err != nil {
		return oauth.From(err)
	}
	return nil
}

// checkResponseMode refuses what responseMode cannot give.
func (q *request) checkResponseMode(context.Context) *oauth.Error {
	_, err := q.responseMode()
	return err
}

// responseMode is how the answer travels, errors included (OAuth 2.0 Multiple
// Response Type Encoding Practices §2.1). With an error it is the default of the
// response type.
func (q *request) responseMode() (oauth.ResponseMode, *oauth.Error) {
	mode := oauth.ResponseModeQuery
	if kind, err := oauth.ParseResponseType(q.params.Get("response_type")); err == nil {
		mode = kind.DefaultMode()
	}
	asked := oauth.ResponseMode(q.params.Get("response_mode"))
	if asked == "" {
		return mode, nil
	}
	http := strings.HasPrefix(q.out.RedirectURI, "https://") || strings.HasPrefix(q.out.RedirectURI, "http://")
	switch {
	case !slices.Contains([]oauth.ResponseMode{oauth.ResponseModeQuery, oauth.ResponseModeFragment, oauth.ResponseModeFormPost, oauth.ResponseModeWebMessage}, asked):
		return mode, oauth.Errorf(oauth.InvalidRequest, "response_mode is not supported")
	case !q.client.AllowsResponseMode(asked):
		return mode, oauth.Errorf(oauth.InvalidRequest, "the client is not registered for this response_mode")
	case asked == oauth.ResponseModeQuery && mode == oauth.ResponseModeFragment:
		// Multiple Response Type Encoding Practices §3: tokens are never put into a query.
		return mode, oauth.Errorf(oauth.InvalidRequest, "response_mode query is not for tokens")
	case asked != oauth.ResponseModeQuery && asked != oauth.ResponseModeFragment && !http:
		return mode, oauth.Errorf(oauth.InvalidRequest, "response_mode %s needs an http redirect_uri", asked)
	}
	return asked, nil
}

// checkRepeated: a parameter must not be included twice (RFC 6749 §3.1).
func (q *request) checkRepeated(context.Context) *oauth.Error {
	if repeated := q.params.Repeated(); len(repeated) > 0 {
		return oauth.Errorf(oauth.InvalidRequest, "parameter %s is repeated", repeated[0])
	}
	return nil
}

// checkResponseType (RFC 6749 §3.1.1): we have it, and the client is registered
// for it.
func (q *request) checkResponseType(context.Context) *oauth.Error {
	kind, err := oauth.ParseResponseType(q.params.Get("response_type"))
	if err != nil {
		return oauth.From(err)
	}
	if kind == oauth.ResponseTypeNone {
		return oauth.Errorf(oauth.UnsupportedResponseType, "response_type none is not supported")
	}
	// Registration §2: each value of a response type has its grant type.
	tokens := kind.Has(oauth.ResponseTypeToken) || kind.Has(oauth.ResponseTypeIDToken)
	if !q.client.AllowsResponseType(kind) || kind.Has(oauth.ResponseTypeCode) && !q.client.AllowsGrantType(oauth.GrantTypeAuthorizationCode) ||
		tokens && !q.client.AllowsGrantType(oauth.GrantTypeImplicit) {
		return oauth.Errorf(oauth.UnauthorizedClient, "the client is not registered for this response_type")
	}
	q.out.ResponseType = kind
	return nil
}

// checkRequestObject reports what openRequestObject found.
func (q *request) checkRequestObject(context.Context) *oauth.Error { return q.object }

// checkUnsupported names what Core §3.1.2.6 has an error of its own for.
func (q *request) checkUnsupported(context.Context) *oauth.Error {
	if q.params.Has("registration") {
		return oauth.Errorf(oauth.RegistrationNotSupported, "the registration parameter is not supported")
	}
	return nil
}

// checkScope keeps the scopes there are and the client may have; the rest is
// ignored (Core §3.1.2.1, RFC 6749 §3.3). A request that is left with none is an
// error rather than a token good for nothing.
func (q *request) checkScope(context.Context) *oauth.Error {
	asked, err := oauth.ParseScopes(q.params.Get("scope"))
	if err != nil {
		return oauth.From(err)
	}
	var granted oauth.Scopes
	for _, scope := range asked {
		if q.may(scope) {
			granted = append(granted, scope)
		}
	}
	if q.out.ResponseType.Has(oauth.ResponseTypeIDToken) && !granted.Has(oauth.OpenID) {
		return oauth.Errorf(oauth.InvalidScope, "an ID token needs the scope openid")
	}
	if !q.client.AllowsGrantType(oauth.GrantTypeRefreshToken) || !q.out.ResponseType.Has(oauth.ResponseTypeCode) {
		// Core §11: offline_access is ignored where it cannot be honoured.
		granted = granted.Without(oauth.OfflineAccess)
	}
	if len(granted) == 0 {
		return oauth.Errorf(oauth.InvalidScope, "none of the requested scopes can be granted")
	}
	q.out.Scopes = granted
	return nil
}

// checkResource keeps the resources that the access tokens will be for, and the scopes
// that mean something there (RFC 8707 §2).
func (q *request) checkResource(context.Context) *oauth.Error {
	issuer, known := q.endpoint.Desk.Issuer, q.endpoint.Resources
	var err error
	if q.out.Resources, q.out.Scopes, err = known.Asked(issuer, q.out.Scopes, q.params.Values("resource")); err != nil {
		return oauth.From(err)
	}
	if q.out.ResponseType.Has(oauth.ResponseTypeToken) {
		// A token that nothing could be asked about any more: what cannot be issued is
		// refused here.
		if _, _, err := known.Issued(issuer, q.client, q.out.Scopes, nil, q.out.Resources); err != nil {
			return oauth.From(err)
		}
	}
	return nil
}

// checkNonce bounds what is put into the ID token (Core §3.1.2.1).
func (q *request) checkNonce(context.Context) *oauth.Error {
	nonce := q.params.Get("nonce")
	if nonce == "" && q.out.ResponseType.Has(oauth.ResponseTypeIDToken) {
		// Core §3.2.2.1, §3.3.2.11: nothing else ties that ID token to the request.
		return oauth.Errorf(oauth.InvalidRequest, "nonce is required with an ID token in the response")
	}
	if err := oauth.ValidateNonce(nonce); err != nil {
		return oauth.From(err)
	}
	q.out.Nonce = nonce
	return nil
}

// checkPKCE: S256 only; required of public clients and of others unless their
// entry says otherwise (RFC 7636 §4.4.1, RFC 9700 §2.1.1).
func (q *request) checkPKCE(context.Context) *oauth.Error {
	challenge, method := q.params.Get("code_challenge"), q.params.Get("code_challenge_method")
	if challenge == "" && method == "" {
		if q.out.ResponseType.Has(oauth.ResponseTypeCode) && (q.client.Public() || !q.client.PKCEOptional) {
			return oauth.Errorf(oauth.InvalidRequest, "code_challenge is required")
		}
		return nil
	}
	if err := oauth.ValidateChallenge(challenge, method); err != nil {
		return oauth.From(err)
	}
	q.out.Challenge = challenge
	return nil
}

// checkEncryption comes last, as it may have keys fetched, and before anybody signs in:
// tokens that could not be encrypted afterwards would be a page with an error.
func (q *request) checkEncryption(ctx context.Context) *oauth.Error {
	kind := q.out.ResponseType
	if q.endpoint.Ready == nil || !kind.Has(oauth.ResponseTypeIDToken) && !kind.Has(oauth.ResponseTypeToken) {
		return nil
	}
	if err := q.endpoint.Ready(ctx, q.client, &q.out); err != nil {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "the keys to encrypt tokens to cannot be had").Because(err)
	}
	return nil
}

func scopeWords(s string) []string { return strings.Fields(s) }
