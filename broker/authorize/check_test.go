package authorize

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

type clients map[string]*broker.Client

func (c clients) Client(_ context.Context, id string) (*broker.Client, error) {
	if id == "unreadable" {
		return nil, errors.New("disk on fire")
	}
	if client, ok := c[id]; ok {
		return client, nil
	}
	return nil, broker.ErrNotFound
}

// wiki is a client that may do everything; a row narrows it.
func wiki() *broker.Client {
	return &broker.Client{ID: "wiki", AuthMethod: oauth.AuthMethodClientSecretBasic, RedirectURIs: []string{"https://wiki.example/callback"},
		GrantTypes: []oauth.GrantType{oauth.GrantTypeAuthorizationCode, oauth.GrantTypeRefreshToken}, ResponseTypes: []oauth.ResponseType{oauth.ResponseTypeCode}}
}

func examine(t testing.TB, client *broker.Client, pairs ...string) *request {
	t.Helper()
	v := url.Values{"client_id": {"wiki"}, "redirect_uri": {"https://wiki.example/callback"}, "response_type": {"code"}, "scope": {"openid email offline_access unknown"},
		"state": {"s"}, "nonce": {"n"}, "code_challenge": {strings.Repeat("c", 43)}, "code_challenge_method": {"S256"}}
	var more string
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, again := strings.CutPrefix(pairs[i], "again "); again {
			more += "&" + url.Values{name: {pairs[i+1]}}.Encode()
			continue
		}
		v.Set(pairs[i], pairs[i+1])
	}
	params, err := oauth.ParseQuery(v.Encode() + more)
	if unreadable(err) {
		t.Fatal(err)
	}
	return &request{params: params, endpoint: &Endpoint{Desk: &flow.Desk{Issuer: "https://b.test"},
		Clients: clients{"wiki": client}, Supported: oauth.Scopes{oauth.OpenID, oauth.Email, oauth.Groups, oauth.OfflineAccess},
		Upstreams: []connectors.Description{{ID: "corp"}, {ID: "hub"}},
		Hint: func(_ context.Context, raw string) (string, string, error) {
			subject, client, ok := strings.Cut(raw, "@")
			if !ok {
				return "", "", errors.New("not a token")
			}
			return subject, client, nil
		}}}
}

// good is what the default request is understood as.
func good() broker.AuthorizationRequest {
	return broker.AuthorizationRequest{ClientID: "wiki", RedirectURI: "https://wiki.example/callback", URISent: true, ResponseType: oauth.ResponseTypeCode,
		ResponseMode: oauth.ResponseModeQuery, Scopes: oauth.Scopes{oauth.OpenID, oauth.Email, oauth.OfflineAccess}, State: "s", Nonce: "n", Challenge: strings.Repeat("c", 43)}
}

func TestWhatARequestIsUnderstoodAs(t *testing.T) {
	t.Parallel()
	type change = func(*broker.AuthorizationRequest)
	for _, row := range []struct {
		name   string
		client func(*broker.Client)
		pairs  []string
		want   change
	}{
		{"everything", nil, nil, func(*broker.AuthorizationRequest) {}},
		{"scopes the client is not registered for are left out", func(c *broker.Client) { c.Scopes = oauth.Scopes{oauth.OpenID, oauth.Groups} }, nil,
			func(r *broker.AuthorizationRequest) { r.Scopes = oauth.Scopes{oauth.OpenID} }},
		{"Core §11: offline_access without refresh tokens is left out", func(c *broker.Client) { c.GrantTypes = c.GrantTypes[:1] }, nil,
			func(r *broker.AuthorizationRequest) { r.Scopes = oauth.Scopes{oauth.OpenID, oauth.Email} }},
		{"no challenge where none is required", func(c *broker.Client) { c.PKCEOptional = true }, []string{"code_challenge", "", "code_challenge_method", ""},
			func(r *broker.AuthorizationRequest) { r.Challenge = "" }},
		{"max_age", nil, []string{"max_age", "60"}, func(r *broker.AuthorizationRequest) { r.MaxAge, r.HasMaxAge = time.Minute, true }},
		{"max_age zero is one", nil, []string{"max_age", "0"}, func(r *broker.AuthorizationRequest) { r.HasMaxAge = true }},
		{"the client's default_max_age", func(c *broker.Client) { c.DefaultMaxAge = time.Hour }, nil,
			func(r *broker.AuthorizationRequest) { r.MaxAge, r.HasMaxAge = time.Hour, true }},
		{"max_age before default_max_age", func(c *broker.Client) { c.DefaultMaxAge = time.Hour }, []string{"max_age", "7200"},
			func(r *broker.AuthorizationRequest) { r.MaxAge, r.HasMaxAge = 2*time.Hour, true }},
		{"prompt", nil, []string{"prompt", "consent login"}, func(r *broker.AuthorizationRequest) { r.Prompt = "login consent" }},
		{"login_hint", nil, []string{"login_hint", strings.Repeat("h", 512)}, func(r *broker.AuthorizationRequest) { r.LoginHint = strings.Repeat("h", 512) }},
		{"id_token_hint", nil, []string{"id_token_hint", "ada@wiki"}, func(r *broker.AuthorizationRequest) { r.HintSubject = "ada" }},
		{"acr_values", nil, []string{"acr_values", "  a b "}, func(r *broker.AuthorizationRequest) { r.ACRValues = []string{"a", "b"} }},
		{"as many acr_values, and as long, as there may be", nil, []string{"acr_values", strings.TrimSpace(strings.Repeat(strings.Repeat("a", 256)+" ", 20))},
			func(r *broker.AuthorizationRequest) {
				for range 20 {
					r.ACRValues = append(r.ACRValues, strings.Repeat("a", 256))
				}
			}},
		{"idp_hint", nil, []string{"idp_hint", "hub"}, func(r *broker.AuthorizationRequest) { r.Connector = "hub" }},
		{"idp_hint among the client's connectors", func(c *broker.Client) { c.Connectors = []string{"hub"} }, []string{"idp_hint", "hub"}, func(r *broker.AuthorizationRequest) { r.Connector = "hub" }},
		{"fragment", nil, []string{"response_mode", "fragment"}, func(r *broker.AuthorizationRequest) { r.ResponseMode = oauth.ResponseModeFragment }},
		{"form_post", nil, []string{"response_mode", "form_post"}, func(r *broker.AuthorizationRequest) { r.ResponseMode = oauth.ResponseModeFormPost }},
		{"form_post to a loopback port", func(c *broker.Client) { c.RedirectURIs = []string{"http://127.0.0.1/callback"} }, []string{"response_mode", "form_post", "redirect_uri", "http://127.0.0.1/callback"},
			func(r *broker.AuthorizationRequest) {
				r.ResponseMode, r.RedirectURI = oauth.ResponseModeFormPost, "http://127.0.0.1/callback"
			}},
		{"RFC 6749 §3.1.2.3: the only redirect URI, left out without openid", nil, []string{"redirect_uri", "", "scope", "email"},
			func(r *broker.AuthorizationRequest) { r.URISent, r.Scopes = false, oauth.Scopes{oauth.Email} }},
		{"what nobody knows is ignored", nil, []string{"claims", `{"userinfo":{"name":{"essential":true},"email":null},"other":[]}`, "display", "popup", "audience", "https://a.example"}, func(*broker.AuthorizationRequest) {}},
	} {
		client, want := wiki(), good()
		if row.client != nil {
			row.client(client)
		}
		row.want(&want)
		q := examine(t, client, row.pairs...)
		if err := q.establish(t.Context()); err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if err := q.check(t.Context()); err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if len(q.out.ACRValues) == 0 {
			q.out.ACRValues = nil
		}
		if !reflect.DeepEqual(q.out, want) {
			t.Errorf("%s:\n%+v, want\n%+v", row.name, q.out, want)
		}
	}
}

func TestWhatARequestIsRefusedFor(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, row := range []struct {
		name   string
		client func(*broker.Client)
		pairs  []string
		want   oauth.Code
	}{
		{"a response type the client is not registered for", func(c *broker.Client) { c.ResponseTypes = nil }, nil, oauth.UnauthorizedClient},
		{"a grant type the client is not registered for", func(c *broker.Client) { c.GrantTypes = c.GrantTypes[1:] }, nil, oauth.UnauthorizedClient},
		{"AZ-05: a public client without a challenge, whatever its entry says", func(c *broker.Client) { c.AuthMethod, c.PKCEOptional = oauth.AuthMethodNone, true },
			[]string{"code_challenge", "", "code_challenge_method", ""}, oauth.InvalidRequest},
		{"a confidential client without a challenge", nil, []string{"code_challenge", "", "code_challenge_method", ""}, oauth.InvalidRequest},
		{"a method without a challenge where none is required", func(c *broker.Client) { c.PKCEOptional = true }, []string{"code_challenge", ""}, oauth.InvalidRequest},
		{"only scopes the client is not registered for", func(c *broker.Client) { c.Scopes = oauth.Scopes{oauth.Groups} }, nil, oauth.InvalidScope},
		{"only offline_access, and no refresh tokens", func(c *broker.Client) { c.GrantTypes = c.GrantTypes[:1] }, []string{"scope", "offline_access"}, oauth.InvalidScope},
		{"a login_hint that is too long", nil, []string{"login_hint", long(513)}, oauth.InvalidRequest},
		{"a login_hint on two lines", nil, []string{"login_hint", "a\nb"}, oauth.InvalidRequest},
		{"a login_hint with DEL", nil, []string{"login_hint", "a\x7fb"}, oauth.InvalidRequest},
		{"too many acr_values", nil, []string{"acr_values", strings.Repeat("a ", 21)}, oauth.InvalidRequest},
		{"an acr value that is too long", nil, []string{"acr_values", long(257)}, oauth.InvalidRequest},
		{"an acr value with a control character", nil, []string{"acr_values", "a\x01b"}, oauth.InvalidRequest},
		{"AZ-13: another client's id_token_hint", nil, []string{"id_token_hint", "ada@shop"}, oauth.InvalidRequest},
		{"an id_token_hint that is none", nil, []string{"id_token_hint", "ada"}, oauth.InvalidRequest},
		{"an idp_hint nobody has", nil, []string{"idp_hint", "other"}, oauth.InvalidRequest},
		{"an idp_hint nobody has, though the client's entry names it", func(c *broker.Client) { c.Connectors = []string{"other"} }, []string{"idp_hint", "other"}, oauth.InvalidRequest},
		{"an idp_hint of another client's connector", func(c *broker.Client) { c.Connectors = []string{"hub"} }, []string{"idp_hint", "corp"}, oauth.InvalidRequest},
		{"a state that is too long", nil, []string{"state", long(2049)}, oauth.InvalidRequest},
		{"a nonce that is too long", nil, []string{"nonce", long(513)}, oauth.InvalidRequest},
		{"AZ-04: two states", nil, []string{"again state", "t"}, oauth.InvalidRequest},
		{"AZ-04: two of what nobody knows", nil, []string{"x", "1", "again x", "1"}, oauth.InvalidRequest},
	} {
		client := wiki()
		if row.client != nil {
			row.client(client)
		}
		q := examine(t, client, row.pairs...)
		if err := q.establish(t.Context()); err != nil {
			t.Errorf("%s: a page: %v", row.name, err)
			continue
		}
		if err := q.check(t.Context()); err == nil || err.Code != row.want {
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
		}
	}
}

// Until it is settled whom an answer would go to there is none: only a page.
func TestWhomNobodyIsAnswered(t *testing.T) {
	t.Parallel()
	two := func(c *broker.Client) { c.RedirectURIs = append(c.RedirectURIs, "https://wiki.example/other") }
	for _, row := range []struct {
		name   string
		client func(*broker.Client)
		pairs  []string
	}{
		{"no client_id", nil, []string{"client_id", ""}},
		{"an unknown client", nil, []string{"client_id", "nobody"}},
		{"two client_ids, though alike", nil, []string{"again client_id", "wiki"}},
		{"two redirect_uris, though alike", nil, []string{"again redirect_uri", "https://wiki.example/callback"}},
		{"two redirect_uris without openid, where none would do", nil, []string{"scope", "email", "again redirect_uri", "https://evil.example/"}},
		{"no redirect_uri in an OpenID request", nil, []string{"redirect_uri", ""}},
		{"no redirect_uri where there are several", two, []string{"redirect_uri", "", "scope", "email"}},
		{"a redirect_uri that is not registered", nil, []string{"redirect_uri", "https://evil.example/"}},
		{"I3: another port of a confidential client", func(c *broker.Client) { c.RedirectURIs = []string{"http://127.0.0.1/callback"} }, []string{"redirect_uri", "http://127.0.0.1:4711/callback"}},
	} {
		client := wiki()
		if row.client != nil {
			row.client(client)
		}
		q := examine(t, client, row.pairs...)
		if err := q.establish(t.Context()); !isPage(err) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if err := examine(t, wiki(), "client_id", "unreadable").establish(t.Context()); err == nil || isPage(err) {
		t.Errorf("a store that cannot be read: %v", err)
	}
}

func isPage(err error) bool {
	_, ok := errors.AsType[*flow.PageError](err)
	return ok
}
