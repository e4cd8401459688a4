package demo

import (
	"bytes"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"unicode/utf8"

	"gatehouse/web"
)

//go:embed templates/*.html demo.css
var assets embed.FS

// pages renders what the sample applications show.
type pages struct {
	template *template.Template
	log      *slog.Logger
}

// view is what every template gets.
type view struct {
	Title string
	Tabs  []tab
	Guide *guide
	App   *appView
}

// tab is a link at the top of every page.
type tab struct {
	Name, URL string
	Current   bool
}

// appView is an application's own page.
type appView struct {
	Name, Purpose   string
	Admits          []string
	Path            string
	Notice          *notice
	Person          *personView
	Other           tab
	ClientID        string
	OtherIsSignedIn bool
}

// personView is what the page shows of a signIn.
type personView struct {
	Name, Initial, Subject string
	ID, Access             tokenView
	Userinfo               userinfo
	History                []exchange
	CanRefresh, CanReplay  bool
}

// tokenView is one token, decoded and verified.
type tokenView struct {
	Title, About string
	Token        jwt
	Err          string
	Checks       []check
}

func newPages(log *slog.Logger) (*pages, error) {
	t, err := template.ParseFS(assets, "templates/*.html")
	if err != nil {
		return nil, err
	}
	return &pages{template: t, log: log}, nil
}

// write renders the page whole before it sends any of it.
func (p *pages) write(w http.ResponseWriter, name string, v view) {
	var b bytes.Buffer
	if err := p.template.ExecuteTemplate(&b, name, v); err != nil {
		p.log.Error("demo: page", "page", name, "error", err)
		http.Error(w, "This page could not be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	web.SecurityHeaders(h)
	// No form-action: signing out posts here and is redirected to the broker.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// style serves the broker's stylesheet with the additions of the demo.
func (p *pages) style(w http.ResponseWriter, _ *http.Request) {
	own, err := assets.ReadFile("demo.css")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	web.SecurityHeaders(h)
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("Cache-Control", "max-age=60")
	_, _ = w.Write(append([]byte(web.Stylesheet()), own...))
}

// view takes the notice out of the browser's session and copies what is shown.
func (a *application) view(r *http.Request) *appView {
	v := &appView{Name: a.Name, Purpose: a.Purpose, Admits: a.Admits, Path: a.path(), ClientID: a.ClientID}
	var person *signIn
	a.with(r, func(s *session) {
		if s == nil {
			return
		}
		v.Notice, s.notice = s.notice, nil
		if s.person != nil {
			copied := *s.person
			person = &copied
		}
	})
	if person != nil {
		v.Person = a.viewPerson(person)
	}
	return v
}

func (a *application) viewPerson(p *signIn) *personView {
	first, _ := utf8.DecodeRuneInString(p.name)
	return &personView{
		Name: p.name, Initial: strings.ToUpper(string(first)), Subject: p.subject,
		ID: a.viewToken("ID token", "Tells the application who signed in, and how. It is for the application alone and is never sent to an API.",
			p.idToken, p.idChecks),
		Access: a.viewToken("Access token", "Lets the application ask an API on the person's behalf. To the application it is opaque; this page reads it as the API would.",
			p.tokens.AccessToken, p.accessChecks),
		Userinfo: p.userinfo, History: p.history,
		CanRefresh: p.tokens.RefreshToken != "", CanReplay: p.spent != "",
	}
}

func (a *application) viewToken(title, about, token string, checks []check) tokenView {
	v := tokenView{Title: title, About: about, Checks: checks}
	decoded, err := decodeJWT(token, a.Now())
	if err != nil {
		v.Err = err.Error()
		return v
	}
	v.Token = decoded
	return v
}

// Good reports whether every check holds.
func (v tokenView) Good() bool {
	for _, c := range v.Checks {
		if !c.Good {
			return false
		}
	}
	return len(v.Checks) > 0
}
