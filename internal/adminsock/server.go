package adminsock

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"gatehouse/broker/keys"
)

// Keys are the signing keys of a running broker; *keys.Ring is one.
type Keys interface {
	Info() []keys.Info
	Rotate(ctx context.Context, emergency bool) error
}

// Server answers on the socket.
type Server struct {
	Keys Keys
	Log  *slog.Logger
}

// maxBody bounds a request, in bytes.
const maxBody = 4 << 10

// keyList is the answer to both requests.
type keyList struct {
	Keys []keys.Info `json:"keys"`
}

type rotateRequest struct {
	Emergency bool `json:"emergency"`
}

type failure struct {
	Error string `json:"error"`
}

// Handler is the protocol.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, keyList{s.Keys.Info()})
	})
	mux.HandleFunc("POST /keys/rotate", s.rotate)
	return mux
}

func (s *Server) rotate(w http.ResponseWriter, r *http.Request) {
	var request rotateRequest
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	body.DisallowUnknownFields() // a misspelt "emergency" must not become an ordinary rotation
	if err := body.Decode(&request); err != nil || !errors.Is(body.Decode(&struct{}{}), io.EOF) {
		answer(w, http.StatusBadRequest, failure{`the body must be {"emergency": true} or {"emergency": false}`})
		return
	}
	// Once begun it is finished, whatever becomes of the command that asked.
	if err := s.Keys.Rotate(context.WithoutCancel(r.Context()), request.Emergency); err != nil {
		s.Log.ErrorContext(r.Context(), "rotating the signing keys", "emergency", request.Emergency, "error", err)
		answer(w, http.StatusInternalServerError, failure{err.Error()})
		return
	}
	answer(w, http.StatusOK, keyList{s.Keys.Info()})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the command that asked may be gone
}

// shutdownTime is how long requests under way may take to end.
const shutdownTime = 5 * time.Second

// Serve answers until ctx is done, and then closes and so removes the socket. It returns nil after an orderly end.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s.Handler(), ReadTimeout: 10 * time.Second, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn)}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	return server.Shutdown(ending)
}
