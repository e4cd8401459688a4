package connectors

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// safe is a set of secrets that change.
type safe struct {
	mu      sync.Mutex
	secrets map[string]string
	log     bytes.Buffer
}

func (s *safe) put(reference, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[reference] = secret
}

func (s *safe) open(t *testing.T, references ...string) *SecretSource {
	t.Helper()
	c := Common{ID: "up", ClientSecret: references}
	source, err := c.OpenSecrets(Environment{
		Log: slog.New(slog.NewTextHandler(&s.log, nil)),
		Resolve: func(reference string) (string, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			secret, ok := s.secrets[reference]
			if !ok {
				return "", errors.New(reference + " is not there")
			}
			return secret, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// asked returns the secrets that were tried when the upstream accepts only one.
func asked(t *testing.T, s *SecretSource, good string) []string {
	t.Helper()
	var tried []string
	err := s.Try(func(secret string) error {
		if tried = append(tried, secret); secret == good {
			return nil
		}
		return fmt.Errorf("no: %w", &Error{Kind: Operator, Err: ErrClientRefused})
	})
	if (err == nil) != slices.Contains(tried, good) || err != nil && !errors.Is(err, ErrClientRefused) {
		t.Errorf("tried %q, got %v", tried, err)
	}
	return tried
}

func TestSecretsAreTriedInOrderAndTheGoodOneIsRemembered(t *testing.T) {
	t.Parallel()
	box := &safe{secrets: map[string]string{"a": "secret-old", "b": "secret-new"}}
	s := box.open(t, "a", "b")
	for i, step := range []struct {
		good  string
		tried []string
	}{
		{"secret-old", []string{"secret-old"}},
		{"secret-new", []string{"secret-old", "secret-new"}},
		{"secret-new", []string{"secret-new"}},               // not the bad one first each time
		{"secret-old", []string{"secret-new", "secret-old"}}, // the upstream went back
		{"secret-old", []string{"secret-old"}},
		{"neither", []string{"secret-old", "secret-new"}},
		{"secret-new", []string{"secret-old", "secret-new"}},
	} {
		if got := asked(t, s, step.good); !slices.Equal(got, step.tried) {
			t.Errorf("step %d: tried %q, want %q", i, got, step.tried)
		}
	}
	// Another set begins at its own first.
	box.put("a", "secret-next")
	if got := asked(t, s, "secret-next"); !slices.Equal(got, []string{"secret-next"}) {
		t.Errorf("after a change: tried %q", got)
	}
	if text := box.log.String(); !strings.Contains(text, "number 2") || strings.Contains(text, "secret-") {
		t.Errorf("the log says %s", text)
	}
}

func TestOnlyARefusedClientHasTheNextSecretTried(t *testing.T) {
	t.Parallel()
	box := &safe{secrets: map[string]string{"a": "one", "b": "two"}}
	for name, failure := range map[string]error{
		"the code is not good": &Error{Kind: Broken, Code: "invalid_grant"}, "down": &Error{Kind: Transient},
		"another mistake of ours": &Error{Kind: Operator, Code: "invalid_scope"},
	} {
		s, calls := box.open(t, "a", "b"), 0
		err := s.Try(func(string) error { calls++; return failure })
		if calls != 1 || !errors.Is(err, failure) {
			t.Errorf("%s: %d attempts, %v", name, calls, err)
		}
	}
}

func TestSecretsAreReadAgainAndTheLastGoodKept(t *testing.T) {
	t.Parallel()
	box := &safe{secrets: map[string]string{"a": "one"}}
	s := box.open(t, "a")
	box.put("a", "two")
	if got := s.Current(); !slices.Equal(got, []string{"two"}) {
		t.Errorf("got %d secrets, the replaced one is not in use", len(got))
	}
	box.put("a", "")
	for range 3 {
		if got := s.Current(); !slices.Equal(got, []string{"two"}) {
			t.Error("the last good secret is not in use")
		}
	}
	if n := strings.Count(box.log.String(), "cannot be read again"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	c := Common{ClientSecret: Secrets{"a"}}
	for name, resolve := range map[string]func(string) (string, error){
		"an empty one": func(string) (string, error) { return "", nil }, "none": func(string) (string, error) { return "", errors.New("gone") },
	} {
		if _, err := c.OpenSecrets(Environment{Resolve: resolve}); err == nil || !strings.HasPrefix(err.Error(), "client_secret: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestManySignInsShareTheMemoryOfSecrets(t *testing.T) {
	t.Parallel()
	box := &safe{secrets: map[string]string{"a": "one", "b": "two"}}
	s := box.open(t, "a", "b")
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			if i%8 == 0 {
				box.put("a", fmt.Sprint("one-", i))
			}
			if err := s.Try(func(secret string) error {
				if secret == "two" {
					return nil
				}
				return ErrClientRefused
			}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	c := Common{ClientSecret: Secrets{"canary"}}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secrets", c.ClientSecret)
	if text := fmt.Sprintf("%v %s %+v", c.ClientSecret, c.ClientSecret, c.ClientSecret) + log.String(); strings.Contains(text, "canary") {
		t.Errorf("got %s", text)
	}
}

func TestADayEndsAtItsEnd(t *testing.T) {
	t.Parallel()
	var d Date
	if err := d.UnmarshalText([]byte("2027-01-31")); err != nil || !d.Equal(time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC)) {
		t.Errorf("got %v, %v", d, err)
	}
	for _, text := range []string{"", "2027-02-30", "31.1.2027", "2027-01-31T00:00:00Z"} {
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a day", text)
		}
	}
	c := Common{ClientSecretExpires: d}
	if got := c.Expirations(); len(got) != 1 || got[0].What != "client_secret" || !got[0].At.Equal(d.Time) {
		t.Errorf("got %v", got)
	}
	if got := (&Common{}).Expirations(); got != nil {
		t.Errorf("got %v", got)
	}
}
