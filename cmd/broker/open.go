package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/seal"
	"gatehouse/broker/server"
	"gatehouse/configs"
)

// opened is a broker that does not serve yet. Closing the store ends it.
type opened struct {
	server *server.Server
	store  broker.Store
}

// openExisting opens the broker of a database that is there.
func openExisting(ctx context.Context, config *configs.Config, log *slog.Logger) (*opened, error) {
	if _, err := os.Stat(config.Storage.Path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist: the broker makes it, and its signing keys, when it first runs", config.Storage.Path)
	}
	return open(ctx, config, log)
}

// open opens the database, making it if there is none, and a broker over it. The secret key has to be there; see
// [configs.Config.EnsureSecretKey].
func open(ctx context.Context, config *configs.Config, log *slog.Logger) (*opened, error) {
	secrets, err := config.SecretKeys()
	if err != nil {
		return nil, err
	}
	keyring, err := seal.New(secrets...)
	if err != nil {
		return nil, fmt.Errorf("secret_key: %w", err)
	}
	store, err := openStore(config.Storage, keyring, log)
	if err != nil {
		return nil, withFileAdvice(err)
	}
	s, err := server.Open(ctx, server.Options{Config: config, Store: store, Secrets: keyring, Log: log, Now: time.Now,
		Version: currentVersion()})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &opened{s, store}, nil
}

// withFileAdvice completes the sentence of an error about a file that this user may not use.
func withFileAdvice(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: make it and its directory readable and writable by the user that the broker runs as", err)
	}
	return err
}

// withListenAdvice completes the sentence of an error about an address that cannot be listened on.
func withListenAdvice(config *configs.Config, err error) error {
	key := "listen"
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil {
		// Behind a name such as localhost the address is another text; the port is the same.
		port := op.Addr.String()[strings.LastIndex(op.Addr.String(), ":"):]
		if strings.HasSuffix(config.Health.Listen, port) && !strings.HasSuffix(config.Listen, port) {
			key = "health.listen"
		}
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: %w: stop the program that has it, or choose another port", key, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w: choose a port above 1023, or give the program the right to use this one", key, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: %w: choose an address that this machine has", key, err)
	}
	return fmt.Errorf("%s: %w", key, err)
}

// newLogger writes what the configuration asks for.
func newLogger(w io.Writer, l configs.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.SlogLevel()}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
