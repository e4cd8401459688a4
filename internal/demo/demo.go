package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The addresses to listen on when they are free.
const (
	defaultAppAddress    = "127.0.0.1:5555"
	defaultBrokerAddress = "127.0.0.1:5556"
)

// Options are what the demo needs of its caller. Out, Log and StartBroker are
// required.
type Options struct {
	// Out is where the address to open is printed.
	Out io.Writer
	Log *slog.Logger
	// Now is time.Now when nil.
	Now func() time.Time
	// StartBroker starts a broker and returns when it can answer. Stop ends it and
	// returns when it has let go of its files.
	StartBroker func(ctx context.Context, b Broker) (stop func(), err error)
	// AppAddress and BrokerAddress are loopback addresses to listen on if they are
	// free; 127.0.0.1:5555 and 127.0.0.1:5556 when empty.
	AppAddress, BrokerAddress string
	// TempDir is where the temporary directory is made; the system's place when empty.
	TempDir string
}

// Broker is what a broker is started with.
type Broker struct {
	// ConfigPath is its configuration file, in a directory of its own that is
	// removed after it has stopped. The database and all else belong there too.
	ConfigPath string
	// Listener is open already, on the address that the configuration says, so that
	// nobody takes the port in between. A broker that started closes it.
	Listener net.Listener
}

// Run runs the demo until ctx is done, which is not an error. When it returns,
// nothing is left: no process, no open port, no file.
func Run(ctx context.Context, o Options) (err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	dir, err := os.MkdirTemp(o.TempDir, "gatehouse-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	w, err := o.build(ctx)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer w.servers.stop()
	path := filepath.Join(dir, "broker.yaml")
	if err := os.WriteFile(path, []byte(w.config.file()), 0o600); err != nil {
		return errors.Join(fmt.Errorf("demo: %w", err), w.broker.Close())
	}
	stop, err := o.StartBroker(ctx, Broker{ConfigPath: path, Listener: w.broker})
	if err != nil {
		_ = w.broker.Close() // may be closed already
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("demo: starting the broker: %w", err)
	}
	defer stop()
	fmt.Fprintf(o.Out, "\n  Gatehouse demo: open %s/ in a browser.\n  Ctrl-C ends it and leaves nothing behind.\n\n", w.config.App)
	select {
	case <-ctx.Done():
		return nil
	case err := <-w.servers.failed:
		return fmt.Errorf("demo: %w", err)
	}
}

// world is everything but the broker.
type world struct {
	servers *servers
	config  configuration
	// broker is the listener that is waiting for it.
	broker net.Listener
}

// build opens the ports, then starts the vendors and the applications, which
// have to know one another's addresses.
func (o Options) build(ctx context.Context) (*world, error) {
	pages, err := newPages(o.Log)
	if err != nil {
		return nil, err
	}
	vendors := vendors()
	p, err := openPorts(ctx, orDefault(o.AppAddress, defaultAppAddress), orDefault(o.BrokerAddress, defaultBrokerAddress), vendors)
	if err != nil {
		return nil, err
	}
	w := &world{servers: newServers(o.Log), broker: p.broker, config: newConfiguration(p, vendors)}
	for _, v := range vendors {
		w.servers.serve(p.vendors[v.ID], v.start(o.Now, w.config))
	}
	site := newSite(w.config.App, w.config.Issuer, [2]string{w.config.Secrets[wikiID], w.config.Secrets[payrollID]}, pages, o.Now)
	site.guide.Config, site.guide.Vendors = w.config.shown(), views(vendors)
	w.servers.serve(p.app, site.routes())
	return w, nil
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
