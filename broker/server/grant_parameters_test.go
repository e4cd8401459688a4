package server_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"testing"

	"gatehouse/broker/oauth"
	"gatehouse/internal/brokertest"
)

// foreignParameters are what other grants take, as far as the grant itself does not.
func foreignParameters(b *brokertest.Broker, token, refresh, assertion, code string, mine ...string) []string {
	all := map[string]string{
		"code": code, "redirect_uri": "https://evil.example/callback", "code_verifier": "a-verifier-of-somebody-else-that-is-long-enough", "refresh_token": refresh,
		"device_code": "x", "auth_req_id": "x", "assertion": assertion, "subject_token": token, "subject_token_type": accessTokenType, "actor_token": token,
		"actor_token_type": accessTokenType, "requested_token_type": "x", "audience": "https://stock.example", "username": "ada", "password": "x", "issuer": b.Issuer,
	}
	for _, name := range mine {
		delete(all, name)
	}
	var pairs []string
	for name, value := range all {
		pairs = append(pairs, name, value)
	}
	return pairs
}

// TK-21: the parameters of one grant have no effect on another. What comes out is
// the same with them, but for what is new in every token.
func TestTK21ParametersOfOneGrantHaveNoEffectOnAnother(t *testing.T) {
	t.Parallel()
	c := newCI(t)
	b := workloads(t, c, "")
	sign := func() brokertest.Answer {
		return b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access"))
	}
	spare := sign()
	access, refresh := spare.Text("access_token"), spare.Text("refresh_token")
	spareCode := b.Browser(t).Code("wiki")
	jwt := c.sign(t, b, nil)
	shape := func(a brokertest.Answer) map[string]any {
		out := map[string]any{"status": a.Status, "scope": a.Text("scope"), "refresh": a.Text("refresh_token") != "", "id": a.Text("id_token") != "",
			"issued": a.Body["issued_token_type"], "expires": a.Body["expires_in"]}
		if a.Status == 200 {
			claims := claimsOf(t, a.Text("access_token"))
			for _, name := range []string{"sub", "aud", "client_id", "act", "scope", "exp"} {
				out[name] = claims[name]
			}
		}
		return out
	}
	for name, row := range map[string]struct {
		client string
		fresh  func() []string
		mine   []string
	}{
		"client_credentials": {"robot", func() []string { return []string{"grant_type", "client_credentials"} }, nil},
		"refresh_token": {"wiki", func() []string {
			return []string{"grant_type", "refresh_token", "refresh_token", sign().Text("refresh_token")}
		}, []string{"refresh_token"}},
		"authorization_code": {"wiki", func() []string {
			form := brokertest.CodeForm("wiki", b.Browser(t).Code("wiki", "scope", "openid offline_access"))
			var pairs []string
			for name := range form {
				pairs = append(pairs, name, form.Get(name))
			}
			return append(pairs, "grant_type", "authorization_code")
		}, []string{"code", "redirect_uri", "code_verifier"}},
		"jwt-bearer": {"deploy", func() []string {
			return []string{"grant_type", string(oauth.GrantTypeJWTBearer), "assertion", jwt, "scope", "orders.read"}
		}, []string{"assertion"}},
		"token-exchange": {"deploy", func() []string {
			return []string{"grant_type", string(oauth.GrantTypeTokenExchange), "subject_token", jwt, "subject_token_type", idTokenType, "scope", "orders.read"}
		}, []string{"subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type", "audience"}},
	} {
		plain := askAs(t, b, "/token", row.client, row.fresh()...)
		odd := askAs(t, b, "/token", row.client, append(foreignParameters(b, access, refresh, jwt, spareCode, row.mine...), row.fresh()...)...)
		if plain.Status != 200 || !reflect.DeepEqual(shape(plain), shape(odd)) {
			t.Errorf("%s: %v becomes %v (%v)", name, shape(plain), shape(odd), odd.Body)
		}
	}
	// Nothing of what was sent along has been spent.
	if a := b.Refresh(t, "wiki", refresh); a.Status != 200 {
		t.Errorf("the refresh token was spent by another grant: %v", a.Body)
	}
	if a := b.Redeem(t, "wiki", spareCode); a.Status != 200 {
		t.Errorf("the code was spent by another grant: %v", a.Body)
	}
}

// RFC 9700 §2.4: there is no password grant, whoever asks and whatever comes along.
func TestThePasswordGrantIsNotSupported(t *testing.T) {
	t.Parallel()
	c := newCI(t)
	b := workloads(t, c, "")
	for _, client := range []string{"wiki", "deploy", "robot"} {
		isError(t, client, askAs(t, b, "/token", client, "grant_type", "password", "username", "ada", "password", "x", "subject_token", "x", "assertion", c.sign(t, b, nil)), 400, "unsupported_grant_type")
	}
}

// What is off is off: a grant that no client is registered for is neither supported
// nor advertised, and one that some client is registered for is both.
func TestExchangeGrantsAreThereForWhoHasThem(t *testing.T) {
	t.Parallel()
	off := brokertest.New(t, brokertest.Options{})
	on := workloads(t, newCI(t), "")
	for _, grant := range []oauth.GrantType{oauth.GrantTypeTokenExchange, oauth.GrantTypeJWTBearer} {
		isError(t, "off: "+string(grant), off.Token(t, brokertest.Wiki, url.Values{"grant_type": {string(grant)}}), 400, "unsupported_grant_type")
		isError(t, "on, for others: "+string(grant), askAs(t, on, "/token", "wiki", "grant_type", string(grant)), 400, "unauthorized_client")
		for b, want := range map[*brokertest.Broker]bool{off: false, on: true} {
			if got := advertises(t, b, string(grant)); got != want {
				t.Errorf("%s is advertised: %v", grant, got)
			}
		}
	}
}

// advertises reports whether a grant type is in the metadata.
func advertises(t *testing.T, b *brokertest.Broker, grant string) bool {
	t.Helper()
	var metadata struct {
		GrantTypes []string `json:"grant_types_supported"`
	}
	must(t, json.Unmarshal([]byte(b.Browser(t).Get(b.Issuer+"/.well-known/openid-configuration").Body), &metadata))
	return slices.Contains(metadata.GrantTypes, grant)
}
