package mint

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// OpenID Connect Core §2 and §5.1, the order included.
func TestIDTokenPayload(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	const (
		head = `{"iss":"https://b.test","sub":"mfzwk3lfnzsxg5dfoi2gk43u","aud":"wiki","exp":1773481013,"iat":1773480413,"auth_time":1773476813`
		sid  = `"sid":"0DB8EABC11111111111111111111111110"`
	)
	openid := oauth.Scopes{"openid"}
	tests := []struct {
		name   string
		change func(*IDTokenParams)
		want   string
	}{
		{"openid alone", func(p *IDTokenParams) { p.Scopes = openid },
			head + `,"acr":"urn:example:mfa","amr":["pwd","otp"],` + sid + `}`},
		{"no acr, amr or sid where there is none", func(p *IDTokenParams) {
			p.Scopes, p.Grant.ACR, p.Grant.AMR, p.Grant.SessionID = openid, "", nil, ""
		}, head + `}`},
		{"a nonce that was sent", func(p *IDTokenParams) { p.Scopes, p.Nonce = openid, `n-"0<>` },
			head + `,"nonce":"n-\"0\u003c\u003e","acr":"urn:example:mfa","amr":["pwd","otp"],` + sid + `}`},
		{"azp goes with further audiences", func(p *IDTokenParams) {
			p.Scopes, p.Audience, p.Grant.ACR, p.Grant.AMR = openid, []string{"api"}, "", nil
		},
			`{"iss":"https://b.test","sub":"mfzwk3lfnzsxg5dfoi2gk43u","aud":["wiki","api"],"exp":1773481013,"iat":1773480413,"auth_time":1773476813,"azp":"wiki",` + sid + `}`},
		{"a client has its own lifetime", func(p *IDTokenParams) {
			p.Scopes, p.Client.Lifetimes.IDToken, p.Grant.ACR, p.Grant.AMR = openid, time.Minute, "", nil
		},
			`{"iss":"https://b.test","sub":"mfzwk3lfnzsxg5dfoi2gk43u","aud":"wiki","exp":1773480473,"iat":1773480413,"auth_time":1773476813,` + sid + `}`},
		{"the claims of the scopes", func(p *IDTokenParams) { p.Grant.ACR, p.Grant.AMR = "", nil },
			head + `,` + sid + `,"name":"Ada Lovelace","given_name":"Ada","family_name":"Lovelace","preferred_username":"ada","picture":"https://img.example.com/ada.png","locale":"en-GB","email":"ada@example.com","email_verified":true,"groups":["staff","corp:engines"]}`},
		{"no claim of a scope that is not granted", func(p *IDTokenParams) { p.Scopes, p.Grant.ACR, p.Grant.AMR = oauth.Scopes{"openid", "email"}, "", nil },
			head + `,` + sid + `,"email":"ada@example.com","email_verified":true}`},
		{"none at all in a minimal ID token", func(p *IDTokenParams) { p.Client.MinimalIDToken, p.Grant.ACR, p.Grant.AMR = true, "", nil },
			head + `,` + sid + `}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := idTokenParams()
			tt.change(&p)
			token, err := m.IDToken(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if got := part(t, token, 1); got != tt.want {
				t.Errorf("payload\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// What an upstream calls somebody reaches the client as it was, and never as anything but a string.
func TestIDTokenTextsAreEscaped(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	for _, name := range []string{
		`","sub":"eve","x":"`, `\`, "\x1f\x7f", "Zo\u00eb \U0001f600", "x\u2028\u2029", "</script>", "a\xffb", `\u0022`, "tab\tline\n",
	} {
		p := idTokenParams()
		p.Profile = broker.Profile{Name: name, Groups: []string{name, "x"}}
		token, err := m.IDToken(t.Context(), p)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		var got struct {
			Subject string `json:"sub"`
			Name    string
			Groups  []string
		}
		if err := json.Unmarshal([]byte(part(t, token, 1)), &got); err != nil {
			t.Fatal(err)
		}
		want := string([]rune(name)) // invalid bytes become U+FFFD
		if got.Subject != grant().AccountID || got.Name != want || len(got.Groups) != 2 || got.Groups[0] != want {
			t.Errorf("%q arrives as %+v", name, got)
		}
	}
}

// Core §3.1.3.6 and §3.3.2.11: the left half of the hash that the ID token's alg names.
func TestIDTokenHashes(t *testing.T) {
	t.Parallel()
	left256 := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return base64.RawURLEncoding.EncodeToString(h[:16])
	}
	left384 := func(s string) string {
		h := sha512.Sum384([]byte(s))
		return base64.RawURLEncoding.EncodeToString(h[:24])
	}
	left512 := func(s string) string {
		h := sha512.Sum512([]byte(s))
		return base64.RawURLEncoding.EncodeToString(h[:32])
	}
	ring := newRing(t, &clock{now: moment()}, "RS256", "ES256", "ES384", "EdDSA")
	m := minterOf(t, ring, "")
	for alg, left := range map[string]func(string) string{"": left256, "ES256": left256, "ES384": left384, "EdDSA": left512} {
		p := idTokenParams()
		p.Client.IDTokenAlg, p.AccessToken, p.Code = alg, "access", "code"
		token, err := m.IDToken(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		var header struct{ Alg, Typ string }
		var got struct {
			AccessToken string `json:"at_hash"`
			Code        string `json:"c_hash"`
		}
		if err := json.Unmarshal([]byte(part(t, token, 0)), &header); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(part(t, token, 1)), &got); err != nil {
			t.Fatal(err)
		}
		if want := or(alg, "RS256"); header.Alg != want || header.Typ != "JWT" { // Core §15.1: RS256 unless registered otherwise; JW-14
			t.Errorf("alg %q gives header %+v", alg, header)
		}
		if got.AccessToken != left("access") || got.Code != left("code") {
			t.Errorf("alg %q: hashes %+v", alg, got)
		}
	}
}

// Core §12.2: a refreshed ID token has the same iss, sub, aud and auth_time, a new iat, and no nonce.
func TestRefreshIDToken(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	read := func(token string, err error) (claims map[string]any) {
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(part(t, token, 1)), &claims); err != nil {
			t.Fatal(err)
		}
		return claims
	}
	p := idTokenParams()
	p.Nonce, p.Code, p.AccessToken = "n", "c", "a"
	first := read(m.IDToken(t.Context(), p))
	p.Now = p.Now.Add(time.Second)
	second := read(m.RefreshIDToken(t.Context(), p))
	for _, same := range []string{"iss", "sub", "aud", "auth_time", "sid", "at_hash"} {
		if first[same] == nil || first[same] != second[same] {
			t.Errorf("%s was %v and is %v", same, first[same], second[same])
		}
	}
	for _, gone := range []string{"nonce", "c_hash"} {
		if _, there := second[gone]; there || first[gone] == nil {
			t.Errorf("%s was %v and is %v", gone, first[gone], second[gone])
		}
	}
	if second["iat"] != first["iat"].(float64)+1 {
		t.Errorf("iat was %v and is %v", first["iat"], second["iat"])
	}
}
