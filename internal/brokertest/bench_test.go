package brokertest

import (
	"testing"
)

// BenchmarkLogin is a whole login in one process: broker, upstream and browser,
// over real HTTP. ns/op is therefore more than the broker's share; what is worth
// comparing is allocations and commits.
func BenchmarkLogin(b *testing.B) {
	world := New(b, Options{Config: "limits: off\nsigning: {id_token: ES256, access_token: ES256}\nlog: {level: warn}\n"})
	commits := world.Store.Commits()
	b.ReportAllocs()
	for b.Loop() {
		browser := world.Browser(b)
		if a := world.Redeem(b, Wiki, browser.Code(Wiki, "scope", "openid profile email offline_access")); a.Status != 200 {
			b.Fatal(a.Body)
		}
	}
	b.ReportMetric(float64(world.Store.Commits()-commits)/float64(b.N), "commits/op")
}

// BenchmarkSingleSignOn is a second application in a browser that is signed in.
func BenchmarkSingleSignOn(b *testing.B) {
	world := New(b, Options{Config: "limits: off\nsigning: {id_token: ES256, access_token: ES256}\nlog: {level: warn}\n"})
	browser := world.Browser(b)
	browser.Code(Wiki)
	b.ReportAllocs()
	for b.Loop() {
		if a := world.Redeem(b, Wiki, browser.Code(Wiki)); a.Status != 200 {
			b.Fatal(a.Body)
		}
	}
}

// BenchmarkRefresh rotates one refresh token.
func BenchmarkRefresh(b *testing.B) {
	world := New(b, Options{Config: "limits: off\nsigning: {id_token: ES256, access_token: ES256}\nlog: {level: warn}\n"})
	token := world.Redeem(b, Wiki, world.Browser(b).Code(Wiki, "scope", "openid offline_access")).Text("refresh_token")
	b.ReportAllocs()
	for b.Loop() {
		a := world.Refresh(b, Wiki, token)
		if a.Status != 200 {
			b.Fatal(a.Body)
		}
		token = a.Text("refresh_token")
	}
}

// BenchmarkUserInfo asks again and again with one access token.
func BenchmarkUserInfo(b *testing.B) {
	world := New(b, Options{Config: "limits: off\nsigning: {id_token: ES256, access_token: ES256}\nlog: {level: warn}\n"})
	token := world.Redeem(b, Wiki, world.Browser(b).Code(Wiki, "scope", "openid profile email")).Text("access_token")
	b.ReportAllocs()
	for b.Loop() {
		if a := world.UserInfo(b, token); a.Status != 200 {
			b.Fatal(a.Status)
		}
	}
}
