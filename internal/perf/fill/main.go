// Command fill puts sessions and grants into a broker's database, so that it can
// be measured in the state it has after some months (docs/PERFORMANCE.md):
//
//	go run ./internal/perf/fill -path broker.db -key broker.key -n 100000
//
// Each record is made by the verb that a sign-in uses. The broker must not run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/seal"
	"gatehouse/store/bolt"
)

func main() {
	path := flag.String("path", "broker.db", "the database file")
	key := flag.String("key", "broker.key", "the file of the secret key")
	n := flag.Int("n", 100_000, "how many people sign in")
	flag.Parse()
	f := filler{now: time.Now}
	if err := f.fill(context.Background(), *path, *key, *n); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// filler signs people in.
type filler struct {
	store *bolt.Store
	now   func() time.Time
}

func (f filler) fill(ctx context.Context, path, keyFile string, n int) error {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	secret, err := seal.ParseSecret(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	keys, err := seal.New(secret)
	if err != nil {
		return err
	}
	// Nothing is lost with a half-filled file: it is made again.
	if f.store, err = bolt.Open(path, bolt.Options{Seal: keys, NoSync: true}); err != nil {
		return err
	}
	const callers = 64
	errs := make([]error, callers)
	var group sync.WaitGroup
	for w := range callers {
		group.Go(func() {
			for i := w; i < n && errs[w] == nil; i += callers {
				errs[w] = f.signIn(ctx, i)
			}
		})
	}
	group.Wait()
	return errors.Join(append(errs, f.forgetOnce(ctx), f.store.Close())...)
}

// forgetOnce sweeps the one-time keys of the sign-ins, which a database that has
// filled up over months has long forgotten.
func (f filler) forgetOnce(ctx context.Context) error {
	for {
		n, err := f.store.Sweep(ctx, f.now().Add(time.Minute), 10_000)
		if err != nil || n < 10_000 {
			return err
		}
	}
}

// signIn records a sign-in of the i-th person with an offline grant.
func (f filler) signIn(ctx context.Context, i int) error {
	now := f.now()
	sessionEnd, grantEnd := now.Add(24*time.Hour), now.Add(720*time.Hour)
	id := broker.NewID(grantEnd)
	_, err := f.store.CompleteLogin(ctx, broker.Login{
		Now:  now,
		Once: []broker.Once{{Key: broker.DigestOf(id), Expires: now.Add(time.Second)}},
		Identity: broker.Identity{
			Key: broker.IdentityKey{Connector: "upstream", Issuer: "https://idp.example", Subject: fmt.Sprint("filled|", i)},
			Profile: broker.Profile{Name: fmt.Sprint("Filled Person ", i), PreferredUsername: fmt.Sprint("person", i),
				Email: fmt.Sprintf("person%d@load.example", i), EmailTrust: broker.EmailVerified, Groups: []string{"upstream:staff"}},
		},
		AccountID: broker.NewID(now),
		Session: broker.NewSession{ID: broker.NewID(sessionEnd), Secret: broker.DigestOf(id + "s"), Expires: sessionEnd,
			IdleUntil: now.Add(8 * time.Hour), Forget: sessionEnd},
		ClientID: "app1",
		Issue: broker.Issuance{
			Grant: broker.Grant{ID: id, ClientID: "app1", Scopes: []string{"openid", "profile", "email", "offline_access"},
				CreatedAt: now, Offline: true, Forget: grantEnd},
			Code: broker.Code{Key: broker.NewExpiringKey(grantEnd, broker.DigestOf(id+"c")), GrantID: id, ClientID: "app1",
				RedirectURI: "http://127.0.0.1:5555/callback", Expires: now.Add(time.Minute)},
		},
		Event: broker.Event{Type: broker.EventSignedIn, At: now, RequestID: "fill", Address: "127.0.0.1"},
	}, func(broker.State) broker.Decision { return broker.Decision{Verdict: broker.Issue} })
	return err
}
