package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/keys"
	"gatehouse/broker/mint"
	"gatehouse/broker/seal"
	"gatehouse/configs"
	"gatehouse/web"
)

// Options are what a server is made of. All but Version are required.
type Options struct {
	Config  *configs.Config
	Store   broker.Store
	Secrets *seal.Keyring
	Log     *slog.Logger
	Now     func() time.Time
	// Version is shown by metrics.
	Version string
}

// Server is the process: everything that outlives a configuration.
type Server struct {
	store   broker.Store
	secrets *seal.Keyring
	ring    *keys.Ring
	log     *slog.Logger
	now     func() time.Time
	hashes  *clientauth.Secrets
	metrics *metrics
	audit   *audit.Recorder

	runtime atomic.Pointer[runtime]
	certs   *certificates
}

// Open makes a server of its first configuration. It listens to nothing yet and
// contacts no upstream.
func Open(ctx context.Context, o Options) (*Server, error) {
	registry := prometheus.NewRegistry()
	m, err := newMetrics(registry, o.Version)
	if err != nil {
		return nil, err
	}
	counters, err := audit.NewMetrics(registry)
	if err != nil {
		return nil, err
	}
	s := &Server{store: o.Store, secrets: o.Secrets, log: o.Log, now: o.Now, hashes: clientauth.NewSecrets(),
		metrics: m, audit: &audit.Recorder{Log: o.Log, Metrics: counters}}
	s.ring, err = keys.Open(ctx, keys.Config{Store: o.Store, Schedule: schedule(o.Config), Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	s.certs = &certificates{log: o.Log}
	if err := s.load(o.Config); err != nil {
		return nil, err
	}
	return s, registry.Register(newCredentialExpiry(func() []credential { return s.runtime.Load().credentials() }))
}

// Keys are published while a token they signed can be alive, and kept afterwards
// while a session can bring one back as a hint. The longest lifetimes that a
// configuration may have are taken rather than those it has: a reload can
// lengthen them.
const (
	longestToken   = mint.DefaultMaxLifetime
	longestSession = 90 * 24 * time.Hour
)

func schedule(c *configs.Config) keys.Schedule {
	return keys.Schedule{Algorithms: c.SigningAlgorithms(), Overlap: longestToken + time.Hour, Hints: longestSession}
}

// Reload replaces the configuration. What only a restart can change (listeners,
// storage, secrets, issuer, algorithms, log) must be the same; an error leaves
// everything as it was.
func (s *Server) Reload(c *configs.Config) error {
	if err := sameProcess(s.runtime.Load().config, c); err != nil {
		return err
	}
	return s.load(c)
}

// sameProcess refuses changes that need a restart, all at once.
func sameProcess(old, now *configs.Config) error {
	var errs []error
	for _, part := range []struct {
		key     string
		differs bool
	}{
		{"issuer", old.Issuer != now.Issuer},
		{"listen", old.Listen != now.Listen},
		{"storage", old.Storage != now.Storage},
		{"secret_key", !slices.Equal(old.SecretKey, now.SecretKey)},
		{"health.listen", old.Health.Listen != now.Health.Listen},
		{"admin.socket", old.Admin.Socket != now.Admin.Socket},
		{"tls", old.TLS.Enabled() != now.TLS.Enabled()},
		{"tls.acme", !reflect.DeepEqual(old.TLS.ACME, now.TLS.ACME)},
		{"signing", !slices.Equal(sorted(old.SigningAlgorithms()), sorted(now.SigningAlgorithms()))},
		{"log", old.Log != now.Log},
	} {
		if part.differs {
			errs = append(errs, fmt.Errorf("%s: changed; restart the server to use it", part.key))
		}
	}
	return errors.Join(errs...)
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// load makes a configuration the current one, or changes nothing.
func (s *Server) load(c *configs.Config) error {
	pages, err := s.pages(c)
	if err != nil {
		return err
	}
	next, err := s.newRuntime(c, pages)
	if err != nil {
		return err
	}
	// Last of what can fail, because it takes effect at once.
	if err := s.certs.load(c.TLS); err != nil {
		return err
	}
	s.runtime.Store(next)
	return nil
}

func (s *Server) pages(c *configs.Config) (*web.Pages, error) {
	var theme fs.FS
	if c.Theme.Dir != "" {
		theme = os.DirFS(c.Theme.Dir)
	}
	pages, err := web.New(theme)
	if err != nil {
		return nil, fmt.Errorf("theme.dir: %w", err)
	}
	pages.Log = s.log
	return pages, nil
}

// Handler is the public surface, under the issuer's path. Each request is answered
// by the configuration that is current when it comes.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.runtime.Load().handler.ServeHTTP(w, r) })
}

// Keys returns the signing keys, for the admin socket.
func (s *Server) Keys() *keys.Ring { return s.ring }
