package logo

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"gatehouse/broker"
	"gatehouse/internal/httpx"
	"gatehouse/web"
)

// Endpoint serves /logo/{client_id}. It is safe for concurrent use and may not be
// copied.
type Endpoint struct {
	Clients broker.Clients
	// Fetch reads a logo_uri; outbound.Client's.
	Fetch func(ctx context.Context, address string, types ...string) ([]byte, error)
	// PerAddress limits requests.
	PerAddress *httpx.Limiter
	Log        *slog.Logger
	Now        func() time.Time

	// Those that registered themselves have a shelf of their own: however many there
	// are, they do not displace what the operator knows.
	configured, registered shelf
	// decoding makes it one at a time: a picture of a few bytes may need tens of
	// megabytes for a moment.
	decoding sync.Mutex
}

// Mount adds the endpoint's route.
func (e *Endpoint) Mount(mux *http.ServeMux) { mux.HandleFunc("GET /logo/{client_id}", e.serve) }

func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	web.SecurityHeaders(h) // nothing loads from it, should a browser take it for a document
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if wait, ok := e.PerAddress.Allow(httpx.LimitKey(httpx.About(r.Context()).Address)); !ok {
		h.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		http.Error(w, "Too many requests.", http.StatusTooManyRequests)
		return
	}
	logo := e.logo(r.Context(), r.PathValue("client_id"))
	if logo == nil {
		http.Error(w, "There is no logo here.", http.StatusNotFound)
		return
	}
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("Content-Type", "image/png")
	h.Set("Content-Length", strconv.Itoa(len(logo)))
	// An error here is a browser that went away.
	_, _ = w.Write(logo)
}

// logo is the client's, or nil.
func (e *Endpoint) logo(ctx context.Context, id string) []byte {
	client, err := e.Clients.Client(ctx, id)
	if err != nil {
		if !errors.Is(err, broker.ErrNotFound) {
			e.Log.LogAttrs(ctx, slog.LevelWarn, "a client could not be looked up for its logo", slog.String("reason", err.Error()))
		}
		return nil
	}
	if client.LogoURI == "" {
		return nil
	}
	kept := &e.configured
	if client.Registered {
		kept = &e.registered
	}
	return kept.find(ctx, client.ID, client.LogoURI, e.Now, func(ctx context.Context) []byte { return e.fetch(ctx, client) })
}

// fetch returns the logo as it is served, or nil. What the site says of the media type
// is not asked: the bytes tell.
func (e *Endpoint) fetch(ctx context.Context, client *broker.Client) []byte {
	file, err := e.Fetch(ctx, client.LogoURI)
	if err != nil {
		return nil // the guarded client has logged why
	}
	e.decoding.Lock()
	defer e.decoding.Unlock()
	png, err := thumbnail(file)
	if err != nil {
		e.Log.LogAttrs(ctx, slog.LevelWarn, "the logo of a client cannot be shown",
			slog.String("client_id", client.ID), slog.String("reason", err.Error()))
		return nil
	}
	return png
}
