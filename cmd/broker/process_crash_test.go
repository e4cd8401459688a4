//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/connectors/connectortest/fake"
)

const (
	// crashTime bounds a crash test: no new round begins after it.
	crashTime = 6 * time.Second
	// crashRounds are enough when the machine is fast.
	crashRounds = 12
	actors      = 8
)

// upTo is a random number from 0 to n-1.
func upTo(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return int(i.Int64())
}

// ST-01: kill -9 at any moment. What was answered is true afterwards; what was under way has happened or has not; and
// nothing that was spent or revoked is of use again. The database is the real one, with every fsync.
func TestNothingAcknowledgedIsLostByAKill(t *testing.T) {
	t.Parallel()
	for name, window := range map[string]string{"a spent refresh token is good for nothing": "0s", "a spent refresh token may be retried": "30s"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newCrash(t, window).run(t.Context())
		})
	}
}

// crash is a broker that is killed and started again, and those who use it.
type crash struct {
	t      *testing.T
	w      *world
	actors []*actor
	// answered counts what the broker answered in this round.
	answered atomic.Int64
	// killed says that an error may be the kill's doing.
	killed atomic.Bool
	seen   tally
}

// tally counts what the test has looked at after a restart. One that stays zero would be a test that sees nothing.
type tally struct {
	codes, spentCodes, families, revoked, sessions, ended, underWay atomic.Int64
}

func (n *tally) check(t *testing.T) {
	t.Helper()
	t.Logf("codes %d, spent codes %d, families %d, revoked ones %d, sessions %d, ended ones %d, under way when killed %d",
		n.codes.Load(), n.spentCodes.Load(), n.families.Load(), n.revoked.Load(), n.sessions.Load(), n.ended.Load(), n.underWay.Load())
	for name, count := range map[string]*atomic.Int64{"code": &n.codes, "spent code": &n.spentCodes, "family": &n.families,
		"revoked family": &n.revoked, "session": &n.sessions, "ended session": &n.ended, "request under way": &n.underWay} {
		if count.Load() == 0 {
			t.Errorf("not one %s was looked at", name)
		}
	}
}

func newCrash(t *testing.T, window string) *crash {
	c := &crash{t: t, w: newWorld(t, "http://localhost:7", settings{Level: "info", Top: "refresh_tokens: {retry_window: " + window + "}\n"})}
	for n := range actors {
		id := fmt.Sprintf("person-%d", n)
		c.w.upstream.Add(fake.Person{ID: id, Name: id, Email: id + "@corp.example", EmailVerified: true,
			OIDC: fake.OIDCPerson{Subject: "subject-of-" + id, PreferredUsername: id}})
		c.actors = append(c.actors, &actor{crash: c, w: c.w, hint: id + "@corp.example", retries: window != "0s"})
	}
	// The person is told by the login hint, so that eight of them can sign in at a time.
	c.w.upstream.SignInAs("")
	return c
}

func (c *crash) run(ctx context.Context) {
	p := c.w.serve()
	begun, rounds := time.Now(), 0
	for ; rounds < crashRounds && (rounds < 2 || time.Since(begun) < crashTime) && !c.t.Failed(); rounds++ {
		c.load(ctx, p)
		if upTo(3) == 0 { // once more, somewhere in the start
			again := launch(c.t, nil, "serve", "-c", c.w.path)
			time.Sleep(time.Duration(upTo(60)) * time.Millisecond)
			again.kill()
			c.calm(again)
		}
		p = c.w.serve()
		c.each(func(a *actor) { a.verify(ctx) })
		c.calm(p)
	}
	c.t.Logf("%d rounds", rounds)
	if !c.t.Failed() {
		c.seen.check(c.t)
	}
	p.stop()
}

// load lets everybody loose, kills the broker in the middle of it, and returns when it is dead and all have noticed.
func (c *crash) load(ctx context.Context, p *program) {
	c.answered.Store(0)
	c.killed.Store(false)
	go func() {
		enough := int64(20 + upTo(80))
		for end := time.Now().Add(5 * time.Second); c.answered.Load() < enough && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(upTo(10_000)) * time.Microsecond)
		c.killed.Store(true)
		c.w.serves.Store(nil) // the port may soon be another test's
		p.kill()
	}()
	c.each(func(a *actor) {
		for a.turn(ctx) == nil {
		}
	})
	p.kill() // it is dead already, unless somebody failed
	c.calm(p)
}

func (c *crash) each(do func(*actor)) {
	var all sync.WaitGroup
	for _, a := range c.actors {
		all.Go(func() { do(a) })
	}
	all.Wait()
}

// calm checks that the broker itself has noticed nothing odd.
func (c *crash) calm(p *program) {
	c.t.Helper()
	if log := p.stderr.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN msg=answered") || strings.Contains(log, "goroutine ") {
		c.t.Errorf("the log:\n%s", log)
	}
}

// The first start makes a secret key, a database, signing keys and a socket. Wherever it is killed, the next goes on.
func TestAKillDuringTheFirstStartIsMadeGood(t *testing.T) {
	t.Parallel()
	reached := map[string]int{}
	for range 8 {
		w := newWorld(t, "http://localhost:7", settings{})
		for range 2 {
			p := launch(t, nil, "serve", "-c", w.path)
			time.Sleep(time.Duration(upTo(40_000)) * time.Microsecond)
			p.kill()
			reached[w.names()]++
		}
		p := w.serve()
		ada := w.browser()
		tokens := ada.tokens(t.Context())
		p.kill()
		p = w.serve()
		expect(t, "a token of before the second start", 200)(w.userInfo(t.Context(), tokens.text("access_token")))
		if n := len(w.listed("list")); n != 1 {
			t.Errorf("%d signing keys", n)
		}
		if log := p.stderr.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
			t.Errorf("the log:\n%s", log)
		}
		p.stop()
	}
	t.Logf("killed with %v", reached)
}
