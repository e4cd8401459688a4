//go:build unix

package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/broker/oauth"
	"gatehouse/internal/brokertest"
)

// direct asks the token endpoint.
func direct(b *testing.B, world *brokertest.Broker, client string, form url.Values) {
	b.Helper()
	directly(b, world, "/token", client, form)
}

// directly asks the server without a network, so that what is measured is its share alone.
func directly(b *testing.B, world *brokertest.Broker, path, client string, form url.Values) {
	b.Helper()
	handler, body := world.Server.Handler(), form.Encode()
	commits := world.Store.Commits()
	b.ReportAllocs()
	begin := spentCPU(b)
	for b.Loop() {
		request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, world.Issuer+path, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(client, brokertest.Secret(client))
		request.RemoteAddr = "127.0.0.1:1" // plain HTTP is for this machine
		answer := httptest.NewRecorder()
		if handler.ServeHTTP(answer, request); answer.Code != http.StatusOK {
			b.Fatal(answer.Body)
		}
	}
	b.ReportMetric(float64(spentCPU(b)-begin)/float64(b.N)/1e6, "cpu-ms/op")
	b.ReportMetric(float64(world.Store.Commits()-commits)/float64(b.N), "commits/op")
}

// spentCPU is what this process has used, which other load on the machine does not lengthen.
func spentCPU(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkTokenExchange is one API's token for another, with an actor.
func BenchmarkTokenExchange(b *testing.B) {
	world := exchanges(b)
	subject := world.Redeem(b, "wiki", world.Browser(b).Code("wiki", "scope", "openid orders.read stock.read")).Text("access_token")
	actor := world.Token(b, "orders", url.Values{"grant_type": {"client_credentials"}}).Text("access_token")
	direct(b, world, "orders", url.Values{"grant_type": {string(oauth.GrantTypeTokenExchange)}, "subject_token": {subject}, "subject_token_type": {accessTokenType},
		"actor_token": {actor}, "actor_token_type": {accessTokenType}, "resource": {"https://stock.example"}})
}

// BenchmarkExternalToken is a JWT of a CI system for a token, by both grants.
func BenchmarkExternalToken(b *testing.B) {
	c := newCI(b)
	world := brokertest.New(b, workloadOptions(c, ""))
	raw := c.sign(b, world, nil)
	b.Run("token-exchange", func(b *testing.B) {
		direct(b, world, "deploy", url.Values{"grant_type": {string(oauth.GrantTypeTokenExchange)}, "subject_token": {raw}, "subject_token_type": {idTokenType}})
	})
	b.Run("jwt-bearer", func(b *testing.B) {
		direct(b, world, "deploy", url.Values{"grant_type": {string(oauth.GrantTypeJWTBearer)}, "assertion": {raw}})
	})
}

// BenchmarkIntrospection is a resource server that asks about a person's token.
func BenchmarkIntrospection(b *testing.B) {
	world := exchanges(b)
	raw := world.Redeem(b, "wiki", world.Browser(b).Code("wiki", "scope", "openid orders.read")).Text("access_token")
	directly(b, world, "/introspect", "orders", url.Values{"token": {raw}})
}
