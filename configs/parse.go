package configs

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxFile is the size in bytes of the largest file that is read: some thousand clients.
	maxFile = 1 << 20
	// maxNesting is far beyond what the format has, and keeps the parser, which takes quadratic time over nested
	// brackets, from looking as if it hung on a file that is none of ours.
	maxNesting = 32
)

// parse returns the one mapping a configuration file consists of, or what is wrong with its form. An empty file is an
// empty mapping.
func parse(file string, source []byte) (root ast.Node, problems []Problem) {
	complain := func(line int, format string, args ...any) {
		problems = append(problems, Problem{File: file, Line: line, Message: fmt.Sprintf(format, args...)})
	}
	if len(source) > maxFile {
		complain(0, "is larger than %d bytes: is it a configuration file?", maxFile)
		return nil, problems
	}
	if at := invalidText(source); at > 0 {
		complain(at, "holds bytes that are not text: save the file as UTF-8")
		return nil, problems
	}
	// The parser is not ours: what it cannot cope with must not end a broker that is reloading.
	defer func() {
		if r := recover(); r != nil {
			root, problems = nil, []Problem{{File: file, Message: "cannot be read as YAML"}}
		}
	}()
	tokens := joinColons(lexer.Tokenize(string(source)))
	if problems = checkTokens(file, tokens); len(problems) > 0 {
		return nil, problems
	}
	// Duplicates are let through here and found by the decoder, which goes on after the first.
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, message := syntaxError(err)
		complain(line, "%s", message)
		return nil, problems
	}
	switch len(parsed.Docs) {
	case 0:
		return nil, nil
	case 1:
		return parsed.Docs[0].Body, nil
	}
	complain(lineOf(parsed.Docs[1].Body), "begins a second document: a configuration is one document, remove the line ---")
	return nil, problems
}

// invalidText returns the line of the first byte that cannot be part of a text, or 0.
func invalidText(source []byte) int {
	line := 1
	for i := 0; i < len(source); {
		r, size := utf8.DecodeRune(source[i:])
		switch {
		case r == utf8.RuneError && size == 1, r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7f:
			return line
		case r == '\n':
			line++
		}
		i += size
	}
	return 0
}

// checkTokens refuses the parts of YAML that make a file mean something other than it seems to say: anchors and aliases
// (whose expansion is unbounded too), merges, tags, directives and complex keys.
func checkTokens(file string, tokens token.Tokens) (problems []Problem) {
	depth, dashes, line := 0, 0, 0
	for _, t := range tokens {
		what := ""
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.AnchorType, token.AliasType:
			what = "anchors and aliases are not supported: write the value out"
		case token.MergeKeyType:
			what = "merge keys are not supported: write the keys out"
		case token.TagType:
			what = "tags are not supported: put quotes around what is meant as text"
		case token.DirectiveType:
			what = "directives are not supported: remove the line"
		case token.MappingKeyType:
			what = "complex keys are not supported: write key: value"
		case token.SequenceEntryType:
			dashes++
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if what != "" {
			problems = append(problems, Problem{File: file, Line: line, Message: what})
		}
		if depth > maxNesting || dashes > maxNesting {
			return append(problems, Problem{File: file, Line: line, Message: "is nested too deeply"})
		}
	}
	return problems
}

// joinColons puts plain words with a colon in them together again where the lexer has taken them apart. Without a space
// behind the colon a list [corp:staff] has one word in it (YAML 1.2.2 §7.3.3), but within braces the lexer sees a
// mapping there (goccy/go-yaml#832), and names of groups and references to secrets are such words.
func joinColons(tokens token.Tokens) token.Tokens {
	var out token.Tokens
	var open []token.Type // the brackets around, innermost last
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			open = append(open, t.Type)
		case token.SequenceEndType, token.MappingEndType:
			open = open[:max(len(open)-1, 0)]
		}
		inList := len(open) > 0 && open[len(open)-1] == token.SequenceStartType
		for inList && i+2 < len(tokens) && splitAtColon(t, tokens[i+1], tokens[i+2]) {
			t = token.String(t.Value+":"+tokens[i+2].Value, t.Origin+":"+tokens[i+2].Origin, t.Position)
			i += 2
		}
		out.Add(t)
	}
	return out
}

func splitAtColon(before, colon, behind *token.Token) bool {
	return colon.Type == token.MappingValueType && colon.Origin == ":" && isPlain(before) && isPlain(behind) &&
		strings.HasSuffix(before.Origin, before.Value) && strings.HasPrefix(behind.Origin, behind.Value)
}

// isPlain reports whether a token is a word without quotes.
func isPlain(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.IntegerType, token.FloatType, token.BoolType, token.NullType:
		return true
	}
	return false
}

// syntaxError takes the parser's error apart. Its text would repeat lines of the file, and with them secrets.
func syntaxError(err error) (line int, message string) {
	if e, ok := errors.AsType[yaml.Error](err); ok {
		if t := e.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
		message = e.GetMessage()
	}
	// The message quotes a key or a character, never a value, but of an unknown parser version nothing is certain.
	message, _, _ = strings.Cut(message, "\n")
	if message == "" {
		return line, "is not valid YAML"
	}
	return line, "is not valid YAML: " + message
}

// lineOf returns the line a node begins on. A mapping's own token is a colon, which follows its first key.
func lineOf(n ast.Node) int {
	switch n := n.(type) {
	case nil:
		return 0
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return lineOf(n.Values[0])
		}
	case *ast.MappingValueNode:
		return lineOf(n.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}
