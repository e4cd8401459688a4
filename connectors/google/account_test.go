package google_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/google"
)

// keyless are the ways to be a service account without holding its key.
func keyless(t testing.TB) map[string]func(base, dir string) *google.ServiceAccount {
	t.Helper()
	return map[string]func(base, dir string) *google.ServiceAccount{
		"a token in a file": func(base, dir string) *google.ServiceAccount {
			path := filepath.Join(dir, "token")
			if err := os.WriteFile(path, []byte(fake.GoogleWorkloadToken+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return workload(base, writeJSON(t, dir, fake.GoogleExternalAccount(base, fake.GoogleFileSource(path))))
		},
		"a token by URL": func(base, dir string) *google.ServiceAccount {
			return workload(base, writeJSON(t, dir, fake.GoogleExternalAccount(base, fake.GoogleURLSource(base))))
		},
		"a workload that signs without becoming the account": func(base, dir string) *google.ServiceAccount {
			doc := fake.GoogleExternalAccount(base, fake.GoogleURLSource(base))
			delete(doc, "service_account_impersonation_url")
			s := workload(base, writeJSON(t, dir, doc))
			s.Email = fake.GoogleServiceAccount
			return s
		},
		"the account of the machine": func(base, _ string) *google.ServiceAccount { return workload(base, "default") },
	}
}

// bench reads groups by a service account. The environment names no credentials.
func bench(t testing.TB, from string, account func(base, dir string) *google.ServiceAccount, change func(*connectortest.Setup)) *connectortest.Bench {
	t.Helper()
	s := configured(t, func(c *google.Config, base, dir string) {
		c.GroupsFrom, c.ServiceAccount = from, account(base, dir)
		if from == "directory" {
			c.ServiceAccount.AdminEmail = "admin@example.com"
		}
	})
	made := s.Config
	s.Config = func(common connectors.Common, base string) connectors.Config {
		return unset{made(common, base).(*google.Config)}
	}
	return s.Open(t, change)
}

// unset is a configuration in whose environment no variable is set.
type unset struct{ *google.Config }

// Open implements connectors.Config.
func (u unset) Open(env connectors.Environment) (connectors.Connector, error) {
	resolve := env.Resolve
	env.Resolve = func(reference string) (string, error) {
		if strings.HasPrefix(reference, "env:") {
			return "", os.ErrNotExist
		}
		return resolve(reference)
	}
	return u.Config.Open(env)
}

func TestDelegationWithoutAKey(t *testing.T) {
	t.Parallel()
	for name, account := range keyless(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bench(t, "directory", account, nil)
			want := named("engineering@example.com", "sre@example.com")
			if got := b.MustSignIn(t).Profile.Groups; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if n := b.Vendor.Calls(fake.GoogleIAM); n == 0 {
				t.Error("nobody signed for the account")
			}
		})
	}
}

// An account with an administrator's role of its own needs no delegation, and
// nobody's signature.
func TestAccountsThatAskAsThemselves(t *testing.T) {
	t.Parallel()
	accounts := keyless(t)
	delete(accounts, "a workload that signs without becoming the account")
	accounts["a key"] = func(base, dir string) *google.ServiceAccount {
		return &google.ServiceAccount{Credentials: writeKey(t, dir, base, false)}
	}
	for name, account := range accounts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bench(t, "cloud_identity", account, func(s *connectortest.Setup) { s.Vendor.Google.AccountIsAdmin = true })
			if got := b.MustSignIn(t).Profile.Groups; len(got) != 2 {
				t.Errorf("got %q", got)
			}
			before := b.Vendor.Calls(fake.GoogleSTS) + b.Vendor.Calls(fake.GoogleMetadata)
			b.MustSignIn(t)
			if after := b.Vendor.Calls(fake.GoogleSTS) + b.Vendor.Calls(fake.GoogleMetadata); after != before {
				t.Error("the access token was asked for again")
			}
			b.Clock.Advance(59 * time.Minute)
			b.MustSignIn(t)
			if after := b.Vendor.Calls(fake.GoogleSTS) + b.Vendor.Calls(fake.GoogleMetadata); after == before && name != "a key" {
				t.Error("an access token about to end was used")
			}
		})
	}
}

// assertions counts the access tokens that the account was given.
func assertions(b *connectortest.Bench) int {
	n := 0
	for _, r := range b.Vendor.Requests() {
		if r.Form.Has("assertion") {
			n++
		}
	}
	return n
}

func TestAccessTokensAreKeptUntilShortlyBeforeTheirEnd(t *testing.T) {
	t.Parallel()
	b := fromDirectory(t, nil).Open(t, nil)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, _, err := b.SignIn(t); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := assertions(b); n != 1 {
		t.Errorf("%d tokens for people who came at once, want 1", n)
	}
	b.Clock.Advance(56 * time.Minute)
	b.MustSignIn(t)
	if n := assertions(b); n != 1 {
		t.Errorf("%d tokens, want 1", n)
	}
	b.Clock.Advance(90 * time.Second)
	b.MustSignIn(t)
	if n := assertions(b); n != 2 {
		t.Errorf("%d tokens, want 2: the first is about to end", n)
	}
}

// While a new one cannot be had, the old one is good until its end.
func TestAnAccessTokenOutlastsAnOutage(t *testing.T) {
	t.Parallel()
	b := fromDirectory(t, nil).Open(t, nil)
	b.MustSignIn(t)
	b.Vendor.Misbehave(fake.GoogleNoDelegation)
	b.Clock.Advance(58 * time.Minute)
	b.MustSignIn(t)
	b.Clock.Advance(2 * time.Minute)
	b.Refused(t, connectors.Operator)
}

// The token endpoint's troubles are told from its refusals.
func TestTheTokenEndpointOfAnAccount(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		kind   connectors.Kind
		code   string
	}{
		{"limits us", 429, `{"error":"rate_limit_exceeded"}`, connectors.Transient, "rate_limit_exceeded"},
		{"is down", 503, "", connectors.Transient, ""},
		{"does not know the account", 401, `{"error":"invalid_client"}`, connectors.Operator, "invalid_client"},
		{"refuses without a word", 403, "<html>", connectors.Operator, ""},
		{"does not know the scope", 400, `{"error":"invalid_scope"}`, connectors.Operator, "invalid_scope"},
		{"answers with a page", 200, "<html>", connectors.Broken, ""},
	} {
		b := fromDirectory(t, func(c *google.Config) { c.ServiceAccount.TokenURL = c.DirectoryURL + "/elsewhere" }).Open(t, nil)
		b.Vendor.Replace("/elsewhere", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		}))
		err := b.Refused(t, tt.kind)
		if err.Code != tt.code || tt.kind == connectors.Transient && err.RetryAfter != 7*time.Second {
			t.Errorf("%s: %v, again after %v", tt.name, err, err.RetryAfter)
		}
	}
}

func TestAnswersThatAreNoAccessToken(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(map[string]any){
		"no token": set("access_token", ""), "another type": set("token_type", "mac"), "no end": set("expires_in", 0),
		"an end that is text": set("expires_in", "3600"), "a member in another case": set("ACCESS_TOKEN", "x"),
	} {
		b := fromDirectory(t, nil).Open(t, nil)
		b.Vendor.Edit(fake.GoogleServiceToken, spoil)
		if err := b.Refused(t, connectors.Broken); !strings.Contains(err.Hint, "service account") {
			t.Errorf("%s: %v", name, err)
		}
		b.Vendor.Behave()
		b.MustSignIn(t)
	}
}

// A token that ended before its time is replaced, once.
func TestARefusedAccessTokenIsReplaced(t *testing.T) {
	t.Parallel()
	b := fromDirectory(t, nil).Open(t, nil)
	b.MustSignIn(t)
	b.Vendor.MisbehaveOnce(fake.GoogleTokenRefused)
	if got := b.MustSignIn(t).Profile.Groups; len(got) != 2 {
		t.Errorf("got %q", got)
	}
	if n := assertions(b); n != 2 {
		t.Errorf("%d tokens, want 2", n)
	}
	b.Vendor.Misbehave(fake.GoogleTokenRefused)
	b.Refused(t, connectors.Operator)
	if n := assertions(b); n > 4 {
		t.Errorf("%d tokens for a directory that takes none", n)
	}
}

func TestAKeyIsReplacedWithoutARestart(t *testing.T) {
	t.Parallel()
	var dir, base string
	b := configured(t, func(c *google.Config, at, d string) {
		dir, base = d, at
		c.GroupsFrom = "directory"
		c.ServiceAccount = &google.ServiceAccount{Credentials: writeKey(t, d, at, true), AdminEmail: "admin@example.com"}
	}).Open(t, nil)
	if err := b.Refused(t, connectors.Operator); err.Code != "invalid_grant" || !strings.Contains(err.Hint, "key") {
		t.Errorf("a deleted key: %v", err)
	}
	writeKey(t, dir, base, false)
	b.Clock.Advance(15 * time.Second)
	b.MustSignIn(t)
	// A file that is being written is not the end of the last good one.
	writeFile(t, dir, []byte(`{"type":"service_acc`))
	b.Clock.Advance(2 * time.Hour)
	b.MustSignIn(t)
	if !strings.Contains(b.Log.String(), "last good") {
		t.Errorf("nobody was told; the log: %s", b.Log)
	}
}

// The platform's own token, Google's answers and the key's file are in no error.
func TestFailuresOfAWorkload(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		token string // in the file
		spoil func(*connectortest.Bench)
		kind  connectors.Kind
		hint  string
	}{
		{"a token that the pool does not take", "another.token.ofthe-platform", nil, connectors.Operator, "workload identity pool"},
		{"an empty file", "", nil, connectors.Operator, "credential_source"},
		{"the token service is down", fake.GoogleWorkloadToken, func(b *connectortest.Bench) { b.Vendor.Misbehave(fake.At(fake.GoogleSTS, fake.Unavailable)) }, connectors.Transient, ""},
		{"the token service limits us", fake.GoogleWorkloadToken, func(b *connectortest.Bench) { b.Vendor.Misbehave(fake.At(fake.GoogleSTS, fake.TooManyRequests)) }, connectors.Transient, ""},
		{"the token service is another page", fake.GoogleWorkloadToken, func(b *connectortest.Bench) { b.Vendor.Misbehave(fake.At(fake.GoogleSTS, fake.HTMLBody)) }, connectors.Broken, ""},
		{"the token service redirects", fake.GoogleWorkloadToken, func(b *connectortest.Bench) { b.Vendor.Misbehave(fake.At(fake.GoogleSTS, fake.Redirected)) }, connectors.Broken, "redirect"},
		{"the token service sends too much", fake.GoogleWorkloadToken, func(b *connectortest.Bench) { b.Vendor.Misbehave(fake.At(fake.GoogleSTS, fake.HugeBody)) }, connectors.Broken, ""},
		{"the impersonation is refused", fake.GoogleWorkloadToken, func(b *connectortest.Bench) { b.Vendor.Misbehave(fake.GoogleNoTokenCreator) }, connectors.Operator, "roles/iam.serviceAccountTokenCreator"},
		{"the impersonation redirects", fake.GoogleWorkloadToken, func(b *connectortest.Bench) { b.Vendor.Misbehave(fake.At(fake.GoogleIAM, fake.Redirected)) }, connectors.Broken, "redirect"},
		{"the impersonation is limited", fake.GoogleWorkloadToken, func(b *connectortest.Bench) { b.Vendor.Misbehave(fake.At(fake.GoogleIAM, fake.TooManyRequests)) }, connectors.Transient, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := bench(t, "directory", func(base, dir string) *google.ServiceAccount {
				s := keyless(t)["a token in a file"](base, dir)
				if err := os.WriteFile(filepath.Join(dir, "token"), []byte(tt.token), 0o600); err != nil {
					t.Fatal(err)
				}
				return s
			}, nil)
			stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
			defer stranger.Close()
			b.Vendor.SetElsewhere(stranger.URL)
			if tt.spoil != nil {
				tt.spoil(b)
			}
			err := b.Refused(t, tt.kind)
			if !strings.Contains(err.Hint, tt.hint) {
				t.Errorf("the hint %q does not say %q", err.Hint, tt.hint)
			}
			for _, secret := range []string{fake.GoogleWorkloadToken, "another.token"} {
				if strings.Contains(err.Error()+b.Log.String(), secret) {
					t.Errorf("the workload's token is in %v", err)
				}
			}
		})
	}
}

func TestTheMetadataServerHasToBeOne(t *testing.T) {
	t.Parallel()
	account := keyless(t)["the account of the machine"]
	b := bench(t, "directory", account, nil)
	const path = "/computeMetadata/v1/instance/service-accounts/default/"
	b.Vendor.Replace(path+"email", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("me@elsewhere.example")) }))
	if err := b.Refused(t, connectors.Broken); !strings.Contains(err.Hint, "metadata server") {
		t.Errorf("got %v", err)
	}
	b.Vendor.Behave()
	b.Vendor.Misbehave(fake.At(fake.GoogleMetadata, fake.NotFound))
	b.Refused(t, connectors.Operator)
	b.Vendor.Behave()
	b.Vendor.Misbehave(fake.At(fake.GoogleMetadata, fake.Unavailable))
	b.Refused(t, connectors.Transient)
	b.Vendor.Behave()
	b.MustSignIn(t)
}
