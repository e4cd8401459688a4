package brokertest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/broker/oauth"
)

// Verifier is the PKCE verifier of every authorization request.
const Verifier = "a-verifier-that-is-long-enough-to-be-one-000"

// AuthorizeURL is an authorization request of a client with the default
// parameters, changed by pairs of name and value. An empty value removes one.
func (b *Broker) AuthorizeURL(client string, pairs ...string) string {
	return b.Issuer + "/authorize?" + b.AuthorizeParams(client, pairs...).Encode()
}

// AuthorizeParams are the parameters of AuthorizeURL.
func (b *Broker) AuthorizeParams(client string, pairs ...string) url.Values {
	q := url.Values{
		"client_id": {client}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {RedirectURI(client)},
		"state": {"the-state"}, "nonce": {"the-nonce"}, "code_challenge": {oauth.S256(Verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return q
}

// SignIn has the browser sign in to a client, agreeing to what is asked, and
// returns the authorization response's parameters.
func (br *Browser) SignIn(client string, pairs ...string) url.Values {
	br.t.Helper()
	page := br.Get(br.broker.AuthorizeURL(client, pairs...))
	if !page.AtClient && strings.HasPrefix(page.URL.Path, pathOf(br.broker.Issuer)+"/consent") {
		form := page.Fields()
		form.Set("decision", "allow")
		page = br.Post(br.broker.Issuer+"/consent", form)
	}
	if !page.AtClient {
		br.t.Fatalf("sign-in ended at %s with status %d; log:\n%s", page.URL, page.Status, br.broker.Log)
	}
	return page.URL.Query()
}

func pathOf(u string) string {
	parsed, err := url.Parse(u)
	if err != nil {
		return ""
	}
	return parsed.Path
}

// Code is SignIn that must end with a code.
func (br *Browser) Code(client string, pairs ...string) string {
	br.t.Helper()
	answer := br.SignIn(client, pairs...)
	code := answer.Get("code")
	if code == "" {
		br.t.Fatalf("no code: %v", answer)
	}
	return code
}

// Answer is what an endpoint for programs answered.
type Answer struct {
	Status int
	Header http.Header
	Body   map[string]any
}

// Text is a string member of the body.
func (a Answer) Text(name string) string { s, _ := a.Body[name].(string); return s }

// Error is the error code.
func (a Answer) Error() string { return a.Text("error") }

// Token sends a token request of a client with its registered authentication.
func (b *Broker) Token(t testing.TB, client string, form url.Values) Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Issuer+"/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	if client == CLI {
		form.Set("client_id", client)
	} else {
		request.SetBasicAuth(url.QueryEscape(client), url.QueryEscape(Secret(client)))
	}
	return b.Program(t, request, form)
}

// Program sends a request as a program does, with a form as its body if there is
// one.
func (b *Broker) Program(t testing.TB, request *http.Request, form url.Values) Answer {
	t.Helper()
	if form != nil {
		request.Body = io.NopCloser(strings.NewReader(form.Encode()))
		request.ContentLength = int64(len(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	out := Answer{Status: response.StatusCode, Header: response.Header}
	raw, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 0 && strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &out.Body); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
	}
	return out
}

// Redeem redeems a code as the client it was issued to.
func (b *Broker) Redeem(t testing.TB, client, code string) Answer {
	t.Helper()
	return b.Token(t, client, CodeForm(client, code))
}

// CodeForm is the token request for a code.
func CodeForm(client, code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {RedirectURI(client)}, "code_verifier": {Verifier}}
}

// Refresh redeems a refresh token.
func (b *Broker) Refresh(t testing.TB, client, token string) Answer {
	t.Helper()
	return b.Token(t, client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// UserInfo asks for the person behind an access token.
func (b *Broker) UserInfo(t testing.TB, accessToken string) Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Issuer+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+accessToken)
	return b.Program(t, request, nil)
}

// Claims are the claims of a JWT, unverified.
func Claims(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %q", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
