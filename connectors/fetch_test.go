package connectors

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

func newFetcher(t *testing.T, caFile string) *Fetcher {
	t.Helper()
	f, err := NewFetcher(caFile)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func kindOf(t *testing.T, err error) Kind {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %T: %v", err, err)
	}
	return e.Kind
}

func TestFetcherTrustsTheConfiguredAuthorityAlone(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	t.Cleanup(server.Close)
	server.Config.ErrorLog = nil
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	answer, err := newFetcher(t, bundle).Get(t.Context(), server.URL, "", MaxDocument)
	if err != nil || string(answer.Body) != "ok" {
		t.Errorf("with ca_file: got %q, %v", answer.Body, err)
	}
	_, err = newFetcher(t, "").Get(t.Context(), server.URL, "", MaxDocument)
	if kindOf(t, err) != Transient || !strings.Contains(err.Error(), "ca_file") {
		t.Errorf("without ca_file: got %v", err)
	}
}

func TestFetcherRefusesABundleWithoutCertificates(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, filepath.Join(t.TempDir(), "missing.pem")} {
		if _, err := NewFetcher(file); err == nil || !strings.Contains(err.Error(), "ca_file") {
			t.Errorf("got %v", err)
		}
	}
}

func TestFetcherBoundsTheTimeOfAWholeAnswer(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"before the header": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in the body": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		f := newFetcher(t, "")
		f.timeout = 50 * time.Millisecond
		began := time.Now()
		_, err := f.Get(context.Background(), serve(t, handler), "", MaxDocument)
		if kindOf(t, err) != Transient || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v", name, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: waited %v", name, took)
		}
	}
	if f := newFetcher(t, ""); f.timeout != ExchangeTimeout || ExchangeTimeout != 10*time.Second {
		t.Errorf("a request may take %v", f.timeout)
	}
}

func TestFetcherBoundsTheSize(t *testing.T) {
	t.Parallel()
	const limit = 1000
	for size, fine := range map[int]bool{limit: true, limit + 1: false} {
		address := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", size)) })
		answer, err := newFetcher(t, "").Get(t.Context(), address, "", limit)
		if fine != (err == nil && len(answer.Body) == size) {
			t.Errorf("%d bytes: got %d and %v", size, len(answer.Body), err)
		}
		if !fine && kindOf(t, err) != Broken {
			t.Errorf("%d bytes: got %v", size, err)
		}
	}
}

func TestFetcherFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	other := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	address := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusTemporaryRedirect) })
	answer, err := newFetcher(t, "").Get(t.Context(), address, "token", MaxDocument)
	if err != nil || answer.Status != http.StatusTemporaryRedirect {
		t.Errorf("got status %d, %v", answer.Status, err)
	}
	config := &oauth2.Config{ClientID: "c", ClientSecret: "s", Endpoint: oauth2.Endpoint{TokenURL: address, AuthStyle: oauth2.AuthStyleInParams}}
	token, answer, err := newFetcher(t, "").Redeem(t.Context(), config, "code", "verifier")
	if err != nil || token != nil || answer.Status != http.StatusTemporaryRedirect {
		t.Errorf("got %v, status %d, %v", token, answer.Status, err)
	}
}

func TestFetcherErrorsNameNothingThatWasSent(t *testing.T) {
	t.Parallel()
	garbage := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(conn, "leak-of-the-server\r\n\r\n")
		conn.Close()
	})
	closed := httptest.NewServer(nil)
	closed.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	for name, address := range map[string]string{
		"not HTTP": garbage, "nobody there": closed.URL, "hung up": "http://" + listener.Addr().String(), "no such name": "http://name.invalid",
	} {
		_, err := newFetcher(t, "").Get(t.Context(), address+"/path?secret-in-query=1", "secret-token", MaxDocument)
		if kindOf(t, err) != Transient {
			t.Errorf("%s: got %v", name, err)
		}
		for ; err != nil; err = errors.Unwrap(err) {
			if text := err.Error(); strings.Contains(text, "secret") || strings.Contains(text, "leak") {
				t.Errorf("%s: the error says %q", name, text)
			}
		}
	}
}

func TestFetcherSaysWhoItIs(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s|%s|%s", r.UserAgent(), r.Header.Get("Accept"), r.Header.Get("Authorization"))
	})
	answer, err := newFetcher(t, "").Get(t.Context(), address, "token", MaxDocument)
	if err != nil || string(answer.Body) != "gatehouse|application/json|Bearer token" {
		t.Errorf("got %q, %v", answer.Body, err)
	}
}

func TestRedeemSendsTheCodeOnce(t *testing.T) {
	t.Parallel()
	requests := 0
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if want := "code=c&code_verifier=v&grant_type=authorization_code&redirect_uri=r"; string(body) != want {
			t.Errorf("got %q, want %q", body, want)
		}
		if id, secret, ok := r.BasicAuth(); !ok || id != "an%3Aid" || secret != "a+secret" {
			t.Errorf("got credentials %q, %q", id, secret)
		}
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client"}`)
	})
	config := &oauth2.Config{ClientID: "an:id", ClientSecret: "a secret", RedirectURL: "r", Endpoint: oauth2.Endpoint{TokenURL: address, AuthStyle: oauth2.AuthStyleInHeader}}
	token, answer, err := newFetcher(t, "").Redeem(t.Context(), config, "c", "v")
	if err != nil || token != nil || answer.Status != http.StatusUnauthorized || !strings.Contains(string(answer.Body), "invalid_client") {
		t.Errorf("got %v, %+v, %v", token, answer, err)
	}
	if requests != 1 {
		t.Errorf("the code was sent %d times", requests)
	}
}
