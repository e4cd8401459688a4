package main

import (
	"fmt"
	"log/slog"

	"gatehouse/broker"
	"gatehouse/broker/seal"
	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/github"
	"gatehouse/connectors/google"
	"gatehouse/connectors/oidc"
	"gatehouse/connectors/okta"
	"gatehouse/store/bolt"
)

// vendors are the types of connectors there are, by the name they have in a configuration.
func vendors() configs.Types {
	return configs.Types{
		"azuread": func() connectors.Config { return new(azuread.Config) },
		"github":  func() connectors.Config { return new(github.Config) },
		"google":  func() connectors.Config { return new(google.Config) },
		"oidc":    func() connectors.Config { return new(oidc.Config) },
		"okta":    func() connectors.Config { return new(okta.Config) },
	}
}

// openStore opens the storage engine that the configuration names.
func openStore(s configs.Storage, secrets *seal.Keyring, log *slog.Logger) (broker.Store, error) {
	switch s.Type {
	case "bolt":
		return bolt.Open(s.Path, bolt.Options{Seal: secrets, Log: log})
	}
	return nil, fmt.Errorf("storage.type %s is not in this build", s.Type)
}
