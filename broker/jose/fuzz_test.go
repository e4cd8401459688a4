package jose_test

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gatehouse/broker/jose"
)

// FuzzPeek: whatever passes the door, encoding/json, which is lenient about case and repetition, reads the same.
func FuzzPeek(f *testing.F) {
	const header = `{"alg":"ES256","kid":"k1","typ":"JWT"}`
	for _, payload := range []string{
		goodClaims(nil), goodClaims(claim("aud", []string{"a", "b"})), `{"exp":1.5,"iat":1e9}`, `{"SUB":"x"}`, `{"sub":"a","s\u0075b":"b"}`,
		`{"ſub":"x"}`, `{"sub":"\ud83d\ude00","nonce":"\n"}`, `{"x":{"y":[1,2,{}]}}`, `{}`,
	} {
		f.Add(header, payload)
	}
	f.Add(`{"alg":"none"}`, `{}`)
	f.Add(`{"alg":"ES256","ALG":"none","x5t#s256":""}`, `{}`)
	f.Fuzz(func(t *testing.T, header, payload string) {
		u, err := jose.Peek(compact(header, payload, func([]byte) []byte { return []byte{1} }), jose.Limits{})
		if err != nil {
			return
		}
		var h struct{ Alg, Kid, Typ string }
		must(t, json.Unmarshal([]byte(header), &h))
		if h.Alg != string(u.Header.Algorithm) || h.Kid != u.Header.KeyID || !strings.HasSuffix(strings.ToLower(h.Typ), u.Header.Type) {
			t.Fatalf("header %q read as %+v and %+v", header, u.Header, h)
		}
		var c struct {
			Iss, Sub, Azp, Jti, Nonce string
			AtHash                    string `json:"at_hash"`
			Exp, Nbf, Iat             *float64
			Aud                       json.RawMessage
			Email                     json.RawMessage
		}
		must(t, json.Unmarshal([]byte(payload), &c))
		if c.Iss != u.Claims.Issuer || c.Sub != u.Claims.Subject || c.Azp != u.Claims.AuthorizedParty || c.Jti != u.Claims.ID ||
			c.Nonce != u.Claims.Nonce || c.AtHash != u.Claims.AccessTokenHash {
			t.Fatalf("payload %q read as %+v and %+v", payload, u.Claims, c)
		}
		if c.Exp == nil != u.Claims.Expiry.IsZero() || c.Exp != nil && int64(*c.Exp) != u.Claims.Expiry.Unix() ||
			c.Nbf == nil != u.Claims.NotBefore.IsZero() || c.Iat == nil != u.Claims.IssuedAt.IsZero() {
			t.Fatalf("payload %q: times read as %+v and %+v", payload, u.Claims, c)
		}
		var lenient *string // a null leaves it nil too
		if json.Unmarshal(c.Email, &lenient) != nil {
			lenient = nil
		}
		if email, ok := u.Claims.String("email"); ok != (lenient != nil) || ok && email != *lenient {
			t.Fatalf("payload %q: email read as %q and %s", payload, email, c.Email)
		}
		var aud []string
		if json.Unmarshal(c.Aud, &aud) != nil && c.Aud != nil {
			aud = []string{""}
			must(t, json.Unmarshal(c.Aud, &aud[0]))
		}
		if strings.Join(aud, "\x00") != strings.Join(u.Claims.Audience, "\x00") {
			t.Fatalf("payload %q: aud read as %q and %q", payload, u.Claims.Audience, aud)
		}
	})
}

// FuzzPeekRaw: no text whatever panics, and one that passes is the canonical spelling of its parts.
func FuzzPeekRaw(f *testing.F) {
	f.Add(compact(`{"alg":"ES256"}`, `{}`, func([]byte) []byte { return make([]byte, 64) }))
	f.Add("e30.e30.")
	f.Add("...")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := jose.Peek(raw, jose.Limits{})
		if err != nil {
			return
		}
		parts := strings.Split(raw, ".")
		if len(parts) != 3 || b64(u.Payload) != parts[1] || !u.Header.Algorithm.Known() {
			t.Fatalf("%q passed as %+v", raw, u)
		}
	})
}

// FuzzParseKeySet: every key that comes out has passed the checks, and nothing private went in.
func FuzzParseKeySet(f *testing.F) {
	k := testKeys()
	f.Add(setOf(jwkOf(&k.p256.PublicKey, `,"kid":"k1"`), rsaJWK(nil, "AQAB", `,"kid":"k2","use":"sig"`)))
	f.Add(setOf(jwkOf(&k.p256.PublicKey, `,"d":"AQ"`)))
	f.Add(setOf(`{"kty":"oct","k":"AQ"}`, `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","use":"enc"}]}`))
	private := []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := jose.ParseKeySet(data)
		if err != nil {
			return
		}
		var lenient struct{ Keys []map[string]json.RawMessage }
		must(t, json.Unmarshal(data, &lenient))
		for _, entry := range lenient.Keys {
			for name := range entry {
				if slices.Contains(private, strings.ToLower(name)) {
					t.Fatalf("%q with %q passed", data, name)
				}
			}
		}
		names := make(map[string]bool)
		for _, key := range set.All() {
			again, err := jose.NewKey(key.Public(), key.ID)
			if err != nil || again.Thumbprint() != key.Thumbprint() || key.Thumbprint() == "" {
				t.Fatalf("%q: key %q: %v", data, key.ID, err)
			}
			for _, alg := range []jose.Algorithm{jose.RS256, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA} {
				if id := key.ID + "\x00" + string(alg); key.ID != "" && key.Supports(alg) {
					if names[id] || len(set.Find(key.ID, alg)) != 1 {
						t.Fatalf("%q: two keys for %q", data, id)
					}
					names[id] = true
				}
			}
		}
	})
}

// FuzzStrictUnmarshal compares the scanner with a reader of another make, in both directions.
func FuzzStrictUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"issuer":"x","inner":{"kid":"y"}}`, `{"a":{"b":1,"b":2}}`, `{"Issuer":"x"}`, `[1,-0.5e+7,true,false,null,"\u00e9\ud83d\ude00\/"]`, `{"a":"\ud800"}`,
		`{"list":[{"KID":1}]}`, "\"\xff\"", `{"a":"\u0000"}`, `{} {}`, `01`, `{"\u0061":1,"a":2}`, strings.Repeat("[", 33) + strings.Repeat("]", 33), ` `,
	} {
		f.Add([]byte(seed))
	}
	odd := regexp.MustCompile(`(?i)\\u(d[89a-f]|0000)`) // surrogates and NUL: judged by the tables, not here
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		err := jose.StrictUnmarshal(data, &v)
		sound := json.Valid(data) && utf8.Valid(data) && !repeats(data) && depthOf(data) <= 32
		if err == nil && !sound {
			t.Fatalf("%q passed", data)
		}
		if err != nil && sound && !odd.Match(data) && json.Unmarshal(data, new(any)) == nil {
			t.Fatalf("%q refused: %v", data, err)
		}
		var d document
		if jose.StrictUnmarshal(data, &d) != nil {
			return
		}
		// What encoding/json put into the struct came from members of exactly that name.
		var exact map[string]json.RawMessage
		must(t, json.Unmarshal(data, &exact))
		var issuer string
		if m, ok := exact["issuer"]; ok {
			must(t, json.Unmarshal(m, &issuer))
		}
		if issuer != d.Issuer {
			t.Fatalf("%q: issuer read as %q and %q", data, issuer, d.Issuer)
		}
	})
}

// repeats says whether an object in valid JSON has a member twice, by reading tokens.
func repeats(data []byte) bool {
	var open []map[string]bool // nil for arrays
	var name []bool            // whether a name comes next
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return err != io.EOF
		}
		top := len(open) - 1
		switch tok {
		case json.Delim('{'):
			open, name = append(open, map[string]bool{}), append(name, true)
			continue
		case json.Delim('['):
			open, name = append(open, nil), append(name, false)
			continue
		case json.Delim('}'), json.Delim(']'):
			open, name = open[:top], name[:top]
			top--
		default:
			if top >= 0 && name[top] {
				if open[top][tok.(string)] {
					return true
				}
				open[top][tok.(string)] = true
				name[top] = false
				continue
			}
		}
		if top >= 0 && open[top] != nil {
			name[top] = true // a value has ended
		}
	}
}

func depthOf(data []byte) int {
	depth, deepest := 0, 0
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return deepest
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}
