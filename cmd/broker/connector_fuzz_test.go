package main

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever is pasted: nothing is taken for the answer that has not this sign-in's state, once, and nothing of it is said.
func FuzzPasted(f *testing.F) {
	const state = "THESTATEOFTHISSIGNIN"
	for _, line := range []string{
		"https://sso.example.com/callback/up?code=x&state=" + state, "https://sso.example.com/callback/up?error=access_denied&state=" + state,
		"https://sso.example.com/callback/up?code=x&state=" + state + "&state=" + state, "https://sso.example.com/callback/up?code=x&state=another",
		"?code=x&state=" + state, "code=x&state=" + state, "https://sso.example.com/callback/up", "\x00", "http://[::1", "https://x/?%zz=1&state=" + state,
		"\n\n  https://sso.example.com/callback/up?code=x&state=" + state + "  \n", strings.Repeat("a", maxPasted+1),
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var said strings.Builder
		a := &answers{state: state, arrived: make(chan url.Values, 1), say: func(s string) { said.WriteString(s) }}
		err := a.paste(strings.NewReader(text))
		select {
		case q := <-a.arrived:
			if err != nil || len(q["state"]) != 1 || q.Get("state") != state || !q.Has("code") && !q.Has("error") {
				t.Errorf("%q is taken for the answer: %v, %v", text, q, err)
			}
		default:
			if err == nil {
				t.Errorf("%q is taken for the answer, but nothing arrived", text)
			}
		}
		if strings.Contains(said.String(), state) {
			t.Errorf("the state is repeated: %s", &said)
		}
	})
}
