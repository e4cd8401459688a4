package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents are all that are written in Markdown.
func documents(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			out = append(out, strings.TrimPrefix(f, root+"/"))
		}
	}
	if len(out) < 5 {
		t.Fatalf("found only %v", out)
	}
	return out
}

var (
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	image   = regexp.MustCompile(`(?:src|srcset)="([^"]+)"`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// Every link within the repository leads to a file, and to a heading where it
// names one.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	count := 0
	for _, doc := range documents(t) {
		text := fenced.ReplaceAllString(read(t, doc), "")
		for _, m := range append(link.FindAllStringSubmatch(text, -1), image.FindAllStringSubmatch(text, -1)...) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			count++
			path := doc
			if target != "" {
				path = filepath.Join(filepath.Dir(doc), target)
			}
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s: %s leads nowhere", doc, m[1])
				continue
			}
			if anchor != "" && !anchors(read(t, path))[anchor] {
				t.Errorf("%s: %s has no heading %s", doc, path, anchor)
			}
		}
	}
	if count < 15 {
		t.Errorf("found %d links: the search for them is broken", count)
	}
}

// The rows of a table have as many cells as its head.
func TestTablesAreWhole(t *testing.T) {
	t.Parallel()
	rows := 0
	for _, doc := range documents(t) {
		cells := 0
		for n, line := range strings.Split(fenced.ReplaceAllStringFunc(read(t, doc), blank), "\n") {
			if !strings.HasPrefix(line, "|") {
				cells = 0
				continue
			}
			rows++
			got := strings.Count(line, "|") - strings.Count(line, `\|`)
			if cells == 0 {
				cells = got
			}
			if got != cells || !strings.HasSuffix(line, "|") {
				t.Errorf("%s:%d: %d cells, the head has %d", doc, n+1, got-1, cells-1)
			}
		}
	}
	if rows < 100 {
		t.Errorf("found %d rows: the search for them is broken", rows)
	}
}

// blank keeps the line breaks of a text alone.
func blank(text string) string { return strings.Repeat("\n", strings.Count(text, "\n")) }

// anchors are the names that renderers of Markdown give the headings of a document.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 0x7f:
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		out[name] = true
	}
	return out
}

var (
	inCode   = regexp.MustCompile("`([^`\n]+)`")
	aTest    = regexp.MustCompile(`^([a-z0-9./]+)\.((?:Test|Fuzz|Benchmark)[A-Z]\w*)(?:/(.+))?$`)
	anyTest  = regexp.MustCompile(`^(Test|Fuzz|Benchmark)[A-Z]\w*$`)
	aFile    = regexp.MustCompile(`^[a-z][\w./-]*\.(go|yaml|md|html|css|sh)$`)
	aFolder  = regexp.MustCompile(`^(broker|cmd|configs|connectors|docs|internal|session|store|web)(/[\w-]+)*/?$`)
	testDecl = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
)

// What the documents under docs name in code style is there: files, folders and
// tests, the latter as folder.TestName.
func TestNamesInTheDocumentsAreReal(t *testing.T) {
	t.Parallel()
	tests, files := 0, 0
	known := suites{names: map[string]map[string]bool{}, texts: map[string]string{}}
	for _, doc := range []string{"docs/ARCHITECTURE.md", "docs/specs.md", "docs/THREAT-MODEL.md"} {
		text := fenced.ReplaceAllString(read(t, doc), "")
		for _, m := range inCode.FindAllStringSubmatch(text, -1) {
			switch name := m[1]; {
			case aTest.MatchString(name):
				tests++
				if err := known.find(name); err != nil {
					t.Errorf("%s: %v", doc, err)
				}
			case anyTest.MatchString(name):
				t.Errorf("%s: %s does not say which folder it is in", doc, name)
			case aFile.MatchString(name) && strings.Contains(name, "/"), aFolder.MatchString(name):
				files++
				if _, err := os.Stat(filepath.Join(root, name)); err != nil {
					t.Errorf("%s: there is no %s", doc, name)
				}
			}
		}
	}
	if tests < 60 || files < 60 {
		t.Errorf("found %d tests and %d files: the search for them is broken", tests, files)
	}
}

// suites is what the tests of a folder are called, and the text of its files.
type suites struct {
	names map[string]map[string]bool
	texts map[string]string
}

// load reads the Go files of a folder once.
func (s *suites) load(folder string) error {
	if _, done := s.texts[folder]; done {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil {
		return err
	}
	s.names[folder] = map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		s.texts[folder] += string(text)
		if strings.HasSuffix(f, "_test.go") {
			for _, d := range testDecl.FindAllStringSubmatch(string(text), -1) {
				s.names[folder][d[1]] = true
			}
		}
	}
	return nil
}

// find looks for folder.TestName, and with /part for that text in the files of
// the folder or of the suites it runs.
func (s *suites) find(name string) error {
	m := aTest.FindStringSubmatch(name)
	folders := []string{m[1], "store/storetest", "connectors/connectortest"}
	for _, f := range folders {
		if err := s.load(f); err != nil {
			return err
		}
	}
	if !s.names[m[1]][m[2]] {
		return fmt.Errorf("%s has no %s", m[1], m[2])
	}
	for _, f := range folders {
		if m[3] == "" || strings.Contains(s.texts[f], `"`+m[3]+`"`) {
			return nil
		}
	}
	return fmt.Errorf("%s.%s has no part %q", m[1], m[2], m[3])
}

// Every invariant is in the threat model with tests that exist, and in the table
// that leads from it to the rows of the attack catalogue.
func TestInvariantsNameTheirTests(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/THREAT-MODEL.md")
	for n := range 12 {
		id := fmt.Sprintf("I%d", n+1)
		for section, wants := range map[string]*regexp.Regexp{
			"## Invariants":   aTest,
			"## Traceability": regexp.MustCompile(`^[A-Z]{2}-[0-9]{2}$`),
		} {
			row := rowOf(text, section, id)
			if row == "" {
				t.Errorf("%s has no row for %s", section, id)
				continue
			}
			found := 0
			for _, m := range inCode.FindAllStringSubmatch(row, -1) {
				if wants.MatchString(m[1]) {
					found++
				}
			}
			if found == 0 {
				t.Errorf("%s: the row of %s names none that fits %s", section, id, wants)
			}
		}
	}
}

// rowOf is the row of a table below a heading that begins with a name.
func rowOf(text, section, name string) string {
	_, after, _ := strings.Cut(text, "\n"+section+"\n")
	for _, line := range strings.Split(after, "\n") {
		if strings.HasPrefix(line, "## ") {
			break
		}
		if strings.HasPrefix(line, "| "+name+" ") || strings.HasPrefix(line, "| **"+name+"**") {
			return line
		}
	}
	return ""
}
