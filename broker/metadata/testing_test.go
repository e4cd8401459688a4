package metadata_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// Public keys. Where nobody signs or decrypts with them any odd modulus will do.
const (
	point   = `"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	ecKey   = `{` + point + `,"kid":"ec"}`
	ecSig   = `{` + point + `,"kid":"sig","use":"sig"}`
	ecEnc   = `{` + point + `,"kid":"enc","use":"enc"}`
	private = `{` + point + `,"kid":"enc","use":"enc","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}`
)

func rsaKey(bits int, more string) string {
	n := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, bits/8))
	return `{"kty":"RSA","kid":"rsa","e":"AQAB","n":"` + n + `"` + more + `}`
}

func keySet(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// rules are those of a broker with one resource server.
func rules() metadata.Rules {
	return metadata.Rules{Scopes: oauth.Scopes{oauth.OpenID, oauth.Email, oauth.OfflineAccess, "orders.read"}}
}

// document is a registration with these members instead of, or beside, its own; "-"
// removes one.
func document(t testing.TB, with string) []byte {
	t.Helper()
	members := map[string]json.RawMessage{"redirect_uris": json.RawMessage(`["https://app.example.com/cb"]`)}
	var more map[string]json.RawMessage
	if err := json.Unmarshal([]byte("{"+strings.TrimSuffix(with, ",")+"}"), &more); err != nil {
		t.Fatalf("%s: %v", with, err)
	}
	maps.Copy(members, more)
	maps.DeleteFunc(members, func(_ string, v json.RawMessage) bool { return string(v) == `"-"` })
	out, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// registered decodes a registration.
func registered(t testing.TB, with string) metadata.Client {
	t.Helper()
	c, err := metadata.Decode(document(t, with))
	if err != nil {
		t.Fatalf("%s: %v", with, err)
	}
	return c.WithRegistrationDefaults()
}

// wantProblems checks that the problems are these, each given as "member: beginning of
// the message", and no other. What has none converts.
func wantProblems(t *testing.T, c metadata.Client, want ...string) {
	t.Helper()
	var got []string
	for _, p := range c.Validate(rules()) {
		got = append(got, p.Member+": "+p.Message)
	}
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("problems:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	if _, err := c.Broker(); err != nil && len(got) == 0 {
		t.Errorf("metadata without a problem do not convert: %v", err)
	}
}
