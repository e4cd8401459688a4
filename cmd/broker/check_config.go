package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/web"
)

func checkConfigCommand() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "check-config -c FILE",
		Short: "Say everything that is wrong with a configuration, or what it means",
		Long: `Read a configuration as serve does and say everything that is wrong with it: file, line, key and what to do.
If nothing is, print what it means, with the redirect URI to register at each upstream, the scopes it will be asked for,
and when the credentials there expire.

It contacts nobody and changes nothing, but looks at the environment variables and files that the configuration names.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := requireConfig(path); err != nil {
				return err
			}
			config, err := configs.Load(path, vendors())
			if err != nil {
				return err
			}
			all, err := tryOut(config)
			if err != nil {
				return err
			}
			for _, w := range config.Warnings() {
				fmt.Fprintf(c.ErrOrStderr(), "warning: %s\n", w)
			}
			for _, w := range soon(all, time.Now()) {
				fmt.Fprintf(c.ErrOrStderr(), "warning: %s: %s\n", config.File(), w)
			}
			return summarize(c.OutOrStdout(), config, all)
		},
	}
	configFlag(c, &path)
	return c
}

// tryOut does what serve does with a configuration, as far as that contacts nobody.
func tryOut(config *configs.Config) ([]openedConnector, error) {
	var all []openedConnector
	var errs []error
	env := connectors.Environment{Now: time.Now, Log: slog.New(slog.DiscardHandler), Resolve: config.Resolve, Path: config.Path}
	for _, section := range config.Connectors {
		connector, err := section.Open(env)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: connector %s: %w", config.File(), section.Base().ID, err))
			continue
		}
		all = append(all, openedConnector{section, connector})
	}
	if dir := config.Theme.Dir; dir != "" {
		if _, err := web.New(os.DirFS(dir)); err != nil {
			errs = append(errs, fmt.Errorf("%s: theme.dir: %w", config.File(), err))
		}
	}
	return all, errors.Join(errs...)
}

// summarize prints what an operator has to know of a configuration, and has to do at the upstreams.
func summarize(w io.Writer, config *configs.Config, all []openedConnector) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "OK: %s\n\nissuer\t%s\nlisten\t%s\nhealth\t%s\nstorage\t%s\nadmin socket\t%s\n",
		config.File(), config.Issuer, listens(config), config.Health.Listen, config.Storage.Path, config.Admin.Socket)
	summarizeConnectors(t, config, all, time.Now())
	fmt.Fprintf(t, "\nCLIENT\tREDIRECT URIS\n")
	for _, client := range config.Clients {
		name := client.ClientID
		for _, uri := range client.RedirectURIs {
			fmt.Fprintf(t, "%s\t%s\n", name, uri)
			name = ""
		}
	}
	return t.Flush()
}

func listens(config *configs.Config) string {
	switch {
	case config.TLS.ACME != nil:
		return config.Listen + " (TLS, certificate by ACME)"
	case config.TLS.Enabled():
		return config.Listen + " (TLS)"
	}
	return config.Listen + " (plain HTTP)"
}
