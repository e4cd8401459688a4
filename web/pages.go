package web

import (
	"bytes"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
)

// Pages writes the broker's pages. It is safe for concurrent use.
type Pages struct {
	// Log is told when a page cannot be rendered, which only a theme can cause.
	// Nil means nobody is told.
	Log *slog.Logger

	pages   map[variant]page
	buffers sync.Pool
}

// page is a parsed template and the headers that go with it.
type page struct {
	template *template.Template
	// policy is the whole Content-Security-Policy, with the hashes of what the
	// template inlines.
	policy   string
	referrer string
}

// specimen is a page, in one of its forms, with sample data: New renders each once, so that a theme
// that cannot be rendered stops the start and not a login, and so that the
// hashes are those of what is really sent.
type specimen struct {
	name string
	form form
	data any
}

// variant is a page as far as its headers go: one with a form is another than the
// same without.
type variant struct {
	name string
	form form
}

func (s specimen) variant() variant { return variant{s.name, s.form} }

func specimens() []specimen {
	return []specimen{
		chooserSpecimen, chooserEmailSpecimen, consentSpecimen, deviceCodeSpecimen, deviceConfirmSpecimen, errorSpecimen, formPostSpecimen, webMessageSpecimen, homeSpecimen,
		logoutConfirmSpecimen, messageSpecimen, overSpecimen, signedOutSpecimen,
	}
}

// New parses the pages. Theme, if not nil, may replace any of the built-in
// files: the stylesheet gatehouse.css, the frame layout.html, the upstreams' signs
// marks.html, and the pages by their names, such as consent.html. A page defines the templates "title" and
// "main"; what a page may show are the fields of its struct here. An HTML or CSS
// file by another name is an error, as it would never be used. Scripts in a theme
// run only where they are part of the template's own text.
func New(theme fs.FS) (*Pages, error) {
	files, err := readFiles(theme)
	if err != nil {
		return nil, err
	}
	p := &Pages{pages: map[variant]page{}}
	p.buffers.New = func() any { return new(bytes.Buffer) }
	for _, s := range specimens() {
		t, err := files.parse(s.name)
		if err != nil {
			return nil, err
		}
		var sample bytes.Buffer
		if err := t.Execute(&sample, s.data); err != nil {
			return nil, err
		}
		p.pages[s.variant()] = page{
			template: t,
			policy:   contentSecurityPolicy(sample.Bytes(), s.form),
			referrer: s.form.referrerPolicy(),
		}
	}
	return p, nil
}

// maxPooledBuffer keeps one huge page from staying in memory for ever.
const maxPooledBuffer = 64 << 10

var errNoSuchPage = errors.New("no such page")

// write renders to memory, then sends headers and body. A page that cannot be
// rendered becomes a plain 500, never half a page.
func (p *Pages) write(w http.ResponseWriter, s specimen, status int, data any) {
	p.send(w, s, status, data, func(http.Header) {})
}

// send is write with a last word about the headers.
func (p *Pages) send(w http.ResponseWriter, s specimen, status int, data any, adjust func(http.Header)) {
	b := p.buffers.Get().(*bytes.Buffer)
	defer func() {
		if b.Cap() <= maxPooledBuffer {
			p.buffers.Put(b)
		}
	}()
	b.Reset()
	page, ok := p.pages[s.variant()]
	err := errNoSuchPage
	if ok {
		err = page.template.Execute(b, data)
	}
	if err != nil {
		p.fail(w, s.name, err)
		return
	}
	h := w.Header()
	SecurityHeaders(h)
	h.Set("Content-Security-Policy", page.policy)
	h.Set("Referrer-Policy", page.referrer)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	adjust(h)
	w.WriteHeader(status)
	// An error here is a browser that went away.
	_, _ = w.Write(b.Bytes())
}

func (p *Pages) fail(w http.ResponseWriter, name string, err error) {
	if p.Log != nil {
		p.Log.Error("a page could not be rendered; is the theme at fault?", "page", name, "error", err)
	}
	SecurityHeaders(w.Header())
	http.Error(w, "This page could not be shown. Please tell whoever runs this service.", http.StatusInternalServerError)
}
