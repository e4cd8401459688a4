package login

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// issued is what the grant of the code says of how the person authenticated.
func (w *world) issued(answer *httptest.ResponseRecorder) *broker.Grant {
	w.t.Helper()
	if !strings.Contains(answer.Header().Get("Location"), "code=the-code") {
		w.t.Fatalf("no code: %d to %s", answer.Code, answer.Header().Get("Location"))
	}
	state, err := w.store.Grant(w.t.Context(), w.granted, w.endpoint.Now())
	if err != nil || state.Grant == nil {
		w.t.Fatalf("no grant: %v", err)
	}
	return state.Grant
}

func leveled(id string, levels ...string) *scripted {
	u := upstream(id)
	u.Levels = levels
	return u
}

// UP-27, I12: what is demanded is asked of the upstream; an answer that falls short
// is the client's to hear of, and nothing is recorded.
func TestUP27AnAnswerThatFallsShortIssuesNothing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		levels    []string
		essential bool
		proven    string
		amr       []string
		want      string // acr of the grant, or the error
	}{
		{"as strong as demanded", []string{"mfa", "pwd"}, false, "mfa", nil, "mfa"},
		{"stronger than demanded", []string{"phr", "mfa"}, false, "phr", nil, "mfa"},
		{"weaker", []string{"mfa", "pwd"}, false, "pwd", []string{"pwd"}, "unmet_authentication_requirements"},
		{"weaker, whatever amr says", []string{"mfa", "pwd"}, false, "pwd", []string{"mfa", "otp"}, "unmet_authentication_requirements"},
		{"nothing", []string{"mfa"}, false, "", nil, "unmet_authentication_requirements"},
		{"what no table knows is a preference", []string{"gold"}, false, "gold", nil, "gold"},
		{"what no table knows is a preference, where there is none", nil, false, "silver", nil, "silver"},
		{"essential, no table, another", nil, true, "silver", nil, "unmet_authentication_requirements"},
		{"essential, no table, the same", nil, true, "mfa", nil, "mfa"},
	} {
		w := newWorld(t, leveled("corp", row.levels...))
		w.upstream.identity.Authentication = broker.Authentication{ACR: row.proven, AMR: row.amr}
		commits := w.store.Commits()
		callback := w.answer(w.authorize(func(r *broker.AuthorizationRequest) {
			r.ACRValues, r.EssentialACR, r.UILocales = []string{"mfa"}, row.essential, "de-CH fr"
		}))
		if sent := w.upstream.asked[0]; strings.Join(sent.ACRValues, " ") != "mfa" || sent.UILocales != "de-CH fr" {
			t.Errorf("%s: asked %+v", row.name, sent)
		}
		answer := w.get(t.Context(), callback)
		if row.want != "unmet_authentication_requirements" {
			if got := w.issued(answer); got.ACR != row.want || strings.Join(got.AMR, " ") != strings.Join(row.amr, " ") {
				t.Errorf("%s: %+v", row.name, got)
			}
			continue
		}
		location := answer.Header().Get("Location")
		if answer.Code != http.StatusSeeOther || !strings.HasPrefix(location, "https://wiki.example/callback?error=unmet_authentication_requirements&") || !strings.Contains(location, "&state=the-state&iss=") {
			t.Errorf("%s: %d to %s", row.name, answer.Code, location)
		}
		if w.store.Commits() != commits || len(w.cookies) != 0 {
			t.Errorf("%s: %d commits, the browser keeps %v", row.name, w.store.Commits()-commits, w.cookies)
		}
	}
}

// Single sign-on: a weaker session is stepped up at an upstream that can, a stronger
// one is enough, and what the session knows of itself stays as it is (UP-27, UP-28).
func TestUP28ASessionIsSteppedUpAndItsTimeIsTheUpstreams(t *testing.T) {
	t.Parallel()
	corp, hub := leveled("corp", "mfa", "pwd"), upstream("hub")
	hub.NoACR = true
	w := newWorld(t, corp, hub)
	authenticated := w.endpoint.Now().Add(-10 * time.Minute)
	corp.identity.Authentication = broker.Authentication{ACR: "pwd", Time: authenticated}
	asking := func(level string, prompt oauth.Prompt) func(*broker.AuthorizationRequest) {
		return func(r *broker.AuthorizationRequest) {
			r.Prompt = prompt
			if level != "" {
				r.ACRValues = []string{level}
			}
		}
	}
	if got := w.issued(w.get(t.Context(), w.answer(w.authorize(asking("pwd", ""))))); got.ACR != "pwd" || !got.AuthTime.Equal(authenticated) {
		t.Fatalf("the first: %+v", got)
	}
	if got := w.issued(w.authorize(asking("pwd", oauth.PromptNone))); got.ACR != "pwd" || !got.AuthTime.Equal(authenticated) {
		t.Errorf("silently: %+v", got)
	}
	if location := w.authorize(asking("mfa", oauth.PromptNone)).Header().Get("Location"); !strings.Contains(location, "error=login_required") {
		t.Errorf("more, silently: %s", location)
	}
	stepped := authenticated.Add(9 * time.Minute)
	corp.identity.Authentication = broker.Authentication{ACR: "mfa", Time: stepped}
	if got := w.issued(w.get(t.Context(), w.answer(w.authorize(asking("mfa", ""))))); got.ACR != "mfa" || !got.AuthTime.Equal(stepped) {
		t.Errorf("more: %+v", got)
	}
	if len(corp.asked) != 2 || len(hub.asked) != 0 {
		t.Errorf("%d visits to the upstream that can, %d to the one that cannot", len(corp.asked), len(hub.asked))
	}
	for level, want := range map[string]string{"": "mfa", "mfa": "mfa", "pwd": "pwd"} {
		if got := w.issued(w.authorize(asking(level, oauth.PromptNone))); got.ACR != want || !got.AuthTime.Equal(stepped) {
			t.Errorf("asked for %q the stronger session says %+v", level, got)
		}
	}
}

// A connector that has no word for what is demanded is not on the page.
func TestTheChooserOffersWhoCanMeetTheDemand(t *testing.T) {
	t.Parallel()
	none := upstream("none")
	none.NoACR = true
	w := newWorld(t, leveled("a", "mfa"), none, leveled("b", "mfa", "pwd"), leveled("c", "pwd"))
	if got := outcome(w.authorize(func(r *broker.AuthorizationRequest) { r.ACRValues = []string{"mfa"} })); got != "A B" {
		t.Errorf("offered %q", got)
	}
	if location := w.authorize(func(r *broker.AuthorizationRequest) { r.ACRValues, r.EssentialACR = []string{"gold"}, true }).Header().Get("Location"); !strings.Contains(location, "error=unmet_authentication_requirements") {
		t.Errorf("what nobody can: %s", location)
	}
}

// The groups of somebody new that could not be read: nobody is signed in, the page
// says why, and the flow goes on.
func TestGroupsThatAreNotKnownAreAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.endpoint.Desk.Logins = &recorded{Logins: w.store, err: broker.ErrGroupsUnknown}
	commits := w.store.Commits()
	answer := w.get(t.Context(), w.begin(oauth.ResponseModeQuery))
	body := answer.Body.String()
	if answer.Code != http.StatusServiceUnavailable || w.store.Commits() != commits {
		t.Errorf("%d, %d commits", answer.Code, w.store.Commits()-commits)
	}
	for _, want := range []string{"Your groups could not be read", "Corp &amp; Sons", "/login?flow=", "error=access_denied", "reference number"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not hold %q: %s", want, body)
		}
	}
	if !strings.Contains(w.log.String(), broker.ErrGroupsUnknown.Error()) {
		t.Errorf("the log does not say why: %s", w.log.String())
	}
	w.endpoint.Desk.Logins = w.store
	if again := w.get(t.Context(), w.answer(w.get(t.Context(), strings.Replace(w.chooserOf(), "/login?", "/login/corp?", 1)))); again.Code != http.StatusSeeOther {
		t.Errorf("trying again: %d", again.Code)
	}
}
