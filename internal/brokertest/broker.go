// Package brokertest boots the whole broker in the test's process: the real
// server on a real loopback listener, a real bolt file, the real generic
// connector, and an emulated upstream behind it. Tests drive it as its users do,
// with a browser and an HTTP client, and look at what came back and at the store.
//
// Only time is not real: the broker and the upstream share a clock that stands
// still until a test moves it.
package brokertest

import (
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/seal"
	"gatehouse/broker/server"
	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/oidc"
	"gatehouse/store/bolt"
)

// The clients of the default configuration. Each secret is the ID and "-secret".
const (
	// Wiki is a first-party web application.
	Wiki = "wiki"
	// Shop belongs to somebody else: people are asked for consent.
	Shop = "shop"
	// CLI is a public client on a loopback redirect.
	CLI = "cli"
)

// RedirectURI is where a client of the default configuration is answered.
func RedirectURI(client string) string {
	if client == CLI {
		return "http://127.0.0.1/callback"
	}
	return "https://" + client + ".example/callback"
}

// Secret is the secret of a client of the default configuration.
func Secret(client string) string { return client + "-secret" }

// Options change the world before it starts.
type Options struct {
	// Config is appended to the configuration file.
	Config string
	// Clients replaces the default clients section's entries; YAML list items.
	Clients string
	// Connector is appended to the entry of the connector "corp".
	Connector string
	// Upstream changes the upstreams' options.
	Upstream func(*fake.Options)
	// SecondConnector adds the connector "other" with an upstream of its own.
	SecondConnector bool
	// WithoutConnector leaves "corp" out, for a Reload of a world that has "other".
	WithoutConnector bool
	// Path is the path of the issuer.
	Path string
	// Wrap, when set, stands between the server and its store.
	Wrap func(broker.Store) broker.Store
}

// Broker is a running world.
type Broker struct {
	// Issuer is the broker's URL.
	Issuer string
	// Upstream is behind the connector "corp", Other behind "other".
	Upstream *fake.OIDC
	Other    *fake.OIDC
	Store    *bolt.Store
	Server   *server.Server
	Clock    *Clock
	// Log holds everything the broker has logged, at every level.
	Log *Log

	// dir holds the configuration file and the database, secret is the secret_key.
	dir, secret string
}

// Clock stands still until it is moved, Log can be read while it is written.
type (
	Clock = connectortest.Clock
	Log   = connectortest.Log
)

// pool shares the upstreams' keys between worlds: making them is slow.
var pool = sync.OnceValue(func() *fake.KeyPool { return new(fake.KeyPool) })

// New starts a world that ends with the test.
func New(t testing.TB, o Options) *Broker {
	t.Helper()
	b := &Broker{Clock: connectortest.NewClock(), Log: &Log{}, dir: t.TempDir(), secret: seal.NewSecret()}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.Issuer = "http://" + listener.Addr().String() + o.Path
	b.Upstream = b.upstream(t, o, "corp")
	if o.SecondConnector {
		b.Other = b.upstream(t, o, "other")
	}
	config := b.configuration(t, o)
	keys, err := config.SecretKeys()
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := seal.New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(b.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if b.Store, err = bolt.Open(config.Storage.Path, bolt.Options{Seal: secrets, Log: log, NoSync: true}); err != nil {
		t.Fatal(err)
	}
	if err := shareKeys(t, b.Store); err != nil {
		t.Fatal(err)
	}
	store := broker.Store(b.Store)
	if o.Wrap != nil {
		store = o.Wrap(store)
	}
	b.Server, err = server.Open(t.Context(), server.Options{Config: config, Store: store, Secrets: secrets, Log: log, Now: b.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := keepKeys(t, b.Store); err != nil {
		t.Fatal(err)
	}
	public := httptest.NewUnstartedServer(b.Server.Handler())
	public.Listener.Close()
	public.Listener = listener
	public.Start()
	t.Cleanup(func() {
		public.Close()
		if o.Wrap == nil && strings.Contains(b.Log.String(), "handler panicked") {
			t.Error("a handler panicked; see the log")
		}
		if err := b.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// Reload has the running server take up other options. The path cannot change, and
// SecondConnector needs the upstream that New started for it.
func (b *Broker) Reload(t testing.TB, o Options) error {
	t.Helper()
	return b.Server.Reload(b.configuration(t, o))
}

// signingKeys are the first world's, put into the others': making an RSA key
// takes longer than everything else a test does. All worlds begin at one moment,
// so the keys are as good there.
var signingKeys struct {
	sync.Mutex
	set []broker.Key
}

func shareKeys(t testing.TB, store broker.Keys) error {
	signingKeys.Lock()
	defer signingKeys.Unlock()
	if signingKeys.set == nil {
		return nil
	}
	_, version, err := store.Keys(t.Context())
	if err != nil {
		return err
	}
	return store.ReplaceKeys(t.Context(), version, signingKeys.set, broker.Event{Type: broker.EventKeysReplaced})
}

func keepKeys(t testing.TB, store broker.Keys) error {
	signingKeys.Lock()
	defer signingKeys.Unlock()
	set, _, err := store.Keys(t.Context())
	if len(set) > len(signingKeys.set) {
		signingKeys.set = set
	}
	return err
}

// upstream starts an emulated provider on a listener of its own. Everybody signs
// in as "ada" without a page unless a test says otherwise.
func (b *Broker) upstream(t testing.TB, o Options, connector string) *fake.OIDC {
	options := fake.Options{Now: b.Clock.Now, Keys: pool(), SignInAs: "ada", OIDC: fake.OIDCOptions{Algorithm: "ES256"},
		Clients: []fake.Client{{ID: "broker", Secret: "upstream-secret", RedirectURIs: []string{b.Issuer + "/callback/" + connector}}}}
	if o.Upstream != nil {
		o.Upstream(&options)
	}
	f := fake.NewOIDC(options)
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.SetURL(s.URL)
	return f
}

const defaultClients = `
  - {client_id: wiki, client_name: Wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true, require_pkce: false}
  - {client_id: shop, client_name: Shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"]}
  - {client_id: cli, client_name: Tool, token_endpoint_auth_method: none, application_type: native, redirect_uris: ["http://127.0.0.1/callback"]}
`

func (b *Broker) configuration(t testing.TB, o Options) *configs.Config {
	t.Helper()
	clients := o.Clients
	if clients == "" {
		clients = defaultClients
	}
	file := fmt.Sprintf("issuer: %s\nlisten: 127.0.0.1:0\nstorage: {type: bolt, path: broker.db}\nsecret_key: %s\nconnectors:\n", b.Issuer, b.secret)
	if !o.WithoutConnector {
		file += connectorEntry("corp", "Corp", b.Upstream.URL(), o.Connector)
	}
	if o.SecondConnector {
		file += connectorEntry("other", "Other", b.Other.URL(), "")
	}
	file += "clients:\n" + strings.TrimPrefix(clients, "\n") + "\n" + o.Config
	path := filepath.Join(b.dir, "broker.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := configs.Load(path, configs.Types{"oidc": func() connectors.Config { return &oidc.Config{} }})
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func connectorEntry(id, name, issuer, more string) string {
	return fmt.Sprintf("  - {id: %s, type: oidc, name: %s, client_id: broker, client_secret: upstream-secret, issuer: %q, scopes: [openid, profile, email, groups]%s}\n", id, name, issuer, more)
}
