//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"

	"gatehouse/connectors/connectortest/fake"
)

// canary stands wherever a secret could be put by mistake or on purpose.
const canary = "canary-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH"

// secrets are what must not be in a log, and what each is.
type secrets struct {
	mu    sync.Mutex
	known map[string]string
}

func (s *secrets) add(what, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(value) >= 16 { // shorter ones are in any text
		s.known[value] = what
	}
}

// addAll adds the values of parameters that are secret.
func (s *secrets) addAll(where string, q url.Values) {
	for _, name := range []string{"code", "state", "nonce", "code_verifier", "client_secret", "access_token", "refresh_token", "id_token", "id_token_hint", "flow"} {
		for _, value := range q[name] {
			s.add(where+" "+name, value)
		}
	}
}

// around notes what browser and broker say to each other.
func (s *secrets) around(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		s.addAll("our", r.URL.Query())
		response, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		for _, c := range response.Cookies() {
			s.add("cookie "+c.Name, c.Value)
		}
		if location, err := url.Parse(response.Header.Get("Location")); err == nil {
			s.addAll("our", location.Query())
			if fragment, err := url.ParseQuery(location.Fragment); err == nil {
				s.addAll("our", fragment)
			}
		}
		return response, nil
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// upstream notes what broker and upstream said to each other.
func (s *secrets) upstream(t *testing.T, heard []exchange) {
	t.Helper()
	kinds := map[string]bool{}
	for _, e := range heard {
		form, _ := url.ParseQuery(e.form)
		location, _ := url.Parse(e.header.Get("Location"))
		answer := url.Values{}
		var members map[string]any
		if json.Unmarshal([]byte(e.body), &members) == nil {
			for name, value := range members {
				if text, isText := value.(string); isText {
					answer.Add(name, text)
				}
			}
		}
		for _, q := range []url.Values{e.request.URL.Query(), form, location.Query(), answer} {
			s.addAll("the upstream's", q)
			for name := range q {
				kinds[name] = true
			}
		}
		if _, password, basic := e.request.BasicAuth(); basic {
			s.add("the upstream's client_secret", password)
		}
		if bearer, is := strings.CutPrefix(e.request.Header.Get("Authorization"), "Bearer "); is {
			s.add("the upstream's access token", bearer)
		}
	}
	for _, kind := range []string{"code", "state", "nonce", "code_verifier", "access_token", "id_token"} {
		if !kinds[kind] {
			t.Errorf("no %s was heard: the test sees nothing", kind)
		}
	}
}

// absent fails for each secret, whole or the end of it, that a text holds.
func (s *secrets) absent(t *testing.T, where, text string) {
	t.Helper()
	for value, what := range s.known {
		for _, form := range []string{value, url.QueryEscape(value), value[len(value)-min(len(value), 24):]} {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("%s has %s: …%s…", where, what, text[max(0, at-250):min(len(text), at+len(form)+20)])
				break
			}
		}
	}
}

// I10, LG-01: at the finest level, no secret reaches the log of the real program, whatever is asked of it.
func TestNoSecretIsInTheLogOfTheProgram(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t, "http://localhost:7", settings{Level: "debug", Clients: strings.Replace(shopEntry, "skip_consent: true", "client_name: Shop", 1)})
	w.heard.listen()
	p := w.serve()
	s := &secrets{known: map[string]string{wikiSecret: "a client secret", upstreamSecret: "a client secret", verifier: "a verifier", canary: "a canary",
		"the-secret-of-the-shop-0123456789": "a client secret", strings.TrimSpace(w.read("broker.key")): "the secret key"}}
	tour := &tour{t: t, w: w, s: s}
	tour.goodDay(ctx)
	tour.badRequests(ctx)
	tour.badUpstream(ctx)
	w.configure(settings{Level: "debug", Top: "lifetimes: {code: 1h}\n"})
	p.signal(syscall.SIGHUP)
	p.await(p.stderr, "configuration not reloaded")
	w.configure(settings{Level: "debug"})
	p.signal(syscall.SIGHUP)
	p.await(p.stderr, "configuration reloaded")
	w.listed("rotate")
	w.listed("rotate", "--emergency")
	p.stop()
	s.upstream(t, w.heard.heard())
	log := p.stderr.String()
	for _, want := range []string{"level=DEBUG msg=answered", "level=DEBUG msg=\"a client asks\" endpoint=token",
		"path=/callback/corp", "path=/token", "path=/userinfo", "path=/logout", "path=/consent", "status=400", "status=401"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: the test sees nothing", want)
		}
	}
	t.Logf("%d secrets, %d bytes of log", len(s.known), len(log))
	s.absent(t, "the log", log)
	s.absent(t, "standard output", p.stdout.String())
	// At rest, codes, tokens and the secrets of cookies are digests, and keys are sealed (ST-02). A client's nonce is kept
	// as it is, and one of them was the canary.
	maps.DeleteFunc(s.known, func(value, _ string) bool { return strings.Contains(value, canary) })
	s.absent(t, "the database", strings.TrimRight(w.read("broker.db"), "\x00"))
}

// tour does everything once.
type tour struct {
	t *testing.T
	w *world
	s *secrets
}

func (t *tour) browser() *browser {
	b := t.w.browser()
	b.http.Transport = t.s.around(t.w.transport)
	return b
}

// note adds the tokens of an answer.
func (t *tour) note(a answer, err error) answer {
	t.t.Helper()
	ok(t.t, err)
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		t.s.add("our "+name, a.text(name))
	}
	return a
}

func (t *tour) goodDay(ctx context.Context) {
	ada := t.browser()
	code := ada.code(ctx)
	tokens := expect(t.t, "a code", 200)(t.note(t.w.redeem(ctx, code)), nil)
	refreshed := expect(t.t, "a refresh", 200)(t.note(t.w.refresh(ctx, tokens.text("refresh_token"))), nil)
	expect(t.t, "userinfo", 200)(t.w.userInfo(ctx, refreshed.text("access_token")))
	silent, err := ada.get(ctx, t.w.authorizeURL("prompt", "none", "response_mode", "fragment", "id_token_hint", refreshed.text("id_token")))
	if err != nil || !strings.Contains(silent.url.Fragment, "code=") {
		t.t.Errorf("single sign-on ends at %s, %v", silent.url, err)
	}
	consent, err := ada.get(ctx, t.w.authorizeURL("client_id", "shop", "redirect_uri", "https://shop.example/callback"))
	ok(t.t, err)
	action, fields, err := consent.form(`value="allow"`)
	ok(t.t, err)
	fields.Set("decision", "allow")
	if allowed, err := ada.post(ctx, action, fields); err != nil || !allowed.away {
		t.t.Errorf("consent ends at %v with %d, %v", allowed.url, allowed.status, err)
	}
	// A replay, a token that was spent long ago, and what is dead then.
	expect(t.t, "a spent code", 400)(t.w.redeem(ctx, code))
	expect(t.t, "a refresh token of a revoked grant", 400)(t.w.refresh(ctx, tokens.text("refresh_token")))
	expect(t.t, "an access token of a revoked grant", 401)(t.w.userInfo(ctx, refreshed.text("access_token")))
	_, err = ada.get(ctx, t.w.issuer+"/logout?"+url.Values{"id_token_hint": {tokens.text("id_token")}}.Encode())
	ok(t.t, err)
}

func (t *tour) badRequests(ctx context.Context) {
	for _, name := range []string{"state", "nonce", "login_hint", "id_token_hint", "code_challenge", "claims", "request", "request_uri", "client_secret", "redirect_uri",
		"code", "access_token", "refresh_token", "password", canary} {
		_, err := t.browser().get(ctx, t.w.authorizeURL(name, canary))
		ok(t.t, err)
	}
	for _, grant := range []string{"authorization_code", "refresh_token", "password"} {
		for _, name := range []string{"code", "refresh_token", "client_secret", "code_verifier", "redirect_uri", "client_assertion", "password", "scope", "unknown"} {
			_, err := t.w.token(ctx, "grant_type", grant, name, canary)
			ok(t.t, err)
		}
	}
	for _, path := range []string{
		"/callback/corp?code=" + canary + "&state=" + canary, "/callback/corp?error=access_denied&error_description=" + canary + "&state=" + canary,
		"/callback/corp?code=" + canary + "&code=" + canary + "&state=%zz", "/logout?id_token_hint=" + canary + "&post_logout_redirect_uri=" + canary,
		"/consent?flow=" + canary, "/login?flow=" + canary, "/login/corp?flow=" + canary, "/token?code=" + canary, "/userinfo?access_token=" + canary, "/nowhere?" + canary,
	} {
		_, err := t.browser().get(ctx, t.w.issuer+path)
		ok(t.t, err)
	}
	for _, header := range []string{"Authorization", "Cookie", "X-Request-Id", "Referer", "User-Agent", "Origin", "X-Forwarded-For", "Traceparent"} {
		for _, path := range []string{"/userinfo", "/token", "/authorize", "/jwks"} {
			t.withHeader(ctx, path, header, map[string]string{"Authorization": "Bearer " + canary, "Cookie": "gatehouse-session=" + canary + "; " + canary + "=" + canary}[header]+canary)
		}
	}
	t.withHeader(ctx, "/token", "Authorization", "Basic "+canary)
}

func (t *tour) withHeader(ctx context.Context, path, header, value string) {
	t.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.w.issuer+path, strings.NewReader("token="+canary+"&"+canary))
	ok(t.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(header, value)
	_, err = t.w.program(r)
	ok(t.t, err)
}

// badUpstream has the upstream misbehave in every way that ends a sign-in, with the secrets in its hands.
func (t *tour) badUpstream(ctx context.Context) {
	for _, wrong := range []fake.Misbehaviour{
		fake.WrongNonce, fake.WrongIssuer, fake.WrongAudience, fake.ExpiredToken, fake.WrongAccessTokenHash, fake.DuplicateMembers, fake.CaseShadowedClaims,
		fake.AlgNone, fake.HMACWithClientSecret, fake.ForeignKey, fake.UnknownKid, fake.EmptySignature, fake.CriticalHeader, fake.NonCanonicalBase64,
		fake.PaddedBase64, fake.NewlineInToken, fake.UserinfoWrongSubject, fake.UserinfoDuplicates, fake.ResponseWrongState, fake.ResponseMissingState,
		fake.ResponseHostileError, fake.ResponseErrorAndCode, fake.CodeAlreadyRedeemed, fake.TokenWithoutIDToken, fake.TokenWithoutAccess, fake.TokenWrongType, fake.TokenDuplicates,
		fake.At(fake.Token, fake.ServerError), fake.At(fake.Token, fake.HTMLBody), fake.At(fake.Token, fake.TruncatedBody), fake.At(fake.Token, fake.Cut),
		fake.At(fake.Token, fake.Redirected), fake.At(fake.Userinfo, fake.Unauthorized), fake.At(fake.Userinfo, fake.TruncatedBody), fake.At(fake.Userinfo, fake.Cut),
	} {
		t.w.upstream.MisbehaveOnce(wrong)
		_, err := t.browser().get(ctx, t.w.authorizeURL())
		ok(t.t, err)
		t.w.upstream.Behave()
	}
	// An upstream that says everything it was told, in every shape that an answer can have.
	for _, shape := range []string{
		`{"error":"invalid_grant","error_description":%q}`, `{"error":%q}`, `{"error":"invalid_client","error_uri":%q}`, `{"access_token":%q}`,
		`{"id_token":%q,"access_token":"x","token_type":"Bearer"}`, "<html>%s</html>", "%s", `{"access_token":"%s`,
	} {
		for _, status := range []int{200, 400, 401, 500} {
			t.w.upstream.Replace("/token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, password, _ := r.BasicAuth()
				_ = r.ParseForm()
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("WWW-Authenticate", "Basic realm=\""+password+"\"")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, fmt.Sprintf(shape, r.PostForm.Get("code")+" "+r.PostForm.Get("code_verifier")+" "+password+" "+canary))
			}))
			_, err := t.browser().get(ctx, t.w.authorizeURL())
			ok(t.t, err)
		}
	}
	t.w.upstream.Behave()
	t.browser().code(ctx)
}
