package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	sweepEvery   = 20 * time.Second
	sweepBatch   = 500
	tickEvery    = 5 * time.Second
	shutdownTime = 10 * time.Second
)

// Listeners are what Run serves on. Health may be nil.
type Listeners struct {
	Public net.Listener
	Health net.Listener
}

// Listen opens the configured listeners.
func (s *Server) Listen() (Listeners, error) {
	c := s.runtime.Load().config
	public, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return Listeners{}, err
	}
	if c.Health.Off() {
		return Listeners{Public: public}, nil
	}
	health, err := net.Listen("tcp", c.Health.Listen)
	if err != nil {
		return Listeners{}, errors.Join(err, public.Close())
	}
	return Listeners{Public: public, Health: health}, nil
}

// Run serves until ctx is done, then lets requests under way finish, for a
// bounded time. It returns when everything it started has ended.
func (s *Server) Run(ctx context.Context, l Listeners) error {
	c := s.runtime.Load().config
	if c.TLS.Enabled() {
		l.Public = tls.NewListener(l.Public, s.listenerTLS(c))
	}
	servers := map[*http.Server]net.Listener{s.httpServer(s.Handler()): l.Public}
	if l.Health != nil {
		servers[s.httpServer(s.Health())] = l.Health
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, len(servers))
	for server, listener := range servers {
		go func() { failed <- server.Serve(listener) }()
	}
	loops := make(chan struct{})
	go func() { s.loops(ctx); close(loops) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	for server := range servers {
		if e := server.Shutdown(ending); e != nil {
			err = errors.Join(err, server.Close())
		}
	}
	<-loops
	return err
}

// httpServer bounds what a peer can make us wait for and hold.
func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// loops runs the background work until ctx is done.
func (s *Server) loops(ctx context.Context) {
	sweep, tick := time.NewTicker(sweepEvery), time.NewTicker(tickEvery)
	defer sweep.Stop()
	defer tick.Stop()
	expiry := &reminder{log: s.log}
	expiry.remind(ctx, s.runtime.Load(), s.now())
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			s.sweep(ctx)
		case <-tick.C:
			s.certs.refresh()
			expiry.remind(ctx, s.runtime.Load(), s.now())
			if err := s.ring.Tick(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("signing keys could not be brought up to the schedule", "error", err)
			}
		}
	}
}

// sweep forgets expired records, a bounded number at a time so that sign-ins get
// their turn between the batches.
func (s *Server) sweep(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := s.store.Sweep(ctx, s.now(), sweepBatch)
		if err != nil {
			if ctx.Err() == nil {
				s.log.Error("expired records could not be removed", "error", err)
			}
			return
		}
		if n < sweepBatch {
			return
		}
	}
}
