package httpx

import (
	"net/http"
	"strings"
)

// Interactive wraps an endpoint that people's browsers navigate to: it does
// nothing for requests that are not a person's doing. Go's GET patterns serve
// HEAD too, and link previews and prefetching browsers send both.
func Interactive(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.Header().Set("Allow", "GET")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		purpose := r.Header.Get("Sec-Purpose") + r.Header.Get("Purpose")
		if strings.Contains(strings.ToLower(purpose), "prefetch") {
			// A browser that gets no content asks again when the person really goes there.
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}
