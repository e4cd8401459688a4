package token

import (
	"context"
	"errors"
	"slices"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/internal/httpx"
)

// TokenExchange issues an access token for another token (RFC 8693): for an access
// token of a person that the client owns or is addressed by, or for what an
// external issuer says about a workload. Nothing is stored for one.
type TokenExchange struct {
	// Live reads an access token of ours and the state it lives by; anything else is
	// mint.ErrNotLive, with a reason that is not told.
	Live      func(ctx context.Context, raw string, now time.Time) (*mint.AccessToken, broker.State, error)
	Clients   broker.Clients
	Workloads *Workloads
	// PerAccount bounds tokens for one person.
	PerAccount *httpx.Limiter
}

// GrantType is token-exchange.
func (h *TokenExchange) GrantType() oauth.GrantType { return oauth.GrantTypeTokenExchange }

// Redeem exchanges. What is not acceptable, for whatever reason, is invalid_request
// (RFC 8693 §2.2.2).
func (h *TokenExchange) Redeem(ctx context.Context, r Request) (Tokens, error) {
	q, err := readExchange(r.Form)
	if err != nil {
		return Tokens{}, err
	}
	if q.issued == oauth.TokenKindJWT && r.Client.OpaqueAccessTokens {
		// RFC 8693 §2.2.1: issued_token_type would not be true.
		return Tokens{}, oauth.Errorf(oauth.InvalidRequest, "requested_token_type is not supported: the client's access tokens are no JWTs")
	}
	tokens := Tokens{}
	if h.ours(q) {
		tokens, err = h.person(ctx, r, q)
	} else {
		tokens, err = h.workload(ctx, r, q)
	}
	tokens.Kind = q.issued
	return tokens, err
}

// exchange is what is asked for.
type exchange struct {
	subject, actor string
	kind, issued   oauth.TokenKind
	scopes         oauth.Scopes
	// targets are the values of resource and audience, which name resource servers
	// in the same way here.
	targets []string
}

// readExchange reads the parameters of RFC 8693 §2.1.
func readExchange(form oauth.Params) (exchange, error) {
	q := exchange{subject: form.Get("subject_token"), actor: form.Get("actor_token"),
		kind: oauth.TokenKind(form.Get("subject_token_type")), issued: oauth.TokenKind(form.Get("requested_token_type")),
		targets: append(form.Values("resource"), form.Values("audience")...)}
	if q.issued == "" {
		q.issued = oauth.TokenKindAccessToken
	}
	acting := oauth.TokenKind(form.Get("actor_token_type"))
	switch {
	case q.subject == "" || q.kind == "":
		return q, oauth.Errorf(oauth.InvalidRequest, "subject_token or subject_token_type is missing")
	case !slices.Contains([]oauth.TokenKind{oauth.TokenKindAccessToken, oauth.TokenKindIDToken, oauth.TokenKindJWT}, q.kind):
		return q, oauth.Errorf(oauth.InvalidRequest, "subject_token_type is not supported")
	case q.issued != oauth.TokenKindAccessToken && q.issued != oauth.TokenKindJWT:
		// A refresh token would outlive what was presented (TX-05).
		return q, oauth.Errorf(oauth.InvalidRequest, "requested_token_type is not supported: nothing but access tokens is issued")
	case (q.actor == "") != (acting == ""):
		return q, oauth.Errorf(oauth.InvalidRequest, "actor_token and actor_token_type go together")
	case q.actor != "" && acting != oauth.TokenKindAccessToken && acting != oauth.TokenKindJWT:
		return q, oauth.Errorf(oauth.InvalidRequest, "actor_token_type is not supported")
	}
	var err error
	q.scopes, err = oauth.ParseScopes(form.Get("scope"))
	return q, err
}

// ours reports whether the subject token is to be read as an access token of ours.
// A JWT says itself whose it is, and is held to that afterwards.
func (h *TokenExchange) ours(q exchange) bool {
	if q.kind != oauth.TokenKindJWT {
		return q.kind == oauth.TokenKindAccessToken
	}
	token, err := jose.Peek(q.subject, jose.Limits{})
	return err == nil && token.Claims.Issuer == h.Workloads.Targets.Issuer
}

// errUnacceptable is every subject or actor token that is not taken: revoked,
// expired, of somebody else, of another kind.
func errUnacceptable(which string, cause error) error {
	return oauth.Errorf(oauth.InvalidRequest, "the %s is not valid, has expired, has been revoked or is not for this client", which).Because(cause)
}

// presented reads an access token of ours that the client owns or is addressed by.
func (h *TokenExchange) presented(ctx context.Context, r Request, which, raw string) (*mint.AccessToken, broker.State, error) {
	token, state, err := h.Live(ctx, raw, r.Now)
	if errors.Is(err, mint.ErrNotLive) {
		return nil, state, errUnacceptable(which, err)
	}
	if err != nil {
		return nil, state, err
	}
	addressed := func(uri string) bool { return slices.Contains(token.Audience, uri) }
	if token.ClientID != r.Client.ID && !slices.ContainsFunc(h.Workloads.Targets.Resources.Of(r.Client.ID), addressed) {
		return nil, state, errUnacceptable(which, errForeign)
	}
	return token, state, nil
}

var (
	errForeign     = errors.New("it is neither the client's nor for it")
	errNobody      = errors.New("there is no person behind it")
	errActor       = errors.New("neither may_act nor the client's configuration allows the actor")
	errImpersonate = errors.New("the client may not do without an actor")
	errChain       = errors.New("the chain of actors is too long, or the actor is acted for")
)

// person exchanges an access token of a person.
func (h *TokenExchange) person(ctx context.Context, r Request, q exchange) (Tokens, error) {
	if r.Client.Public() || !r.Client.Exchange.People {
		return Tokens{}, oauth.Errorf(oauth.UnauthorizedClient, "the client may not exchange access tokens")
	}
	subject, state, err := h.presented(ctx, r, "subject_token", q.subject)
	if err != nil {
		return Tokens{}, err
	}
	if subject.GrantID == "" {
		return Tokens{}, errUnacceptable("subject_token", errNobody)
	}
	actor, notAfter, err := h.acting(ctx, r, q, subject.Actor, subject.MayAct, subject.Expires)
	if err != nil {
		return Tokens{}, err
	}
	if over(notAfter, r.Now) {
		return Tokens{}, errUnacceptable("subject_token", errOver)
	}
	if q.actor == "" && subject.ClientID != r.Client.ID && !r.Client.Exchange.Impersonate {
		// §1.1: without an actor nobody could tell the client from the person (TX-04). To
		// narrow what is its own a client needs no leave.
		return Tokens{}, errUnacceptable("request without actor_token", errImpersonate)
	}
	scopes, err := narrowed(q.scopes, subject.Scopes, r.Client.Scopes)
	if err != nil {
		return Tokens{}, err
	}
	audience, scopes, err := h.Workloads.Targets.narrowed(scopes, q.targets, subject.Audience)
	if err != nil {
		return Tokens{}, err
	}
	holder, err := h.allowed(ctx, r, state, scopes)
	if err != nil {
		return Tokens{}, err
	}
	recipient := h.Workloads.Targets.Resources.Recipient(audience)
	if err := ready(ctx, h.Workloads.Mint, recipient); err != nil {
		return Tokens{}, err
	}
	if err := h.Workloads.Onces.UseOnce(ctx, r.Once, nil); err != nil {
		return Tokens{}, refused(err)
	}
	token, lifetime, err := h.Workloads.Mint.ExchangedToken(ctx, mint.ExchangeParams{Client: r.Client, Epoch: holder.Epoch, Scopes: scopes,
		Audience: audience, Recipient: recipient, Actor: actor, Now: r.Now, NotAfter: notAfter}, state.Grant)
	return Tokens{AccessToken: token, Lifetime: lifetime, Scopes: scopes}, err
}

// allowed runs the authorisation of the exchange on the state as it is (I5).
func (h *TokenExchange) allowed(ctx context.Context, r Request, state broker.State, scopes oauth.Scopes) (policy.Holder, error) {
	holder, err := h.Workloads.holder(ctx, r)
	if err != nil {
		return holder, err
	}
	origin, err := h.Clients.Client(ctx, state.Grant.ClientID)
	if err != nil && !errors.Is(err, broker.ErrNotFound) {
		return holder, err
	}
	if err := policy.AuthorizeExchange(holder, origin, state, scopes); err != nil {
		return holder, errUnacceptable("subject_token", err)
	}
	if wait, ok := h.PerAccount.Allow(state.Account.ID); !ok {
		return holder, oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests for this account").WithRetryAfter(wait)
	}
	return holder, nil
}

// acting puts the actor in front of those who acted before (RFC 8693 §4.1), and
// bounds the result by the life of the actor's token too. Who may act the subject
// token says (§4.4), or the client's configuration.
func (h *TokenExchange) acting(ctx context.Context, r Request, q exchange, before *mint.Actor, mayAct string, notAfter time.Time) (*mint.Actor, time.Time, error) {
	if q.actor == "" {
		return before, notAfter, nil
	}
	actor, _, err := h.presented(ctx, r, "actor_token", q.actor)
	if err != nil {
		return nil, notAfter, err
	}
	named := mayAct != "" && actor.Subject == mayAct && actor.Subject == actor.ClientID
	if !named && !r.Client.Exchange.Actors {
		return nil, notAfter, errUnacceptable("actor_token", errActor)
	}
	chain := &mint.Actor{Subject: actor.Subject, Before: before}
	if actor.Actor != nil || chain.Depth() > mint.MaxActors {
		return nil, notAfter, errUnacceptable("actor_token", errChain)
	}
	if actor.Expires.Before(notAfter) {
		notAfter = actor.Expires
	}
	return chain, notAfter, nil
}

// workload exchanges what an external issuer says.
func (h *TokenExchange) workload(ctx context.Context, r Request, q exchange) (Tokens, error) {
	return h.Workloads.redeem(ctx, r, claim{
		jwt: q.subject, scopes: q.scopes, targets: q.targets,
		refusal: func(err error) error { return errUnacceptable("subject_token", err) },
		actor: func(notAfter time.Time) (*mint.Actor, time.Time, error) {
			return h.acting(ctx, r, q, nil, "", notAfter)
		},
	})
}
