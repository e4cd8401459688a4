package server_test

import (
	"strings"
	"testing"

	"gatehouse/broker/oauth"
)

// LG-01, TK-18: tokens that are exchanged are in no log and in no URL.
func TestExchangedTokensAreNotLogged(t *testing.T) {
	t.Parallel()
	c := newCI(t)
	b := workloads(t, c, "")
	good, bad := c.sign(t, b, nil), c.sign(t, b, map[string]any{"repository": "acme/evil"})
	issued := []string{good, bad}
	for _, raw := range []string{good, bad} {
		for _, a := range presents(t, b, "deploy", raw, "actor_token", "an-actor-token-that-is-none") {
			if token := a.Text("access_token"); token != "" {
				issued = append(issued, token)
			}
		}
	}
	if len(issued) < 3 {
		t.Fatalf("nothing was issued: %v", issued)
	}
	log := b.Log.String()
	if !strings.Contains(log, `msg="a client asks" endpoint=token`) {
		t.Fatal("nothing is logged")
	}
	for _, raw := range append(issued, "an-actor-token-that-is-none") {
		if strings.Contains(log, raw) || strings.Contains(log, strings.Split(raw, ".")[max(0, strings.Count(raw, "."))]) {
			t.Error("a token is in the log")
		}
	}
	for _, name := range []string{"subject_token", "actor_token", "assertion"} {
		isError(t, name+" in the URL", askAs(t, b, "/token?"+name+"="+good, "deploy", "grant_type", string(oauth.GrantTypeJWTBearer), "assertion", good), 400, "invalid_request")
	}
}
