package fake

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed pages.html
var pagesHTML string

//go:embed style.css
var styleCSS []byte

// brand is how a vendor's pages look: a name and a colour, no logo.
type brand struct {
	Name string
	// Slug chooses the colour in style.css and is part of the cookie's name.
	Slug string
}

// field is a hidden form field.
type field struct{ Name, Value string }

type personRow struct {
	ID, Name, Email, Note string
	Disabled              bool
}

// Initial is the letter in a person's circle.
func (p personRow) Initial() string {
	r, _ := utf8.DecodeRuneInString(p.Name)
	return string(unicode.ToUpper(r))
}

type signInPage struct {
	Action  string
	Fields  []field
	Client  string
	Host    string
	Again   bool
	Consent bool
	// Current holds the person who is signed in, if any; People the others.
	Current, People []personRow
}

type formPostPage struct {
	Action string
	Fields []field
	Client string
}

type problemPage struct {
	Status       int
	Code, Detail string
	// Retry is where another account can be chosen; empty if that would not help.
	Retry string
}

type sessionPage struct {
	Action  string
	Current []personRow
}

// pages renders what a person sees. Nothing on them needs a script, nothing comes
// from another host.
type pages struct {
	brand brand
	// path is the base URL's, for the stylesheet.
	path     func() string
	template *template.Template
}

func newPages(b brand, path func() string) *pages {
	return &pages{brand: b, path: path, template: template.Must(template.New("pages").Parse(pagesHTML))}
}

// view is what every template gets.
type view struct {
	Brand brand
	Style string
	Title string
	Page  any
}

func (p *pages) signIn(w http.ResponseWriter, page signInPage) {
	p.render(w, http.StatusOK, "sign-in", "Sign in", page)
}

func (p *pages) formPost(w http.ResponseWriter, page formPostPage) {
	p.render(w, http.StatusOK, "form-post", "Back to "+page.Client, page)
}

func (p *pages) problem(w http.ResponseWriter, page problemPage) {
	p.render(w, page.Status, "problem", "Something is wrong", page)
}

func (p *pages) session(w http.ResponseWriter, page sessionPage) {
	p.render(w, http.StatusOK, "session", "Your session", page)
}

func (p *pages) render(w http.ResponseWriter, status int, name, title string, page any) {
	var body bytes.Buffer
	if err := p.template.ExecuteTemplate(&body, name, view{Brand: p.brand, Style: p.path() + "/-/style.css", Title: title, Page: page}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	// No form-action: the form's answer is a redirect to the client, which Chromium
	// would hold against it.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer, which would make the page's own POST say Origin: null.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

func (p *pages) serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "max-age=60")
	_, _ = w.Write(styleCSS)
}

// fields turns parameters into hidden fields, in a stable order.
func fields(params url.Values) []field {
	var out []field
	for name, values := range params {
		for _, value := range values {
			out = append(out, field{Name: name, Value: value})
		}
	}
	slices.SortStableFunc(out, func(a, b field) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return out
}

// showSession says who is signed in at the emulated vendor.
func (p *Provider) showSession(w http.ResponseWriter, r *http.Request) {
	page := sessionPage{Action: p.SessionURL()}
	if _, person, ok := p.signedIn(r); ok {
		page.Current = append(page.Current, p.row(person))
	}
	p.pages.session(w, page)
}

func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	if http.NewCrossOriginProtection().Check(r) != nil {
		http.Error(w, "the choice was not made on this page", http.StatusForbidden)
		return
	}
	p.signOut(w, r)
	http.Redirect(w, r, p.SessionURL(), http.StatusSeeOther)
}

// row is how a person appears on a page: GitHub's people have logins, and not all
// of them a name.
func (p *Provider) row(person Person) personRow {
	row := personRow{ID: person.ID, Name: person.Name, Email: person.Email, Note: person.Note, Disabled: p.cast.isDisabled(person.ID)}
	if p.brand.Slug == "github" {
		row.Email = "@" + person.GitHub.Login
	}
	if row.Name == "" {
		row.Name, row.Email = strings.TrimPrefix(row.Email, "@"), ""
	}
	return row
}
