package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
)

func valid() metadata {
	return metadata{
		Issuer: "https://idp.test", AuthorizationEndpoint: "https://idp.test/a", TokenEndpoint: "https://token.test/t",
		JWKSURI: "https://keys.test/k", UserinfoEndpoint: "https://idp.test/u",
	}
}

func TestEndpointsAreAsProtectedAsTheIssuer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, issuer string
		change       func(*metadata)
		fine         bool
	}{
		{"other hosts are normal", "https://idp.test", func(*metadata) {}, true},
		{"no userinfo", "https://idp.test", func(m *metadata) { m.UserinfoEndpoint = "" }, true},
		{"no token endpoint", "https://idp.test", func(m *metadata) { m.TokenEndpoint = "" }, false},
		{"no keys", "https://idp.test", func(m *metadata) { m.JWKSURI = "" }, false},
		{"no authorization endpoint", "https://idp.test", func(m *metadata) { m.AuthorizationEndpoint = "" }, false},
		{"keys over http", "https://idp.test", func(m *metadata) { m.JWKSURI = "http://keys.test/k" }, false},
		{"keys over http on loopback under an https issuer", "https://idp.test", func(m *metadata) { m.JWKSURI = "http://127.0.0.1/k" }, false},
		{"loopback under a loopback issuer", "http://127.0.0.1:1", func(m *metadata) { m.JWKSURI = "http://127.0.0.1:1/k" }, true},
		{"another host over http under a loopback issuer", "http://127.0.0.1:1", func(m *metadata) { m.JWKSURI = "http://keys.test/k" }, false},
		{"a file", "https://idp.test", func(m *metadata) { m.JWKSURI = "file:///etc/passwd" }, false},
		{"a relative address", "https://idp.test", func(m *metadata) { m.TokenEndpoint = "/t" }, false},
		{"credentials in an address", "https://idp.test", func(m *metadata) { m.TokenEndpoint = "https://u:p@token.test/t" }, false},
		{"a fragment", "https://idp.test", func(m *metadata) { m.AuthorizationEndpoint = "https://idp.test/a#b" }, false},
		{"a query is allowed", "https://idp.test", func(m *metadata) { m.AuthorizationEndpoint = "https://idp.test/a?policy=1" }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := valid()
			tt.change(&m)
			if err := m.checkEndpoints(tt.issuer); (err == nil) != tt.fine {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestEndpointsStayAtTheirHosts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		prior, next func(*metadata)
		fine        bool
	}{
		{"nothing changed", nil, nil, true},
		{"another path", nil, func(m *metadata) { m.TokenEndpoint = "https://token.test/v2" }, true},
		{"another host", nil, func(m *metadata) { m.TokenEndpoint = "https://evil.test/t" }, false},
		{"another port", nil, func(m *metadata) { m.TokenEndpoint = "https://token.test:444/t" }, false},
		{"a host of another endpoint", nil, func(m *metadata) { m.TokenEndpoint = "https://keys.test/t" }, false},
		{"userinfo goes away", nil, func(m *metadata) { m.UserinfoEndpoint = "" }, true},
		{"userinfo appears at a known host", func(m *metadata) { m.UserinfoEndpoint = "" }, nil, true},
		{"userinfo appears at an unknown host", func(m *metadata) { m.UserinfoEndpoint = "" }, func(m *metadata) { m.UserinfoEndpoint = "https://evil.test/u" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			prior, next := valid(), valid()
			if tt.prior != nil {
				tt.prior(&prior)
			}
			if tt.next != nil {
				tt.next(&next)
			}
			if err := next.sameHosts(&prior); (err == nil) != tt.fine {
				t.Errorf("got %v", err)
			}
		})
	}
}

// open makes a provider in front of a server that does not behave at all.
func open(t *testing.T, h http.HandlerFunc) *Provider {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c := Config{Common: connectors.Common{ID: "up", ClientID: "c", ClientSecret: connectors.Secrets{"s"}}, Issuer: server.URL}
	p, err := Open(c, Quirks{Type: "oidc"}, connectors.Environment{
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Resolve: func(s string) (string, error) { return s, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func login() connectors.Login {
	return connectors.Login{State: "state", Nonce: "nonce", CodeVerifier: "verifier", RedirectURI: "https://broker.example/callback/up"}
}

func TestDiscoveryThatIsNotThere(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]connectors.Kind{
		http.StatusNotFound: connectors.Operator, http.StatusForbidden: connectors.Broken, http.StatusMovedPermanently: connectors.Broken,
		http.StatusBadGateway: connectors.Transient, http.StatusTooManyRequests: connectors.Transient,
	} {
		p := open(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		_, err := p.AuthorizationURL(t.Context(), login())
		var e *connectors.Error
		if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(e.Hint, fmt.Sprint(status)) {
			t.Errorf("status %d: got %v, want kind %s", status, err, kind)
		}
	}
}

// All of one sign-in together is bounded, however many requests it is made of.
func TestASignInIsBoundedInTime(t *testing.T) {
	t.Parallel()
	const pace = 60 * time.Millisecond
	var p *Provider
	p = open(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(pace):
		case <-r.Context().Done():
		}
		if strings.HasSuffix(r.URL.Path, wellKnown) {
			base := p.config.Issuer
			fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q}`, base, base+"/a", base+"/t", base+"/k")
			return
		}
		// The server notices that the client has gone once the body is read.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	if p.timeout != connectors.ExchangeTimeout {
		t.Errorf("a sign-in may take %v", p.timeout)
	}
	p.timeout = 3 * pace
	began := time.Now()
	_, _, err := p.Identify(context.Background(), url.Values{"state": {"state"}, "code": {"c"}}, login())
	var e *connectors.Error
	if !errors.As(err, &e) || e.Kind != connectors.Transient {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 50*pace {
		t.Errorf("it took %v", took)
	}
}
