package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"strings"
)

// Secret is a secret as the file has it: env:NAME, file:PATH or the thing itself. Only [Config.Resolve] says what it
// stands for; every other way of printing it is REDACTED.
type Secret string

const (
	envPrefix  = "env:"
	filePrefix = "file:"
	redacted   = "REDACTED"
	// maxSecret bounds what is read from a secret's file, in bytes.
	maxSecret = 16 << 10
)

// String is REDACTED.
func (Secret) String() string { return redacted }

// GoString is REDACTED.
func (Secret) GoString() string { return redacted }

// Format writes REDACTED for every verb, so that %x is no way round it.
func (Secret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue is REDACTED.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the secret out of JSON and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// file returns the path of a file: reference.
func (s Secret) file() (string, bool) { return strings.CutPrefix(string(s), filePrefix) }

// literal reports whether the secret itself is in the configuration file.
func (s Secret) literal() bool {
	return s != "" && !strings.HasPrefix(string(s), envPrefix) && !strings.HasPrefix(string(s), filePrefix)
}

// SecretList is one secret or a list of them.
type SecretList []Secret

func (l *SecretList) fromText(s string) error {
	if err := checkSecretForm(s); err != nil {
		return err
	}
	*l = SecretList{Secret(s)}
	return nil
}

func (s *Secret) fromText(text string) error {
	if err := checkSecretForm(text); err != nil {
		return err
	}
	*s = Secret(text)
	return nil
}

// variable is the shape of what people write where they expect variables to be expanded.
var variable = regexp.MustCompile(`^\$(\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Z_][A-Z0-9_]*)$`)

// checkSecretForm finds what cannot be meant, without repeating any of it.
func checkSecretForm(s string) error {
	name, isEnv := strings.CutPrefix(s, envPrefix)
	path, isFile := strings.CutPrefix(s, filePrefix)
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("is empty: an empty secret authenticates nobody")
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("holds a line break or another control character: write it on one line")
	case isEnv && (name == "" || strings.ContainsAny(name, " =${}")):
		return errors.New("must name an environment variable behind env:, such as env:CLIENT_SECRET")
	case isFile && path == "":
		return errors.New("must name a file behind file:, such as file:client.secret")
	case variable.MatchString(s):
		return errors.New("variables are not expanded: write env:NAME for the environment variable NAME")
	}
	return nil
}

// Resolve returns what a reference stands for: env:NAME the variable, file:PATH the content of the file without line
// breaks at its end, relative to the configuration file, and anything else itself. The error names the reference, and
// holds nothing of the secret. It is never empty.
func (c *Config) Resolve(reference string) (string, error) {
	if err := checkSecretForm(reference); err != nil {
		return "", err
	}
	if name, ok := strings.CutPrefix(reference, envPrefix); ok {
		value, set := c.env(name)
		switch {
		case !set:
			return "", fmt.Errorf("%s: the environment variable is not set", reference)
		case strings.TrimSpace(value) == "":
			return "", fmt.Errorf("%s: the environment variable is empty", reference)
		}
		return strings.TrimRight(value, "\r\n"), nil
	}
	path, ok := strings.CutPrefix(reference, filePrefix)
	if !ok {
		return reference, nil
	}
	content, err := readFile(c.Path(path), maxSecret)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: the file cannot be read: %w", reference, reason(err))
	case len(content) > maxSecret:
		return "", fmt.Errorf("%s: the file is larger than %d bytes: is it a secret?", reference, maxSecret)
	}
	value := strings.TrimRight(string(content), "\r\n")
	if strings.TrimSpace(value) == "" {
		return "", fmt.Errorf("%s: the file is empty", reference)
	}
	return value, nil
}

// openToOthers reports whether people outside the file's group may read it. Systems without such bits say no.
func openToOthers(path string) bool {
	if runtime.GOOS == "windows" {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&fs.FileMode(0o007) != 0
}
