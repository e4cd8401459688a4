package mint

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
)

const api = "https://api.test"

// directory is the client entries there are.
type directory map[string]*broker.Client

func (d directory) Client(_ context.Context, id string) (*broker.Client, error) {
	if c, ok := d[id]; ok {
		return c, nil
	}
	return nil, broker.ErrNotFound
}

// vault has the key of everybody that something is encrypted for.
type vault struct {
	private *ecdsa.PrivateKey
	jwks    []byte
	clients directory
}

func newVault(tb testing.TB) *vault {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	jwks, err := json.Marshal(gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{{KeyID: "enc-1", Use: "enc", Key: private.Public()}}})
	if err != nil {
		tb.Fatal(err)
	}
	return &vault{private: private, jwks: jwks, clients: directory{"api": {ID: "api", JWKS: jwks}}}
}

func (v *vault) minter(tb testing.TB) *Minter {
	tb.Helper()
	m, _ := minterWith(tb, func(c *Config) { c.Keys, c.Clients = &clientkeys.Cache{Now: moment}, v.clients })
	return m
}

func agreement() broker.Encryption { return broker.Encryption{Alg: "ECDH-ES", Enc: "A128GCM"} }

// client is one that wants everything encrypted.
func (v *vault) client() *broker.Client {
	return &broker.Client{ID: "wiki", JWKS: v.jwks, IDTokenEncryption: agreement(), UserInfoEncryption: agreement(), IntrospectionEncryption: agreement()}
}

func (v *vault) resource() *broker.Resource {
	return &broker.Resource{URI: api, ClientID: "api", Encryption: agreement()}
}

// open decrypts a JWE and returns its header but for epk.
func (v *vault) open(t *testing.T, raw string) (content string, header map[string]any) {
	t.Helper()
	jwe, err := gojose.ParseEncryptedCompact(raw, []gojose.KeyAlgorithm{gojose.ECDH_ES}, []gojose.ContentEncryption{gojose.A128GCM})
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	plain, err := jwe.Decrypt(v.private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.RawURLEncoding.DecodeString(raw[:strings.IndexByte(raw, '.')])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &header); err != nil {
		t.Fatal(err)
	}
	delete(header, "epk")
	return string(plain), header
}

// envelope is the header of what is encrypted here.
func envelope(typ, cty string) map[string]any {
	h := map[string]any{"alg": "ECDH-ES", "enc": "A128GCM", "kid": "enc-1", "typ": typ}
	if cty != "" {
		h["cty"] = cty
	}
	return h
}

// OpenID Connect Core §10.2, §16.14: signed, then encrypted, and the signed one is what it would have been.
func TestEncryptedIDToken(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := v.minter(t)
	p := idTokenParams()
	p.AccessToken, p.Code, p.Nonce = "ga_something", "gc_something", "n"
	plain, err := m.IDToken(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Client = v.client()
	for name, make := range map[string]func(context.Context, IDTokenParams) (string, error){"at first": m.IDToken, "renewed": m.RefreshIDToken} {
		raw, err := make(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		signed, header := v.open(t, raw)
		if want := envelope("JWT", "JWT"); !maps.Equal(header, want) {
			t.Errorf("%s: header %v", name, header)
		}
		if name == "at first" && part(t, signed, 1) != part(t, plain, 1) || part(t, signed, 0) != part(t, plain, 0) {
			t.Errorf("%s: %s", name, part(t, signed, 1))
		}
		if hint, err := m.ReadIDTokenHint(t.Context(), signed, moment()); err != nil || hint.ClientID != "wiki" {
			t.Errorf("%s decrypted, as a hint: %+v, %v", name, hint, err)
		}
		// Core §3.1.2.1: the client has to decrypt it first.
		if hint, err := m.ReadIDTokenHint(t.Context(), raw, moment()); !errors.Is(err, jose.ErrEncrypted) || hint != (Hint{}) {
			t.Errorf("%s as a hint: %+v, %v", name, hint, err)
		}
		if got, err := m.InspectAccessToken(t.Context(), raw, moment()); err == nil {
			t.Errorf("%s is taken for an access token: %+v", name, got)
		}
	}
}

// OpenID Connect Core §5.3.2: signed, encrypted, or signed and then encrypted.
func TestEncryptedUserInfo(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := v.minter(t)
	claims := policy.Claims{Email: "ada@example.com", EmailVerified: new(true)}
	const want = `{"iss":"https://b.test","sub":"a","aud":"wiki","iat":1773480413,"email":"ada@example.com","email_verified":true}`
	c := v.client()
	raw, err := m.UserInfo(t.Context(), c, "a", claims, moment())
	if err != nil {
		t.Fatal(err)
	}
	// Claims and no JWT within: no cty (RFC 7519 §5.2).
	if content, header := v.open(t, raw); content != want || !maps.Equal(header, envelope("userinfo+jwt", "")) {
		t.Errorf("encrypted: %v, %s", header, content)
	}
	c.UserInfoAlg = "ES256"
	if raw, err = m.UserInfo(t.Context(), c, "a", claims, moment()); err != nil {
		t.Fatal(err)
	}
	signed, header := v.open(t, raw)
	if part(t, signed, 1) != want || !maps.Equal(header, envelope("userinfo+jwt", "JWT")) || !strings.Contains(part(t, signed, 0), `"typ":"userinfo+jwt"`) {
		t.Errorf("signed and encrypted: %v, %s", header, signed)
	}
	c.UserInfoEncryption = broker.Encryption{}
	if raw, err = m.UserInfo(t.Context(), c, "a", claims, moment()); err != nil || part(t, raw, 1) != want {
		t.Errorf("signed: %q, %v", raw, err)
	}
	c.UserInfoAlg = ""
	if raw, err = m.UserInfo(t.Context(), c, "a", claims, moment()); err == nil || raw != "" {
		t.Errorf("neither: %q, %v", raw, err)
	}
	c.UserInfoEncryption = agreement()
	if raw, err = m.UserInfo(t.Context(), c, "a b", claims, moment()); !errors.Is(err, ErrLint) || raw != "" {
		t.Errorf("encrypted past the linter: %q, %v", raw, err)
	}
}

// RFC 9068 §6, RFC 7519 §5.2: the resource server decrypts a JWT that it would have got in the clear; the broker knows
// the whole by its own form of it.
func TestEncryptedAccessTokens(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := v.minter(t)
	for _, opaque := range []bool{false, true} { // what the client wants is the resource server's to overrule
		for name, raw := range v.accessTokens(t, m, &broker.Client{ID: "wiki", OpaqueAccessTokens: opaque}) {
			signed, header := v.open(t, raw)
			ref, _ := header["ref"].(string)
			delete(header, "ref")
			if !maps.Equal(header, envelope("at+jwt", "JWT")) {
				t.Errorf("%s: header %v", name, header)
			}
			want, err := m.InspectAccessToken(t.Context(), signed, moment())
			if err != nil || want.Audience[0] != api {
				t.Fatal(name, want, err)
			}
			for range 2 {
				if got, err := m.InspectAccessToken(t.Context(), raw, moment()); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
				}
			}
			if _, err := m.InspectAccessToken(t.Context(), raw, want.Expires); !errors.Is(err, jose.ErrExpired) {
				t.Errorf("%s after its end: %v", name, err)
			}
			if _, err := m.ReadAccessToken(t.Context(), raw, moment()); !errors.Is(err, ErrNotForUs) {
				t.Errorf("%s is for us: %v", name, err)
			}
			for _, bare := range []string{ref, "ga_" + ref} {
				if _, err := m.InspectAccessToken(t.Context(), bare, moment()); err == nil {
					t.Errorf("%s: the reference alone is a token", name)
				}
			}
		}
	}
}

func (v *vault) accessTokens(t *testing.T, m *Minter, c *broker.Client) map[string]string {
	t.Helper()
	g := grant()
	g.ClientID = c.ID
	person, _, err := m.AccessToken(t.Context(), AccessTokenParams{Client: c, Grant: g, Audience: []string{api}, Recipient: v.resource(), Now: moment()})
	if err != nil {
		t.Fatal(err)
	}
	own, _, err := m.ClientToken(t.Context(), ClientTokenParams{Client: c, Audience: []string{api}, Recipient: v.resource(), Now: moment()})
	if err != nil {
		t.Fatal(err)
	}
	p := exchangeTo(c)
	p.Recipient = v.resource()
	exchanged, _, err := m.ExchangedToken(t.Context(), p, grant())
	if err != nil {
		t.Fatal(err)
	}
	workload, _, err := m.WorkloadToken(t.Context(), p, &broker.ExternalIssuer{ID: "forge"}, "x")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"a person's": person, "the client's own": own, "exchanged": exchanged, "a workload's": workload}
}

// An encrypted access token is told by its reference alone, and only by one that was made to be there.
func TestReferencesAreTakenForWhatTheyAre(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := v.minter(t)
	raw := v.accessTokens(t, m, client())["a person's"]
	parts := strings.Split(raw, ".")
	header := func(members string) string {
		h := b64(`{"alg":"ECDH-ES","enc":"A128GCM",` + members + `}`)
		return strings.Join(append([]string{h}, parts[1:]...), ".")
	}
	_, read := v.open(t, raw)
	ref := `"ref":"` + read["ref"].(string) + `"`
	sealed := func(form, payload string) string {
		return `"ref":"` + m.opaque.SealString([]byte(payload), []byte(form)) + `"`
	}
	const types = `"typ":"at+jwt","cty":"JWT",`
	for _, row := range []struct {
		name, raw string
		ok        bool
	}{
		{"as it was sent", raw, true},
		{"a reference", header(types + sealed(referenceForm, accessPayload)), true},
		{"another typ", header(`"typ":"JWT","cty":"JWT",` + ref), false},
		{"no typ", header(`"cty":"JWT",` + ref), false},
		{"no cty", header(`"typ":"at+jwt",` + ref), false},
		{"more than the reference", header(types + `"x":"y",` + ref), false},
		{"another name", header(types + strings.Replace(ref, "ref", "rf", 1)), false},
		{"no reference", header(`"typ":"at+jwt","cty":"JWT"`), false},
		{"a token for a reference", header(types + sealed(opaqueForm, accessPayload)), false},
		{"the claims of an ID token", header(types + sealed(referenceForm, idPayload)), false},
		{"an altered reference", header(types + strings.Replace(ref, `"ref":"A`, `"ref":"B`, 1)), false},
		{"a reference cut short", header(types + ref[:len(ref)-3] + `"`), false},
		{"four parts", strings.Join(parts[:4], "."), false},
		{"six parts", raw + ".AAAA", false},
		{"a wrong tag length", raw[:len(raw)-4], false},
		{"padding", raw + "=", false},
		{"too long", header(types + ref + `,"x":"` + strings.Repeat("x", maxOwnToken) + `"`), false},
	} {
		if got, err := m.InspectAccessToken(t.Context(), row.raw, moment()); (err == nil) != row.ok || err != nil && got.ID != "" {
			t.Errorf("%s: %+v, %v", row.name, got, err)
		}
	}
}

// OpenID Connect Core §3.1.3.6: at_hash is over the string as it is sent, whatever its form.
func TestAccessTokenHashOfEveryForm(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	m := v.minter(t)
	opaque := accessTokenParams()
	opaque.Client.OpaqueAccessTokens = true
	sealed, _, err := m.AccessToken(t.Context(), opaque)
	if err != nil {
		t.Fatal(err)
	}
	for _, access := range []string{sealed, v.accessTokens(t, m, client())["a person's"]} {
		p := idTokenParams()
		p.Scopes, p.AccessToken = oauth.Scopes{"openid"}, access
		token, err := m.IDToken(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		want, err := jose.HalfHash(jose.ES256, access)
		if err != nil || !strings.Contains(part(t, token, 1), `"at_hash":"`+want+`"`) {
			t.Errorf("%s, %v", part(t, token, 1), err)
		}
	}
}

// FuzzEncryptedOnTheWayIn: whatever JWE is presented, it is no hint, and no access token unless this broker has made
// what is in its header.
func FuzzEncryptedOnTheWayIn(f *testing.F) {
	m := fuzzMinter(f)
	f.Add(`{"alg":"ECDH-ES","enc":"A128GCM","typ":"at+jwt","cty":"JWT","ref":"AAAA"}`, []byte("content"))
	f.Add(`{"alg":"dir","enc":"A128GCM","zip":"DEF"}`, []byte(accessPayload))
	f.Add(`{"alg":"none","typ":"JWT"}`, []byte(idPayload))
	f.Fuzz(func(t *testing.T, header string, content []byte) {
		raw := b64(header) + ".." + b64(string(make([]byte, 12))) + "." + b64(string(content)) + "." + b64(string(make([]byte, 16)))
		if got, err := m.InspectAccessToken(t.Context(), raw, moment()); err == nil || got.ID != "" {
			t.Errorf("%q is read as %+v", raw, got)
		}
		if hint, err := m.ReadIDTokenHint(t.Context(), raw, moment()); !errors.Is(err, jose.ErrMalformed) || hint != (Hint{}) {
			t.Errorf("%q is a hint: %+v, %v", raw, hint, err)
		}
	})
}
