package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gatehouse/broker/seal"
)

func secretCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "secret",
		Short: "Print a fresh secret",
		Long: `Print a fresh secret of 256 random bits, for secret_key or as the client_secret of an application.

It is printed once and kept nowhere:  broker secret > broker.key && chmod 600 broker.key`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), seal.NewSecret())
			return err
		},
	}
}
