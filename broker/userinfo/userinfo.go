// Package userinfo answers what is known about the person behind an access
// token (OpenID Connect Core §5.3):
//
//	GET  /userinfo
//	POST /userinfo
//
// The token's word is not enough: the grant it names is read each time and runs
// the same authorisation as an issuance, so that a revocation is seen at once.
// Package introspection does that, for its own answers too.
package userinfo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/internal/httpx"
)

// maxForm has room for one access token.
const maxForm = 32 << 10

// Endpoint serves /userinfo.
type Endpoint struct {
	Issuer  string
	Clients broker.Clients
	// Live reads an access token of ours and the state it lives by; anything else is
	// mint.ErrNotLive.
	Live       func(ctx context.Context, raw string, now time.Time) (*mint.AccessToken, broker.State, error)
	Mint       *mint.Minter
	Audit      *audit.Recorder
	PerAddress *httpx.Limiter
	PerAccount *httpx.Limiter
	Now        func() time.Time
}

// Mount adds the endpoint's routes.
func (e *Endpoint) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /userinfo", e.serve)
	mux.HandleFunc("POST /userinfo", e.serve)
}

// answer is the userinfo response (Core §5.3.2). sub is always in it.
type answer struct {
	Subject string `json:"sub"`
	policy.Claims
}

func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) {
	a, client, err := e.answer(w, r)
	var body []byte
	kind := "application/json"
	switch {
	case err != nil:
	case client.UserInfoAlg != "" || !client.UserInfoEncryption.IsZero(): // Core §5.3.2
		kind = "application/jwt"
		var signed string
		signed, err = e.Mint.UserInfo(r.Context(), client, a.Subject, a.Claims, e.Now())
		if errors.Is(err, mint.ErrRecipient) {
			err = oauth.Errorf(oauth.TemporarilyUnavailable, "the keys to encrypt the answer to cannot be had").Because(err)
		}
		body = []byte(signed)
	default:
		body, err = json.Marshal(a)
	}
	if err != nil {
		e.refuse(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	// If this fails the client has gone.
	_, _ = w.Write(body)
}

// errNoToken is the request without any token: it is told how to present one and
// no error code (RFC 6750 §3.1).
var errNoToken = errors.New("no access token was presented")

func (e *Endpoint) answer(w http.ResponseWriter, r *http.Request) (answer, *broker.Client, error) {
	if wait, ok := e.PerAddress.Allow(httpx.LimitKey(httpx.About(r.Context()).Address)); !ok {
		return answer{}, nil, oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests from this address").WithRetryAfter(wait)
	}
	raw, err := presented(w, r)
	if err != nil {
		return answer{}, nil, err
	}
	now := e.Now()
	token, err := e.Mint.ReadAccessToken(r.Context(), raw, now)
	if err != nil {
		return answer{}, nil, invalid(err)
	}
	if !token.Scopes.Has(oauth.OpenID) {
		return answer{}, nil, oauth.Errorf(oauth.InsufficientScope, "the access token lacks the scope openid")
	}
	_, state, err := e.Live(r.Context(), raw, now)
	if err != nil {
		return answer{}, nil, gone(err)
	}
	// By the account and not by sub, of which it has one in each sector.
	if wait, ok := e.PerAccount.Allow(state.Account.ID); !ok {
		return answer{}, nil, oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests for this account").WithRetryAfter(wait)
	}
	client, err := e.Clients.Client(r.Context(), token.ClientID)
	if err != nil {
		return answer{}, nil, gone(err)
	}
	return answer{Subject: token.Subject, Claims: policy.ClaimsFor(token.Scopes, state.Identity.Profile, named(token, state.Grant)...)}, client, nil
}

// named are the claims that the authorization request asked for by name (Core §5.5). They were the grant's client's to
// ask for: who has the token in exchange has what its scopes say (invariant I7).
func named(token mint.AccessToken, grant *broker.Grant) []string {
	if token.Exchanged {
		return nil
	}
	return grant.Claims.UserInfo
}

// presented finds the access token: in the header, or in the form of a POST (RFC
// 6750 §2). Two are refused (§3.1); one in the URL is not looked at (RFC 9700
// §4.3.2).
func presented(w http.ResponseWriter, r *http.Request) (string, error) {
	if oauth.SecretsInQuery(r.URL.RawQuery) {
		return "", oauth.Errorf(oauth.InvalidRequest, "an access token must not be in the URL")
	}
	token, tried, err := oauth.BearerToken(r)
	if err != nil {
		return "", err
	}
	if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "" && r.ContentLength != 0 {
		form, err := oauth.ParseForm(w, r, maxForm)
		if err != nil {
			return "", err
		}
		if form.Has("access_token") && tried {
			return "", oauth.Errorf(oauth.InvalidRequest, "more than one access token was presented")
		}
		if !tried {
			token = form.Get("access_token")
		}
	}
	if token == "" {
		return "", errNoToken
	}
	return token, nil
}

func invalid(err error) error {
	return oauth.Errorf(oauth.InvalidToken, "the access token is not valid, has expired, or has been revoked").Because(err)
}

// gone tells what no longer lives from a store that cannot be read.
func gone(err error) error {
	if errors.Is(err, mint.ErrNotLive) || errors.Is(err, broker.ErrNotFound) {
		return invalid(err)
	}
	return oauth.Errorf(oauth.ServerError, "the grant could not be read").Because(err)
}

// refuse answers as a protected resource does: the challenge has the error, and
// the body repeats it (RFC 6750 §3).
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, err error) {
	about := httpx.About(r.Context())
	w.Header().Set("Cache-Control", "no-store")
	if errors.Is(err, errNoToken) {
		w.Header().Set("WWW-Authenticate", oauth.BearerChallenge(nil, e.Issuer))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	oe := oauth.From(err)
	e.Audit.Refused(r.Context(), audit.Refusal{Endpoint: audit.UserInfo, Code: audit.CodeOf(r.Context(), err), Reason: err,
		RequestID: about.ID, Address: about.Address.String()})
	if oe.Status() < http.StatusInternalServerError {
		oe = oe.WithChallenge(oauth.BearerChallenge(oe, e.Issuer))
	}
	oauth.WriteJSON(w, oe)
}
