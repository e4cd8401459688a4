package demo

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// listen opens the preferred loopback address, or a free port beside it when
// somebody has that.
func listen(ctx context.Context, preferred string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", preferred)
	if err == nil {
		return l, nil
	}
	host, _, splitErr := net.SplitHostPort(preferred)
	if splitErr != nil {
		return nil, err
	}
	return config.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
}

// ports are the open listeners.
type ports struct {
	app, broker net.Listener
	vendors     map[string]net.Listener
}

// openPorts opens all of them, or none.
func openPorts(ctx context.Context, app, broker string, vendors []*vendor) (p *ports, err error) {
	var open []net.Listener
	defer func() {
		if err != nil {
			for _, l := range open {
				err = errors.Join(err, l.Close())
			}
		}
	}()
	next := func(address string) net.Listener {
		if err != nil {
			return nil
		}
		var l net.Listener
		if l, err = listen(ctx, address); err == nil {
			open = append(open, l)
		}
		return l
	}
	p = &ports{app: next(app), broker: next(broker), vendors: map[string]net.Listener{}}
	for _, v := range vendors {
		p.vendors[v.ID] = next(v.Address)
	}
	return p, err
}

// servers are the HTTP servers of the demo.
type servers struct {
	log     *slog.Logger
	running []*http.Server
	// failed gets the first error of a server that ends by itself.
	failed chan error
}

func newServers(log *slog.Logger) *servers { return &servers{log: log, failed: make(chan error, 1)} }

// serve answers on a listener until stop.
func (s *servers) serve(l net.Listener, h http.Handler) {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.running = append(s.running, server)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			select {
			case s.failed <- err:
			default:
			}
		}
	}()
}

// stop closes every server. Nothing here is worth waiting for.
func (s *servers) stop() {
	for _, server := range s.running {
		if err := server.Close(); err != nil {
			s.log.Debug("demo: closing a server", "error", err)
		}
	}
}
