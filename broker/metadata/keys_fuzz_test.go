package metadata

import (
	"encoding/json"
	"testing"

	"gatehouse/broker/jose"
)

// FuzzKeySet: a key set is accepted if all of it is usable, so that an assertion can be
// verified with it, and never if it gives a private or symmetric key away (JW-08).
func FuzzKeySet(f *testing.F) {
	const key = `{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	if err := CheckKeySet([]byte(`{"keys":[`+key+`]}`), true); err != nil {
		f.Fatalf("the sample: %v", err)
	}
	for _, seed := range []string{
		"", "{}", "[]", "null", `{"keys":null}`, `{"keys":[]}`, `{"keys":[` + key + `]}`, `{"keys":[` + key + `,` + key + `]}`, `{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA","d":"AA"}]}`, `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`, `{"keys":[` + key + `],"keys":[]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`, `{"keys":[{"use":"enc"},` + key + `]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if CheckKeySet(text, true) != nil {
			return
		}
		set, err := jose.ParseKeySet(text)
		if err != nil || len(set.All()) == 0 || len(set.Refused()) > 0 {
			t.Fatalf("%q is accepted and of no use: %v", text, err)
		}
		var members struct{ Keys []map[string]json.RawMessage }
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatalf("%q is accepted and no JSON: %v", text, err)
		}
		for _, one := range members.Keys {
			for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
				if _, there := one[secret]; there {
					t.Fatalf("%q gives %q away", text, secret)
				}
			}
		}
	})
}
