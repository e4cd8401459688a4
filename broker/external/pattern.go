package external

import "strings"

const (
	maxPattern = 512
	maxStars   = 16
)

// ValidPattern reports whether a pattern is one that [Match] takes. Its text has no
// control characters, and what is not a star in it says something.
func ValidPattern(pattern string) bool {
	if len(pattern) > maxPattern || strings.Count(pattern, "*") > maxStars || strings.Contains(pattern, "***") {
		return false
	}
	return pattern != "" && !strings.ContainsFunc(pattern, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Literal reports whether anything in the pattern narrows what it matches.
func Literal(pattern string) bool { return strings.Trim(pattern, "*") != "" }

// Match reports whether the whole of text is the pattern, byte for byte. * stands
// for anything, nothing included, but slashes and colons, which is what CI systems
// put between the parts of their subjects: "repo:acme/*:ref:refs/heads/main" cannot
// be met by a repository or branch that has the rest in its name. ** stands for
// anything.
//
// It takes time in proportion to the product of both lengths, whatever they are.
func Match(pattern, text string) bool {
	tokens := tokensOf(pattern)
	// at[i] says that the first i tokens can match the text so far.
	at, next := make([]bool, len(tokens)+1), make([]bool, len(tokens)+1)
	at[0] = true
	spread(tokens, at)
	for i := range len(text) {
		clear(next)
		for j, token := range tokens {
			switch {
			case !at[j]:
			case token.star && (token.all || text[i] != '/' && text[i] != ':'):
				next[j] = true // it may go on; spread lets it end
			case !token.star && token.literal == text[i]:
				next[j+1] = true
			}
		}
		spread(tokens, next)
		at, next = next, at
	}
	return at[len(tokens)]
}

// token is one byte, or a star.
type token struct {
	literal   byte
	star, all bool
}

func tokensOf(pattern string) []token {
	var out []token
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] != '*':
			out = append(out, token{literal: pattern[i]})
		case i+1 < len(pattern) && pattern[i+1] == '*':
			out = append(out, token{star: true, all: true})
			i++
		default:
			out = append(out, token{star: true})
		}
	}
	return out
}

// spread lets stars stand for nothing.
func spread(tokens []token, at []bool) {
	for j, token := range tokens {
		at[j+1] = at[j+1] || at[j] && token.star
	}
}
