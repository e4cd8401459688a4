package server_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/seal"
	"gatehouse/broker/server"
	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/oidc"
	"gatehouse/internal/brokertest"
	"gatehouse/store/bolt"
)

// expiringConfig is a connector whose certificate ends when the test says.
type expiringConfig struct {
	oidc.Config `yaml:",inline"`
	ends        time.Time
}

func (c *expiringConfig) Open(env connectors.Environment) (connectors.Connector, error) {
	opened, err := c.Config.Open(env)
	return expiringConnector{opened, c.ends}, err
}

type expiringConnector struct {
	connectors.Connector
	ends time.Time
}

func (c expiringConnector) Expirations() []connectors.Expiration {
	// Two of one name, as two secrets have: one series, or the scrape fails.
	return []connectors.Expiration{{What: "client_certificate", At: c.ends}, {What: "client_certificate", At: c.ends.Add(time.Hour)}}
}

// withExpiry opens a server whose connector corp holds something that ends.
func withExpiry(t *testing.T, clock *connectortest.Clock, log *brokertest.Log, ends time.Time) *server.Server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broker.yaml")
	must(t, os.WriteFile(path, []byte("issuer: http://127.0.0.1\nlisten: 127.0.0.1:0\n"+processConfig), 0o600))
	c, err := configs.Load(path, configs.Types{"oidc": func() connectors.Config { return &expiringConfig{ends: ends} }})
	must(t, err)
	secrets, err := c.SecretKeys()
	must(t, err)
	keys, err := seal.New(secrets...)
	must(t, err)
	store, err := bolt.Open(c.Storage.Path, bolt.Options{Seal: keys, NoSync: true})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	s, err := server.Open(t.Context(), server.Options{Config: c, Store: store, Secrets: keys, Now: clock.Now,
		Log: slog.New(slog.NewTextHandler(log, nil))})
	must(t, err)
	return s
}

// The end of a credential is in /readyz from 30 days ahead, does not make the
// broker unready, and is always in the metrics.
func TestHealthTellsOfCredentialsThatExpire(t *testing.T) {
	t.Parallel()
	clock := connectortest.NewClock()
	ends := clock.Now().Add(31 * 24 * time.Hour)
	health := withExpiry(t, clock, &brokertest.Log{}, ends).Health()
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		health.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	const series = `gatehouse_connector_credential_expiry_timestamp_seconds{connector="corp",credential="client_certificate"} 1.7978112e+09`
	if _, body := get("/metrics"); !strings.Contains(body, series) || strings.Count(body, "credential=") != 1 {
		t.Errorf("the metrics lack %s:\n%s", series, body)
	}
	if status, body := get("/readyz"); status != 200 || strings.Contains(body, "credentials") {
		t.Errorf("31 days ahead: %d %s", status, body)
	}
	for _, step := range []struct {
		name    string
		advance time.Duration
		days    int
		expired bool
	}{
		{"ten days ahead", 21 * 24 * time.Hour, 10, false},
		{"a day after", 11 * 24 * time.Hour, -1, true},
	} {
		clock.Advance(step.advance)
		status, body := get("/readyz")
		var got struct {
			Status      string
			Credentials []struct {
				Connector, Credential string
				Expires               time.Time
				DaysLeft              int `json:"days_left"`
				Expired               bool
			}
		}
		must(t, json.Unmarshal([]byte(body), &got))
		if status != 200 || got.Status != "ok" || len(got.Credentials) == 0 {
			t.Fatalf("%s: %d %s", step.name, status, body)
		}
		if c := got.Credentials[0]; c.Connector != "corp" || c.Credential != "client_certificate" || !c.Expires.Equal(ends) || c.DaysLeft != step.days || c.Expired != step.expired {
			t.Errorf("%s: %s", step.name, body)
		}
	}
}

// A broker that starts says at once what has expired.
func TestTheLogSaysAtTheStartWhatHasExpired(t *testing.T) {
	t.Parallel()
	clock, log := connectortest.NewClock(), &brokertest.Log{}
	s := withExpiry(t, clock, log, clock.Now().Add(-time.Minute))
	listeners, err := s.Listen()
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, listeners) }()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(log.String(), "has expired"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is said:\n%s", log)
		}
	}
	stop()
	must(t, <-ended)
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "connector=corp credential=client_certificate") {
		t.Errorf("logged %s", log)
	}
}
