package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNothingIsDeclaredSafe is SS-11: no Go file of the module converts a
// string to a type that html/template does not escape, and no template brings a
// script of a type the engine does not know or an attribute that runs code.
func TestNothingIsDeclaredSafe(t *testing.T) {
	t.Parallel()
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		files++
		for _, name := range unescapedTypes(t, path, nil) {
			t.Errorf("%s uses template.%s, which is not escaped", path, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Fatalf("only %d Go files were scanned", files)
	}
}

func TestTheScanFindsUnescapedTypes(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{
		`package a; import "html/template"; var x = template.HTML("<b>")`:                   1,
		`package a; import t "html/template"; type u = t.URL; func f(s t.JSStr, c t.CSS){}`: 3,
		`package a; import "html/template"; var x = template.HTMLEscapeString("<b>")`:       0,
		`package a; import "text/template"; var x = template.New("")`:                       1,
	} {
		if got := unescapedTypes(t, "a.go", source); len(got) != want {
			t.Errorf("%s: found %q, want %d", source, got, want)
		}
	}
}

// unescapedTypes returns the names of html/template's content types, and the
// import of text/template, that a file uses.
func unescapedTypes(t *testing.T, path string, source any) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	pkg := ""
	for _, i := range file.Imports {
		switch i.Path.Value {
		case `"text/template"`:
			found = append(found, "text/template")
		case `"html/template"`:
			if pkg = "template"; i.Name != nil {
				pkg = i.Name.Name
			}
		}
	}
	unescaped := map[string]bool{"HTML": true, "HTMLAttr": true, "URL": true, "JS": true, "JSStr": true, "CSS": true, "Srcset": true}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && unescaped[s.Sel.Name] {
			if x, ok := s.X.(*ast.Ident); ok && pkg != "" && x.Name == pkg {
				found = append(found, s.Sel.Name)
			}
		}
		return true
	})
	return found
}

func TestTemplatesHoldNoActiveContent(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("templates/*.html")
	if err != nil || len(names) < len(specimens()) {
		t.Fatalf("%d templates, %v", len(names), err)
	}
	rules := map[string]*regexp.Regexp{
		"a handler attribute":            regexp.MustCompile(`(?i)\son[a-z]+\s*=`),
		"a style attribute":              regexp.MustCompile(`(?i)\sstyle\s*=`),
		"a type attribute on a script":   regexp.MustCompile(`(?i)<script\s`),
		"a script that takes data":       regexp.MustCompile(`(?is)<script>[^<]*\{\{`),
		"an unquoted attribute":          regexp.MustCompile(`(?i)\s[a-z-]+=\{\{`),
		"something from another host":    regexp.MustCompile(`(?i)(src|href|action)="(https?:)?//`),
		"a frame, object or base":        regexp.MustCompile(`(?i)<(iframe|frame|object|embed|base)\b`),
		"a meta refresh":                 regexp.MustCompile(`(?i)http-equiv`),
		"a form that is not a POST":      regexp.MustCompile(`(?i)<form (?:[^m]|m[^e])`),
		"a link that opens another page": regexp.MustCompile(`(?i)target\s*=`),
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for what, rule := range rules {
			if m := rule.Find(text); m != nil {
				t.Errorf("%s holds %s: %q", name, what, m)
			}
		}
	}
}
