package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/broker/server"
	"gatehouse/configs"
	"gatehouse/internal/adminsock"
)

func serveCommand() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "serve -c FILE",
		Short: "Run the broker",
		Long: `Run the broker until it is interrupted. Requests under way are answered first.

SIGHUP reads the configuration again. A file with a mistake changes nothing, and the log says what is wrong with it;
so does a change that needs a restart, such as that of the issuer or the listeners.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := requireConfig(path); err != nil {
				return err
			}
			return serve(c.Context(), path, c.ErrOrStderr())
		},
	}
	configFlag(c, &path)
	return c
}

// service is a broker about to serve.
type service struct {
	path   string
	config *configs.Config
	log    *slog.Logger
	*opened
}

// serve runs the broker of a configuration file.
func serve(ctx context.Context, path string, logTo io.Writer) error {
	// From the first moment: a signal that nobody waits for ends the process.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	s, err := prepare(ctx, path, logTo)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	go s.reloads(serving, hangups)
	err = s.run(serving, nil)
	stop()
	if closed := s.store.Close(); closed != nil {
		err = errors.Join(err, fmt.Errorf("closing the database: %w", closed))
	}
	if err == nil {
		s.log.Info("stopped")
	}
	return err
}

// prepare does everything that can fail before a port is opened.
func prepare(ctx context.Context, path string, logTo io.Writer) (*service, error) {
	config, err := configs.Load(path, vendors())
	if err != nil {
		return nil, err
	}
	log := newLogger(logTo, config.Log)
	for _, w := range config.Warnings() {
		log.Warn("configuration", "warning", w.String())
	}
	made, err := config.EnsureSecretKey()
	if err != nil {
		return nil, withFileAdvice(err)
	}
	if made {
		log.Info("made a secret key beside the database: back it up with the database, neither is of use alone")
	}
	o, err := open(ctx, config, log)
	if err != nil {
		return nil, err
	}
	return &service{path: path, config: config, log: log, opened: o}, nil
}

// run serves until ctx is done: on what the configuration says, or on listeners that are open already.
func (s *service) run(ctx context.Context, listeners *server.Listeners) error {
	if listeners == nil {
		l, err := s.server.Listen()
		if err != nil {
			return withListenAdvice(s.config, err)
		}
		listeners = &l
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	admin, err := s.admin(ctx)
	if err != nil {
		return errors.Join(err, closeListeners(listeners))
	}
	s.log.Info("serving", "issuer", s.config.Issuer, "listen", listeners.Public.Addr().String(), "version", currentVersion())
	err = s.server.Run(ctx, *listeners)
	stop()
	return errors.Join(err, <-admin)
}

func closeListeners(l *server.Listeners) error {
	err := l.Public.Close()
	if l.Health != nil {
		err = errors.Join(err, l.Health.Close())
	}
	return err
}

// admin answers on the admin socket. The channel has its error when it has ended.
func (s *service) admin(ctx context.Context) (<-chan error, error) {
	ended := make(chan error, 1)
	if s.config.Admin.Socket == "" {
		s.log.Warn("no admin socket: the path beside the database is too long for one; set admin.socket")
		ended <- nil
		return ended, nil
	}
	l, err := adminsock.Listen(ctx, s.config.Admin.Socket)
	if err != nil {
		return nil, withFileAdvice(err)
	}
	answer := &adminsock.Server{Keys: s.server.Keys(), Log: s.log}
	go func() { ended <- answer.Serve(ctx, l) }()
	return ended, nil
}

// reloads reads the configuration again at each SIGHUP.
func (s *service) reloads(ctx context.Context, hangups <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			if err := s.reload(); err != nil {
				problems := strings.Split(err.Error(), "\n") // one a line, both of a file and of errors that were joined
				for _, one := range problems {
					s.log.Error("configuration", "problem", one)
				}
				s.log.Error("configuration not reloaded; the old one stays", "file", s.path, "problems", len(problems))
				continue
			}
			s.log.Info("configuration reloaded", "file", s.path)
		}
	}
}

func (s *service) reload() error {
	config, err := configs.Load(s.path, vendors())
	if err != nil {
		return err
	}
	for _, w := range config.Warnings() {
		s.log.Warn("configuration", "warning", w.String())
	}
	return s.server.Reload(config)
}
