package token

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
)

// maxForm bounds a token request.
const maxForm = 64 << 10

// Endpoint serves /token.
type Endpoint struct {
	Clients *clientauth.Authenticator
	// Grants are the handlers by the grant type they redeem.
	Grants map[oauth.GrantType]GrantHandler
	Audit  *audit.Recorder
	// PerAddress and PerClient bound how often one may ask.
	PerAddress *httpx.Limiter
	PerClient  *httpx.Limiter
	Log        *slog.Logger
	Now        func() time.Time
}

// loggable are the parameters that are no secret, whatever a client puts where:
// everything else at this endpoint is or may be one.
func loggable() []string { return []string{"grant_type", "client_id"} }

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
	mux.HandleFunc("POST /token", e.serve)
}

func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) {
	request, tokens, err := e.answer(w, r)
	// Two refusals commit: a replay revokes the grant. Minting can fail after a commit.
	if tokens.Event.Type != "" {
		e.Audit.Committed(r.Context(), tokens.Event)
	}
	if err != nil {
		e.refuse(w, r, request, err)
		return
	}
	write(w, tokens)
}

// answer is the pipeline.
func (e *Endpoint) answer(w http.ResponseWriter, r *http.Request) (Request, Tokens, error) {
	about := httpx.About(r.Context())
	request := Request{Now: e.Now()}
	request.Event = broker.Event{At: request.Now, RequestID: about.ID, Address: about.Address.String()}
	if wait, ok := e.PerAddress.Allow(httpx.LimitKey(about.Address)); !ok {
		return request, Tokens{}, oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests from this address").WithRetryAfter(wait)
	}
	// RFC 6749 §2.3.1, §3.2: parameters come in the body alone. Something secret in
	// the URL has already been written to somebody's log; accepting it would teach
	// clients to go on.
	if oauth.SecretsInQuery(r.URL.RawQuery) {
		return request, Tokens{}, oauth.Errorf(oauth.InvalidRequest, "credentials and tokens must not be in the URL")
	}
	form, err := oauth.ParseForm(w, r, maxForm)
	if err != nil {
		return request, Tokens{}, err
	}
	request.Form = form
	e.Log.LogAttrs(r.Context(), slog.LevelDebug, "tokens requested",
		slog.String("request", about.ID), slog.Any("params", form.Loggable(loggable()...)))
	caller, err := e.Clients.Authenticate(r, form)
	if err != nil {
		return request, Tokens{}, err
	}
	request.Client, request.Once = caller.Client, caller.Once
	request.Event.ClientID = request.Client.ID
	if wait, ok := e.PerClient.Allow(request.Client.ID); !ok {
		return request, Tokens{}, oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests of this client").WithRetryAfter(wait)
	}
	handler, err := e.handler(request)
	if err != nil {
		return request, Tokens{}, err
	}
	tokens, err := handler.Redeem(r.Context(), request)
	return request, tokens, err
}

// handler finds the handler of the grant type, if there is one and the client is
// registered for it (RFC 6749 §5.2).
func (e *Endpoint) handler(r Request) (GrantHandler, error) {
	asked := oauth.GrantType(r.Form.Get("grant_type"))
	if asked == "" {
		return nil, oauth.Errorf(oauth.InvalidRequest, "grant_type is missing")
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

func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, request Request, err error) {
	code := oauth.From(err).Code
	if code == oauth.ServerError && r.Context().Err() != nil {
		code = "" // a client that has hung up is nobody's fault
	}
	e.Audit.Refused(r.Context(), audit.Refusal{Endpoint: audit.Token, Code: code, Reason: err,
		RequestID: request.Event.RequestID, Address: request.Event.Address, ClientID: request.Event.ClientID})
	oauth.WriteJSON(w, err)
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
	h.Set("Cache-Control", "no-store") // RFC 6749 §5.1
	h.Set("Pragma", "no-cache")
	// If this fails the client has gone; it may present the code or token again.
	_, _ = w.Write(encoded)
}
