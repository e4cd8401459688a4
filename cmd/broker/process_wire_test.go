//go:build unix

package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
)

// wire hears what the broker and the upstream say to each other, once it is told to listen.
type wire struct {
	mu        sync.Mutex
	listening bool
	exchanges []exchange
}

// exchange is one request and its answer.
type exchange struct {
	request *http.Request
	form    string
	header  http.Header
	body    string
}

func (w *wire) listen() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listening = true
}

func (w *wire) heard() []exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.exchanges
}

// around puts the wire in front of a handler.
func (w *wire) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		listening := w.listening
		w.mu.Unlock()
		if !listening {
			next.ServeHTTP(rw, r)
			return
		}
		form, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(form))
		copied := &copier{ResponseWriter: rw}
		next.ServeHTTP(copied, r)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.exchanges = append(w.exchanges, exchange{r, string(form), rw.Header().Clone(), copied.body.String()})
	})
}

// copier keeps what is written.
type copier struct {
	http.ResponseWriter
	body strings.Builder
}

func (c *copier) Write(p []byte) (int, error) {
	c.body.Write(p)
	return c.ResponseWriter.Write(p)
}

func (c *copier) Unwrap() http.ResponseWriter { return c.ResponseWriter }
