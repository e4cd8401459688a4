package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/broker/server"
	"gatehouse/internal/demo"
)

func demoCommand() *cobra.Command {
	var verbose bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Try it: four emulated providers, two sample applications, nothing to set up",
		Long: `Run a broker with a temporary database in front of emulated Google, Entra ID, Okta and GitHub, and two sample
applications that sign in through it. Everything is on this machine and nothing is left behind.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			// A terminal that is closed ends the demo like Ctrl-C: nobody could end it afterwards.
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGHUP)
			defer stop()
			log := slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: demoLevel(verbose)}))
			return demo.Run(ctx, demo.Options{Out: c.OutOrStdout(), Log: log,
				StartBroker: func(ctx context.Context, b demo.Broker) (func(), error) {
					return startDemoBroker(ctx, b, c.ErrOrStderr())
				}})
		},
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "log what the sample applications and providers do as well")
	return c
}

func demoLevel(verbose bool) slog.Level {
	if verbose {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// startDemoBroker runs the broker of the demo: the same code as serve, on a
// listener that is open already.
func startDemoBroker(ctx context.Context, b demo.Broker, logTo io.Writer) (func(), error) {
	s, err := prepare(ctx, b.ConfigPath, logTo)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.run(ctx, &server.Listeners{Public: b.Listener}); err != nil {
			fmt.Fprintf(logTo, "broker: %v\n", err)
		}
		if err := s.store.Close(); err != nil {
			fmt.Fprintf(logTo, "broker: closing the database: %v\n", err)
		}
	}()
	return func() { cancel(); <-ended }, nil
}
