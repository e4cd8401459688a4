package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/brokertest"
)

// isError asserts the JSON of RFC 6749 §5.2.
func isError(t *testing.T, name string, a brokertest.Answer, status int, code string) {
	t.Helper()
	if a.Status != status || a.Error() != code || a.Header.Get("Cache-Control") != "no-store" || a.Text("access_token") != "" {
		t.Errorf("%s: want %d %s, got %d %v (%s)", name, status, code, a.Status, a.Body, a.Header.Get("Cache-Control"))
	}
}

func with(form url.Values, pairs ...string) url.Values {
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			form.Del(pairs[i])
		}
	}
	return form
}

// TK-01, TK-05, RU-03: a code is bound to its client, its redirect URI and its
// challenge. A wrong attempt changes nothing: the right one still works.
func TestACodeIsBoundToWhatItWasIssuedFor(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	code := b.Browser(t).Code(brokertest.Shop)
	form := func(pairs ...string) url.Values { return with(brokertest.CodeForm(brokertest.Shop, code), pairs...) }
	commits := b.Store.Commits()
	isError(t, "another confidential client", b.Token(t, brokertest.Wiki, form()), 400, "invalid_grant")
	isError(t, "a public client", b.Token(t, brokertest.CLI, form()), 400, "invalid_grant")
	for name, uri := range map[string]string{"missing": "", "another": "https://shop.example/other", "with a slash": "https://shop.example/callback/",
		"with a query": "https://shop.example/callback?x", "in other letters": "https://SHOP.example/callback"} {
		isError(t, "redirect_uri "+name, b.Token(t, brokertest.Shop, form("redirect_uri", uri)), 400, "invalid_grant")
	}
	for name, verifier := range map[string]string{"missing": "", "wrong": strings.Repeat("w", 43), "the challenge itself": b.AuthorizeParams(brokertest.Shop).Get("code_challenge"),
		"too short": strings.Repeat("a", 42), "too long": strings.Repeat("a", 129), "of other characters": brokertest.Verifier + "ä"} {
		isError(t, "code_verifier "+name, b.Token(t, brokertest.Shop, form("code_verifier", verifier)), 400, "invalid_grant")
	}
	for name, c := range map[string]string{"missing": "", "shorter": code[:len(code)-1], "longer": code + "A", "other letters": strings.ToUpper(code), "padded": code + "=",
		"a refresh token's form": "gr_" + code[3:]} {
		want := "invalid_grant"
		if c == "" {
			want = "invalid_request"
		}
		isError(t, "code "+name, b.Token(t, brokertest.Shop, form("code", c)), 400, want)
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("I12: refusals cost %d commits", n)
	}
	if a := b.Token(t, brokertest.Shop, form()); a.Status != 200 {
		t.Errorf("after all that the code no longer works: %v", a.Body)
	}
}

// TK-07: a verifier for a code without challenge means that somebody took the
// challenge away.
func TestAVerifierWithoutAChallengeIsRefused(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	code := b.Browser(t).Code(brokertest.Wiki, "code_challenge", "", "code_challenge_method", "")
	isError(t, "downgrade", b.Redeem(t, brokertest.Wiki, code), 400, "invalid_grant")
	if a := b.Token(t, brokertest.Wiki, with(brokertest.CodeForm(brokertest.Wiki, code), "code_verifier", "")); a.Status != 200 {
		t.Errorf("without verifier: %v", a.Body)
	}
}

// TK-02: a replay revokes what the code was exchanged for, at once.
func TestACodeReplayRevokesTheGrant(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	code := b.Browser(t).Code(brokertest.Wiki, "scope", "openid offline_access")
	tokens := b.Redeem(t, brokertest.Wiki, code)
	commits := b.Store.Commits()
	// Neither a stranger nor the wrong verifier can end anything.
	isError(t, "replay by another client", b.Redeem(t, brokertest.Shop, code), 400, "invalid_grant")
	isError(t, "replay without the verifier", b.Token(t, brokertest.Wiki, with(brokertest.CodeForm(brokertest.Wiki, code), "code_verifier", strings.Repeat("w", 43))), 400, "invalid_grant")
	if a := b.UserInfo(t, tokens.Text("access_token")); a.Status != 200 {
		t.Errorf("the access token died of a stranger's replay: %d", a.Status)
	}
	b.Clock.Advance(30 * time.Second)
	isError(t, "replay", b.Redeem(t, brokertest.Wiki, code), 400, "invalid_grant")
	if n := b.Store.Commits() - commits; n != 1 {
		t.Errorf("a replay cost %d commits, want 1", n)
	}
	if a := b.UserInfo(t, tokens.Text("access_token")); a.Status != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("the access token survives: %d", a.Status)
	}
	isError(t, "its refresh token", b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token")), 400, "invalid_grant")
}

// TK-03: however many try at once, one succeeds, and afterwards everything is
// revoked, because the others were replays.
func TestConcurrentRedemptionHasOneWinner(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	for range 3 {
		code := b.Browser(t).Code(brokertest.Wiki)
		var won []string
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				a := b.Redeem(t, brokertest.Wiki, code)
				mu.Lock()
				defer mu.Unlock()
				if a.Status == 200 {
					won = append(won, a.Text("access_token"))
				} else if a.Status != 400 || a.Error() != "invalid_grant" {
					t.Errorf("a loser got %d %v", a.Status, a.Body)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d winners", len(won))
		}
		if a := b.UserInfo(t, won[0]); a.Status != 401 {
			t.Errorf("the winner's token survives 31 replays: %d", a.Status)
		}
	}
}

// TK-04: a code lives sixty seconds and not one more.
func TestACodeExpires(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	early, late := b.Browser(t).Code(brokertest.Wiki), b.Browser(t).Code(brokertest.Wiki)
	b.Clock.Advance(59 * time.Second)
	if a := b.Redeem(t, brokertest.Wiki, early); a.Status != 200 {
		t.Errorf("after 59 s: %v", a.Body)
	}
	b.Clock.Advance(time.Second)
	isError(t, "after 60 s", b.Redeem(t, brokertest.Wiki, late), 400, "invalid_grant")
}

// TK-08, TK-10, TK-11: refresh tokens rotate, are bound to their client, narrow
// and never widen, and a spent one revokes the family.
func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	first := b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki, "scope", "openid email offline_access"))
	r1 := first.Text("refresh_token")
	refresh := func(client, token, scope string) brokertest.Answer {
		return b.Token(t, client, with(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, "scope", scope))
	}
	commits := b.Store.Commits()
	isError(t, "another client", refresh(brokertest.Shop, r1, ""), 400, "invalid_grant")
	isError(t, "a wider scope", refresh(brokertest.Wiki, r1, "openid groups"), 400, "invalid_scope")
	isError(t, "a scope nobody has", refresh(brokertest.Wiki, r1, "openid admin"), 400, "invalid_scope")
	for _, broken := range []string{r1[:len(r1)-1], r1 + "A", strings.ToLower(r1), r1 + "=", "gc_" + r1[3:], first.Text("access_token")} {
		isError(t, "a token that is none", refresh(brokertest.Wiki, broken, ""), 400, "invalid_grant")
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("I12: refusals cost %d commits", n)
	}
	b.Clock.Advance(10 * time.Second)
	second := refresh(brokertest.Wiki, r1, "openid")
	if second.Status != 200 || second.Text("scope") != "openid" {
		t.Fatalf("refresh: %d %v", second.Status, second.Body)
	}
	before, after := brokertest.Claims(t, first.Text("id_token")), brokertest.Claims(t, second.Text("id_token"))
	if after["auth_time"] != before["auth_time"] || after["sub"] != before["sub"] || after["iat"] == before["iat"] || after["email"] != nil {
		t.Errorf("ID token of a refresh: %v after %v", after, before)
	}
	third := refresh(brokertest.Wiki, second.Text("refresh_token"), "")
	if third.Text("scope") != "openid email offline_access" {
		t.Errorf("narrowing once narrowed the grant: %v", third.Body)
	}
	b.Clock.Advance(time.Minute)
	isError(t, "a token spent twice ago", refresh(brokertest.Wiki, r1, ""), 400, "invalid_grant")
	isError(t, "the current one after that", refresh(brokertest.Wiki, third.Text("refresh_token"), ""), 400, "invalid_grant")
	if a := b.UserInfo(t, third.Text("access_token")); a.Status != 401 {
		t.Errorf("the access token survives: %d", a.Status)
	}
}

// DESIGN §4: one retry within the window returns the same successor, a second
// or a late one is a replay.
func TestALostAnswerToARefreshCanBeHadOnceMore(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	start := func() string {
		return b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki, "scope", "openid offline_access")).Text("refresh_token")
	}
	r1 := start()
	r2 := b.Refresh(t, brokertest.Wiki, r1).Text("refresh_token")
	b.Clock.Advance(4 * time.Second)
	if again := b.Refresh(t, brokertest.Wiki, r1); again.Text("refresh_token") != r2 {
		t.Fatalf("the retry got %v, want %s", again.Body, r2)
	}
	if a := b.Refresh(t, brokertest.Wiki, r2); a.Status != 200 {
		t.Errorf("the successor no longer works: %v", a.Body)
	}
	late := start()
	b.Refresh(t, brokertest.Wiki, late)
	b.Clock.Advance(6 * time.Second)
	isError(t, "a late retry", b.Refresh(t, brokertest.Wiki, late), 400, "invalid_grant")
	back := start()
	b.Refresh(t, brokertest.Wiki, back)
	b.Clock.Advance(-time.Hour)
	isError(t, "a retry after the clock stepped back", b.Refresh(t, brokertest.Wiki, back), 400, "invalid_grant")
}

// TK-09: concurrent refreshes leave at most one lineage.
func TestConcurrentRefreshHasOneLineage(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	r1 := b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki, "scope", "openid offline_access")).Text("refresh_token")
	successors := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			a := b.Refresh(t, brokertest.Wiki, r1)
			mu.Lock()
			defer mu.Unlock()
			if a.Status == 200 {
				successors[a.Text("refresh_token")]++
			}
		})
	}
	wg.Wait()
	if len(successors) != 1 {
		t.Errorf("%d lineages", len(successors))
	}
	for token, n := range successors {
		if n > 2 {
			t.Errorf("the successor was handed out %d times", n)
		}
		isError(t, "the lineage after 30 replays", b.Refresh(t, brokertest.Wiki, token), 400, "invalid_grant")
	}
}

// TK-18, TK-19, TK-20, TK-21, DO-03: what is not a token request.
func TestTheTokenEndpointTakesFormsOnly(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	post := func(query, contentType, body string) brokertest.Answer {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Issuer+"/token"+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(brokertest.Wiki, brokertest.Secret(brokertest.Wiki))
		request.Header.Set("Content-Type", contentType)
		return b.Program(t, request, nil)
	}
	const form = "application/x-www-form-urlencoded"
	isError(t, "JSON", post("", "application/json", `{"grant_type":"authorization_code"}`), 400, "invalid_request")
	isError(t, "multipart", post("", "multipart/form-data; boundary=x", "--x--"), 400, "invalid_request")
	isError(t, "no content type", post("", "", "grant_type=authorization_code"), 400, "invalid_request")
	isError(t, "a secret in the URL", post("?client_secret=wiki-secret", form, "grant_type=authorization_code&code=x"), 400, "invalid_request")
	isError(t, "a code in the URL", post("?code=x", form, "grant_type=authorization_code"), 400, "invalid_request")
	isError(t, "a repeated parameter", post("", form, "grant_type=authorization_code&code=x&code=y"), 400, "invalid_request")
	isError(t, "no grant_type", post("", form, "code=x"), 400, "invalid_request")
	isError(t, "the password grant", post("", form, "grant_type=password&username=a&password=b"), 400, "unsupported_grant_type")
	isError(t, "two grant types in one", post("", form, "grant_type=authorization_code+refresh_token"), 400, "unsupported_grant_type")
	isError(t, "a megabyte", post("", form, "grant_type="+strings.Repeat("x", 1<<20)), 413, "invalid_request")
	isError(t, "200 thousand fields", post("", form, strings.Repeat("a=&", 20000)+"grant_type=x"), 400, "invalid_request")
	isError(t, "a scope of many words", post("", form, "grant_type=refresh_token&refresh_token=x&scope="+strings.Repeat("a+", 5000)), 400, "invalid_scope")
}

// CA-01, CA-02, CA-07: a client authenticates as it is registered, in one way.
func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: `
  - {client_id: wiki, client_secret: wiki-secret, token_endpoint_auth_method: client_secret_basic, redirect_uris: ["https://wiki.example/callback"], skip_consent: true}
  - {client_id: "a+b:c%", client_secret: "s e+c:r%et", token_endpoint_auth_method: client_secret_basic, redirect_uris: ["https://odd.example/callback"]}
  - {client_id: shop, client_secrets: [new-secret, shop-secret], token_endpoint_auth_method: client_secret_post, redirect_uris: ["https://shop.example/callback"], skip_consent: true}
  - {client_id: cli, token_endpoint_auth_method: none, application_type: native, redirect_uris: ["http://127.0.0.1/callback"]}
`})
	send := func(basic []string, form url.Values, headers ...string) brokertest.Answer {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Issuer+"/token", nil)
		if err != nil {
			t.Fatal(err)
		}
		if basic != nil {
			request.SetBasicAuth(basic[0], basic[1])
		}
		for i := 0; i+1 < len(headers); i += 2 {
			request.Header.Add(headers[i], headers[i+1])
		}
		form.Set("grant_type", "authorization_code")
		form.Set("code", "gc_x")
		return b.Program(t, request, form)
	}
	for name, basic := range map[string][]string{"right": {"wiki", "wiki-secret"}, "escaped": {url.QueryEscape("a+b:c%"), url.QueryEscape("s e+c:r%et")}} {
		isError(t, name+" secret by Basic goes on to the code", send(basic, url.Values{}), 400, "invalid_grant")
	}
	isError(t, "the second of two secrets", send(nil, url.Values{"client_id": {"shop"}, "client_secret": {"shop-secret"}}), 400, "invalid_grant")
	isError(t, "the first of two secrets", send(nil, url.Values{"client_id": {"shop"}, "client_secret": {"new-secret"}}), 400, "invalid_grant")
	isError(t, "a public client", send(nil, url.Values{"client_id": {"cli"}}), 400, "invalid_grant")
	for name, a := range map[string]brokertest.Answer{
		"wrong secret":                           send([]string{"wiki", "wrong"}, url.Values{}),
		"unknown client":                         send([]string{"nobody", "wiki-secret"}, url.Values{}),
		"empty secret":                           send([]string{"wiki", ""}, url.Values{}),
		"confidential client without a secret":   send(nil, url.Values{"client_id": {"wiki"}}),
		"no client at all":                       send(nil, url.Values{}),
		"Basic client by post":                   send(nil, url.Values{"client_id": {"wiki"}, "client_secret": {"wiki-secret"}}),
		"post client by Basic":                   send([]string{"shop", "shop-secret"}, url.Values{}),
		"public client with a secret":            send(nil, url.Values{"client_id": {"cli"}, "client_secret": {"x"}}),
		"public client by Basic, empty password": send([]string{"cli", ""}, url.Values{}),
		"assertion":                              send(nil, url.Values{"client_id": {"wiki"}, "client_assertion": {"x"}, "client_assertion_type": {"y"}}),
	} {
		isError(t, name, a, 401, "invalid_client")
	}
	if a := send([]string{"wiki", "wrong"}, url.Values{}); !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("no Basic challenge: %v", a.Header)
	}
	isError(t, "Basic and post", send([]string{"wiki", "wiki-secret"}, url.Values{"client_secret": {"wiki-secret"}}), 400, "invalid_request")
	isError(t, "another client_id in the body", send([]string{"wiki", "wiki-secret"}, url.Values{"client_id": {"shop"}}), 400, "invalid_request")
}
