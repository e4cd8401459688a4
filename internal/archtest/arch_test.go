// Package archtest holds the house to its plan: which room may import which
// (DESIGN.md §1, docs/decisions/002), and a few rules that a compiler does not
// know.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "gatehouse"

// floors places every room. Imports go down only, and rooms on one floor do not
// import each other.
var floors = map[string]int{
	"broker/oauth": 0,

	"broker": 1, "broker/jose": 1, "broker/seal": 1, "web": 1, "internal/httpx": 1,

	"broker/keys": 2, "broker/policy": 2, "broker/audit": 2, "connectors": 2, "session": 2,
	"store/bolt": 2,

	"broker/outbound": 1, "broker/clientkeys": 2, "broker/metadata": 2, "broker/recheck": 3, "broker/external": 3, "broker/mint": 3, "broker/clientauth": 3, "broker/flow": 3, "connectors/oidc": 3, "internal/adminsock": 3,

	"broker/authorize": 4, "broker/login": 4, "broker/consent": 4, "broker/token": 4, "broker/userinfo": 4,
	"configs": 4, "broker/discovery": 4, "broker/introspection": 4, "broker/logout": 4, "broker/device": 4, "broker/logo": 4, "broker/registration": 4,
	"connectors/google": 4, "connectors/okta": 4, "connectors/azuread": 4, "connectors/github": 4,

	"broker/server": 5,

	// The emulated vendors import nothing of ours, and the demo is part of the program.
	"connectors/connectortest/fake": 0, "internal/demo": 5,

	"cmd/broker": 6, "internal/perf/fill": 6,
}

// forTests are rooms that no program imports.
var forTests = []string{"store/storetest", "connectors/connectortest", "internal/brokertest", "internal/archtest", "internal/clocktest", "internal/jwttest"}

// source is a Go file that is not a test.
type source struct {
	path, room string
	file       *ast.File
	set        *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	root := filepath.Join("..", "..")
	var out []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		out = append(out, source{path: rel, room: filepath.ToSlash(filepath.Dir(rel)), file: file, set: set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("found only %d files: the walk is broken", len(out))
	}
	return out
}

func TestImportsGoDownOnly(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		floor, placed := floors[s.room]
		if !placed {
			if !slices.Contains(forTests, s.room) {
				t.Errorf("%s: the room %s has no floor; give it one here", s.path, s.room)
			}
			continue
		}
		for _, i := range s.file.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			room, ours := strings.CutPrefix(path, module+"/")
			if !ours {
				continue
			}
			if slices.Contains(forTests, room) {
				t.Errorf("%s imports %s, which is for tests", s.path, room)
			}
			if other, ok := floors[room]; ok && other >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", s.path, floor, room, other)
			}
		}
	}
}

// Only cmd/broker names a vendor or an engine.
func TestOnlyTheCommandNamesVendorsAndEngines(t *testing.T) {
	t.Parallel()
	named := []string{"connectors/google", "connectors/okta", "connectors/azuread", "connectors/github", "store/bolt"}
	for _, s := range sources(t) {
		if s.room == "cmd/broker" || s.room == "internal/perf/fill" || slices.Contains(forTests, s.room) {
			continue
		}
		for _, i := range s.file.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			if room, ours := strings.CutPrefix(path, module+"/"); ours && slices.Contains(named, room) {
				t.Errorf("%s imports %s", s.path, room)
			}
		}
	}
}

// The vocabulary imports the standard library alone.
func TestTheVocabularyStandsAlone(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.room != "broker/oauth" && s.room != "broker/seal" {
			continue
		}
		for _, i := range s.file.Imports {
			if path, _ := strconv.Unquote(i.Path.Value); strings.Contains(strings.Split(path, "/")[0], ".") || strings.HasPrefix(path, module) {
				t.Errorf("%s imports %s", s.path, path)
			}
		}
	}
}

// forbidden are calls with a better place or none: time comes from a field,
// randomness from crypto/rand, and nobody's certificate goes unchecked.
var forbidden = map[string]string{
	"time.Now":     "take a Now field; only cmd/ and internal/demo know the clock",
	"http.Get":     "use a client with limits",
	"http.Post":    "use a client with limits",
	"log.Fatal":    "return the error",
	"log.Printf":   "use the slog.Logger you were given",
	"slog.Default": "use the slog.Logger you were given",
	"fmt.Println":  "use the slog.Logger you were given",
}

func TestForbiddenCallsAndImports(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		outside := strings.HasPrefix(s.room, "cmd/") || s.room == "internal/demo" || s.room == "internal/perf/fill" || slices.Contains(forTests, s.room)
		for _, i := range s.file.Imports {
			if path, _ := strconv.Unquote(i.Path.Value); strings.HasPrefix(path, "math/rand") || path == "testing" && !slices.Contains(forTests, s.room) {
				t.Errorf("%s imports %s", s.path, path)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && !outside {
					if why, bad := forbidden[x.Name+"."+n.Sel.Name]; bad {
						t.Errorf("%s: %s.%s: %s", s.set.Position(n.Pos()), x.Name, n.Sel.Name, why)
					}
				}
			case *ast.KeyValueExpr:
				if k, ok := n.Key.(*ast.Ident); ok && k.Name == "InsecureSkipVerify" {
					t.Errorf("%s: InsecureSkipVerify", s.set.Position(n.Pos()))
				}
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: init function", s.set.Position(n.Pos()))
				}
			}
			return true
		})
	}
}

// TestSizes: one idea a file, one a function.
func TestSizes(t *testing.T) {
	t.Parallel()
	const maxFile, maxFunction = 400, 70
	for _, s := range sources(t) {
		if n := s.set.File(s.file.Pos()).LineCount(); n > maxFile {
			t.Errorf("%s has %d lines", s.path, n)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > maxFunction {
				t.Errorf("%s: %s has %d lines", s.set.Position(f.Pos()), f.Name.Name, n)
			}
			if f.Name.IsExported() && f.Doc == nil && visible(f) {
				t.Errorf("%s: %s has no doc comment", s.set.Position(f.Pos()), f.Name.Name)
			}
		}
	}
}

// visible reports whether others can call the function: it has no receiver, or
// one of an exported type.
func visible(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	name, ok := receiver.(*ast.Ident)
	return !ok || name.IsExported()
}

// Every room says what it is.
func TestEveryRoomHasADoc(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, s := range sources(t) {
		documented[s.room] = documented[s.room] || s.file.Doc != nil
	}
	for room, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", room)
		}
	}
	if _, err := os.Stat(filepath.Join("..", "..", "go.mod")); err != nil {
		t.Error(err)
	}
}
