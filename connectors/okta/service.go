package okta

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

const (
	// serviceScope lets "List all groups of a user" be asked, and nothing be changed.
	serviceScope = "okta.users.read"
	// serviceMargin is how long before its end a token is no longer used, and
	// serviceLife the most that we believe it lives.
	serviceMargin = time.Minute
	serviceLife   = time.Hour
	// assertionLife is how long a client assertion is good; each is used once.
	assertionLife = 5 * time.Minute
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// serviceApp is an OAuth service app of the org: it gets an access token for itself
// with a signed assertion (RFC 6749 §4.4, RFC 7523 §2.2), and uses it until its end.
type serviceApp struct {
	d               *directory
	endpoint        string
	clientID, keyID string
	key             *connectors.File[*connectors.Signer]

	// gate is held while a token is fetched: those who come meanwhile wait for it.
	gate chan struct{}
	mu   sync.Mutex
	held serviceToken
}

// serviceToken is an access token and when it is no longer to be used.
type serviceToken struct {
	value string
	until time.Time
}

func (c *Config) openServiceApp(env connectors.Environment, d *directory) (*serviceApp, error) {
	s := &serviceApp{
		d: d, clientID: c.APIClientID, keyID: c.APIClientKeyID, gate: make(chan struct{}, 1),
		// Scopes of the API are granted by the org's server alone, whatever the issuer is.
		endpoint: d.base + "/oauth2/v1/token",
		key: &connectors.File[*connectors.Signer]{
			Path: env.Path(c.APIClientKey), Key: "api_client_key", Connector: c.ID, Now: env.Now, Log: env.Log,
			Parse: func(content []byte) (*connectors.Signer, error) { return connectors.ParseSigner(content, "") },
		},
	}
	return s, s.key.Open()
}

func (*serviceApp) refused() string {
	return "grant the application of api_client_id the scope " + serviceScope + " (Okta API Scopes tab) and a role that may view users and groups (Admin roles tab)"
}

// use asks with the token at hand, and once more with a fresh one if that is no
// longer good: Okta can revoke a token before its end.
func (s *serviceApp) use(ctx context.Context, ask func(string) error) error {
	for attempt := 0; ; attempt++ {
		token, err := s.token(ctx)
		if err != nil {
			return err
		}
		if err = ask("Bearer " + token); !errors.Is(err, connectors.ErrClientRefused) || attempt > 0 {
			return err
		}
		s.drop(token)
	}
}

func (s *serviceApp) token(ctx context.Context) (string, error) {
	select {
	case s.gate <- struct{}{}:
		defer func() { <-s.gate }()
	case <-ctx.Done():
		return "", &connectors.Error{Kind: connectors.Transient, Hint: "no access token for Okta's API in time", Err: ctx.Err()}
	}
	s.mu.Lock()
	held := s.held
	s.mu.Unlock()
	if held.value != "" && s.d.now().Before(held.until) {
		return held.value, nil
	}
	fresh, err := s.fetch(ctx)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = fresh
	return fresh.value, nil
}

// drop forgets a token that was refused, unless another has replaced it.
func (s *serviceApp) drop(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held.value == token {
		s.held = serviceToken{}
	}
}

func (s *serviceApp) fetch(ctx context.Context) (serviceToken, error) {
	form, err := s.form()
	if err != nil {
		return serviceToken{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return serviceToken{}, broken("the address of Okta's API is not a URL")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	asked := s.d.now()
	answer, err := s.d.fetcher.Do(req, connectors.MaxDocument)
	if err != nil {
		return serviceToken{}, err
	}
	if !answer.OK() {
		return serviceToken{}, s.refusal(answer)
	}
	var t struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if jose.StrictUnmarshal(bytes.TrimSpace(answer.Body), &t) != nil || t.AccessToken == "" || !strings.EqualFold(t.TokenType, "Bearer") {
		return serviceToken{}, broken("Okta's answer to api_client_id has no usable access token")
	}
	life := time.Duration(min(max(t.ExpiresIn, 0), int64(serviceLife/time.Second))) * time.Second
	return serviceToken{value: t.AccessToken, until: asked.Add(life - serviceMargin)}, nil
}

// form is the token request of "Implement OAuth for Okta with a service app".
func (s *serviceApp) form() (url.Values, error) {
	header := map[string]string{}
	if s.keyID != "" {
		header["kid"] = s.keyID
	}
	now := s.d.now()
	assertion, err := s.key.Current().Sign(header, map[string]any{
		"iss": s.clientID, "sub": s.clientID, "aud": s.endpoint, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return nil, &connectors.Error{Kind: connectors.Operator, Hint: "api_client_key cannot sign"}
	}
	return url.Values{
		"grant_type": {"client_credentials"}, "scope": {serviceScope}, "client_id": {s.clientID},
		"client_assertion_type": {assertionType}, "client_assertion": {assertion},
	}, nil
}

func (s *serviceApp) refusal(answer connectors.Answer) error {
	said := code(answer.Body)
	e := &connectors.Error{
		Kind: connectors.StatusKind(answer.Status), Code: connectors.SafeCode(said),
		Hint:       fmt.Sprintf("Okta gave the application of api_client_id no access token (status %d)", answer.Status),
		RetryAfter: connectors.RetryAfter(answer.Header, s.d.now()),
	}
	if e.Kind == connectors.Transient {
		return e
	}
	for _, known := range []struct{ code, fix string }{
		{"invalid_client", "check api_client_id, and that the public key of api_client_key is registered there, under api_client_key_id if that is set, and org_url"},
		{"invalid_scope", "grant it the scope " + serviceScope + " (Okta API Scopes tab)"},
		{"unauthorized_client", "it has to be of the type API Services"},
		{"invalid_dpop_proof", "on its General tab turn off Require Demonstrating Proof of Possession (DPoP)"},
	} {
		if said == known.code {
			e.Kind = connectors.Operator
			e.Hint += ": " + known.fix
		}
	}
	return e
}
