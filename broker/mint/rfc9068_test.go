package mint

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

// part returns a decoded part of a compact JWS: 0 is the header, 1 the payload.
func part(t *testing.T, token string, n int) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no compact JWS", token)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[n])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// steady replaces what is random in a payload.
func steady(payload string) string {
	return regexp.MustCompile(`"jti":"[\w-]{22}"`).ReplaceAllString(payload, `"jti":"…"`)
}

// RFC 9068 §2.2, and our own grant_id and sid.
func TestAccessTokenPayload(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	tests := []struct {
		name   string
		change func(*AccessTokenParams)
		want   string
	}{
		{"everything", func(*AccessTokenParams) {},
			`{"iss":"https://b.test","sub":"mfzwk3lfnzsxg5dfoi2gk43u","aud":"https://b.test","exp":1773481313,"iat":1773480413,"jti":"…","client_id":"wiki","scope":"openid email","auth_time":1773476813,"acr":"urn:example:mfa","amr":["pwd","otp"],"sid":"0DB8EABC11111111111111111111111110","grant_id":"0DB8EABC00000000000000000000000000"}`},
		{"what is empty is left out", func(p *AccessTokenParams) {
			p.Grant.ACR, p.Grant.AMR, p.Grant.SessionID, p.Scopes = "", nil, "", nil
		},
			`{"iss":"https://b.test","sub":"mfzwk3lfnzsxg5dfoi2gk43u","aud":"https://b.test","exp":1773481313,"iat":1773480413,"jti":"…","client_id":"wiki","auth_time":1773476813,"grant_id":"0DB8EABC00000000000000000000000000"}`},
		{"a named audience takes the place of the broker", func(p *AccessTokenParams) {
			p.Audience = []string{"https://api.test"}
			p.Scopes = nil
			p.Grant.ACR = ""
		},
			`{"iss":"https://b.test","sub":"mfzwk3lfnzsxg5dfoi2gk43u","aud":"https://api.test","exp":1773481313,"iat":1773480413,"jti":"…","client_id":"wiki","auth_time":1773476813,"amr":["pwd","otp"],"sid":"0DB8EABC11111111111111111111111110","grant_id":"0DB8EABC00000000000000000000000000"}`},
		{"several audiences are a list", func(p *AccessTokenParams) { p.Audience = []string{issuer, "https://api.test"}; p.Grant.AMR = nil },
			`{"iss":"https://b.test","sub":"mfzwk3lfnzsxg5dfoi2gk43u","aud":["https://b.test","https://api.test"],"exp":1773481313,"iat":1773480413,"jti":"…","client_id":"wiki","scope":"openid email","auth_time":1773476813,"acr":"urn:example:mfa","sid":"0DB8EABC11111111111111111111111110","grant_id":"0DB8EABC00000000000000000000000000"}`},
		{"a client has its own lifetime", func(p *AccessTokenParams) {
			p.Client.Lifetimes.AccessToken = time.Minute
			p.Grant.ACR, p.Grant.AMR = "", nil
		},
			`{"iss":"https://b.test","sub":"mfzwk3lfnzsxg5dfoi2gk43u","aud":"https://b.test","exp":1773480473,"iat":1773480413,"jti":"…","client_id":"wiki","scope":"openid email","auth_time":1773476813,"sid":"0DB8EABC11111111111111111111111110","grant_id":"0DB8EABC00000000000000000000000000"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := accessTokenParams()
			tt.change(&p)
			token, lifetime, err := m.AccessToken(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if got := steady(part(t, token, 1)); got != tt.want {
				t.Errorf("payload\n%s\nwant\n%s", got, tt.want)
			}
			var times struct{ Exp, Iat int64 }
			if err := json.Unmarshal([]byte(part(t, token, 1)), &times); err != nil || times.Exp-times.Iat != int64(lifetime/time.Second) {
				t.Errorf("lifetime is said to be %v", lifetime)
			}
		})
	}
}

func TestAccessTokenHeader(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	token, _, err := m.AccessToken(t.Context(), accessTokenParams())
	if err != nil {
		t.Fatal(err)
	}
	if h := part(t, token, 0); !regexp.MustCompile(`^\{"alg":"ES256","kid":"[\w-]{43}","typ":"at\+jwt"\}$`).MatchString(h) { // RFC 9068 §2.1
		t.Errorf("header %s", h)
	}
}

// I7: nothing is issued beyond the grant.
func TestAccessTokenWithinTheGrant(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	tests := []struct {
		name   string
		change func(*AccessTokenParams)
	}{
		{"a scope that the grant lacks", func(p *AccessTokenParams) { p.Scopes = oauth.Scopes{"openid", "admin"} }},
		{"another client", func(p *AccessTokenParams) { p.Client.ID = "evil" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := accessTokenParams()
			tt.change(&p)
			if token, _, err := m.AccessToken(t.Context(), p); !errors.Is(err, ErrBeyondGrant) || token != "" {
				t.Errorf("access token %q, %v", token, err)
			}
			id := idTokenParams()
			id.Client, id.Scopes = p.Client, p.Scopes
			if token, err := m.IDToken(t.Context(), id); !errors.Is(err, ErrBeyondGrant) || token != "" {
				t.Errorf("ID token %q, %v", token, err)
			}
		})
	}
}

func TestAccessTokenIsReadBack(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	token, lifetime, err := m.AccessToken(t.Context(), accessTokenParams())
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"the token", "memory"} {
		got, err := m.ReadAccessToken(t.Context(), token, moment())
		if err != nil {
			t.Fatal(err)
		}
		if got.GrantID != grant().ID || got.Subject != grant().AccountID || got.ClientID != "wiki" || got.SessionID != grant().SessionID ||
			got.Scopes.String() != "openid email" || !got.Expires.Equal(moment().Add(lifetime)) || !got.IssuedAt.Equal(moment()) ||
			!got.AuthTime.Equal(grant().AuthTime) || len(got.ID) != 22 || got.ACR != grant().ACR || strings.Join(got.AMR, " ") != "pwd otp" ||
			len(got.Audience) != 1 || got.Audience[0] != issuer {
			t.Errorf("read back from %s: %+v", from, got)
		}
	}
}

// A token for somebody else is not for us (RFC 9068 §4), unless we are configured to be that somebody.
func TestAccessTokenAudience(t *testing.T) {
	t.Parallel()
	ring := newRing(t, &clock{now: moment()}, "ES256")
	m := minterOf(t, ring, "ES256")
	gateway, err := New(Config{Issuer: issuer, Audiences: []string{"https://gw.test"}, Ring: ring, Secrets: secrets(t, 's'), IDTokenAlg: "ES256",
		Lifetimes: broker.Lifetimes{AccessToken: time.Minute, IDToken: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		audience []string
		ours     bool
		gateways bool
	}{
		{"the broker", nil, true, true},
		{"the broker and others", []string{"https://api.test", issuer}, true, true},
		{"others", []string{"https://api.test"}, false, false},
		{"an audience that is configured", []string{"https://gw.test"}, false, true},
		{"a prefix of the broker", []string{issuer + "/"}, false, false},
	}
	for _, tt := range tests {
		p := accessTokenParams()
		p.Audience = tt.audience
		token, _, err := m.AccessToken(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.ReadAccessToken(t.Context(), token, moment()); (err == nil) != tt.ours {
			t.Errorf("%s: %v", tt.name, err)
		}
		if _, err := gateway.ReadAccessToken(t.Context(), token, moment()); (err == nil) != tt.gateways {
			t.Errorf("%s, with that audience configured: %v", tt.name, err)
		}
	}
}

// Expiry has no leeway, remembered or not; iat has some, because replicas' clocks differ.
func TestAccessTokenTimes(t *testing.T) {
	t.Parallel()
	ring := newRing(t, &clock{now: moment()}, "ES256")
	token, lifetime, err := minterOf(t, ring, "ES256").AccessToken(t.Context(), accessTokenParams())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		at   time.Duration
		want error
	}{
		{"at once", 0, nil},
		{"in the last moment", lifetime - 1, nil},
		{"at the moment of expiry", lifetime, jose.ErrExpired},
		{"within a skew after expiry", lifetime + time.Second, jose.ErrExpired},
		{"long after", 24 * time.Hour, jose.ErrExpired},
		{"by a clock that lags a little", -replicaSkew, nil},
		{"by a clock that lags a lot", -replicaSkew - time.Second, jose.ErrClaim},
	}
	for _, remembered := range []bool{false, true} {
		for _, tt := range tests {
			m := minterOf(t, ring, "ES256")
			if remembered {
				if tt.at < 0 {
					continue // was in time when it was remembered
				}
				if _, err := m.ReadAccessToken(t.Context(), token, moment()); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := m.ReadAccessToken(t.Context(), token, moment().Add(tt.at)); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Errorf("%s, remembered %v: %v, want %v", tt.name, remembered, err, tt.want)
			}
		}
	}
}
