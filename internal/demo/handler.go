package demo

import "net/http"

// site is everything on the applications' port: Wiki at the root, Payroll below
// /second/, and the guide.
type site struct {
	wiki, payroll *application
	guide         *guide
	pages         *pages
}

// routes returns the handler of the port.
func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /style.css", s.pages.style)
	mux.HandleFunc("GET /try", s.try)
	mux.HandleFunc("GET /config", s.config)
	s.mount(mux, s.wiki, s.payroll)
	s.mount(mux, s.payroll, s.wiki)
	// What changes something is a POST from one of these pages.
	return http.NewCrossOriginProtection().Handler(mux)
}

func (s *site) mount(mux *http.ServeMux, a, other *application) {
	mux.HandleFunc("GET "+a.at("{$}"), func(w http.ResponseWriter, r *http.Request) { s.home(w, r, a, other) })
	mux.HandleFunc("GET "+a.at("login"), a.login)
	mux.HandleFunc("GET "+a.at("callback"), a.callback)
	mux.HandleFunc("GET "+a.at("signed-out"), a.signedOut)
	mux.HandleFunc("POST "+a.at("refresh"), a.refresh)
	mux.HandleFunc("POST "+a.at("replay"), a.replay)
	mux.HandleFunc("POST "+a.at("logout"), a.logout)
}

// home is an application's own page; with nobody signed in, the first
// application's is the guide too.
func (s *site) home(w http.ResponseWriter, r *http.Request, a, other *application) {
	v := view{Title: a.Name, Tabs: s.tabs(a.path()), App: a.view(r)}
	v.App.Other = tab{Name: other.Name, URL: other.path()}
	_, err := other.current(r)
	v.App.OtherIsSignedIn = err == nil
	if a == s.wiki && v.App.Person == nil {
		v.Guide = s.guide
	}
	s.pages.write(w, "application.html", v)
}

func (s *site) try(w http.ResponseWriter, _ *http.Request) {
	s.pages.write(w, "try.html", view{Title: "What to try", Tabs: s.tabs("/try"), Guide: s.guide})
}

func (s *site) config(w http.ResponseWriter, _ *http.Request) {
	s.pages.write(w, "config.html", view{Title: "Configuration", Tabs: s.tabs("/config"), Guide: s.guide})
}

func (s *site) tabs(current string) []tab {
	tabs := []tab{{Name: s.wiki.Name, URL: s.wiki.path()}, {Name: s.payroll.Name, URL: s.payroll.path()}, {Name: "What to try", URL: "/try"}, {Name: "Configuration", URL: "/config"}}
	for i := range tabs {
		tabs[i].Current = tabs[i].URL == current
	}
	return tabs
}
