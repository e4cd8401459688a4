package server_test

import (
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// pairwise is the clients section of a world with an application in a sector of its
// own, one in none, and an API. more is for the first.
func pairwise(more string) brokertest.Options {
	client := func(id, more string) string {
		return "  - {client_id: " + id + ", client_secret: " + brokertest.Secret(id) + ", " + more + "}\n"
	}
	return brokertest.Options{
		Clients: client("wiki", "redirect_uris: ['"+brokertest.RedirectURI("wiki")+"'], skip_consent: true, scope: 'openid email offline_access orders.read'"+more) +
			client("shop", "redirect_uris: ['"+brokertest.RedirectURI("shop")+"'], skip_consent: true") + client("orders", "grant_types: []"),
		Config: "resources:\n  - {resource: 'https://orders.example', client: orders, scopes: [orders.read]}\n",
	}
}

// OpenID Connect Core §8: a client with a subject type of its own hears the same sub
// everywhere, which is no other client's, whatever form its tokens have.
func TestPairwiseSubjects(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"jwt", "opaque"} {
		b := brokertest.New(t, pairwise(", subject_type: pairwise, access_token_format: "+format))
		br := b.Browser(t)
		public := claimsOf(t, b.Redeem(t, "shop", br.Code("shop", "scope", "openid")).Text("id_token"))["sub"]
		tokens := b.Redeem(t, "wiki", br.Code("wiki", "scope", "openid offline_access orders.read"))
		access, refresh := tokens.Text("access_token"), tokens.Text("refresh_token")
		sub, _ := claimsOf(t, tokens.Text("id_token"))["sub"].(string)
		if sub == "" || sub == public || strings.HasPrefix(access, "ga_") != (format == "opaque") {
			t.Fatalf("%s: %q beside %q, %s", format, sub, public, access)
		}
		for name, a := range map[string]brokertest.Answer{
			"userinfo": b.UserInfo(t, access), "introspection by the client": askAs(t, b, "/introspect", "wiki", "token", access),
			"introspection by the API": askAs(t, b, "/introspect", "orders", "token", access), "of the refresh token": askAs(t, b, "/introspect", "wiki", "token", refresh),
		} {
			if a.Status != 200 || a.Text("sub") != sub {
				t.Errorf("%s: %s: %d %v, want %s", format, name, a.Status, a.Body, sub)
			}
		}
		// Who changes the sector makes strangers of everybody: a token from before is about nobody.
		must(t, b.Reload(t, pairwise(", access_token_format: "+format)))
		isInactive(t, format+" of another sector", askAs(t, b, "/introspect", "orders", "token", access))
		if a := b.UserInfo(t, access); a.Status != 401 || a.Error() != "invalid_token" {
			t.Errorf("%s: userinfo of another sector: %d %v", format, a.Status, a.Body)
		}
		// Its own it can revoke all the same, for good.
		if a := askAs(t, b, "/revoke", "wiki", "token", access); a.Status != 200 {
			t.Errorf("%s: revocation: %v", format, a.Body)
		}
		must(t, b.Reload(t, pairwise(", subject_type: pairwise, access_token_format: "+format)))
		isInactive(t, format+" revoked", askAs(t, b, "/introspect", "orders", "token", access))
		if a := b.UserInfo(t, access); a.Status != 401 {
			t.Errorf("%s: userinfo of a revoked one: %d", format, a.Status)
		}
		if a := b.Refresh(t, "wiki", refresh); a.Status != 200 || claimsOf(t, a.Text("id_token"))["sub"] != sub {
			t.Errorf("%s: refreshed: %d %v", format, a.Status, a.Body)
		}
	}
}

// RP-Initiated Logout §2, Core §8.1: a client with a subject type of its own signs people out with its own names for
// person and session, by which no other client knows them.
func TestAPairwiseHintSignsOut(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, pairwise(", subject_type: pairwise"))
	br := b.Browser(t)
	public := claimsOf(t, b.Redeem(t, "shop", br.Code("shop", "scope", "openid")).Text("id_token"))
	raw := b.Redeem(t, "wiki", br.Code("wiki", "scope", "openid")).Text("id_token")
	if own := claimsOf(t, raw); own["sid"] == nil || own["sid"] == public["sid"] {
		t.Errorf("one sid for all: %v", own["sid"])
	}
	if page := br.Get(b.Issuer + "/logout?id_token_hint=" + raw); page.Status != 200 || strings.Contains(page.Body, "sign_out") {
		t.Errorf("the person is asked: %d\n%s", page.Status, page.Body)
	}
	if br.Get(b.AuthorizeURL("wiki", "prompt", "none")).URL.Query().Has("code") {
		t.Error("the session lives on")
	}
}

// I11: whoever has a name in each sector has one limit all the same.
func TestUserInfoIsLimitedPerAccountInEverySector(t *testing.T) {
	t.Parallel()
	o := pairwise(", subject_type: pairwise")
	o.Config += "limits: {userinfo: {per_account: 2/h}}\n"
	b := brokertest.New(t, o)
	br := b.Browser(t)
	for i, client := range []string{"wiki", "shop", "wiki", "shop"} {
		a := b.UserInfo(t, b.Redeem(t, client, br.Code(client, "scope", "openid")).Text("access_token"))
		if limited := a.Status == 429; limited != (i >= 2) {
			t.Errorf("%s, request %d: %d %v", client, i, a.Status, a.Body)
		}
	}
}

// I12: a code and a refresh token outlive keys that cannot be had just now.
func TestNothingIsSpentOnAnIDTokenThatCannotBeEncrypted(t *testing.T) {
	t.Parallel()
	sealed := func(keys string) brokertest.Options {
		return pairwise(", id_token_encrypted_response_alg: ECDH-ES+A256KW, id_token_encrypted_response_enc: A128GCM, " + keys)
	}
	set, _ := encryptionKeys(t)
	there, gone := sealed("jwks: "+set), sealed("jwks_uri: 'https://127.0.0.1:1/jwks'")
	b := brokertest.New(t, there)
	code := b.Browser(t).Code("wiki", "scope", "openid offline_access")
	redeem := func() brokertest.Answer { return b.Redeem(t, "wiki", code) }
	tokens := outlives(t, b, "the code", there, gone, redeem)
	if strings.Count(tokens.Text("id_token"), ".") != 4 {
		t.Errorf("not encrypted: %v", tokens.Body)
	}
	outlives(t, b, "the refresh token", there, gone, func() brokertest.Answer { return b.Refresh(t, "wiki", tokens.Text("refresh_token")) })
}

// outlives asks while keys are gone, and once they are there again.
func outlives(t *testing.T, b *brokertest.Broker, name string, there, gone brokertest.Options, ask func() brokertest.Answer) brokertest.Answer {
	t.Helper()
	must(t, b.Reload(t, gone))
	commits := b.Store.Commits()
	isError(t, name, ask(), 503, "temporarily_unavailable")
	if b.Store.Commits() != commits {
		t.Errorf("%s: a refusal was committed", name)
	}
	must(t, b.Reload(t, there))
	a := ask()
	if a.Status != 200 {
		t.Fatalf("%s afterwards: %d %v", name, a.Status, a.Body)
	}
	return a
}
