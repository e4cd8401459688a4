package flow

import (
	"testing"

	"gatehouse/broker"
)

func TestLogoURL(t *testing.T) {
	t.Parallel()
	d := &Desk{Issuer: "https://sso.example/a"}
	for _, row := range []struct{ name, id, logo, want string }{
		{"a client with a logo", "wiki", "https://wiki.example/logo.png", "https://sso.example/a/logo/wiki"},
		{"one without", "wiki", "", ""},
		{"an ID stays one segment of the path", "a/../b?c#d%2f", "https://wiki.example/logo.png", "https://sso.example/a/logo/a%2F..%2Fb%3Fc%23d%252f"},
	} {
		if got := d.LogoURL(&broker.Client{ID: row.id, LogoURI: row.logo}); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
