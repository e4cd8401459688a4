package connectors_test

import (
	"net/url"
	"strings"
	"testing"

	"gatehouse/connectors"
)

// A callback that is accepted has our state and a code or an error, not both.
func FuzzReadResponse(f *testing.F) {
	for _, seed := range []string{
		"state=S&code=c", "state=S&error=access_denied&error_description=x", "state=S&code=c&iss=https://a", "state=S&code=a&code=b",
		"state=S&state=S&code=c", "state=T&code=c", "code=c", "state=S&error=e&code=c", "state=S&iss=a&iss=a&code=c", "state=S&code=" + strings.Repeat("c", 5000),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		callback, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		r, err := connectors.ReadResponse(callback, connectors.Login{State: "S"})
		if err != nil {
			if r != (connectors.Response{}) {
				t.Fatalf("refused with %+v", r)
			}
			return
		}
		if states := callback["state"]; len(states) != 1 || states[0] != "S" {
			t.Fatalf("accepted with state %q", states)
		}
		if (r.Code == "") == (r.Refusal == "") || len(r.Code) > 4096 || len(r.Description) > 2048 {
			t.Fatalf("accepted %+v", r)
		}
		for _, name := range []string{"code", "error", "iss"} {
			if len(callback[name]) > 1 {
				t.Fatalf("accepted with %s twice", name)
			}
		}
	})
}

func TestCallbackWithoutAStateOfOurs(t *testing.T) {
	t.Parallel()
	// An empty state matches an empty one only in a program with a mistake in it.
	if _, err := connectors.ReadResponse(url.Values{"code": {"c"}}, connectors.Login{}); err == nil {
		t.Error("a callback without a state answered a login without one")
	}
}
