package oidc_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/oidc"
)

func levels() connectors.Assurance {
	return connectors.Assurance{{Level: "mfa", ACR: []string{"urn:2fa"}, AMR: []string{"pwd", "otp"}}, {Level: "pwd", AMR: []string{"pwd"}}}
}

func TestLevelsAreTranslatedBothWays(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) { s.Common.Assurance = levels() })
	l := connectortest.NewLogin()
	l.ACRValues = []string{"mfa", "unknown"}
	if got := parameters(t, b, func(to *connectors.Login) { to.ACRValues = l.ACRValues }).Get("acr_values"); got != "urn:2fa" {
		t.Errorf("asked for %q", got)
	}
	if got := parameters(t, b, func(to *connectors.Login) { to.ACRValues = []string{"pwd"} }); got.Has("acr_values") {
		t.Errorf("asked for %q, which the table has no word for", got.Get("acr_values"))
	}
	id, _, err := b.SignInWith(t, l)
	if err != nil || id.Authentication.ACR != "mfa" || strings.Join(id.Authentication.AMR, " ") != "pwd otp" {
		t.Errorf("got %+v, %v", id.Authentication, err)
	}
	b.Vendor.SignInAs("eve") // by password alone
	if id := b.MustSignIn(t); id.Authentication.ACR != "pwd" {
		t.Errorf("got %+v", id.Authentication)
	}
	d := b.Connector.Describe()
	if strings.Join(d.Levels, " ") != "mfa pwd" {
		t.Errorf("got levels %q", d.Levels)
	}
}

func TestDescriptionSaysWhatIsConfigured(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Common.Domains, s.Common.RecheckInterval = []string{"corp.example"}, time.Hour
	})
	d := b.Connector.Describe()
	if len(d.Domains) != 1 || d.Recheck != (connectors.Recheck{Interval: time.Hour, OutageGrace: time.Hour}) {
		t.Errorf("got %+v", d)
	}
}

func TestUILocalesArePassedOn(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	for given, want := range map[string]string{"de-CH de": "de-CH de", "": "", strings.Repeat("d", 257): "", "de\r\nx": ""} {
		got := parameters(t, b, func(l *connectors.Login) { l.UILocales = given })
		if got.Get("ui_locales") != want || got.Has("ui_locales") != (want != "") {
			t.Errorf("%q: sent %q", given, got["ui_locales"])
		}
	}
}

func TestAuthorizationParamsAreHarmless(t *testing.T) {
	t.Parallel()
	config := func(params map[string]string) *oidc.Config {
		return &oidc.Config{
			Common: connectors.Common{ID: "up", ClientID: "c", ClientSecret: connectors.Secrets{"s"}},
			Issuer: "https://idp.test", AuthorizationParams: params,
		}
	}
	for _, name := range []string{
		"state", "nonce", "redirect_uri", "client_id", "client_secret", "response_type", "response_mode", "scope", "code_challenge",
		"code_challenge_method", "request", "request_uri", "prompt", "max_age", "acr_values", "claims", "id_token_hint", "login_hint",
		"ui_locales", "display", "registration", "Audience", "anything",
	} {
		got := config(map[string]string{name: "x"}).Validate()
		if len(got) != 1 || got[0].Path != "authorization_params."+name || !strings.Contains(got[0].Message, "kc_idp_hint") {
			t.Errorf("%s: got %v", name, got)
		}
	}
	for value, fine := range map[string]bool{"google": true, "": false, "a\nb": false, strings.Repeat("x", 513): false} {
		if got := config(map[string]string{"kc_idp_hint": value}).Validate(); (len(got) == 0) != fine {
			t.Errorf("%.20q: got %v", value, got)
		}
	}
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Configure = func(c connectors.Config) {
			c.(*oidc.Config).AuthorizationParams = map[string]string{"kc_idp_hint": "corp & co", "audience": "https://api.test"}
		}
	})
	got := parameters(t, b, nil)
	if got.Get("kc_idp_hint") != "corp & co" || got.Get("audience") != "https://api.test" || len(got["state"]) != 1 {
		t.Errorf("sent %v", got)
	}
	b.MustSignIn(t)
}

// What a vendor's quirks say about re-check and assurance is what is sent.
func TestQuirksShapeTheAuthorizationRequest(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, q oidc.Quirks, recheck time.Duration) *connectortest.Bench {
		s := subject()
		s.Config = func(c connectors.Common, base string) connectors.Config {
			c.RecheckInterval = recheck
			return &quirky{Config: oidc.Config{Common: c, Issuer: base}, quirks: q}
		}
		return s.Open(t, nil)
	}
	offline := oidc.Quirks{
		Type: "q", OfflineScope: "-", OfflineParams: url.Values{"access_type": {"offline"}, "prompt": {"consent"}},
		Demand: func(values []string, params url.Values) { params.Set("claims", strings.Join(values, "+")) },
		Endpoint: func(address, choice string) string {
			return strings.Replace(address, "/authorize", "/authorize"+choice, 1)
		},
		StaticRefresh: true,
	}
	b := open(t, offline, time.Hour)
	got := parameters(t, b, func(l *connectors.Login) { l.ForceLogin, l.ACRValues = true, []string{"a", "b"} })
	if got.Get("prompt") != "login consent" || got.Get("access_type") != "offline" || got.Get("claims") != "a+b" || got.Has("acr_values") || strings.Contains(got.Get("scope"), "offline") {
		t.Errorf("sent %v", got)
	}
	l := connectortest.NewLogin()
	l.Choice = "/corp"
	address, err := b.Connector.AuthorizationURL(t.Context(), l)
	if err != nil || !strings.Contains(address, "/authorize/corp?") {
		t.Errorf("sent to %s, %v", address, err)
	}
	if got := parameters(t, open(t, offline, 0), nil); got.Has("prompt") || got.Has("access_type") {
		t.Errorf("without re-check: sent %v", got)
	}
	if _, up, err := b.SignIn(t); err != nil || !up.Reusable {
		t.Errorf("a refresh token that stays good is not reusable, %v", err)
	}
	named := open(t, oidc.Quirks{Type: "q", OfflineScope: "forever"}, time.Hour)
	if got := parameters(t, named, nil).Get("scope"); !strings.HasSuffix(got, " forever") {
		t.Errorf("asked for %q", got)
	}
}

// quirky is a configuration of a vendor that is made up.
type quirky struct {
	oidc.Config
	quirks oidc.Quirks
}

// Open implements connectors.Config.
func (q *quirky) Open(env connectors.Environment) (connectors.Connector, error) {
	return oidc.Open(q.Config, q.quirks, env)
}
