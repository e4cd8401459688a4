package main

import (
	"bufio"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"gatehouse/connectors"
)

// defaultListen is where the answer is waited for: one fixed port, because most providers compare redirect URIs to the
// byte. The broker's own defaults are 5556 and 5557.
const defaultListen = "127.0.0.1:5558"

// maxPasted bounds a line that is pasted, in bytes.
const maxPasted = 64 << 10

// way is how the browser's answer comes back.
type way struct {
	redirectURI string
	// own: the redirect URI is the broker's, so that it is registered already.
	own bool
	// listener is nil where the address is pasted.
	listener net.Listener
	// because says why the address is pasted although nobody asked for that.
	because string
}

func (w *way) close() {
	if w.listener != nil {
		_ = w.listener.Close() // it may have been closed with its server
	}
}

// way chooses. In front of everything stands what the command line asks for.
func (o *trialOptions) way(issuer, vendor string) (*way, error) {
	own := issuer + "/callback/" + o.id
	u, err := url.Parse(own)
	if err != nil {
		return nil, err
	}
	known := adviceOf(vendor)
	switch {
	case o.print:
		return &way{redirectURI: own, own: true}, nil
	case o.listen != "":
		return o.listenOn(o.listen)
	case u.Scheme == "http": // a broker on this machine: the address is free unless it runs
		l, err := net.Listen("tcp", hostPort(u))
		if err != nil {
			return &way{redirectURI: own, own: true, because: fmt.Sprintf("the issuer's own address is not free, as when the broker runs (%v)", err)}, nil
		}
		return &way{redirectURI: own, own: true, listener: l}, nil
	case known.oneCallback:
		return &way{redirectURI: own, own: true, because: known.title + " knows one callback URL for an OAuth app"}, nil
	case known.loopbackHost != "":
		_, port, _ := net.SplitHostPort(defaultListen)
		return o.listenOn(net.JoinHostPort(known.loopbackHost, port))
	}
	return o.listenOn(defaultListen)
}

// listenOn listens on a loopback address.
func (o *trialOptions) listenOn(address string) (*way, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return nil, usagef("--listen wants an address and a port, such as %s", defaultListen)
	}
	if !connectors.IsLoopback(host) {
		return nil, usagef("--listen must be a loopback address such as %s: the answer carries a code and comes over plain HTTP", defaultListen)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with --listen, or paste the address with --print", err)
	}
	_, port, err = net.SplitHostPort(l.Addr().String()) // of port 0 another has become
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &way{redirectURI: "http://" + net.JoinHostPort(host, port) + "/callback/" + o.id, listener: l}, nil
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

// answers collects what comes back, from the listener and from what is pasted.
type answers struct {
	state string
	path  string
	// arrived has room for one: the first answer to this sign-in.
	arrived chan url.Values
	say     func(string)
}

// take accepts the answer to this sign-in and says what is wrong with any other.
func (a *answers) take(q url.Values) string {
	state := q["state"]
	switch {
	case !q.Has("code") && !q.Has("error"):
		return "This address carries no answer of a provider."
	case len(state) != 1 || subtle.ConstantTimeCompare([]byte(state[0]), []byte(a.state)) != 1:
		return "This is the answer to another sign-in: use the address that this command has printed, once."
	}
	select {
	case a.arrived <- q:
	default: // the same answer a second time
	}
	return ""
}

// pages of the listener: they hold nothing of what came.
const (
	arrivedPage = `<!doctype html><meta charset="utf-8"><title>Gatehouse</title><p>The answer has arrived. What it says is in your terminal; this window can be closed.`
	wrongPage   = `<!doctype html><meta charset="utf-8"><title>Gatehouse</title><p>%s`
)

// ServeHTTP implements http.Handler.
func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer") // the address holds a code
	h.Set("Cache-Control", "no-store")
	if r.URL.Path != a.path || r.Method != http.MethodGet {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, wrongPage, "There is nothing here.")
		return
	}
	if wrong := a.take(r.URL.Query()); wrong != "" {
		a.say(wrong)
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, wrongPage, wrong)
		return
	}
	_, _ = io.WriteString(w, arrivedPage)
}

// listen serves until the context is done, and lets the last page be delivered.
func (a *answers) listen(ctx context.Context, l net.Listener) {
	s := &http.Server{Handler: a, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, MaxHeaderBytes: 64 << 10}
	go func() { _ = s.Serve(l) }() // ends with Shutdown
	<-ctx.Done()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if s.Shutdown(ending) != nil {
		_ = s.Close()
	}
}

var errNothingPasted = errors.New("standard input ended before the address was pasted")

// paste reads lines until one is the answer. It cannot be interrupted: whoever started it stops listening to it.
func (a *answers) paste(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 4<<10), maxPasted)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		u, err := url.Parse(line)
		if err != nil || u.RawQuery == "" {
			a.say("That is not the address of a page with an answer: it has a ? and code=… or error=… behind it. Copy all of it.")
			continue
		}
		wrong := a.take(u.Query())
		if wrong == "" {
			return nil
		}
		a.say(wrong)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errNothingPasted
}

// isTerminal reports whether somebody may type there. Anything else is not read unless the address has to be pasted:
// it may be meant for another program.
func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
