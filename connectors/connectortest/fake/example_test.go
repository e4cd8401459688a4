package fake_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"gatehouse/connectors/connectortest/fake"
)

// A test puts a fake on a loopback port, tells it who signs in, and pulls a string.
func Example() {
	google := fake.NewGoogle(fake.Options{
		Now:      time.Now,
		Clients:  []fake.Client{{ID: "broker", Secret: "secret", RedirectURIs: []string{"https://sso.example.com/callback/google"}}},
		SignInAs: "dana", // outside the hosted domain: see fake.GooglePeople
	})
	server := httptest.NewServer(google)
	defer server.Close()
	google.SetURL(server.URL)

	google.MisbehaveOnce(fake.At(fake.Discovery, fake.Unavailable))
	for range 2 {
		res, err := http.Get(google.URL() + "/.well-known/openid-configuration")
		if err != nil {
			fmt.Println(err)
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		fmt.Printf("%d %q\n", res.StatusCode, res.Header.Get("Retry-After"))
	}
	fmt.Println("calls of the token endpoint:", google.Calls(fake.Token))
	// Output:
	// 503 "7"
	// 200 ""
	// calls of the token endpoint: 0
}
