package clientauth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
)

type clients map[string]*broker.Client

func (c clients) Client(_ context.Context, id string) (*broker.Client, error) {
	if id == "unreadable" {
		return nil, errors.New("disk on fire")
	}
	if client, ok := c[id]; ok {
		return client, nil
	}
	return nil, broker.ErrNotFound
}

// desk is an authenticator with one client of each kind.
func desk(t testing.TB, now *time.Time) *Authenticator {
	secrets := NewSecrets()
	keyed, err := secrets.Digest("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	return &Authenticator{Secrets: secrets, Realm: "https://sso.example", Failures: &httpx.Limiter{Rate: 1, Burst: 3, Now: func() time.Time { return *now }},
		Clients: clients{
			"basic":     {ID: "basic", AuthMethod: oauth.AuthMethodClientSecretBasic, Secrets: []string{keyed}},
			"post":      {ID: "post", AuthMethod: oauth.AuthMethodClientSecretPost, Secrets: []string{keyed}},
			"either":    {ID: "either", Secrets: []string{keyed}},
			"public":    {ID: "public", AuthMethod: oauth.AuthMethodNone},
			"none":      {ID: "none", AuthMethod: oauth.AuthMethodClientSecretPost},
			"blank":     {ID: "blank", AuthMethod: oauth.AuthMethodClientSecretPost, Secrets: []string{""}},
			"slow":      {ID: "slow", AuthMethod: oauth.AuthMethodClientSecretPost, Secrets: []string{bcryptOf(t, "old"), bcryptOf(t, "s3cret"), keyed}},
			"slow only": {ID: "slow only", AuthMethod: oauth.AuthMethodClientSecretPost, Secrets: []string{bcryptOf(t, "s3cret")}},
		}}
}

func request(address, basic string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/token", nil)
	if id, secret, ok := strings.Cut(basic, ":"); ok {
		r.SetBasicAuth(id, secret)
	}
	return r.WithContext(httpx.With(r.Context(), httpx.Request{Address: netip.MustParseAddr(address)}))
}

func form(t testing.TB, pairs ...string) oauth.Params {
	t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	p, err := oauth.ParseQuery(v.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAClientAuthenticatesByItsOwnMethodAlone(t *testing.T) {
	t.Parallel()
	var now time.Time
	for _, row := range []struct {
		name, basic string
		form        []string
		want        oauth.Code // empty: authenticated
	}{
		{"Basic by Basic", "basic:s3cret", nil, ""},
		{"Basic by Basic, naming itself again", "basic:s3cret", []string{"client_id", "basic"}, ""},
		{"post by post", "", []string{"client_id", "post", "client_secret", "s3cret"}, ""},
		{"either by Basic", "either:s3cret", nil, ""},
		{"either by post", "", []string{"client_id", "either", "client_secret", "s3cret"}, ""},
		{"either by nothing", "", []string{"client_id", "either"}, oauth.InvalidClient},
		{"public", "", []string{"client_id", "public"}, ""},
		{"CA-02: Basic by post", "", []string{"client_id", "basic", "client_secret", "s3cret"}, oauth.InvalidClient},
		{"CA-02: post by Basic", "post:s3cret", nil, oauth.InvalidClient},
		{"CA-02: confidential by nothing", "", []string{"client_id", "basic"}, oauth.InvalidClient},
		{"CA-02: public by a secret", "", []string{"client_id", "public", "client_secret", "x"}, oauth.InvalidClient},
		{"CA-02: public by Basic without password", "public:", nil, oauth.InvalidClient},
		{"CA-02: a secret beside an assertion", "", []string{"client_id", "post", "client_secret", "s3cret", "client_assertion", "x"}, oauth.InvalidRequest},
		{"CA-02: a type of assertion alone", "", []string{"client_id", "public", "client_assertion_type", "x"}, oauth.InvalidClient},
		{"CA-01: no secret is registered", "", []string{"client_id", "none", "client_secret", "x"}, oauth.InvalidClient},
		{"CA-01: an empty secret is registered", "", []string{"client_id", "blank", "client_secret", "x"}, oauth.InvalidClient},
		{"CA-01: Basic with an empty password", "basic:", nil, oauth.InvalidClient},
		{"a wrong secret", "basic:S3cret", nil, oauth.InvalidClient},
		{"another client's case", "Basic:s3cret", nil, oauth.InvalidClient},
		{"nobody", "", nil, oauth.InvalidClient},
		{"two ways at once", "basic:s3cret", []string{"client_secret", "s3cret"}, oauth.InvalidRequest},
		{"another client_id in the form", "basic:s3cret", []string{"client_id", "post"}, oauth.InvalidRequest},
		{"a store that cannot be read", "unreadable:s3cret", nil, oauth.ServerError},
	} {
		caller, err := desk(t, &now).Authenticate(request("192.0.2.1", row.basic), form(t, row.form...))
		if row.want == "" {
			if err != nil || caller.Client == nil || len(caller.Once) != 0 {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		oe := oauth.From(err)
		if caller.Client != nil || oe == nil || oe.Code != row.want {
			t.Errorf("%s: %v, %v", row.name, caller, err)
			continue
		}
		if challenged := oe.Challenge != ""; challenged != (row.basic != "" && row.want == oauth.InvalidClient) {
			t.Errorf("RFC 6749 §5.2: %s: challenge %q", row.name, oe.Challenge)
		}
	}
}

// CA-08: failures are counted by address and client, successes are not, and a
// stranger elsewhere shuts nobody out.
func TestFailuresAreCounted(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	a := desk(t, &now)
	try := func(address, basic string) *oauth.Error {
		_, err := a.Authenticate(request(address, basic), form(t))
		return oauth.From(err)
	}
	for range 10 {
		if err := try("192.0.2.1", "basic:s3cret"); err != nil {
			t.Fatalf("a success was counted: %v", err)
		}
	}
	for _, id := range []string{"basic", "nobody"} {
		for range 3 {
			if err := try("192.0.2.1", id+":wrong"); err.RetryAfter != 0 || err.Code != oauth.InvalidClient {
				t.Fatalf("%s: %v", id, err)
			}
		}
		if err := try("192.0.2.1", id+":wrong"); err == nil || err.RetryAfter != time.Second || err.Status() != http.StatusTooManyRequests {
			t.Errorf("%s: the fourth failure: %+v", id, err)
		}
	}
	if err := try("192.0.2.1", "basic:s3cret"); err == nil || err.RetryAfter == 0 {
		t.Errorf("the right secret after too many wrong ones: %v", err)
	}
	if err := try("192.0.2.2", "basic:s3cret"); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	now = now.Add(time.Second)
	if err := try("192.0.2.1", "basic:s3cret"); err != nil {
		t.Errorf("a second later: %v", err)
	}
	for i := range 4 {
		err := try("2001:db8::"+string(rune('1'+i)), "basic:wrong")
		if limited := err.RetryAfter > 0; limited != (i == 3) {
			t.Errorf("attempt %d out of one IPv6 network: %v", i+1, err)
		}
	}
}

// Slow hashes are the dear ones: an attempt counts before it is made, and a client
// whose secret is known pays nothing for the old ones beside it.
func TestSlowAttemptsCountBeforeTheyAreMade(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	a := desk(t, &now)
	for range 10 {
		if _, err := a.Authenticate(request("192.0.2.1", ""), form(t, "client_id", "slow", "client_secret", "s3cret")); err != nil {
			t.Fatalf("with a secret that takes no slow hash: %v", err)
		}
	}
	slowOnly := func(secret string) error {
		_, err := a.Authenticate(request("192.0.2.2", ""), form(t, "client_id", "slow only", "client_secret", secret))
		return err
	}
	if err := slowOnly("wrong"); oauth.From(err).Code != oauth.InvalidClient {
		t.Errorf("a wrong secret: %v", err)
	}
	if err := slowOnly("s3cret"); err != nil {
		t.Errorf("the right one, for the first time: %v", err)
	}
	for range 10 {
		if err := slowOnly("s3cret"); err != nil {
			t.Errorf("the right one, once it is known: %v", err)
		}
	}
}

// meeting is a table of clients at which requests wait for one another, so that
// all of them have looked at the limit before the first has failed.
type meeting struct {
	clients
	all sync.WaitGroup
}

func (m *meeting) Client(ctx context.Context, id string) (*broker.Client, error) {
	m.all.Done()
	m.all.Wait()
	return m.clients.Client(ctx, id)
}

func TestOfManySlowAttemptsAtOnceFewAreMade(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	a := desk(t, &now)
	table, _ := a.Clients.(clients)
	met := &meeting{clients: table}
	met.all.Add(20)
	a.Clients = met
	var limited, failed atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := a.Authenticate(request("192.0.2.1", ""), form(t, "client_id", "slow only", "client_secret", "wrong"))
			if oauth.From(err).RetryAfter > 0 {
				limited.Add(1)
			} else if oauth.From(err).Code == oauth.InvalidClient {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	if limited.Load() != 17 || failed.Load() != 3 {
		t.Errorf("of twenty at once %d were made and %d refused, want 3 and 17", failed.Load(), limited.Load())
	}
	// A failure that costs nothing is answered as one, however many there are at once.
	met.all.Add(20)
	var alike atomic.Int32
	for range 20 {
		wg.Go(func() {
			if _, err := a.Authenticate(request("192.0.2.3", ""), form(t, "client_id", "basic", "client_secret", "s3cret")); oauth.From(err).Status() == http.StatusUnauthorized {
				alike.Add(1)
			}
		})
	}
	wg.Wait()
	if alike.Load() != 20 {
		t.Errorf("of twenty failures at once without a slow hash %d were answered alike", alike.Load())
	}
}
