package connectors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"golang.org/x/oauth2"
)

func TestExchangeSendsTheGrantAndItsParameters(t *testing.T) {
	t.Parallel()
	assertion := url.Values{"client_assertion": {"a.b.c"}, "client_assertion_type": {"urn:x"}}
	for _, tt := range []struct {
		name string
		x    Exchange
		want url.Values
	}{
		{
			"a refresh token", Exchange{RefreshToken: "r"},
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r"}, "client_id": {"c"}, "client_secret": {"s"}},
		},
		{
			"a refresh token with an assertion", Exchange{RefreshToken: "r", Params: assertion},
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r"}, "client_id": {"c"}, "client_secret": {"s"}, "client_assertion": {"a.b.c"}, "client_assertion_type": {"urn:x"}},
		},
		{
			"a code with an assertion", Exchange{Code: "k", Verifier: "v", Params: assertion},
			url.Values{"grant_type": {"authorization_code"}, "code": {"k"}, "code_verifier": {"v"}, "client_id": {"c"}, "client_secret": {"s"}, "client_assertion": {"a.b.c"}, "client_assertion_type": {"urn:x"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got url.Values
			address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err == nil {
					got, err = url.ParseQuery(string(body))
				}
				if err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
					t.Errorf("got %s as %s, %v", body, r.Header.Get("Content-Type"), err)
				}
				fmt.Fprint(w, `{"access_token":"a","token_type":"bearer"}`)
			})
			tt.x.Config = &oauth2.Config{ClientID: "c", ClientSecret: "s", Endpoint: oauth2.Endpoint{TokenURL: address, AuthStyle: oauth2.AuthStyleInParams}}
			token, _, err := newFetcher(t, "").Exchange(t.Context(), tt.x)
			if err != nil || token.AccessToken != "a" || got.Encode() != tt.want.Encode() {
				t.Errorf("sent %v, want %v; %v", got, tt.want, err)
			}
		})
	}
}

// What certainly never arrived leaves a refresh token as it was.
func TestUnspentMeansThatNothingWasSent(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	hangs := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	redirects := func(ctx context.Context) context.Context { return ctx }
	ended := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx
	}
	for _, tt := range []struct {
		name, address string
		context       func(context.Context) context.Context
		unspent       bool
	}{
		{"nobody listens", closed.URL, redirects, true},
		{"the name is unknown", "http://name.invalid", redirects, true},
		{"the address is no URL", "://", redirects, true},
		{"the connection broke after the request", hangs, redirects, false},
		{"nobody waits any more", hangs, ended, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			config := &oauth2.Config{ClientID: "c", Endpoint: oauth2.Endpoint{TokenURL: tt.address, AuthStyle: oauth2.AuthStyleInParams}}
			_, _, err := newFetcher(t, "").Exchange(tt.context(t.Context()), Exchange{Config: config, RefreshToken: "r"})
			var e *Error
			if !errors.As(err, &e) || e.Kind != Transient || e.Unspent != tt.unspent {
				t.Errorf("got %+v", err)
			}
		})
	}
}
