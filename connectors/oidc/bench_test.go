package oidc_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"gatehouse/connectors/connectortest"
)

// BenchmarkIdentify is one callback without userinfo: the code is exchanged over
// loopback HTTP and the ES256 ID token verified. The server answers a token made
// beforehand, so that what it costs to sign one is not counted.
func BenchmarkIdentify(b *testing.B) {
	bench := subject().Open(b, nil)
	l := connectortest.NewLogin()
	callback := bench.Begin(b, l)
	_, up, err := bench.Connector.Identify(b.Context(), callback, l)
	if err != nil {
		b.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"access_token": up.AccessToken, "id_token": up.IDToken, "token_type": "Bearer", "expires_in": 3600})
	if err != nil {
		b.Fatal(err)
	}
	bench.Vendor.Replace("/token", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := bench.Connector.Identify(b.Context(), callback, l); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAuthorizationURL is what a visitor who has not signed in can make us do.
func BenchmarkAuthorizationURL(b *testing.B) {
	bench := subject().Open(b, nil)
	l := connectortest.NewLogin()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bench.Connector.AuthorizationURL(b.Context(), l); err != nil {
			b.Fatal(err)
		}
	}
}
