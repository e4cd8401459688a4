package github_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// answers makes the token endpoint answer this, with status 200.
func answers(body string) func(*fake.Provider) {
	return func(v *fake.Provider) {
		v.Replace("/login/oauth/access_token", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			fmt.Fprint(w, body)
		}))
	}
}

func TestErrorsThatComeWithStatus200(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		vendor func(*fake.Provider)
		kind   connectors.Kind
		code   string
	}{
		{"the code is not good", func(v *fake.Provider) { v.Misbehave(fake.CodeAlreadyRedeemed) }, connectors.Broken, "bad_verification_code"},
		{"the code is not good, as a form", func(v *fake.Provider) { v.Misbehave(fake.CodeAlreadyRedeemed, fake.GitHubFormAnswer) }, connectors.Broken, "bad_verification_code"},
		{"the secret is not good", func(v *fake.Provider) { v.Misbehave(fake.GitHubBadSecret) }, connectors.Operator, "incorrect_client_credentials"},
		{"no verified address", func(v *fake.Provider) { v.Misbehave(fake.GitHubUnverifiedAccount) }, connectors.Declined, "unverified_user_email"},
		{"another callback", answers(`{"error":"redirect_uri_mismatch"}`), connectors.Operator, "redirect_uri_mismatch"},
		{"an unknown error with hostile text", answers(`{"error":"<b>","error_description":"x"}`), connectors.Broken, ""},
		{"an error beside a token", answers(`{"error":"bad_verification_code","access_token":"gho_secret-in-answer","token_type":"bearer"}`), connectors.Broken, "bad_verification_code"},
		{"a token twice", answers(`{"access_token":"gho_secret-one","access_token":"gho_secret-two","token_type":"bearer"}`), connectors.Broken, ""},
		{"a token in another case", answers(`{"ACCESS_TOKEN":"gho_secret-one","token_type":"bearer"}`), connectors.Broken, ""},
		{"a form with a token twice", answers(`access_token=gho_one&access_token=gho_two&token_type=bearer`), connectors.Broken, ""},
		{"prose", answers(`sorry`), connectors.Broken, ""},
		{"nothing", answers(``), connectors.Broken, ""},
		{"null", answers(`null`), connectors.Broken, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			tt.vendor(b.Vendor)
			if e := b.Refused(t, tt.kind); e.Code != tt.code {
				t.Errorf("got code %q (%v), want %q", e.Code, e, tt.code)
			}
			if n := b.Vendor.Calls(fake.GitHubUser); n != 0 {
				t.Errorf("the API was asked %d times", n)
			}
		})
	}
}

func TestAnUnknownClientIsAnsweredWith404(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Misbehave(fake.At(fake.Token, fake.NotFound))
	b.Refused(t, connectors.Operator)
}

func TestErrorsOfTheCallback(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	for code, kind := range map[string]connectors.Kind{
		"access_denied": connectors.Declined, "application_suspended": connectors.Operator, "redirect_uri_mismatch": connectors.Operator,
	} {
		l := connectortest.NewLogin()
		_, _, err := b.Identify(t, url.Values{"state": {l.State}, "error": {code}, "error_description": {"text"}}, l)
		if e := connectortest.KindOf(t, err, kind); e.Code != code {
			t.Errorf("%s: got code %q", code, e.Code)
		}
	}
}

func TestATokenMayComeAsAForm(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Misbehave(fake.GitHubFormAnswer)
	_, up, err := b.SignIn(t)
	if err != nil || !slices.Contains(up.Scopes, "read:org") || !slices.Contains(up.Scopes, "user:email") {
		t.Errorf("got scopes %q, %v", up.Scopes, err)
	}
}

func TestLessScopeThanIsNeeded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scope any
		fine  bool
	}{
		{"read:org,user:email,read:user", true}, {"admin:org,user", true}, {"write:org,user:email", true}, {"read:org user", true}, {nil, true},
		{"", false}, {"user:email", false}, {"read:org", false}, {"read:org,read:user", false}, {"user:email,repo", false}, {"read:orgs,user:email", false},
	} {
		b := subject().Open(t, nil)
		b.Vendor.Edit(fake.Token, func(doc map[string]any) {
			if doc["scope"] = tt.scope; tt.scope == nil {
				delete(doc, "scope")
			}
		})
		_, _, err := b.SignIn(t)
		if tt.fine != (err == nil) {
			t.Errorf("scope %v: got %v", tt.scope, err)
		}
		if !tt.fine {
			if e := connectortest.KindOf(t, err, connectors.Declined); e.Code != "insufficient_scope" || b.Vendor.Calls(fake.GitHubUser) != 0 {
				t.Errorf("scope %v: got %v after %d requests", tt.scope, e, b.Vendor.Calls(fake.GitHubUser))
			}
		}
	}
}

func TestScopesThatAreMissingInTruth(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Misbehave(fake.GitHubHollowScope)
	b.Refused(t, connectors.Operator)
}

func TestGitHubAppsHaveNoScopes(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) { s.Vendor.GitHub.App, s.Common.RecheckInterval = true, time.Hour })
	_, up, err := b.SignIn(t)
	if err != nil || up.RefreshToken == "" || !up.Expiry.After(b.Clock.Now()) {
		t.Errorf("got %v, expiry %v", err, up.Expiry)
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	l := connectortest.NewLogin()
	l.SelectAccount, l.LoginHint, l.ForceLogin, l.HasMaxAge, l.ACRValues = true, "ada-winter", true, true, []string{"gold"}
	address, err := b.Connector.AuthorizationURL(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"prompt": "select_account", "login": "ada-winter", "scope": "read:user user:email read:org",
		"max_age": "", "acr_values": "", "nonce": "", "login_hint": "",
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
