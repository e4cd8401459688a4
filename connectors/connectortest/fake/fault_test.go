package fake

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestFaultsThatAreAStatus(t *testing.T) {
	t.Parallel()
	for fault, status := range map[Fault]int{
		ServerError: 500, Unavailable: 503, TooManyRequests: 429, Unauthorized: 401, Forbidden: 403, NotFound: 404,
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			f := newOIDC(t, newClock(), nil)
			b := browser(t)
			f.MisbehaveOnce(At(Discovery, fault))
			res := get(t, b, f.at("/.well-known/openid-configuration"))
			if res.StatusCode != status || res.json(t)["error"] == nil {
				t.Errorf("got %d %s", res.StatusCode, res.body)
			}
			if limited := status == 503 || status == 429; limited != (res.Header.Get("Retry-After") != "") {
				t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
			}
			if res := get(t, b, f.at("/.well-known/openid-configuration")); res.StatusCode != http.StatusOK {
				t.Errorf("afterwards %d", res.StatusCode)
			}
		})
	}
}

func TestFaultsThatSpoilTheBody(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	honest := get(t, b, f.at("/jwks")).body
	f.MisbehaveOnce(At(Keys, HTMLBody))
	if res := get(t, b, f.at("/jwks")); res.StatusCode != 200 || !strings.Contains(res.body, "<h1>") {
		t.Errorf("html: %d %q", res.StatusCode, res.body)
	}
	f.MisbehaveOnce(At(Keys, EmptyBody))
	if res := get(t, b, f.at("/jwks")); res.StatusCode != 200 || res.body != "" {
		t.Errorf("empty: %d %q", res.StatusCode, res.body)
	}
	f.MisbehaveOnce(At(Keys, TruncatedBody))
	if res := get(t, b, f.at("/jwks")); res.body != honest[:len(honest)/2] {
		t.Errorf("truncated: %q", res.body)
	}
	f.MisbehaveOnce(At(Keys, Redirected))
	if res := get(t, b, f.at("/jwks")); res.StatusCode != 307 || res.Header.Get("Location") != "https://elsewhere.invalid/jwks" {
		t.Errorf("redirected: %d %q", res.StatusCode, res.Header.Get("Location"))
	}
	f.SetDelay(20 * time.Millisecond)
	f.MisbehaveOnce(At(Keys, Slow))
	if res := get(t, b, f.at("/jwks")); res.body != honest {
		t.Errorf("slow: %q", res.body)
	}
	f.MisbehaveOnce(At(Keys, Drip))
	if res := get(t, b, f.at("/jwks")); res.body != honest {
		t.Errorf("drip: %q", res.body)
	}
}

func TestTheHugeBodyIsTheRightAnswerBehindTooMuch(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	f.MisbehaveOnce(At(Discovery, HugeBody))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.at("/.well-known/openid-configuration"), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := browser(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	blanks, err := io.CopyN(io.Discard, res.Body, hugeBody)
	if err != nil || blanks != hugeBody {
		t.Fatalf("read %d: %v", blanks, err)
	}
	rest, err := io.ReadAll(res.Body)
	if err != nil || !strings.HasPrefix(string(rest), `{"`) {
		t.Errorf("%v, the document begins %.20q", err, rest)
	}
}

func TestTheCutConnectionBreaksTheBody(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	f.MisbehaveOnce(At(Keys, Cut))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.at("/jwks"), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := browser(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("the body was whole")
	}
}

func TestSlownessEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	o := options(newClock())
	o.OIDC.Algorithm = "ES256"
	f := NewOIDC(o)
	f.SetURL("https://up.example")
	f.Misbehave(At(Keys, Slow))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/jwks", nil).WithContext(ctx))
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("still waiting after the request was given up")
	}
}

func TestTheRecordHasNoSecrets(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	code := oidcCode(t, f, b)
	access := post(t, b, f.at("/token"), codeRequest(code)).json(t)["access_token"].(string)
	get(t, b, f.at("/userinfo"), "Authorization", "Bearer "+access)
	if f.Count("/token") != 1 || f.Calls(Token) != 1 || f.Calls(Keys) != 0 {
		t.Errorf("counts: %d, %d, %d", f.Count("/token"), f.Calls(Token), f.Calls(Keys))
	}
	all := f.Requests()
	if len(all) != 3 {
		t.Fatalf("%d requests", len(all))
	}
	token := all[1]
	if token.Method != http.MethodPost || token.Form.Get("grant_type") != "authorization_code" || token.Form.Get("client_secret") != "(secret)" {
		t.Errorf("token request: %+v", token)
	}
	if all[2].Header.Get("Authorization") != "Bearer" || all[0].Query.Get("state") != "st-1" {
		t.Errorf("others: %+v, %+v", all[0], all[2])
	}
	for _, r := range all {
		if r.Header.Get("Cookie") != "" {
			t.Errorf("%s keeps a cookie", r.Path)
		}
		for _, secret := range []string{code, access, url.QueryEscape(clientSecret), clientSecret, verifier} {
			if strings.Contains(r.Query.Encode()+r.Form.Encode()+strings.Join(r.Header["Authorization"], ""), secret) {
				t.Errorf("%s keeps a secret", r.Path)
			}
		}
	}
	f.Forget()
	if f.Count("/token") != 0 || len(f.Requests()) != 0 {
		t.Error("not forgotten")
	}
}

func TestTheRecordIsBounded(t *testing.T) {
	t.Parallel()
	o := options(newClock())
	f := NewOIDC(o)
	f.SetURL("https://up.example")
	for range maxRecorded + 100 {
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/nowhere", nil))
	}
	if n := len(f.Requests()); n > maxRecorded || f.Count("/nowhere") != maxRecorded+100 {
		t.Errorf("%d kept, %d counted", n, f.Count("/nowhere"))
	}
}

func TestEditAndReplaceLastUntilBehave(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	f.Edit(Discovery, func(doc map[string]any) { doc["extra"] = "yes" })
	f.Replace("/jwks", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	if doc := get(t, b, f.at("/.well-known/openid-configuration")).json(t); doc["extra"] != "yes" {
		t.Error("not edited")
	}
	if res := get(t, b, f.at("/jwks")); res.StatusCode != http.StatusTeapot {
		t.Errorf("not replaced: %d", res.StatusCode)
	}
	f.Behave()
	if doc := get(t, b, f.at("/.well-known/openid-configuration")).json(t); doc["extra"] != nil {
		t.Error("still edited")
	}
	if res := get(t, b, f.at("/jwks")); res.StatusCode != http.StatusOK {
		t.Errorf("still replaced: %d", res.StatusCode)
	}
}

func TestABaseURLMayHaveAPath(t *testing.T) {
	t.Parallel()
	o := options(newClock())
	o.OIDC.Algorithm, o.SignInAs = "ES256", "ada"
	f := NewOIDC(o)
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	f.SetURL(srv.URL + "/realms/one")
	b := browser(t)
	doc := get(t, b, srv.URL+"/realms/one/.well-known/openid-configuration").json(t)
	if doc["issuer"] != srv.URL+"/realms/one" {
		t.Errorf("issuer %v", doc["issuer"])
	}
	tokens := post(t, b, doc["token_endpoint"].(string), codeRequest(oidcCode(t, f, b))).json(t)
	verify(t, get(t, b, doc["jwks_uri"].(string)).body, tokens["id_token"])
	if res := get(t, b, srv.URL+"/jwks"); res.StatusCode != http.StatusNotFound {
		t.Errorf("outside the path: %d", res.StatusCode)
	}
}
