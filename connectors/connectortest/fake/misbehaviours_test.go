package fake

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A loop over all misbehaviours is worth what its list is.
func TestMisbehavioursListsThemAll(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	list := Misbehaviours()
	declared := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Misbehaviour" {
				return true
			}
			for i, value := range spec.Values {
				text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared++
				if !slices.Contains(list, Misbehaviour(text)) {
					t.Errorf("%s is not in the list", spec.Names[i].Name)
				}
			}
			return true
		})
	}
	if len(list) != declared || declared < 100 {
		t.Errorf("%d are listed, %d declared", len(list), declared)
	}
}
