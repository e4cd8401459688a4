package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/broker/keys"
	"gatehouse/configs"
	"gatehouse/internal/adminsock"
)

func keysCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "List or rotate the signing keys",
		Long: `List or rotate the signing keys.

While the broker runs these commands ask it, over the admin socket beside the database, and have to be run as the same
user. Otherwise they open the database themselves.`,
		Args: unknownCommand,
		RunE: func(*cobra.Command, []string) error { return usagef("say what to do: list or rotate") },
	}
	c.AddCommand(keysListCommand(), keysRotateCommand())
	return c
}

func keysListCommand() *cobra.Command {
	var path, format string
	c := &cobra.Command{
		Use:   "list -c FILE",
		Short: "Show every signing key, its stage and when that changes",
		Long: `Show every signing key, its stage and when that changes.

A key is first published and yet to sign (next), then signs (signing), then stays published for what it has signed
(retired), and is kept a while longer to recognise old ID tokens that come back as a hint (withdrawn).`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return withKeys(c, path, format, func(ctx context.Context, k signingKeys) ([]keys.Info, error) { return k.list(ctx) })
		},
	}
	configFlag(c, &path)
	formatFlag(c, &format)
	return c
}

func keysRotateCommand() *cobra.Command {
	var path, format string
	var emergency bool
	c := &cobra.Command{
		Use:   "rotate -c FILE",
		Short: "Replace the signing keys ahead of schedule",
		Long: `Replace the signing keys ahead of schedule.

An ordinary rotation publishes new keys now and signs with them a day later, so that nobody meets a key they have not
had time to fetch; everything that is signed stays good.

With --emergency, for keys that somebody else may have, new keys sign at once and the old ones are deleted: what they
signed is refused from now on, and applications that have the old keys in their caches refuse what is new until they
fetch again.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return withKeys(c, path, format, func(ctx context.Context, k signingKeys) ([]keys.Info, error) { return k.rotate(ctx, emergency) })
		},
	}
	configFlag(c, &path)
	formatFlag(c, &format)
	c.Flags().BoolVar(&emergency, "emergency", false, "delete the present keys and sign with new ones at once")
	return c
}

func formatFlag(c *cobra.Command, format *string) {
	c.Flags().StringVarP(format, "output", "o", "table", "how to print the keys: `table` or json")
}

// signingKeys are those of a running broker, or of a database that no broker has open.
type signingKeys struct {
	list   func(ctx context.Context) ([]keys.Info, error)
	rotate func(ctx context.Context, emergency bool) ([]keys.Info, error)
}

// withKeys does something with the signing keys of a configuration and prints what they are then.
func withKeys(c *cobra.Command, path, format string, do func(context.Context, signingKeys) ([]keys.Info, error)) error {
	if err := requireConfig(path); err != nil {
		return err
	}
	if format != "table" && format != "json" {
		return usagef("unknown output %q: choose table or json", format)
	}
	// Only the socket is asked for: whoever may speak to it need not hold the broker's secrets.
	config, err := configs.Parse(path, vendors())
	if err != nil {
		return err
	}
	list, err := askBroker(c.Context(), config, do)
	if errors.Is(err, adminsock.ErrNoServer) {
		list, err = askDatabase(c, path, do)
	}
	if err != nil {
		return err
	}
	if format == "json" {
		encoder := json.NewEncoder(c.OutOrStdout())
		encoder.SetIndent("", "  ")
		return encoder.Encode(list)
	}
	return printKeys(c.OutOrStdout(), list)
}

func askBroker(ctx context.Context, config *configs.Config, do func(context.Context, signingKeys) ([]keys.Info, error)) ([]keys.Info, error) {
	if config.Admin.Socket == "" {
		return nil, adminsock.ErrNoServer
	}
	client := adminsock.NewClient(config.Admin.Socket)
	return do(ctx, signingKeys{client.List, client.Rotate})
}

func askDatabase(c *cobra.Command, path string, do func(context.Context, signingKeys) ([]keys.Info, error)) (list []keys.Info, err error) {
	config, err := configs.Load(path, vendors())
	if err != nil {
		return nil, err
	}
	log := newLogger(c.ErrOrStderr(), configs.Log{Level: "warn", Format: "text"})
	opened, err := openExisting(c.Context(), config, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.store.Close()) }()
	ring := opened.server.Keys()
	return do(c.Context(), signingKeys{
		list: func(context.Context) ([]keys.Info, error) { return ring.Info(), nil },
		rotate: func(ctx context.Context, emergency bool) ([]keys.Info, error) {
			err := ring.Rotate(ctx, emergency)
			return ring.Info(), err
		},
	})
}

func printKeys(w io.Writer, list []keys.Info) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KID\tALGORITHM\tSTAGE\tPUBLISHED\tSIGNS FROM\tUNTIL\tWITHDRAWN\tFORGOTTEN")
	for _, k := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Algorithm, k.Stage,
			date(k.PublishAt), date(k.SignAt), date(k.RetireAt), date(k.WithdrawAt), date(k.ForgetAt))
	}
	return t.Flush()
}

// date is in UTC, as everybody's log lines are.
func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
