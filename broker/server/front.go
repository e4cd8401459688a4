package server

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"gatehouse/broker/discovery"
	"gatehouse/configs"
	"gatehouse/internal/httpx"
	"gatehouse/web"
)

// front puts what every request goes through before the routes of a configuration.
func (s *Server) front(c *configs.Config, pages *web.Pages, routes http.Handler) http.Handler {
	https := strings.HasPrefix(c.Issuer, "https://")
	chain := httpx.Chain{
		Log: s.log, Now: s.now, Proxies: c.TrustedProxies, Observe: s.metrics.observe,
		Headers: func(h http.Header) {
			web.SecurityHeaders(h)
			if https {
				h.Set("Strict-Transport-Security", "max-age=31536000")
			}
		},
		Failed: func(w http.ResponseWriter, r *http.Request) {
			answerUnrouted(w, r, pages, http.StatusInternalServerError)
		},
	}
	return chain.Wrap(guard(c, routes))
}

// guard keeps plain HTTP to this machine and the named proxies: from anywhere
// else, codes and cookies would cross the network in the clear.
func guard(c *configs.Config, next http.Handler) http.Handler {
	if c.TLS.Enabled() {
		return next
	}
	proxies := httpx.Proxies(c.TrustedProxies)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err == nil && !peer.Addr().Unmap().IsLoopback() && !proxies.Trusts(peer.Addr().Unmap()) {
			http.Error(w, "This address answers its proxy only. Use "+c.Issuer, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// below serves the routes under the issuer's path, if it has one.
func below(issuer string, routes http.Handler, documents *discovery.Endpoint, pages *web.Pages) http.Handler {
	u, err := url.Parse(issuer)
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	if err != nil || path == "" {
		return routes
	}
	root := http.NewServeMux()
	documents.MountRoot(root)
	root.HandleFunc(path+"/", func(w http.ResponseWriter, r *http.Request) {
		inner := http.HandlerFunc(func(w http.ResponseWriter, within *http.Request) {
			routes.ServeHTTP(w, within)
			r.Pattern = within.Pattern // for the metrics
		})
		http.StripPrefix(path, inner).ServeHTTP(w, r)
	})
	return routed(root, pages)
}

// routed answers with a page where a mux has no route and a person asks. What is
// there by another method keeps its status and Allow.
func routed(mux http.Handler, pages *web.Pages) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wantsPage(r) {
			mux.ServeHTTP(w, r)
			return
		}
		held := &unrouted{ResponseWriter: w, request: r}
		mux.ServeHTTP(held, r)
		if held.status != 0 {
			answerUnrouted(w, r, pages, held.status)
		}
	})
}

// wantsPage reports whether it is a browser's navigation. Programs hear the same in
// plain text.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// unrouted holds back the plain answer of a mux that found no route.
type unrouted struct {
	http.ResponseWriter
	request *http.Request
	status  int
}

// WriteHeader implements http.ResponseWriter.
func (u *unrouted) WriteHeader(status int) {
	if u.request.Pattern == "" && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) {
		u.status = status
		return
	}
	u.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (u *unrouted) Write(b []byte) (int, error) {
	if u.status != 0 {
		return len(b), nil
	}
	return u.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (u *unrouted) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// answerUnrouted is the answer where no endpoint gave one.
func answerUnrouted(w http.ResponseWriter, r *http.Request, pages *web.Pages, status int) {
	id := httpx.About(r.Context()).ID
	page := web.Error{Reference: id}
	switch status {
	case http.StatusNotFound:
		page.Title, page.Message = "There is no such page", "The address is not one of this service."
		page.Next = "Go back to the application you want to use and sign in from there."
	case http.StatusMethodNotAllowed:
		page.Title, page.Message = "This address cannot be used like that", "It was asked for in a way that it does not answer."
		page.Next = "Go back to the application you want to use and sign in from there."
	default:
		page.Title, page.Message = "Something went wrong on our side", "The request could not be completed."
		page.Next = "Try again in a moment. If it happens again, give the reference number to whoever runs this service."
	}
	if !wantsPage(r) {
		http.Error(w, page.Title+". Reference: "+id, status)
		return
	}
	pages.Error(w, status, page)
}
