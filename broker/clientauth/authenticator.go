package clientauth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
)

// Authenticator tells which client a request comes from.
type Authenticator struct {
	Clients broker.Clients
	Secrets *Secrets
	// Realm is the issuer, named in a Basic challenge. Assertions are addressed to it,
	// or to one of Audiences: the endpoint's URL, which OpenID Connect Core §9 wants.
	Realm     string
	Audiences []string
	// Keys finds the keys of clients that sign assertions.
	Keys *clientkeys.Cache
	Now  func() time.Time
	// Failures bounds failed attempts per address and client: a stranger elsewhere
	// cannot shut a client out.
	Failures *httpx.Limiter
}

// credentials are what a request presents.
type credentials struct {
	id, secret string
	method     oauth.AuthMethod
	basic      bool
	assertion  *jose.Unverified
}

// Caller is a client that has proved to be itself.
type Caller struct {
	Client *broker.Client
	// Once must be consumed by the commit of what the caller asks for: the jti of its
	// assertion. Empty for the other methods.
	Once []broker.Once
}

// Authenticate returns the client that made the request, whose form has been
// parsed. Errors are *oauth.Error: invalid_client, or invalid_request for a
// request that authenticates in two ways (RFC 6749 §2.3).
func (a *Authenticator) Authenticate(r *http.Request, form oauth.Params) (Caller, error) {
	c, err := read(r, form)
	if err != nil {
		return Caller{}, err
	}
	source := httpx.LimitKey(httpx.About(r.Context()).Address) + " " + c.id
	if wait, exhausted := a.Failures.Exhausted(source); exhausted {
		return Caller{}, tooMany(wait)
	}
	client, err := a.Clients.Client(r.Context(), c.id)
	if err != nil && !errors.Is(err, broker.ErrNotFound) {
		return Caller{}, oauth.Errorf(oauth.ServerError, "the client could not be looked up").Because(err)
	}
	if err != nil {
		a.Failures.Allow(source)
		return Caller{}, a.refuse(c)
	}
	if c.assertion != nil {
		once, err := a.proveAssertion(r.Context(), client, c)
		if err != nil {
			a.Failures.Allow(source)
			return Caller{}, a.refuse(c).Because(err)
		}
		return Caller{Client: client, Once: once}, nil
	}
	if err := a.prove(r.Context(), client, c, source); err != nil {
		return Caller{}, err
	}
	return Caller{Client: client}, nil
}

func tooMany(wait time.Duration) error {
	return oauth.Errorf(oauth.InvalidClient, "too many failed attempts").WithRetryAfter(wait)
}

// read collects the credentials of a request. Two sets of them are refused, even
// if they agree.
func read(r *http.Request, form oauth.Params) (credentials, error) {
	id, secret, basic, err := oauth.BasicCredentials(r)
	if err != nil {
		return credentials{}, err
	}
	if form.Has("client_assertion") || form.Has("client_assertion_type") {
		if basic || form.Has("client_secret") {
			return credentials{}, oauth.Errorf(oauth.InvalidRequest, "the client authenticates in two ways")
		}
		return readAssertion(form)
	}
	if basic {
		if form.Has("client_secret") {
			return credentials{}, oauth.Errorf(oauth.InvalidRequest, "the client authenticates in two ways")
		}
		if named := form.Get("client_id"); named != "" && named != id {
			return credentials{}, oauth.Errorf(oauth.InvalidRequest, "client_id differs from the authenticated client")
		}
		return credentials{id: id, secret: secret, method: oauth.AuthMethodClientSecretBasic, basic: true}, nil
	}
	c := credentials{id: form.Get("client_id"), secret: form.Get("client_secret"), method: oauth.AuthMethodNone}
	if c.secret != "" {
		c.method = oauth.AuthMethodClientSecretPost
	}
	if c.id == "" {
		return c, oauth.Errorf(oauth.InvalidClient, "the client did not authenticate")
	}
	return c, nil
}

// prove answers nil for credentials that are the client's, by the method it is
// registered for. A client registered for "a secret" without saying how may send
// it either way: both carry the same secret over the same connection.
func (a *Authenticator) prove(ctx context.Context, client *broker.Client, c credentials, source string) error {
	method := client.AuthMethod
	if method == "" && c.method.UsesSecret() {
		method = c.method
	}
	if method == c.method && method == oauth.AuthMethodNone {
		return nil
	}
	var costly []string
	if method == c.method {
		for _, stored := range client.Secrets {
			switch {
			case a.Secrets.Costly(stored):
				costly = append(costly, stored)
			case a.Secrets.Verify(ctx, stored, c.secret):
				return nil
			}
		}
	}
	// An attempt at a slow hash counts before it is made: of a thousand at once none
	// has failed yet.
	wait, ok := a.Failures.Allow(source)
	if len(costly) > 0 && !ok {
		return tooMany(wait)
	}
	for _, stored := range costly {
		if a.Secrets.Verify(ctx, stored, c.secret) {
			return nil
		}
	}
	return a.refuse(c)
}

// refuse says no, and no more than that.
func (a *Authenticator) refuse(c credentials) *oauth.Error {
	err := oauth.Errorf(oauth.InvalidClient, "client authentication failed")
	if c.basic {
		return err.WithChallenge(oauth.BasicChallenge(a.Realm))
	}
	return err
}
