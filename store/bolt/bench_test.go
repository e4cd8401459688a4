package bolt_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/store/bolt"
)

// The benchmarks run each verb on a file that holds benchRecords sessions and grants, serially and with 16 callers, on
// disk and without syncing. commits/op says how many verbs shared a commit.
const (
	benchRecords = 100_000
	benchCallers = 16
	benchClient  = "wiki"
)

var benchNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// benchFile makes the file once per process.
var benchFile = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bolt-bench-")
	if err != nil {
		return "", err
	}
	benchMade.Store(&dir)
	path := filepath.Join(dir, "broker.db")
	s, err := bolt.Open(path, bolt.Options{Seal: benchSeal(), NoSync: true})
	if err != nil {
		return "", err
	}
	var group sync.WaitGroup
	var failed atomic.Value
	for w := range benchCallers {
		group.Go(func() {
			for n := w; n < benchRecords; n += benchCallers {
				if _, err := s.CompleteLogin(context.Background(), benchLogin(n, true), benchIssue); err != nil {
					failed.Store(err)
				}
			}
		})
	}
	group.Wait()
	if err, ok := failed.Load().(error); ok {
		return "", err
	}
	return path, s.Close()
})

// benchMade says that there is a file to remove.
var benchMade atomic.Pointer[string]

func removeBenchFile() {
	if dir := benchMade.Load(); dir != nil {
		_ = os.RemoveAll(*dir)
	}
}

func benchIssue(broker.State) broker.Decision { return broker.Decision{Verdict: broker.Issue} }
func benchJudge(st broker.State) error        { return st.GrantStanding() }
func benchBound(broker.Code) error            { return nil }

// benchTicks counts sign-ins, of which there are 100 in a second of the benchmarks' time.
var benchTicks atomic.Int64

// benchLogin is a sign-in of a person, with a session of a day.
func benchLogin(person int, offline bool) broker.Login {
	now := benchNow.Add(time.Duration(benchTicks.Add(1)) * 10 * time.Millisecond)
	forget := now.Add(24 * time.Hour)
	grantForget := now.Add(16 * time.Minute)
	return broker.Login{
		Now:  now,
		Once: []broker.Once{{Key: benchDigest(), Expires: now.Add(10 * time.Minute)}},
		Identity: broker.Identity{
			Key: broker.IdentityKey{Connector: "google", Issuer: "https://accounts.google.com", Subject: fmt.Sprint(person)},
			Profile: broker.Profile{
				Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", PreferredUsername: "ada",
				Email: "ada@example.com", EmailTrust: broker.EmailVerified, Picture: "https://pictures.example/ada",
				Groups: []string{"staff", "platform", "admins"},
			},
			Authentication: broker.Authentication{Time: now, AMR: []string{"pwd"}},
		},
		AccountID: broker.NewID(benchNow),
		Session: broker.NewSession{
			ID: broker.NewID(forget), Secret: benchDigest(), Expires: forget, IdleUntil: forget, Forget: forget,
		},
		ClientID: benchClient,
		Issue: broker.Issuance{
			Grant: broker.Grant{ID: broker.NewID(grantForget), Scopes: []string{"openid", "profile", "email"}, Offline: offline, Forget: grantForget},
			Code: broker.Code{
				Key: broker.NewExpiringKey(grantForget, benchDigest()), RedirectURI: "https://wiki.example/callback",
				Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Nonce: "n-0S6_WzA2Mj", Expires: now.Add(time.Minute),
			},
		},
		Event: broker.Event{At: now, RequestID: "01J9ZQ8K", Address: "192.0.2.1"},
	}
}

// benchDigest is as random as an identifier is.
func benchDigest() broker.Digest { return broker.DigestOf(broker.NewID(benchNow)) }

// eachWay runs a benchmark in the four ways. prepare returns the operation.
func eachWay(b *testing.B, prepare func(b *testing.B, s *bolt.Store) func(ctx context.Context, n int) error) {
	if testing.Short() {
		b.Skip("needs a file of 100,000 records")
	}
	master, err := benchFile()
	if err != nil {
		b.Fatal(err)
	}
	for _, way := range []struct {
		name    string
		callers int
		noSync  bool
	}{
		{"serial/nosync", 1, true}, {"serial/durable", 1, false}, {"parallel/nosync", benchCallers, true}, {"parallel/durable", benchCallers, false},
	} {
		b.Run(way.name, func(b *testing.B) {
			s := benchOpen(b, master, way.noSync)
			op := prepare(b, s)
			before, cpu := s.Commits(), cpuTime()
			b.ReportAllocs()
			b.ResetTimer()
			share(b, way.callers, op)
			b.StopTimer()
			b.ReportMetric(float64(cpuTime()-cpu)/1e3/float64(b.N), "cpu-µs/op")
			b.ReportMetric(float64(s.Commits()-before)/float64(b.N), "commits/op")
		})
	}
}

// share lets the callers do b.N operations between them.
func share(b *testing.B, callers int, op func(ctx context.Context, n int) error) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for n := next.Add(1) - 1; n < int64(b.N); n = next.Add(1) - 1 {
				if err := op(b.Context(), int(n)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

func benchOpen(b *testing.B, master string, noSync bool) *bolt.Store {
	path := filepath.Join(b.TempDir(), "broker.db")
	if err := copyFile(path, master); err != nil {
		b.Fatal(err)
	}
	s, err := bolt.Open(path, bolt.Options{Seal: benchSeal(), NoSync: noSync})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func copyFile(to, from string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		return err
	}
	if err := w.Sync(); err != nil {
		return err
	}
	return w.Close()
}

// logIn signs in b.N people ahead of a benchmark of what follows.
func logIn(b *testing.B, s *bolt.Store) []broker.Login {
	logins := make([]broker.Login, b.N)
	share(b, benchCallers, func(ctx context.Context, n int) error {
		logins[n] = benchLogin(n, true)
		_, err := s.CompleteLogin(ctx, logins[n], benchIssue)
		return err
	})
	return logins
}

func BenchmarkFirstLogin(b *testing.B) {
	eachWay(b, func(_ *testing.B, s *bolt.Store) func(context.Context, int) error {
		return func(ctx context.Context, n int) error {
			_, err := s.CompleteLogin(ctx, benchLogin(benchRecords+n, false), benchIssue)
			return err
		}
	})
}

func BenchmarkLogin(b *testing.B) {
	eachWay(b, func(_ *testing.B, s *bolt.Store) func(context.Context, int) error {
		return func(ctx context.Context, n int) error {
			_, err := s.CompleteLogin(ctx, benchLogin(n*7919%benchRecords, false), benchIssue)
			return err
		}
	})
}

func BenchmarkSingleSignOn(b *testing.B) {
	eachWay(b, func(b *testing.B, s *bolt.Store) func(context.Context, int) error {
		logins := logIn(b, s)
		return func(ctx context.Context, n int) error {
			l := benchLogin(n, false)
			_, err := s.CompleteAuthorization(ctx, broker.Authorization{
				Now: l.Now, Presented: broker.SessionRef{ID: logins[n].Session.ID, Secret: logins[n].Session.Secret},
				IdleUntil: l.Now.Add(8 * time.Hour), Connector: "google", ClientID: benchClient, Issue: l.Issue, Event: l.Event,
			}, benchIssue)
			return err
		}
	})
}

func BenchmarkRedeemCode(b *testing.B) {
	eachWay(b, func(b *testing.B, s *bolt.Store) func(context.Context, int) error {
		logins := logIn(b, s)
		return func(ctx context.Context, n int) error {
			_, err := s.RedeemCode(ctx, benchRedemption(logins[n]), benchJudge)
			return err
		}
	})
}

func benchRedemption(l broker.Login) broker.Redemption {
	return broker.Redemption{
		Now: l.Now, Key: l.Issue.Code.Key, ClientID: benchClient, Bound: benchBound, Event: l.Event,
		Next: broker.NewRefresh{Digest: benchDigest(), Expires: benchNow.Add(720 * time.Hour), Forget: benchNow.Add(721 * time.Hour)},
	}
}

func BenchmarkRotateRefreshToken(b *testing.B) {
	eachWay(b, func(b *testing.B, s *bolt.Store) func(context.Context, int) error {
		logins := logIn(b, s)
		tokens := make([]broker.Digest, b.N)
		share(b, benchCallers, func(ctx context.Context, n int) error {
			r := benchRedemption(logins[n])
			tokens[n] = r.Next.Digest
			_, err := s.RedeemCode(ctx, r, benchJudge)
			return err
		})
		return func(ctx context.Context, n int) error {
			next := benchRedemption(logins[n]).Next
			_, err := s.RotateRefreshToken(ctx, broker.Rotation{
				Now: benchNow, GrantID: logins[n].Issue.Grant.ID, ClientID: benchClient, Presented: tokens[n], Next: &next,
				Successor: make([]byte, 80), Event: logins[n].Event,
			}, benchJudge)
			return err
		}
	})
}

func BenchmarkGrant(b *testing.B) {
	eachWay(b, func(b *testing.B, s *bolt.Store) func(context.Context, int) error {
		logins := logInSome(b, s, 1000)
		return func(ctx context.Context, n int) error {
			_, err := s.Grant(ctx, logins[n*7919%len(logins)].Issue.Grant.ID, benchNow)
			return err
		}
	})
}

func BenchmarkSession(b *testing.B) {
	eachWay(b, func(b *testing.B, s *bolt.Store) func(context.Context, int) error {
		logins := logInSome(b, s, 1000)
		return func(ctx context.Context, n int) error {
			l := &logins[n*7919%len(logins)]
			_, err := s.Session(ctx, broker.SessionRef{ID: l.Session.ID, Secret: l.Session.Secret}, benchClient, "", benchNow)
			return err
		}
	})
}

// logInSome signs in a fixed number of people, for benchmarks of reads.
func logInSome(b *testing.B, s *bolt.Store, n int) []broker.Login {
	logins := make([]broker.Login, n)
	for i := range logins {
		logins[i] = benchLogin(i*7919%benchRecords, true)
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range benchCallers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if _, err := s.CompleteLogin(b.Context(), logins[i], benchIssue); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return logins
}

func BenchmarkOpen(b *testing.B) {
	if testing.Short() {
		b.Skip("needs a file of 100,000 records")
	}
	master, err := benchFile()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := bolt.Open(master, bolt.Options{Seal: benchSeal()})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
