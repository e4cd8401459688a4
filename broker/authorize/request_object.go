package authorize

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/broker/clientkeys"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

// RequestObjects reads the requests that clients sign (OpenID Connect Core §6,
// RFC 9101).
type RequestObjects struct {
	Keys *clientkeys.Cache
	// Fetch reads a request_uri: the guarded client's.
	Fetch  func(ctx context.Context, address string, types ...string) ([]byte, error)
	Issuer string
	Now    func() time.Time

	mu sync.Mutex
	// underway counts the fetches of each request_uri, of which there are as many as
	// are registered.
	underway map[string]int
}

const (
	// maxFetches is how many fetches of one request_uri there are at once: anybody can
	// start one (invariant I11). Its content may differ each time, so that none can
	// stand for another (Core §6.2).
	maxFetches       = 8
	maxRequestObject = 32 << 10
	// requestSkew is how far the client's clock may differ, requestLifetime how far in
	// the future a request may end.
	requestSkew     = 30 * time.Second
	requestLifetime = 24 * time.Hour
)

// notParameters are claims of the JWT itself (RFC 9101 §4).
func notParameters() []string { return []string{"iss", "aud", "exp", "iat", "nbf", "jti"} }

var (
	errNested    = errors.New("a request object holds another one")
	errDiffers   = errors.New("client_id or response_type differs within and without")
	errSubject   = errors.New("the subject is the client, as in a client assertion")
	errParameter = errors.New("a parameter is neither text, a number, a boolean, an object nor, as resource may be, a list of texts")
)

// Open verifies the request object of a client and returns its parameters. Every
// error is *oauth.Error, for the client.
func (o *RequestObjects) Open(ctx context.Context, q *request) ([]oauth.Field, error) {
	raw, uri := q.params.Get("request"), q.params.Get("request_uri")
	invalid := func(err error) error {
		return oauth.Errorf(oauth.InvalidRequestObject, "the request object is not valid").Because(err)
	}
	switch {
	case raw != "" && uri != "":
		return nil, oauth.Errorf(oauth.InvalidRequest, "request and request_uri are both present")
	case raw != "" && len(q.client.JWKS) == 0 && q.client.JWKSURI == "":
		return nil, oauth.Errorf(oauth.RequestNotSupported, "the client has not registered keys to sign requests with")
	case uri != "" && len(q.client.RequestURIs) == 0:
		return nil, oauth.Errorf(oauth.RequestURINotSupported, "the client has not registered request_uris")
	case uri != "":
		var err error
		if raw, err = o.fetch(ctx, q, uri); err != nil {
			return nil, err
		}
	}
	algorithms := jose.Recommended() // none and symmetric ones are not among them
	if alg := q.client.RequestObjectAlg; alg != "" {
		algorithms = []jose.Algorithm{jose.Algorithm(alg)}
	}
	token, err := jose.Peek(raw, jose.Limits{Size: maxRequestObject})
	if err != nil {
		return nil, invalid(err)
	}
	expect := jose.Expectation{Algorithms: algorithms, Types: []string{"", "JWT", "oauth-authz-req+jwt"}, Issuer: q.client.ID, Audience: o.Issuer,
		ExpiryOptional: true, MaxLifetime: requestLifetime, Now: o.Now(), Skew: requestSkew}
	// Core §6.1: iss and aud should be there; RFC 9101 §10.8 has whoever says them held to them.
	if !token.Claims.Has("iss") {
		expect.Issuer, expect.AnyIssuer = "", true
	}
	if !token.Claims.Has("aud") {
		expect.Audience, expect.AnyAudience = "", true
	}
	if token.Claims.Subject == q.client.ID {
		// RFC 9101 §10.8: what passes through a browser must not be good as a client assertion.
		return nil, invalid(errSubject)
	}
	verified, err := token.Verify(ctx, o.Keys.Source(clientkeys.OwnerOf(q.client)), expect)
	if err != nil {
		return nil, invalid(err)
	}
	fields, err := parameters(verified.Claims.Raw)
	if err != nil {
		return nil, invalid(err)
	}
	for _, f := range fields {
		outside := q.params.Get(f.Name)
		if f.Name == "client_id" && f.Value != q.client.ID || f.Name == "response_type" && outside != "" && outside != f.Value {
			return nil, invalid(errDiffers)
		}
	}
	return fields, nil
}

// fetch reads a request_uri that the client has registered, byte for byte (Core
// §6.2). Nothing else is ever fetched for a stranger.
func (o *RequestObjects) fetch(ctx context.Context, q *request, uri string) (string, error) {
	if !slices.Contains(q.client.RequestURIs, uri) {
		return "", oauth.Errorf(oauth.InvalidRequestURI, "request_uri is not registered")
	}
	if !o.enter(uri) {
		return "", oauth.Errorf(oauth.TemporarilyUnavailable, "request_uri is being fetched too often at the moment")
	}
	defer o.leave(uri)
	body, err := o.Fetch(ctx, uri)
	if err != nil {
		return "", oauth.Errorf(oauth.InvalidRequestURI, "request_uri cannot be fetched").Because(err)
	}
	// A fragment tells caches of one version from the next (Core §6.2), and there is no
	// cache. Clients register it before they know what it should be the hash of, so it is
	// not held against the document, which the signature vouches for.
	return strings.TrimSpace(string(body)), nil
}

// enter reports whether one more fetch of the address may begin; leave ends it.
func (o *RequestObjects) enter(uri string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.underway[uri] >= maxFetches {
		return false
	}
	if o.underway == nil {
		o.underway = make(map[string]int)
	}
	o.underway[uri]++
	return true
}

func (o *RequestObjects) leave(uri string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.underway[uri]--; o.underway[uri] == 0 {
		delete(o.underway, uri)
	}
}

// parameters makes of claims what they would be in a query (RFC 9101 §4): text as it
// is, numbers and booleans as JSON writes them, objects as JSON.
func parameters(claims map[string]json.RawMessage) ([]oauth.Field, error) {
	var out []oauth.Field
	for name, raw := range claims {
		if slices.Contains(notParameters(), name) {
			continue
		}
		if name == "request" || name == "request_uri" {
			return nil, errNested
		}
		if name == "resource" && strings.HasPrefix(string(raw), "[") {
			several, err := list(name, raw)
			if err != nil {
				return nil, err
			}
			out = append(out, several...)
			continue
		}
		var text string
		switch {
		case string(raw) != "null" && json.Unmarshal(raw, &text) == nil:
		case len(raw) > 0 && (raw[0] == '{' || raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9' || raw[0] == 't' || raw[0] == 'f'):
			text = string(raw)
		default: // null or an array
			return nil, errParameter
		}
		out = append(out, oauth.Field{Name: name, Value: text})
	}
	return out, nil
}

// list reads the one parameter that may occur several times: its values are an array
// (RFC 8707 §2.1 with RFC 9101 §4).
func list(name string, raw json.RawMessage) ([]oauth.Field, error) {
	var values []*string
	if json.Unmarshal(raw, &values) != nil {
		return nil, errParameter
	}
	var out []oauth.Field
	for _, v := range values {
		if v == nil || *v == "" {
			return nil, errParameter
		}
		out = append(out, oauth.Field{Name: name, Value: *v})
	}
	return out, nil
}
