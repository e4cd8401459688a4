package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// chromium is a running browser, spoken to in the Chrome DevTools Protocol over
// a pair of pipes: messages of JSON that end with a NUL.
type chromium struct {
	commands io.Writer

	mu      sync.Mutex
	last    int
	waiting map[int]chan message
	// tabs get the events of their sessions.
	tabs map[string]*tab
	gone chan struct{}
}

// message is a command, an answer or an event.
type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    any             `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *protocolError  `json:"error,omitempty"`
}

// event is a message whose parameters are yet to be read.
type event struct {
	message
	Params json.RawMessage `json:"params"`
}

type protocolError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// programs are the names under which the browser is installed.
func programs() []string {
	return []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"}
}

// startChromium starts a browser with an empty profile that lasts as long as the
// test. It reaches this machine alone.
func startChromium(t *testing.T, arguments ...string) *chromium {
	t.Helper()
	var path string
	for _, name := range programs() {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatalf("none of %v is installed", programs())
	}
	arguments = append([]string{
		"--headless", "--remote-debugging-pipe", "--user-data-dir=" + profile(t), "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-quic", "--disable-domain-reliability", "--disable-breakpad", "--mute-audio",
		"--force-device-scale-factor=1", "--lang=en",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
	}, arguments...)
	if os.Getuid() == 0 {
		// The sandbox does not start for root, who is what continuous integration is.
		arguments = append(arguments, "--no-sandbox")
	}
	c := &chromium{waiting: map[int]chan message{}, tabs: map[string]*tab{}, gone: make(chan struct{})}
	answers := c.start(t, exec.Command(path, append(arguments, "about:blank")...))
	go c.read(answers)
	if err := c.call("", "Browser.getVersion", nil, nil); err != nil {
		t.Fatal("the browser does not answer: ", err)
	}
	return c
}

// profile is a directory that may still be written to for a moment after the end.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 20 {
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("%s is left behind", dir)
	})
	return filepath.Join(dir, "profile")
}

// start runs the browser with the pipes as its file descriptors 3 and 4 and ends
// it with the test.
func (c *chromium) start(t *testing.T, command *exec.Cmd) io.Reader {
	t.Helper()
	theirCommands, commands, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, theirAnswers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command.ExtraFiles = []*os.File{theirCommands, theirAnswers}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	theirCommands.Close()
	theirAnswers.Close()
	c.commands = commands
	t.Cleanup(func() {
		if c.call("", "Browser.close", nil, nil) != nil {
			_ = command.Process.Kill()
		}
		commands.Close()
		ended := make(chan struct{})
		go func() { _ = command.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = command.Process.Kill()
			<-ended
		}
		answers.Close()
	})
	return answers
}

// read hands out answers and events until the browser is gone.
func (c *chromium) read(answers io.Reader) {
	defer close(c.gone)
	in := bufio.NewReaderSize(answers, 1<<16)
	for {
		raw, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var e event
		if err := json.Unmarshal(raw[:len(raw)-1], &e); err != nil {
			return
		}
		c.mu.Lock()
		answer, t := c.waiting[e.ID], c.tabs[e.SessionID]
		delete(c.waiting, e.ID)
		c.mu.Unlock()
		switch {
		case e.ID != 0 && answer != nil:
			answer <- e.message
		case e.Method != "" && t != nil:
			t.observe(e)
		}
	}
}

// errGone: the browser has ended.
var errGone = errors.New("the browser is gone")

// call sends a command and waits for its answer.
func (c *chromium) call(session, method string, params, result any) error {
	answer := make(chan message, 1)
	c.mu.Lock()
	c.last++
	m := message{ID: c.last, SessionID: session, Method: method, Params: params}
	c.waiting[m.ID] = answer
	raw, err := json.Marshal(m)
	if err == nil {
		_, err = c.commands.Write(append(raw, 0))
	}
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case m = <-answer:
	case <-c.gone:
		return fmt.Errorf("%s: %w", method, errGone)
	case <-time.After(patience):
		return fmt.Errorf("%s: no answer within %s", method, patience)
	}
	if m.Error != nil {
		return fmt.Errorf("%s: %s (%d)", method, m.Error.Message, m.Error.Code)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(m.Result, result)
}
