package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gatehouse/connectors"
)

// Problem is one thing wrong with a configuration file: where it is, and what to do.
type Problem struct {
	File string
	// Line counts from 1; zero when the problem is with the file as a whole.
	Line int
	// Path names the key, such as "clients[0].redirect_uris[1]"; empty for the file as a whole.
	Path    string
	Message string
}

// String is "file:line: path: message" without the parts that are absent.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is the error of [Load]: every problem of the file, in the order of its lines.
type Problems struct{ List []Problem }

// Error lists the problems, one a line.
func (p *Problems) Error() string {
	lines := make([]string, len(p.List))
	for i, one := range p.List {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

func sortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path))
	})
}

// faults collects what a Validate returns. Paths are relative to the section.
type faults []connectors.Problem

func (f *faults) add(path, format string, args ...any) {
	*f = append(*f, connectors.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// under adds the problems of a part, whose paths are relative to prefix.
func (f *faults) under(prefix string, part []connectors.Problem) {
	for _, p := range part {
		*f = append(*f, connectors.Problem{Path: join(prefix, p.Path), Message: p.Message})
	}
}

// join puts a relative path behind a prefix: "a" and "b" make "a.b", "a" and "[1]" make "a[1]".
func join(prefix, path string) string {
	switch {
	case prefix == "":
		return path
	case path == "" || path[0] == '[':
		return prefix + path
	}
	return prefix + "." + path
}

// parent cuts the last key or index off a path.
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

// element is the path of a list's entry.
func element(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// withoutIndices turns "clients[3].scope" into "clients.scope".
func withoutIndices(path string) string {
	var b strings.Builder
	for key := range strings.SplitSeq(path, ".") {
		name, _, _ := strings.Cut(key, "[")
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}
