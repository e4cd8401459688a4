package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/configs"
	"gatehouse/connectors"
)

func connectorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "connector",
		Short: "Try a connector out",
		Long:  "Try a connector out, without a running broker and without its database.",
		Args:  unknownCommand,
		RunE:  func(*cobra.Command, []string) error { return usagef("say what to do: test") },
	}
	c.AddCommand(connectorTestCommand())
	return c
}

// trialOptions are what the command line says of a trial.
type trialOptions struct {
	path, id string
	// listen is where the answer is waited for; empty for the best place there is.
	listen  string
	print   bool
	level   string
	choice  string
	timeout time.Duration
}

func connectorTestCommand() *cobra.Command {
	var o trialOptions
	c := &cobra.Command{
		Use:   "test -c FILE ID",
		Short: "Sign in through a connector, and say what came back or what to do",
		Long: `Sign in through a connector as people do, with your browser, and say what came back: who it was, what their e-mail
address is worth, their groups and where they were found, scopes, clocks, and when credentials expire. If it fails, say
what has to be done, and where in the provider's console.

The provider sends the browser back to a redirect URI that is registered there. There are two ways:

  listen   This command listens on this machine, by default on ` + defaultListen + `, and the redirect URI is
           http://` + defaultListen + `/callback/ID. Register it at the provider for as long as you test. When the
           issuer of the configuration is itself on this machine and nothing runs there, its own address is used.
  --print  The redirect URI is the broker's own, which is registered already. The browser ends on a page of the
           broker that says the sign-in is over, or, if the broker does not run, on an error page: paste the
           address of that page here. This is the default for github, where an OAuth app has one callback URL.

Nothing is stored, and no token or secret is printed. What the provider handed out is forgotten when the command ends.

Exit codes: 0 signed in (and, where recheck_interval is set, asked again), 1 not, 2 the command line makes no sense.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name one connector by its id")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.id = args[0]
			return testConnector(c.Context(), o, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	configFlag(c, &o.path)
	c.Flags().StringVar(&o.listen, "listen", "", "wait for the answer on this loopback `ADDRESS`")
	c.Flags().BoolVar(&o.print, "print", false, "do not listen: paste the address that the browser ends on")
	c.Flags().StringVar(&o.level, "level", "", "demand this assurance `LEVEL`, as an application does with acr_values")
	c.Flags().StringVar(&o.choice, "choice", "", "the `KEY` of a choice, where the connector has several entries on the chooser")
	c.Flags().DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long to wait for the sign-in")
	return c
}

// testConnector makes the trial that the command line asks for, and runs it.
func testConnector(ctx context.Context, o trialOptions, in io.Reader, out, errOut io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	// The rest of the configuration may name secrets that whoever tests does not have.
	config, err := configs.Parse(o.path, vendors())
	if err != nil {
		return err
	}
	section, err := o.section(config)
	if err != nil {
		return err
	}
	t, err := newTrial(config, section, errOut)
	if err != nil {
		return err
	}
	if err := o.demand(t); err != nil {
		return err
	}
	if t.way, err = o.way(config.Issuer, t.about.Type); err != nil {
		return err
	}
	defer t.way.close()
	t.in, t.out, t.timeout = in, out, o.timeout
	return t.run(ctx)
}

func (o *trialOptions) check() error {
	if err := requireConfig(o.path); err != nil {
		return err
	}
	switch {
	case o.print && o.listen != "":
		return usagef("--listen and --print are two ways: choose one")
	case o.timeout <= 0:
		return usagef("--timeout must be longer than nothing")
	}
	return nil
}

// section finds the connector.
func (o *trialOptions) section(config *configs.Config) (connectors.Config, error) {
	var ids []string
	for _, one := range config.Connectors {
		if one.Base().ID == o.id {
			return one, nil
		}
		ids = append(ids, one.Base().ID)
	}
	return nil, usagef("%s has no connector %q: it has %s", o.path, o.id, strings.Join(ids, ", "))
}

// demand puts level and choice into the login, if the connector has them.
func (o *trialOptions) demand(t *trial) error {
	if o.level != "" {
		t.login.ACRValues = []string{o.level}
		if t.about.NoACR {
			return usagef("connectors of type %s prove no level: %s does not say how people authenticated", t.about.Type, adviceOf(t.about.Type).title)
		}
		if known := t.about.Levels; len(known) > 0 && !slices.Contains(known, o.level) {
			return usagef("connector %s has no level %q: its assurance table has %s", o.id, o.level, strings.Join(known, ", "))
		}
	}
	if o.choice == "" {
		return nil
	}
	var keys []string
	for _, one := range t.about.Choices {
		keys = append(keys, one.Key)
	}
	if !slices.Contains(keys, o.choice) {
		if len(keys) == 0 {
			return usagef("connector %s has no choices", o.id)
		}
		return usagef("connector %s has no choice %q: it has %s", o.id, o.choice, strings.Join(keys, ", "))
	}
	t.login.Choice = o.choice
	return nil
}

// errNotSignedIn ends a trial whose reason has been printed.
var errNotSignedIn = errors.New("not signed in")

// notSignedIn is the line on standard error; the reason, and what to do, is on standard output.
func notSignedIn(id string, err error) error {
	return fmt.Errorf("connector %s: %w: %w", id, errNotSignedIn, err)
}
