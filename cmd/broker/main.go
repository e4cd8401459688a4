// Command broker is the Gatehouse federation broker.
//
//	broker serve -c FILE              runs the broker
//	broker demo                       runs one with everything around it emulated
//	broker check-config -c FILE       says everything that is wrong with a configuration, or what it means
//	broker connector test -c FILE ID  signs in through a connector, and says what came back or what to do
//	broker keys list|rotate -c FILE   the signing keys of a running broker, or of its database while none runs
//	broker secret                     prints a fresh secret
//	broker version                    says what this program is
//
// Exit codes: 0 done, 1 an error, 2 a command line that makes no sense. Errors and warnings go to standard error,
// results to standard output.
//
// This is the only package that knows which vendors and storage engines there are; see vendors.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return runWith(ctx, args, os.Stdin, stdout, stderr)
}

func runWith(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetIn(stdin)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintf(stderr, "%s: %v\nRun \"%s --help\" for how it is used.\n", command.CommandPath(), err, command.CommandPath())
		return 2
	}
	fmt.Fprintf(stderr, "%v\n", err)
	return 1
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "broker",
		Short: "Single sign-on for your applications, through the identity providers your people already have",
		// Both are printed by run, on one line and on standard error.
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serveCommand(), demoCommand(), checkConfigCommand(), connectorCommand(), keysCommand(), secretCommand(), versionCommand())
	return root
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// unknownCommand refuses arguments of a command that only has commands below it.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2 // cobra sets its default only where it prints the error itself
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return usagef("unknown command %q: did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return usagef("unknown command %q", args[0])
}

// noArguments refuses arguments.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("takes no arguments, but got %q", args[0])
	}
	return nil
}

// configFlag adds -c.
func configFlag(c *cobra.Command, path *string) {
	c.Flags().StringVarP(path, "config", "c", "", "the configuration `FILE`")
}

// requireConfig wants -c to be given.
func requireConfig(path string) error {
	if path == "" {
		return usagef("name the configuration file: -c broker.yaml")
	}
	return nil
}
