package server

import (
	"net/http"
	"slices"
	"strings"
)

// corsPaths are the endpoints that scripts of registered web origins may call
// (Fetch §3.2). /authorize is navigated to and never fetched; discovery and keys
// are open to everybody and say so themselves.
func corsPaths() []string { return []string{"/token", "/userinfo", "/revoke"} }

// corsMethods and corsHeaders are what those endpoints take.
const (
	corsMethods = "GET, POST"
	corsHeaders = "Authorization, Content-Type"
	corsExposed = "WWW-Authenticate, Retry-After"
	corsMaxAge  = "600"
)

// cors lets the scripts of registered origins call next's program endpoints. Never
// with credentials: these endpoints take no cookies. An origin is compared byte for
// byte, so "null" and whatever resembles a registered one get nothing.
func cors(origins map[string]bool, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(corsPaths(), r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin") // also for those that get nothing: a cache must not mix them up
		sent := r.Header["Origin"]
		if len(sent) != 1 || !origins[sent[0]] {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Origin", sent[0])
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			h.Set("Access-Control-Expose-Headers", corsExposed)
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Methods", corsMethods)
		h.Set("Access-Control-Allow-Headers", corsHeaders)
		h.Set("Access-Control-Max-Age", corsMaxAge)
		w.WriteHeader(http.StatusNoContent)
	})
}

// webOrigins are those of all clients.
func webOrigins(rt *runtime) map[string]bool {
	out := map[string]bool{}
	for _, client := range rt.clients {
		for _, origin := range client.WebOrigins {
			out[strings.ToLower(origin)] = true // a browser sends scheme and host in lower case
		}
	}
	return out
}
