package connectors

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Secrets are references to one secret or several, as Environment.Resolve takes
// them. In YAML a single one need not be a list.
type Secrets []string

// UnmarshalText reads the form that is one word.
func (s *Secrets) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("is empty: an empty secret authenticates nobody")
	}
	*s = Secrets{string(text)}
	return nil
}

// String keeps literals out of logs.
func (s Secrets) String() string { return "REDACTED" }

// LogValue keeps literals out of logs.
func (s Secrets) LogValue() slog.Value { return slog.StringValue("REDACTED") }

// SecretSource hands out the client secrets as they are at the moment: those in
// files are read again, so that a replaced one needs no restart. It is safe for
// concurrent use.
type SecretSource struct {
	references Secrets
	resolve    func(string) (string, error)
	log        *slog.Logger
	id, key    string

	mu   sync.Mutex
	last []string
	bad  bool
	// good is the one of last that the upstream accepted most recently.
	good int
}

// OpenSecrets resolves client_secret for the first time. It is an error if one of
// the secrets cannot be had or is empty.
func (c *Common) OpenSecrets(env Environment) (*SecretSource, error) {
	return c.OpenSecretsOf(env, "client_secret", c.ClientSecret)
}

// OpenSecretsOf is OpenSecrets for the secrets of another configuration key.
func (c *Common) OpenSecretsOf(env Environment, key string, references Secrets) (*SecretSource, error) {
	s := &SecretSource{references: references, resolve: env.Resolve, log: env.Log, id: c.ID, key: key}
	var err error
	s.last, err = s.read()
	return s, err
}

// Current returns the secrets in the order in which they are to be tried. When
// they cannot be read any more, the last good ones stay in use.
func (s *SecretSource) Current() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh, err := s.read()
	if err == nil {
		if !slices.Equal(fresh, s.last) {
			s.good = 0 // what was learned about another set says nothing
		}
		s.last = fresh
	} else if !s.bad {
		s.log.Error("a secret cannot be read again; the last good one stays in use", "connector", s.id, "error", err)
	}
	s.bad = err != nil
	return s.last
}

// Try calls ask with one secret after the other, the one that was accepted last
// first, until one is accepted. ask returns an error with the cause
// ErrClientRefused when the upstream accepts none such; with any other outcome it is
// not called again. Try returns the last error.
func (s *SecretSource) Try(ask func(secret string) error) error {
	secrets := s.Current()
	s.mu.Lock()
	first := s.good
	s.mu.Unlock()
	var err error
	for i := range secrets {
		n := (first + i) % len(secrets)
		if err = ask(secrets[n]); errors.Is(err, ErrClientRefused) {
			continue
		}
		if err == nil {
			s.accept(secrets, n)
		}
		return err
	}
	return err
}

// accept remembers which secret is good, unless there are others meanwhile.
func (s *SecretSource) accept(secrets []string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(secrets, s.last) || s.good == n {
		return
	}
	s.good = n
	if s.log != nil {
		s.log.Warn(fmt.Sprintf("of the secrets in %s the upstream accepts number %d", s.key, n+1), "connector", s.id)
	}
}

func (s *SecretSource) read() ([]string, error) {
	var out []string
	for _, reference := range s.references {
		secret, err := s.resolve(reference)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.key, err)
		}
		if secret == "" {
			return nil, errors.New(s.key + ": is empty")
		}
		out = append(out, secret)
	}
	if len(out) == 0 {
		return nil, errors.New(s.key + ": is empty")
	}
	return out, nil
}

// Date is a day, such as 2027-01-31.
type Date struct{ time.Time }

// UnmarshalText reads year, month and day.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return errors.New("must be a day, such as 2027-01-31")
	}
	d.Time = t.Add(24*time.Hour - time.Second)
	return nil
}

// Expirations lists what is common to every connector: the client secret, if its
// end is configured.
func (c *Common) Expirations() []Expiration {
	if c.ClientSecretExpires.IsZero() {
		return nil
	}
	return []Expiration{{What: "client_secret", At: c.ClientSecretExpires.Time}}
}
