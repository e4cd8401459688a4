package fake

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// certificate is self-signed, for the key at a place of the pool.
func certificate(t *testing.T, place int, now time.Time) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := pool.key("RS256", place)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-day), NotAfter: now.Add(day)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key.(*rsa.PrivateKey)
}

// assert signs what the fixture has, after change.
func assert(t *testing.T, f *Entra, cert *x509.Certificate, key *rsa.PrivateKey, change func(header, claims map[string]any)) string {
	t.Helper()
	sum := sha256.Sum256(cert.Raw)
	now := f.opts.Now().Unix()
	header := map[string]any{"alg": "PS256", "typ": "JWT", "x5t#S256": b64(sum[:])}
	claims := map[string]any{
		"aud": f.at("/" + acmeTenant + "/oauth2/v2.0/token"), "iss": clientID, "sub": clientID,
		"jti": guid(), "nbf": now, "iat": now, "exp": now + 600,
	}
	shape := fixture(t, "entra/client_assertion_certificate.json")
	if change != nil {
		change(header, claims)
	} else if got, want := slices.Sorted(maps.Keys(claims)), slices.Sorted(maps.Keys(shape["payload"].(map[string]any))); !slices.Equal(got, want) {
		t.Errorf("the fixture has the claims %q, this has %q", want, got)
	}
	payload, err := marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jws(header, payload, func(input []byte) ([]byte, error) {
		digest := sha256.Sum256(input)
		if header["alg"] == "RS256" {
			return rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
		}
		return rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// redeemWith exchanges a fresh code with a client assertion.
func redeemWith(t *testing.T, f *Entra, assertion string, change func(url.Values)) reply {
	t.Helper()
	b := browser(t)
	form := codeRequest(entraAuthorize(t, f, b, acmeTenant).location(t).Get("code"))
	form.Del("client_secret")
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", assertion)
	if change != nil {
		change(form)
	}
	return post(t, b, f.at("/"+acmeTenant+"/oauth2/v2.0/token"), form)
}

func refusedWith(t *testing.T, name string, res reply, number int) {
	t.Helper()
	if number == 0 {
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.body)
		}
		return
	}
	codes, _ := res.json(t)["error_codes"].([]any)
	if res.StatusCode == http.StatusOK || len(codes) != 1 || codes[0] != float64(number) {
		t.Errorf("%s: %d %s, want AADSTS%d", name, res.StatusCode, res.body, number)
	}
}

func TestEntraCertificates(t *testing.T) {
	t.Parallel()
	c := newClock()
	cert, key := certificate(t, laterKeys, c.Now())
	other, _ := certificate(t, laterKeys, c.Now().Add(time.Hour))
	foreign, err := pool.key("RS256", foreignKey)
	if err != nil {
		t.Fatal(err)
	}
	f := newEntra(t, c, func(o *Options) { o.Entra.Certificates = []*x509.Certificate{cert} })
	set := func(name string, value any) func(header, claims map[string]any) {
		return func(_, claims map[string]any) { claims[name] = value }
	}
	now := c.Now().Unix()
	for _, row := range []struct {
		name   string
		cert   *x509.Certificate
		key    *rsa.PrivateKey
		change func(header, claims map[string]any)
		want   int
	}{
		{"as the fixture has it", cert, key, nil, 0},
		{"a certificate that was not uploaded", other, key, nil, 700027},
		{"another key", cert, foreign.(*rsa.PrivateKey), nil, 700027},
		{"RS256", cert, key, func(header, _ map[string]any) { header["alg"] = "RS256" }, 700027},
		{"no thumbprint", cert, key, func(header, _ map[string]any) { delete(header, "x5t#S256") }, 700027},
		{"the audience of common", cert, key, set("aud", f.at("/common/oauth2/v2.0/token")), 700023},
		{"the issuer as audience", cert, key, set("aud", f.Issuer(acmeTenant)), 700023},
		{"another subject", cert, key, set("sub", "other"), 700021},
		{"expired", cert, key, set("exp", now-1), 700024},
		{"not yet", cert, key, set("nbf", now+3600), 700024},
		{"an hour", cert, key, set("exp", now+3600), 700024},
		{"no jti", cert, key, set("jti", ""), 50012},
	} {
		refusedWith(t, row.name, redeemWith(t, f, assert(t, f, row.cert, row.key, row.change), nil), row.want)
	}
	once := assert(t, f, cert, key, nil)
	refusedWith(t, "once", redeemWith(t, f, once, nil), 0)
	refusedWith(t, "twice", redeemWith(t, f, once, nil), 50012)
	refusedWith(t, "beside a secret", redeemWith(t, f, assert(t, f, cert, key, nil), func(form url.Values) { form.Set("client_secret", clientSecret) }), 50012)
	refusedWith(t, "of another type", redeemWith(t, f, assert(t, f, cert, key, nil), func(form url.Values) { form.Set("client_assertion_type", "jwt") }), 50027)
	refusedWith(t, "of another client", redeemWith(t, f, assert(t, f, cert, key, nil), func(form url.Values) { form.Set("client_id", "nobody") }), 700016)
	refusedWith(t, "no token", redeemWith(t, f, "e30", nil), 50027)
	c.Advance(2 * day)
	refusedWith(t, "a certificate that has expired", redeemWith(t, f, assert(t, f, cert, key, nil), nil), 1000502)
}

func TestEntraWorkloads(t *testing.T) {
	t.Parallel()
	c := newClock()
	w, err := NewEntraWorkload(pool)
	if err != nil {
		t.Fatal(err)
	}
	f := newEntra(t, c, func(o *Options) { o.Entra.Workload = w })
	set := func(name string, value any) func(map[string]any) {
		return func(claims map[string]any) { claims[name] = value }
	}
	for _, row := range []struct {
		name   string
		change func(map[string]any)
		want   int
	}{
		{"as the fixture has it", nil, 0},
		{"another issuer", set("iss", "https://elsewhere.example"), 700211},
		{"issued by Entra ID", set("iss", f.Issuer(acmeTenant)), 700222},
		{"another audience", set("aud", "api://other"), 700212},
		{"another subject", set("sub", "system:serviceaccount:broker:other"), 700213},
		{"expired", set("exp", c.Now().Unix()-1), 700024},
	} {
		token, err := w.Token(c.Now(), row.change)
		if err != nil {
			t.Fatal(err)
		}
		refusedWith(t, row.name, redeemWith(t, f, token, nil), row.want)
		if row.want == 0 {
			var claims map[string]any
			if err := json.Unmarshal(unb64(strings.Split(token, ".")[1]), &claims); err != nil {
				t.Fatal(err)
			}
			sameMembers(t, fixture(t, "entra/client_assertion_federated.json")["payload"].(map[string]any), claims)
			refusedWith(t, "the same again", redeemWith(t, f, token, nil), 0)
			refusedWith(t, "altered", redeemWith(t, f, token[:len(token)-8]+"AAAAAAAA", nil), 50013)
		}
	}
	stranger := newEntra(t, c, nil)
	token, err := w.Token(c.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	refusedWith(t, "without a federated credential", redeemWith(t, stranger, token, nil), 700211)
}

func TestEntraRefusals(t *testing.T) {
	t.Parallel()
	f := newEntra(t, newClock(), nil)
	b := browser(t)
	refresh := entraTokens(t, f, b, acmeTenant)["refresh_token"].(string)
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {clientID}, "client_secret": {clientSecret}}
	ask := func() reply { return post(t, b, f.at("/"+acmeTenant+"/oauth2/v2.0/token"), form) }
	shapes := map[int]string{
		50076: "error_50076_mfa", 50173: "error_50173_grant_revoked", 53003: "error_53003_ca_block", 65001: "error_65001_consent", 70008: "error_70008_expired_grant",
		700016: "error_700016_unknown_app", 7000215: "error_7000215_bad_secret", 7000222: "error_7000222_expired_secret", 700027: "error_700027_bad_assertion",
		90002: "error_90002_unknown_tenant", 90033: "error_503_temporarily_unavailable", 54005: "error_54005_code_redeemed",
	}
	for _, number := range EntraRefusals() {
		f.MisbehaveOnce(EntraRefusal(number))
		res := ask()
		refusedWith(t, string(EntraRefusal(number)), res, number)
		name, ok := shapes[number]
		if !ok {
			continue
		}
		want, got := fixture(t, "entra/"+name+".json"), res.json(t)
		sameMembers(t, want, got)
		for _, member := range []string{"error", "suberror"} {
			if want[member] != nil && got[member] != want[member] { // kept with the code are the shapes alone
				t.Errorf("AADSTS%d: %s is %v; the fixture has %v", number, member, got[member], want[member])
			}
		}
	}
	f.MisbehaveOnce(EntraProseNumber)
	if res := ask(); !strings.Contains(res.body, "AADSTS7000222:") || res.json(t)["error_codes"].([]any)[0] != float64(999999) {
		t.Errorf("prose: %s", res.body)
	}
	if res := ask(); res.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %d", res.StatusCode)
	}
}
