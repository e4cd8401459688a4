package token

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/oauth"
)

// passwordGrant is RFC 6749 §4.3, which RFC 9700 §2.4 forbids. Who still asks for it
// is told what to do instead.
const passwordGrant oauth.GrantType = "password"

// maxForm bounds a token request.
const maxForm = 64 << 10

// Endpoint serves /token.
type Endpoint struct {
	// Reception is the first step: it reads the form and authenticates the client.
	Reception *clientauth.Reception
	// Grants are the handlers by the grant type they redeem.
	Grants map[oauth.GrantType]GrantHandler
	// Ready has at hand what ID tokens are encrypted to for a client, or an error; nil
	// where no client has them encrypted.
	Ready func(ctx context.Context, client *broker.Client) error
	// Used is told of each client that has been answered with tokens; nil tells nobody.
	Used func(ctx context.Context, client *broker.Client)
}

// Request is a token request that has been through the pipeline.
type Request struct {
	Client *broker.Client
	Form   oauth.Params
	Now    time.Time
	// Once is what the client has authenticated with, to be consumed in the commit.
	Once []broker.Once
	// Event has what is known about the request, for the commit to complete.
	Event broker.Event
}

// Tokens is what a grant yields. Empty members are left out of the answer.
type Tokens struct {
	AccessToken  string
	Lifetime     time.Duration
	IDToken      string
	RefreshToken string
	Scopes       oauth.Scopes
	// Kind is what a token exchange has issued.
	Kind oauth.TokenKind
	// Event is what was committed; its Type is empty when nothing was. An error may
	// come with one: a replay ends the grant.
	Event broker.Event
}

// GrantHandler redeems what a client presents under one grant type. Its errors
// are *oauth.Error or faults of ours.
type GrantHandler interface {
	GrantType() oauth.GrantType
	Redeem(ctx context.Context, r Request) (Tokens, error)
}

// Mount adds the endpoint's routes.
func (e *Endpoint) Mount(mux *http.ServeMux) {
	// What is logged is no secret, whatever a client puts where: everything else at this
	// endpoint is or may be one.
	reception := e.Reception.At(audit.Token, maxForm, "grant_type", "client_id")
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) { e.serve(w, r, reception) })
}

func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request, reception *clientauth.Reception) {
	visit, err := reception.Admit(w, r)
	var tokens Tokens
	if err == nil {
		tokens, err = e.redeem(r.Context(), Request{Client: visit.Client, Form: visit.Form, Now: visit.Now, Once: visit.Once, Event: visit.Event})
	}
	// Two refusals commit: a replay revokes the grant. Minting can fail after a commit.
	if tokens.Event.Type != "" {
		reception.Audit.Committed(r.Context(), tokens.Event)
	}
	if err != nil {
		reception.Refuse(w, r, visit, err)
		return
	}
	write(w, tokens)
	if e.Used != nil {
		e.Used(r.Context(), visit.Client)
	}
}

func (e *Endpoint) redeem(ctx context.Context, r Request) (Tokens, error) {
	handler, err := e.handler(r)
	if err != nil {
		return Tokens{}, err
	}
	if err := e.ready(ctx, r.Client, handler.GrantType()); err != nil {
		return Tokens{}, err
	}
	return handler.Redeem(ctx, r)
}

// ready comes before anything is spent: a code whose ID token could not be encrypted
// afterwards would be lost (I12).
func (e *Endpoint) ready(ctx context.Context, client *broker.Client, grant oauth.GrantType) error {
	if e.Ready == nil || client.IDTokenEncryption.IsZero() || !yieldsIDToken(grant) {
		return nil
	}
	if err := e.Ready(ctx, client); err != nil {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "the keys to encrypt ID tokens to cannot be had").Because(err)
	}
	return nil
}

// yieldsIDToken reports whether there is a sign-in behind a grant of the type
// (OpenID Connect Core §3.1.3.3, §12.2). A handler of ours that is about something
// else issues access tokens alone.
func yieldsIDToken(g oauth.GrantType) bool {
	return g == oauth.GrantTypeAuthorizationCode || g == oauth.GrantTypeRefreshToken || g == oauth.GrantTypeDeviceCode
}

// handler finds the handler of the grant type, if there is one and the client is
// registered for it (RFC 6749 §5.2).
func (e *Endpoint) handler(r Request) (GrantHandler, error) {
	asked := oauth.GrantType(r.Form.Get("grant_type"))
	if asked == "" {
		return nil, oauth.Errorf(oauth.InvalidRequest, "grant_type is missing")
	}
	if asked == passwordGrant {
		return nil, oauth.Errorf(oauth.UnsupportedGrantType, "passwords are not taken here (RFC 9700 section 2.4): "+
			"use the authorization code grant with PKCE, or the device authorization grant where there is no browser")
	}
	handler, ok := e.Grants[asked]
	if !ok {
		return nil, oauth.Errorf(oauth.UnsupportedGrantType, "grant_type is not supported")
	}
	if !r.Client.AllowsGrantType(asked) {
		return nil, oauth.Errorf(oauth.UnauthorizedClient, "the client is not registered for this grant_type")
	}
	return handler, nil
}

// body is the answer of RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3.
type body struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope"`
	// IssuedTokenType is RFC 8693 §2.2.1.
	IssuedTokenType oauth.TokenKind `json:"issued_token_type,omitempty"`
}

func write(w http.ResponseWriter, t Tokens) {
	// Strings and a number: encoding cannot fail.
	encoded, _ := json.Marshal(body{AccessToken: t.AccessToken, TokenType: "Bearer", ExpiresIn: int64(t.Lifetime / time.Second),
		RefreshToken: t.RefreshToken, IDToken: t.IDToken, Scope: t.Scopes.String(), IssuedTokenType: t.Kind})
	h := w.Header()
	h.Set("Content-Type", "application/json")
	oauth.Uncached(h)
	// If this fails the client has gone; it may present the code or token again.
	_, _ = w.Write(encoded)
}
