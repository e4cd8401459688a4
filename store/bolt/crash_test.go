package bolt_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/store/bolt"
)

// The crash test runs this test binary as another process, which lets several people sign in, approve devices, redeem,
// refresh, revoke, sign out, be disabled and be denied by an upstream, and says on its standard output what it is about
// to do ("try") and what the store has answered ("did"). It is killed at a random moment. Whatever it said it did must be in the file, and nothing spent may
// be usable (ST-01).
const (
	crashEnv     = "BOLT_CRASH_FILE"
	crashWorkers = 6
	// crashRotations is how often a token is rotated at most.
	crashRotations = 3
	// crashPatience is how long a child may take to say something.
	crashPatience = time.Minute
)

var (
	crashNow    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	crashForget = crashNow.Add(time.Hour)
)

// life is one person with one grant. Everything about it follows from its name but the identifiers.
type life struct{ name, grant, session string }

func (l life) digest(what string) broker.Digest { return broker.DigestOf(what + " of " + l.name) }

func (l life) code() broker.ExpiringKey {
	return broker.NewExpiringKey(crashNow.Add(time.Hour), l.digest("code"))
}

func (l life) once() []broker.Once {
	return []broker.Once{{Key: l.digest("once"), Expires: crashNow.Add(time.Hour)}}
}

func (l life) identity() broker.Identity {
	return broker.Identity{Key: broker.IdentityKey{Connector: "google", Issuer: "https://google.example", Subject: l.name}}
}

func (l life) account() string { return l.identity().Key.ProposedAccountID() }

func (l life) ref() broker.SessionRef {
	return broker.SessionRef{ID: l.session, Secret: l.digest("secret")}
}

func (l life) login(s *bolt.Store) error {
	forget := crashNow.Add(time.Hour)
	_, err := s.CompleteLogin(context.Background(), broker.Login{
		Now: crashNow, Once: l.once(), Identity: l.identity(),
		Session:  broker.NewSession{ID: l.session, Secret: l.digest("secret"), Expires: forget, IdleUntil: forget, Forget: forget},
		ClientID: "wiki",
		Issue: broker.Issuance{
			Grant: broker.Grant{ID: l.grant, Offline: true, Forget: forget},
			Code:  broker.Code{Key: l.code(), Expires: forget},
		},
		Credential: l.credential(),
	}, func(broker.State) broker.Decision { return broker.Decision{Verdict: broker.Issue} })
	return err
}

func (l life) token(n int) broker.NewRefresh {
	return broker.NewRefresh{Digest: l.digest(fmt.Sprint("token ", n)), Expires: crashNow.Add(time.Hour), Forget: crashNow.Add(time.Hour)}
}

func (l life) redeem(s *bolt.Store) error {
	_, err := s.RedeemCode(context.Background(), broker.Redemption{
		Now: crashNow, Key: l.code(), ClientID: "wiki", Next: l.token(0),
		Bound: func(broker.Code) error { return nil },
	}, broker.State.GrantStanding)
	return err
}

// rotate presents token n for token n+1. The first time brings the upstream's answer along.
func (l life) rotate(s *bolt.Store, n int) error {
	next := l.token(n + 1)
	var settle *broker.Settlement
	if n == 0 {
		settle = l.answer()
	}
	_, err := s.RotateRefreshToken(context.Background(), broker.Rotation{
		Now: crashNow, GrantID: l.grant, ClientID: "wiki", Presented: l.token(n).Digest, Next: &next, Settle: settle,
	}, broker.State.GrantStanding)
	return err
}

// live does some of what a person does, by its number.
func (l life) live(s *bolt.Store, number int, did func(what string, err error), try func(what string)) {
	step := func(what string, verb func() error) {
		try(what)
		did(what, verb())
	}
	step("login", func() error { return l.login(s) })
	step("lease0", func() error { return l.lease(s, 0) })
	step("start", func() error { return l.startDevice(s) })
	step("approve", func() error { return l.approveDevice(s) })
	step("fetch", func() error { return l.fetchDevice(s) })
	if number%7 == 0 { // keeps its code
		return
	}
	step("redeem", func() error { return l.redeem(s) })
	rotations := number % (crashRotations + 1)
	for n := range rotations {
		step(fmt.Sprint("rotate", n), func() error { return l.rotate(s, n) })
	}
	switch number % 5 {
	case 0:
		step("revoke", func() error { return s.RevokeGrant(context.Background(), l.grant, broker.Event{}) })
	case 1:
		step("end", func() error { _, err := s.EndSession(context.Background(), l.session, broker.Event{}); return err })
	case 2:
		step("disable", func() error { return s.SetAccountDisabled(context.Background(), l.account(), true, broker.Event{}) })
	case 3:
		held := min(rotations, 1)
		if held == 1 { // the first was settled
			step("lease1", func() error { return l.lease(s, 1) })
		}
		step("deny", func() error { return l.deny(s, held) })
	}
}

// crashChild is the process that is killed. It ends by itself only on an error.
func crashChild(path string) {
	s, err := bolt.Open(path, bolt.Options{Seal: benchSeal()})
	if err != nil {
		fmt.Println("fail", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	say := func(format string, a ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", a...)
	}
	var group sync.WaitGroup
	for w := range crashWorkers {
		group.Go(func() {
			for number := 0; ; number++ {
				l := life{
					name:    fmt.Sprintf("%s.%d.%d", rand.Text()[:8], w, number),
					grant:   broker.NewID(crashNow.Add(time.Hour)),
					session: broker.NewID(crashNow.Add(time.Hour)),
				}
				l.live(s, number, func(what string, err error) {
					if err != nil {
						say("fail %s %s: %v", what, l.name, err)
						os.Exit(1)
					}
					say("did %s %s", what, l.name)
				}, func(what string) { say("try %s %s %s %s", what, l.name, l.grant, l.session) })
			}
		})
	}
	group.Wait()
}

// witnessed is what the parent has heard of a life.
type witnessed struct {
	life
	tried, did map[string]bool
}

// unsure reports whether the store may or may not have done it.
func (w *witnessed) unsure(what string) bool { return w.tried[what] && !w.did[what] }

func TestNothingAcknowledgedIsLostByAKill(t *testing.T) {
	t.Parallel()
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	path := filepath.Join(t.TempDir(), "broker.db")
	acknowledged := 0
	for round := range rounds {
		lives := runAndKill(t, path)
		s, err := bolt.Open(path, bolt.Options{Seal: benchSeal()})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for _, w := range lives {
			acknowledged += len(w.did)
			if err := w.verify(s); err != nil {
				t.Errorf("round %d: %s (tried %v, did %v): %v", round, w.name, w.tried, w.did, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if acknowledged < rounds*20 {
		t.Errorf("only %d verbs were acknowledged in %d rounds: the test saw too little", acknowledged, rounds)
	}
	t.Logf("%d verbs acknowledged", acknowledged)
}

// runAndKill runs the child for a random while and returns what it said.
func runAndKill(t *testing.T, path string) map[string]*witnessed {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), crashEnv+"="+path)
	var complaints bytes.Buffer
	child.Stderr = &complaints
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	random, err := rand.Int(rand.Reader, big.NewInt(300))
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	// The clock of the kill starts with the first line. One that never comes must not be waited for: this one starts with
	// the process, and asks it where it stands before it ends it.
	silent := time.AfterFunc(crashPatience, func() {
		_ = child.Process.Signal(syscall.SIGQUIT)
		time.Sleep(time.Second)
		_ = child.Process.Kill()
	})
	lines := bufio.NewScanner(out)
	lives := map[string]*witnessed{}
	heard := 0
	for ; lines.Scan(); heard++ {
		if heard == 0 {
			time.AfterFunc(time.Duration(50+random.Int64())*time.Millisecond, func() { _ = child.Process.Kill() })
		}
		witness(t, lives, lines.Text())
	}
	if err := lines.Err(); err != nil {
		t.Errorf("listening to the child: %v", err)
	}
	_ = child.Process.Kill() // or Wait would wait for one whose words nobody reads
	_ = child.Wait()
	if !silent.Stop() || heard == 0 {
		t.Fatalf("the child said %d lines and was not over after %v. It stood at:\n%s", heard, crashPatience, complaints.String())
	}
	return lives
}

// witness takes down a line of the child.
func witness(t *testing.T, lives map[string]*witnessed, line string) {
	t.Helper()
	fields := strings.Fields(line)
	switch {
	case len(fields) == 5 && fields[0] == "try":
		w := lives[fields[2]]
		if w == nil {
			w = &witnessed{life{fields[2], fields[3], fields[4]}, map[string]bool{}, map[string]bool{}}
			lives[fields[2]] = w
		}
		w.tried[fields[1]] = true
	case len(fields) == 3 && fields[0] == "did" && lives[fields[2]] != nil:
		lives[fields[2]].did[fields[1]] = true
	case len(fields) > 0 && fields[0] == "fail":
		t.Errorf("child: %s", line)
	}
}

// verify compares the store with what was heard, reads first, then by trying what must not work.
func (w *witnessed) verify(s *bolt.Store) error {
	ctx := context.Background()
	st, err := s.Grant(ctx, w.grant, crashNow)
	found := err == nil
	if !found && !errors.Is(err, broker.ErrNotFound) {
		return err
	}
	_, sessionErr := s.Session(ctx, w.ref(), "wiki", "", crashNow)
	account, _, accountErr := s.Account(ctx, w.account())
	switch {
	case w.unsure("login"):
		if found != (sessionErr == nil) || found != (accountErr == nil) {
			return fmt.Errorf("half a sign-in: grant %v, session %v, account %v", err, sessionErr, accountErr)
		}
		return nil
	case accountErr != nil:
		return fmt.Errorf("account: %w", accountErr)
	case w.did["revoke"] && found:
		return errors.New("the revocation was lost")
	case !w.tried["revoke"] && !w.tried["deny"] && !found:
		return errors.New("the grant was lost")
	case w.did["end"] && sessionErr == nil:
		return errors.New("the sign-out was lost")
	case !w.tried["end"] && !w.tried["deny"] && sessionErr != nil:
		return fmt.Errorf("session: %w", sessionErr)
	case w.did["disable"] && !account.Disabled:
		return errors.New("the disabling was lost")
	case !w.tried["disable"] && account.Disabled:
		return errors.New("disabled by nobody")
	}
	if err := w.verifyDevice(s); err != nil {
		return err
	}
	if err := w.verifyCredential(s, st.Grant, sessionErr == nil); err != nil {
		return err
	}
	if err := w.login(s); !errors.Is(err, broker.ErrOnceUsed) {
		return fmt.Errorf("the one-time key of the sign-in: %w", err)
	}
	if !found {
		return w.spent(s)
	}
	return w.verifyTokens(s, st.Grant)
}

// verifyTokens finds out how far the token family came, which may be one step more than was acknowledged.
func (w *witnessed) verifyTokens(s *bolt.Store, g *broker.Grant) error {
	current := -1
	for n := range crashRotations + 1 {
		if g.Refresh.Current == w.token(n).Digest {
			current = n
		}
	}
	acknowledged, tried := -1, -1
	if w.did["redeem"] {
		acknowledged = 0
	}
	if w.tried["redeem"] {
		tried = 0
	}
	for n := range crashRotations {
		if w.did[fmt.Sprint("rotate", n)] {
			acknowledged = n + 1
		}
		if w.tried[fmt.Sprint("rotate", n)] {
			tried = n + 1
		}
	}
	if current < acknowledged || current > tried {
		return fmt.Errorf("token %d is current, %d was acknowledged and %d tried", current, acknowledged, tried)
	}
	alive := !w.tried["disable"]
	switch {
	case current < 0: // the code is unspent, and works once
		if err := w.redeem(s); alive && err != nil {
			return fmt.Errorf("an unspent code: %w", err)
		}
		return w.spent(s)
	case current == 0:
		return w.spent(s)
	}
	if err := w.rotate(s, current-1); !errors.Is(err, broker.ErrTokenReused) {
		return fmt.Errorf("a spent token: %w", err)
	}
	return w.spent(s)
}

// spent checks that the code does nothing any more.
func (w *witnessed) spent(s *bolt.Store) error {
	err := w.redeem(s)
	if !errors.Is(err, broker.ErrCodeReplayed) && !errors.Is(err, broker.ErrNotFound) && !errors.Is(err, broker.ErrAccountDisabled) {
		return fmt.Errorf("a spent code: %w", err)
	}
	if _, err := s.Grant(context.Background(), w.grant, crashNow); w.did["redeem"] && !errors.Is(err, broker.ErrNotFound) {
		return fmt.Errorf("the grant of a replayed code: %w", err)
	}
	return nil
}
