package configs

import (
	"log/slog"

	"gatehouse/connectors"
)

// Log says how much is written to standard error, and how.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level"`
	// Format is text or json.
	Format string `yaml:"format"`
}

// Validate checks the words.
func (l Log) Validate() []connectors.Problem {
	var f faults
	switch l.Level {
	case "debug", "info", "warn", "error":
	default:
		f.add("level", "must be debug, info, warn or error")
	}
	if l.Format != "text" && l.Format != "json" {
		f.add("format", "must be text or json")
	}
	return f
}

// SlogLevel is the level for package slog.
func (l Log) SlogLevel() slog.Level {
	switch l.Level {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
