package oauth_test

import (
	"strings"
	"testing"

	"gatehouse/broker/oauth"
)

func TestParseResponseType(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     oauth.ResponseType
		code     oauth.Code
	}{
		{"code", "code", oauth.ResponseTypeCode, ""},
		{"none alone", "none", oauth.ResponseTypeNone, ""},
		{"order does not matter", "token id_token code", oauth.ResponseTypeCodeIDTokenToken, ""},
		{"order does not matter for two", "token id_token", oauth.ResponseTypeIDTokenToken, ""},
		{"missing is invalid_request", "", "", oauth.InvalidRequest},
		{"a repeated word is refused", "code code", "", oauth.UnsupportedResponseType},
		{"a word repeated apart is refused", "code token code", "", oauth.UnsupportedResponseType},
		{"none cannot be combined", "code none", "", oauth.UnsupportedResponseType},
		{"none cannot be combined, in any order", "none token", "", oauth.UnsupportedResponseType},
		{"an unknown word is refused", "code magic", "", oauth.UnsupportedResponseType},
		{"case matters", "Code", "", oauth.UnsupportedResponseType},
		{"superfluous spaces are refused", "code  token", "", oauth.UnsupportedResponseType},
		{"a trailing space is refused", "code ", "", oauth.UnsupportedResponseType},
		{"other white space does not separate", "code\ttoken", "", oauth.UnsupportedResponseType},
		{"more words than there are values", "code token id_token none", "", oauth.UnsupportedResponseType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := oauth.ParseResponseType(tt.in)
			wantCode(t, err, tt.code)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestALongResponseTypeIsNotSorted(t *testing.T) {
	t.Parallel()
	_, err := oauth.ParseResponseType(strings.Repeat("code ", 100_000) + "code")
	if got := oauth.From(err).Description; got != "response_type has too many values" {
		t.Errorf("description %q", got)
	}
}

func TestResponseTypeHasWholeWordsOnly(t *testing.T) {
	t.Parallel()
	if oauth.ResponseTypeIDToken.Has(oauth.ResponseTypeToken) {
		t.Error("id_token has token")
	}
	if !oauth.ResponseTypeCodeIDToken.Has(oauth.ResponseTypeIDToken) || !oauth.ResponseTypeCodeIDToken.Has(oauth.ResponseTypeCode) {
		t.Error("code id_token lacks one of its words")
	}
	if oauth.ResponseType("").Has("") || oauth.ResponseTypeCode.Has("") {
		t.Error("a set has the empty word")
	}
}

func TestParseResponseMode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		typ      oauth.ResponseType
		want     oauth.ResponseMode
		code     oauth.Code
	}{
		{"a code goes into the query by default", "", oauth.ResponseTypeCode, oauth.ResponseModeQuery, ""},
		{"none goes into the query by default", "", oauth.ResponseTypeNone, oauth.ResponseModeQuery, ""},
		{"a token goes into the fragment by default", "", oauth.ResponseTypeCodeToken, oauth.ResponseModeFragment, ""},
		{"an ID token goes into the fragment by default", "", oauth.ResponseTypeIDToken, oauth.ResponseModeFragment, ""},
		{"a code may go into the fragment", "fragment", oauth.ResponseTypeCode, oauth.ResponseModeFragment, ""},
		{"a code may be asked for in the query", "query", oauth.ResponseTypeCode, oauth.ResponseModeQuery, ""},
		{"an ID token may be posted", "form_post", oauth.ResponseTypeCodeIDToken, oauth.ResponseModeFormPost, ""},
		{"web_message", "web_message", oauth.ResponseTypeCode, oauth.ResponseModeWebMessage, ""},
		{"a token must not go into the query", "query", oauth.ResponseTypeToken, "", oauth.InvalidRequest},
		{"an ID token must not go into the query", "query", oauth.ResponseTypeCodeIDToken, "", oauth.InvalidRequest},
		{"an unknown mode is refused", "carrier_pigeon", oauth.ResponseTypeCode, "", oauth.InvalidRequest},
		{"case matters", "Query", oauth.ResponseTypeCode, "", oauth.InvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := oauth.ParseResponseMode(tt.in, tt.typ)
			wantCode(t, err, tt.code)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAuthMethodUsesSecret(t *testing.T) {
	t.Parallel()
	for method, want := range map[oauth.AuthMethod]bool{
		oauth.AuthMethodClientSecretBasic: true, oauth.AuthMethodClientSecretPost: true, oauth.AuthMethodClientSecretJWT: true,
		oauth.AuthMethodPrivateKeyJWT: false, oauth.AuthMethodNone: false, "": false,
	} {
		if got := method.UsesSecret(); got != want {
			t.Errorf("%q: got %v, want %v", method, got, want)
		}
	}
}

func TestParsePrompt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     oauth.Prompt
		code     oauth.Code
	}{
		{"absent asks nothing", "", "", ""},
		{"none", "none", oauth.PromptNone, ""},
		{"order does not matter", "consent login", "login consent", ""},
		{"all that can be combined", "select_account consent login", "login consent select_account", ""},
		{"a repeated value counts once", "login login", oauth.PromptLogin, ""},
		{"a repeated none is still none", "none none", oauth.PromptNone, ""},
		{"superfluous spaces are ignored", " login  consent ", "login consent", ""},
		{"none with another is refused", "none login", "", oauth.InvalidRequest},
		{"none after another is refused", "select_account none", "", oauth.InvalidRequest},
		{"an unknown value is refused", "login create", "", oauth.InvalidRequest},
		{"case matters", "Login", "", oauth.InvalidRequest},
		{"a comma does not separate", "login,consent", "", oauth.InvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := oauth.ParsePrompt(tt.in)
			wantCode(t, err, tt.code)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPromptSet(t *testing.T) {
	t.Parallel()
	p, err := oauth.ParsePrompt("login select_account consent")
	wantCode(t, err, "")
	if !p.Has(oauth.PromptLogin) || !p.Has(oauth.PromptSelectAccount) || p.Has(oauth.PromptNone) || p.Has("") {
		t.Errorf("Has is wrong for %q", p)
	}
	if got := p.Without(oauth.PromptConsent); got != "login select_account" {
		t.Errorf("without consent: %q", got)
	}
	if got := oauth.PromptLogin.Without(oauth.PromptLogin); got != "" || got.Has(oauth.PromptLogin) {
		t.Errorf("login without login: %q", got)
	}
}
