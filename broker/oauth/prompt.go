package oauth

import (
	"slices"
	"strings"
)

// Prompt is a set of prompt values in one canonical spelling (OpenID Connect Core §3.1.2.1). The zero value is the
// empty set: nothing in particular was asked for.
type Prompt string

// The prompt values.
const (
	PromptNone          Prompt = "none"
	PromptLogin         Prompt = "login"
	PromptConsent       Prompt = "consent"
	PromptSelectAccount Prompt = "select_account"
)

// ParsePrompt reads a prompt parameter. none beside another value is invalid_request (OpenID Connect Core §3.1.2.1);
// so is a value we do not know: ignoring one could mean not asking a person something the client relies on (Initiating
// User Registration via OpenID Connect 1.0 demands the error for the value it adds).
func ParsePrompt(s string) (Prompt, error) {
	known := [...]Prompt{PromptNone, PromptLogin, PromptConsent, PromptSelectAccount}
	var found [len(known)]bool
words:
	for word := range strings.SplitSeq(s, " ") {
		if word == "" {
			continue
		}
		for i, p := range known {
			if word == string(p) {
				found[i] = true
				continue words
			}
		}
		return "", Errorf(InvalidRequest, "prompt has a value that is not supported")
	}
	var set []string
	for i, p := range known {
		if found[i] {
			set = append(set, string(p))
		}
	}
	if found[0] && len(set) > 1 {
		return "", Errorf(InvalidRequest, "prompt none cannot be combined with other values")
	}
	return Prompt(strings.Join(set, " ")), nil
}

// Has reports whether the set contains the single value v.
func (p Prompt) Has(v Prompt) bool { return hasWord(string(p), string(v)) }

// Without returns p less the single value v: what is left to ask once v has been done.
func (p Prompt) Without(v Prompt) Prompt {
	words := slices.DeleteFunc(strings.Fields(string(p)), func(w string) bool { return w == string(v) })
	return Prompt(strings.Join(words, " "))
}
