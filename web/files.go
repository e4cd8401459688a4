package web

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed gatehouse.css templates/*.html
var builtin embed.FS

const (
	styleFile  = "gatehouse.css"
	layoutFile = "layout.html"
	marksFile  = "marks.html"
)

// files are the texts of the stylesheet and the templates by their base names.
type files map[string]string

// Stylesheet returns the built-in stylesheet, for pages that are not the
// broker's own but should look like them.
func Stylesheet() string {
	css, err := builtin.ReadFile(styleFile)
	if err != nil {
		panic("web: the embedded stylesheet is missing") // cannot be: it is compiled in
	}
	return string(css)
}

// readFiles reads the built-in files and lays the theme's over them.
func readFiles(theme fs.FS) (files, error) {
	all := files{styleFile: Stylesheet()}
	names, err := fs.Glob(builtin, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := builtin.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all[path.Base(name)] = string(text)
	}
	if theme == nil {
		return all, nil
	}
	return all, all.override(theme)
}

// override replaces files by those of the theme and returns all that is wrong
// with it at once.
func (f files) override(theme fs.FS) error {
	entries, err := fs.ReadDir(theme, ".")
	if err != nil {
		return fmt.Errorf("theme: %w", err)
	}
	var problems []error
	for _, entry := range entries {
		name := entry.Name()
		if ext := path.Ext(name); entry.IsDir() || ext != ".html" && ext != ".css" {
			continue
		}
		if _, known := f[name]; !known {
			problems = append(problems, fmt.Errorf("theme: %s: no page has that name; there are %s", name, strings.Join(f.names(), ", ")))
			continue
		}
		text, err := fs.ReadFile(theme, name)
		if err != nil {
			problems = append(problems, fmt.Errorf("theme: %w", err))
			continue
		}
		f[name] = string(text)
	}
	return errors.Join(problems...)
}

func (f files) names() []string {
	var names []string
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// parse returns the page within the layout. The stylesheet is a template like
// the others, so that its text is static to html/template and needs no
// declaration of safety.
func (f files) parse(name string) (*template.Template, error) {
	css := f[styleFile]
	if strings.Contains(css, "{{") || strings.Contains(strings.ToLower(css), "</style") {
		return nil, fmt.Errorf("theme: %s: must not contain {{ or </style", styleFile)
	}
	t := template.New(layoutFile)
	for _, file := range []string{layoutFile, styleFile, marksFile, name} {
		part := t
		if file != layoutFile {
			part = t.New(file)
		}
		if _, err := part.Parse(f[file]); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return t, nil
}
