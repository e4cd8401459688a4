package authorize

import (
	"context"
	"slices"
	"strings"

	"gatehouse/broker/oauth"
)

// checks are the rules for a request whose redirect URI is good, in order. The
// first two decide how a refusal travels; the rest may then refuse.
var checks = []func(*request, context.Context) *oauth.Error{
	(*request).checkState,
	(*request).checkResponseMode,
	(*request).checkRepeated,
	(*request).checkResponseType,
	(*request).checkUnsupported,
	(*request).checkScope,
	(*request).checkNonce,
	(*request).checkPKCE,
	(*request).checkPrompt,
	(*request).checkMaxAge,
	(*request).checkLoginHint,
	(*request).checkIDTokenHint,
	(*request).checkACRValues,
	(*request).checkConnector,
}

// check runs the rules. Its error is a redirect.
func (q *request) check(ctx context.Context) *oauth.Error {
	for _, rule := range checks {
		if err := rule(q, ctx); err != nil {
			return err
		}
	}
	return nil
}

// checkState bounds what is echoed byte for byte (RFC 6749 §4.1.1).
func (q *request) checkState(context.Context) *oauth.Error {
	state := q.params.Get("state")
	if slices.Contains(q.params.Repeated(), "state") {
		return oauth.Errorf(oauth.InvalidRequest, "state is repeated")
	}
	if err := oauth.ValidateState(state); err != nil {
		return oauth.From(err)
	}
	q.out.State = state
	return nil
}

// checkResponseMode settles how the answer travels, errors included (OAuth 2.0
// Multiple Response Type Encoding Practices §2.1).
func (q *request) checkResponseMode(context.Context) *oauth.Error {
	kind, err := oauth.ParseResponseType(q.params.Get("response_type"))
	if err == nil {
		q.out.ResponseMode = kind.DefaultMode()
	} else {
		q.out.ResponseMode = oauth.ResponseModeQuery
	}
	asked := oauth.ResponseMode(q.params.Get("response_mode"))
	switch asked {
	case "":
		return nil
	case oauth.ResponseModeQuery, oauth.ResponseModeFragment:
	case oauth.ResponseModeFormPost:
		if !strings.HasPrefix(q.out.RedirectURI, "http") {
			return oauth.Errorf(oauth.InvalidRequest, "response_mode form_post needs an http redirect_uri")
		}
	default:
		return oauth.Errorf(oauth.InvalidRequest, "response_mode is not supported")
	}
	q.out.ResponseMode = asked
	return nil
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
	if kind != oauth.ResponseTypeCode {
		return oauth.Errorf(oauth.UnsupportedResponseType, "only response_type code is supported")
	}
	if !q.client.AllowsResponseType(kind) || !q.client.AllowsGrantType(oauth.GrantTypeAuthorizationCode) {
		return oauth.Errorf(oauth.UnauthorizedClient, "the client is not registered for response_type code")
	}
	q.out.ResponseType = kind
	return nil
}

// checkUnsupported names what Core §3.1.2.6 has an error of its own for. Ignoring
// a request object would ignore what the client meant.
func (q *request) checkUnsupported(context.Context) *oauth.Error {
	switch {
	case q.params.Has("request"):
		return oauth.Errorf(oauth.RequestNotSupported, "request objects are not supported")
	case q.params.Has("request_uri"):
		return oauth.Errorf(oauth.RequestURINotSupported, "request_uri is not supported")
	case q.params.Has("registration"):
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
	granted := asked.Intersect(q.endpoint.Supported)
	if len(q.client.Scopes) > 0 {
		granted = granted.Intersect(q.client.Scopes)
	}
	if !q.client.AllowsGrantType(oauth.GrantTypeRefreshToken) {
		// Core §11: offline_access is ignored where it cannot be honoured.
		granted = granted.Without(oauth.OfflineAccess)
	}
	if len(granted) == 0 {
		return oauth.Errorf(oauth.InvalidScope, "none of the requested scopes can be granted")
	}
	q.out.Scopes = granted
	return nil
}

// checkNonce bounds what is put into the ID token (Core §3.1.2.1).
func (q *request) checkNonce(context.Context) *oauth.Error {
	nonce := q.params.Get("nonce")
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
		if q.client.Public() || !q.client.PKCEOptional {
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

func scopeWords(s string) []string { return strings.Fields(s) }
