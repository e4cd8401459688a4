package fake

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// refreshing applies what concerns the refresh_token grant alone to the answer of
// any vendor's token endpoint.
func (p *Provider) refreshing(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		held := &buffered{header: w.Header(), status: http.StatusOK}
		h(held, r)
		body := held.body.Bytes()
		var doc map[string]any
		if held.status == http.StatusOK && json.Unmarshal(body, &doc) == nil {
			if p.spoilRefresh(doc) {
				if changed, err := marshal(doc); err == nil {
					body = changed
				}
			}
		}
		if w.Header().Get("Content-Length") != "" {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(held.status)
		_, _ = w.Write(body)
	}
}

// spoilRefresh reports whether it has changed the answer.
func (p *Provider) spoilRefresh(doc map[string]any) bool {
	changed := false
	for m, member := range map[Misbehaviour]string{RefreshWithoutIDToken: "id_token", RefreshWithoutAccess: "access_token"} {
		if p.script.hit(m) {
			delete(doc, member)
			changed = true
		}
	}
	return p.script.apply(Refresh, doc) || changed
}
