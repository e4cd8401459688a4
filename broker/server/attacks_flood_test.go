package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/brokertest"
)

// SS-06: two hundred sign-ins begun in one browser stay within what servers take
// of a header; the oldest are over, and say so; the latest completes.
func TestManySignInsInOneBrowser(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Config: "limits: off\n"})
	browser := b.Browser(t)
	browser.Code(brokertest.Wiki)
	size := func() (n int) {
		for _, c := range browser.Cookies() {
			if strings.Contains(c.Name, "gatehouse-") {
				n += len(c.Name) + len("=; ") + len(c.Value)
			}
		}
		return n
	}
	var callbacks []string
	for i := range 200 {
		b.Clock.Advance(time.Second)
		page := step(t, browser, b.AuthorizeURL(brokertest.Wiki, "prompt", "login", "state", strings.Repeat("s", i*10)+"x"))
		if page.Status != http.StatusSeeOther {
			t.Fatalf("flow %d: %d", i, page.Status)
		}
		if i == 0 || i == 198 || i == 199 {
			callbacks = append(callbacks, step(t, browser, page.Header.Get("Location")).Header.Get("Location"))
		}
		if n := size(); n > 7<<10 {
			t.Fatalf("after %d flows the cookies take %d bytes", i+1, n)
		}
	}
	if page := browser.Get(callbacks[0]); page.AtClient || page.Status != http.StatusBadRequest || !strings.Contains(page.Body, "wiki.example") {
		t.Errorf("the oldest: %d at %s, with no way back", page.Status, page.URL)
	}
	if page := browser.Get(callbacks[2]); !page.AtClient || !page.URL.Query().Has("code") {
		t.Errorf("the latest: %d at %s", page.Status, page.URL)
	}
	if q := browser.Get(b.AuthorizeURL(brokertest.Wiki, "prompt", "none")).URL.Query(); !q.Has("code") {
		t.Errorf("the session was lost: %v", q)
	}
}

// AZ-15: what does not fit into a browser is refused by the application's own
// channel, and a sign-in is not cut short.
func TestARequestThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	full := []string{"state", strings.Repeat("s", 2048), "nonce", strings.Repeat("n", 512), "login_hint", strings.Repeat("h", 512)}
	acr := strings.TrimSpace(strings.Repeat(strings.Repeat("a", 255)+" ", 20))
	commits := b.Store.Commits()
	isRefusal(t, b, "by GET", b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, append(full, "acr_values", acr)...)), "invalid_request")
	isRefusal(t, b, "by POST", b.Browser(t).PostFrom("https://wiki.example", b.Issuer+"/authorize", b.AuthorizeParams(brokertest.Wiki, append(full, "acr_values", acr)...)), "invalid_request")
	if page := b.Browser(t).PostFrom("https://wiki.example", b.Issuer+"/authorize", b.AuthorizeParams(brokertest.Wiki, "unknown", strings.Repeat("x", 33<<10))); page.AtClient || page.Status != 400 {
		t.Errorf("a form of 33 KiB: %d at %s", page.Status, page.URL)
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("they cost %d commits", n)
	}
	q := b.Browser(t).SignIn(brokertest.Wiki, "state", strings.Repeat("s", 2048), "nonce", strings.Repeat("n", 64), "login_hint", "ada@corp.example", "scope", "openid profile email groups offline_access")
	if len(q.Get("state")) != 2048 || !q.Has("code") {
		t.Errorf("a state at its limit beside what is usual: %v", q)
	}
}

// DO-02: what is too big or too slow is cut off, and others are served meanwhile.
func TestTooBigAndTooSlow(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "issuer: http://127.0.0.1\nlisten: 127.0.0.1:0\n"+processConfig)
	say := func(text string) (net.Conn, *bufio.Reader) {
		conn, err := net.Dial("tcp", p.public)
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		// The server may hang up before it has read everything.
		_, _ = io.WriteString(conn, text)
		return conn, bufio.NewReader(conn)
	}
	status := func(r *bufio.Reader) string {
		line, err := r.ReadString('\n')
		if err != nil {
			return err.Error()
		}
		return strings.TrimSpace(line)
	}
	slow, answer := say("GET /jwks HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	begun := time.Now()

	_, big := say("GET /jwks HTTP/1.1\r\nHost: x\r\nX-Big: " + strings.Repeat("x", 1<<20))
	if got := status(big); !strings.Contains(got, "431") && !strings.Contains(got, "reset") {
		t.Errorf("a header of 1 MiB: %s", got)
	}
	for path, limit := range map[string]int{"/token": 413, "/authorize": 400, "/consent": 400, "/logout": 400} {
		_, huge := say(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nOrigin: http://127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", path, 100<<20) + "a=" + strings.Repeat("x", 128<<10))
		if got := status(huge); !strings.Contains(got, fmt.Sprint(limit)) {
			t.Errorf("%s with a body of 100 MiB: %s", path, got)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			response, err := http.Get("http://" + p.public + "/jwks")
			if err != nil || response.StatusCode != 200 {
				t.Errorf("others meanwhile: %v", err)
				return
			}
			response.Body.Close()
		})
	}
	wg.Wait()
	must(t, slow.SetReadDeadline(begun.Add(20*time.Second)))
	if got, took := status(answer), time.Since(begun); took > 15*time.Second {
		t.Errorf("a header that never ends was waited for: %s after %v", got, took)
	}
}

// DO-03, LG-02: parameters beyond counting cost a refusal, and nothing forges a
// line of the log.
func TestOddRequestsAreOneBoundedLineOfTheLog(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	forged := "x\r\ntime=2026 level=ERROR msg=forged \x1b[31m\u202e" + strings.Repeat("y", 8000)
	before := len(b.Log.String())
	for _, page := range []brokertest.Page{
		b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, "client_id", forged)),
		b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, "scope", forged)),
		b.Browser(t).Get(b.Issuer + "/" + url.PathEscape(forged)),
		b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki) + strings.Repeat("&x=1", 5000)),
		b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, "scope", strings.Repeat("a ", 5000))),
		b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki) + strings.Repeat("&resource=x", 150)),
	} {
		if page.Status >= 500 {
			t.Errorf("%d at %s", page.Status, page.URL)
		}
	}
	isError(t, "a client nobody has", b.Token(t, "x", url.Values{"client_id": {"x"}, "grant_type": {forged}}), 401, "invalid_client")
	log := b.Log.String()[before:]
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "time=") || len(line) > 3000 || strings.ContainsAny(line, "\r\x1b\u202e") {
			t.Errorf("%.300q", line)
		}
	}
	if strings.Contains(log, "\ntime=2026 level=ERROR msg=forged") {
		t.Error("a line was forged")
	}
}

// DO-06: whichever way the clock jumps, nothing breaks, nothing dead comes alive
// and no replay is let through.
func TestTheClockJumps(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{-time.Hour, time.Hour, -40 * 24 * time.Hour, 100 * 24 * time.Hour} {
		b := brokertest.New(t, brokertest.Options{})
		browser := b.Browser(t)
		tokens := b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki, "scope", "openid offline_access"))
		spent, unspent := browser.Code(brokertest.Wiki), browser.Code(brokertest.Wiki)
		b.Redeem(t, brokertest.Wiki, spent)
		form := browser.Get(b.AuthorizeURL(brokertest.Shop, "prompt", "consent")).Fields()
		form.Set("decision", "allow")
		kept := browser.Cookies()
		browser.Post(b.Issuer+"/consent", form)
		b.Clock.Advance(jump)
		if _, err := b.Store.Sweep(t.Context(), b.Clock.Now(), 1000); err != nil {
			t.Errorf("%v: %v", jump, err)
		}
		isError(t, fmt.Sprint(jump, ": a spent code"), b.Redeem(t, brokertest.Wiki, spent), 400, "invalid_grant")
		if a := b.Redeem(t, brokertest.Wiki, unspent); jump > 0 && a.Status == 200 {
			t.Errorf("%v: an old code: %v", jump, a.Body)
		}
		second := b.Browser(t)
		second.SetCookies(kept...)
		if page := second.Post(b.Issuer+"/consent", form); page.AtClient {
			t.Errorf("%v: a decision that was made: %s", jump, page.URL)
		}
		for _, a := range []brokertest.Answer{b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token")), b.UserInfo(t, tokens.Text("access_token"))} {
			if a.Status >= 500 {
				t.Errorf("%v: %d %v", jump, a.Status, a.Body)
			}
		}
		if page := browser.Get(b.AuthorizeURL(brokertest.Wiki)); page.Status >= 500 {
			t.Errorf("%v: %d at %s", jump, page.Status, page.URL)
		}
		b.Clock.Advance(-jump)
		isError(t, fmt.Sprint(jump, " and back: a spent code"), b.Redeem(t, brokertest.Wiki, spent), 400, "invalid_grant")
		if page := second.Post(b.Issuer+"/consent", form); page.AtClient && jump.Abs() <= time.Hour {
			t.Errorf("%v and back: a decision that was made: %s", jump, page.URL)
		}
		if strings.Contains(b.Log.String(), "panicked") {
			t.Errorf("%v: a handler panicked", jump)
		}
	}
}
