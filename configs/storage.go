package configs

import (
	"path/filepath"
	"strings"

	"gatehouse/connectors"
)

// Storage is where the state lives.
type Storage struct {
	// Type is the engine: bolt.
	Type string `yaml:"type"`
	// Path is the database file.
	Path string `yaml:"path"`
}

// Validate checks the engine's keys.
func (s Storage) Validate() []connectors.Problem {
	var f faults
	switch s.Type {
	case "bolt":
		if s.Path == "" {
			f.add("path", "required: the database file, such as broker.db")
		}
	case "postgres":
		f.add("type", "postgres is not in this build: use {type: bolt, path: broker.db}")
	default:
		f.add("type", "must be bolt")
	}
	return f
}

// besideDatabase names a file after the database: broker.db and ".sock" make broker.sock.
func besideDatabase(database, extension string) string {
	return strings.TrimSuffix(database, filepath.Ext(database)) + extension
}
