package server

import (
	"encoding/json"
	"net/http"
)

// health is the answer of /readyz. An upstream that is down is said so and does
// not make the broker unready: the others still work. Nor does a credential that
// has expired.
type health struct {
	Status     string            `json:"status"`
	Store      string            `json:"store"`
	Connectors map[string]string `json:"connectors"`
	// Credentials are those that have expired or will within 30 days.
	Credentials []expiring `json:"credentials,omitempty"`
}

// Health is the surface of the health listener: /healthz says that the process
// answers, /readyz that it can do its work, /metrics how it is doing.
func (s *Server) Health() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeHealth(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.metrics.handler())
	return mux
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	h, status := health{Status: "ok", Store: "ok", Connectors: map[string]string{}}, http.StatusOK
	if err := s.store.Ready(); err != nil {
		h.Status, h.Store, status = "unavailable", err.Error(), http.StatusServiceUnavailable
	}
	rt := s.runtime.Load()
	h.Credentials = expiringSoon(rt.credentials(), s.now())
	for id, connector := range rt.connectors {
		h.Connectors[id] = "ok"
		if err := connector.Check(r.Context()); err != nil {
			h.Connectors[id] = err.Error()
		}
	}
	writeHealth(w, status, h)
}

func writeHealth(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The caller has gone if this fails.
	_ = json.NewEncoder(w).Encode(body)
}
