package login

import (
	"context"
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// Every kind of trouble is a page that says which provider, what to do, and how to
// get back; the cause is for the log. The flow goes on where trying again can help.
func TestTroubleWithAnUpstreamIsAPage(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		kind   connectors.Kind
		status int
		retry  string // the page's link, as far as it is fixed
	}{
		{connectors.Broken, 400, "/login?flow="}, {connectors.Declined, 403, "/login?flow="}, {connectors.NotAllowed, 403, "&account=other"},
		{connectors.Operator, 502, ""}, {connectors.Transient, 503, "/login?flow="}, {connectors.Interaction, 403, "/login?flow="},
		{connectors.Gone, 403, "/login?flow="},
	} {
		t.Run(row.kind.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			commits := w.store.Commits()
			callback := w.begin(oauth.ResponseModeQuery)
			w.upstream.err = &connectors.Error{Kind: row.kind, Code: "x_code", Hint: "look at the hint", RetryAfter: 90 * time.Second, Err: errors.New("CANARY")}
			answer := w.get(t.Context(), callback)
			body := html.UnescapeString(answer.Body.String())
			if answer.Code != row.status || answer.Header().Get("Retry-After") != "90" || !strings.Contains(body, "Corp & Sons") || !strings.Contains(body, "x_code") {
				t.Errorf("%d, Retry-After %q: %s", answer.Code, answer.Header().Get("Retry-After"), body)
			}
			if strings.Contains(body, "CANARY") || strings.Contains(body, "look at the hint") {
				t.Error("the page shows the cause")
			}
			if !strings.Contains(body, "https://wiki.example/callback?error=access_denied&error_description=the%20person%20did%20not%20sign%20in&state=the-state&iss=https%3A%2F%2Fsso.example") {
				t.Error("no way back to the application")
			}
			if strings.Contains(body, "/login?flow=") != (row.retry != "") || !strings.Contains(body, row.retry) || row.retry != "&account=other" && strings.Contains(body, "account=other") {
				t.Errorf("the way to try again is not %q: %s", row.retry, body)
			}
			if log := w.log.String(); !strings.Contains(log, "CANARY") || strings.Contains(log, "upstream refuses us") != (row.kind == connectors.Operator) {
				t.Errorf("log: %s", log)
			}
			if w.store.Commits() != commits {
				t.Error("a failure was stored")
			}
			if again := w.get(t.Context(), callback); again.Code != http.StatusBadRequest || len(w.upstream.answered) != 1 {
				t.Errorf("the answer counts twice: %d, %d exchanges", again.Code, len(w.upstream.answered))
			}
		})
	}
}

// Whatever the trouble is, there are words for it.
func TestEveryKindOfTroubleHasWords(t *testing.T) {
	t.Parallel()
	kinds := 0
	for kind := connectors.Broken; kind == connectors.Broken || kind.String() != connectors.Broken.String(); kind++ {
		kinds++
		if said, ok := words[kind]; !ok || said.status < 400 || said.title == "" || said.message == "" || said.next == "" {
			t.Errorf("%s: %+v", kind, said)
		}
	}
	if kinds < 8 || len(words) != kinds {
		t.Errorf("%d kinds of trouble, %d have words", kinds, len(words))
	}
}

// UP-27: an authentication that is weaker than was asked for is the client's to
// hear of.
func TestUP27AWeakerAuthenticationIsTheClientsToHearOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	commits := w.store.Commits()
	callback := w.begin(oauth.ResponseModeQuery)
	w.upstream.err = &connectors.Error{Kind: connectors.Unmet, Err: errors.New("CANARY")}
	answer := w.get(t.Context(), callback)
	location := answer.Header().Get("Location")
	if answer.Code != http.StatusSeeOther || !strings.HasPrefix(location, "https://wiki.example/callback?error=unmet_authentication_requirements&") ||
		!strings.HasSuffix(location, "&state=the-state&iss=https%3A%2F%2Fsso.example") || strings.Contains(location, "CANARY") {
		t.Errorf("%d to %s", answer.Code, location)
	}
	if w.store.Commits() != commits {
		t.Error("a failure was stored")
	}
}

// An error that no connector classified is as broken as one can be, and a client
// that waits for a form is not answered by a link.
func TestAnErrorNobodyClassified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	callback := w.begin(oauth.ResponseModeFormPost)
	w.upstream.err = errors.New("CANARY")
	answer := w.get(t.Context(), callback)
	if answer.Code != http.StatusBadRequest || strings.Contains(answer.Body.String(), "CANARY") || strings.Contains(answer.Body.String(), "access_denied") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

// I1: a connector that answers for another, or for nobody, signs nobody in.
func TestAnIdentityIsTheConnectorsOwn(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]broker.IdentityKey{
		"of another connector": {Connector: "other", Issuer: "https://idp.example", Subject: "ada"},
		"of no connector":      {Issuer: "https://idp.example", Subject: "ada"},
		"of no issuer":         {Connector: "corp", Subject: "ada"},
		"of no subject":        {Connector: "corp", Issuer: "https://idp.example"},
	} {
		w := newWorld(t)
		commits := w.store.Commits()
		callback := w.begin(oauth.ResponseModeQuery)
		w.upstream.identity.Key = key
		if answer := w.get(t.Context(), callback); answer.Code != http.StatusInternalServerError || w.store.Commits() != commits {
			t.Errorf("%s: %d, %d commits", name, answer.Code, w.store.Commits()-commits)
		}
	}
}

// UP-10, UP-11: what binds an answer to its question is made anew for every visit,
// and the answer is judged by the very values that were sent.
func TestEveryVisitHasItsOwnSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := map[string]bool{}
	for range 20 {
		callback := w.begin(oauth.ResponseModeQuery)
		sent := w.upstream.asked[len(w.upstream.asked)-1]
		for name, secret := range map[string]string{"state": sent.State, "nonce": sent.Nonce, "verifier": sent.CodeVerifier} {
			if seen[secret] || len(secret) < 22 {
				t.Fatalf("%s %q is short or comes again", name, secret)
			}
			seen[secret] = true
		}
		if sent.RedirectURI != "https://sso.example/callback/corp" {
			t.Errorf("redirect URI %s", sent.RedirectURI)
		}
		if answer := w.get(t.Context(), callback); answer.Code != http.StatusSeeOther {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
		got := w.upstream.answered[len(w.upstream.answered)-1]
		if got.State != sent.State || got.Nonce != sent.Nonce || got.CodeVerifier != sent.CodeVerifier || got.RedirectURI != sent.RedirectURI {
			t.Errorf("judged by %+v, sent %+v", got, sent)
		}
		clear(w.cookies)
	}
}

// An upstream that is slow is given up when the person is: nothing goes on for a
// browser that has gone.
func TestAnExchangeEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	callback := w.begin(oauth.ResponseModeQuery)
	ctx, hangUp := context.WithCancel(t.Context())
	w.get(ctx, callback)
	if w.upstream.within.Err() != nil {
		t.Fatal("given up before")
	}
	hangUp()
	if w.upstream.within.Err() == nil {
		t.Error("the exchange outlives its request")
	}
}

// UP-33, UP-06: an answer that nobody asked for is not looked at.
func TestAnAnswerNobodyAskedForIsNotExchanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	callback := w.begin(oauth.ResponseModeQuery)
	u, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	state := u.Query().Get("state")
	said, err := w.endpoint.States.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	altered := func(change func()) string {
		before := said
		change()
		sealed := w.endpoint.States.Seal(said)
		said = before
		return "/callback/corp?code=c&state=" + url.QueryEscape(sealed)
	}
	for name, target := range map[string]string{
		"no state":                    "/callback/corp?code=c",
		"a made-up state":             "/callback/corp?code=c&state=AAAA",
		"two states":                  callback + "&state=" + url.QueryEscape(state),
		"another connector's route":   strings.Replace(callback, "/corp", "/other", 1),
		"a state of another visit":    altered(func() { said.Nonce = "other" }),
		"a state of no visit":         altered(func() { said.Nonce = "" }),
		"a state of another flow":     altered(func() { said.Flow = "other" }),
		"a state of an unknown one":   altered(func() { said.ClientID = "nobody" }),
		"a state of a connector gone": strings.Replace(altered(func() { said.Connector = "gone" }), "/corp", "/gone", 1),
	} {
		if answer := w.get(t.Context(), target); answer.Code != http.StatusBadRequest || len(w.upstream.answered) != 0 {
			t.Errorf("%s: %d, %d exchanges", name, answer.Code, len(w.upstream.answered))
		}
	}
	if answer := w.get(t.Context(), callback); answer.Code != http.StatusSeeOther || len(w.upstream.answered) != 1 {
		t.Errorf("the answer itself: %d", answer.Code)
	}
}
