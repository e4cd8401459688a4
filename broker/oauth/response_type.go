package oauth

import (
	"slices"
	"strings"
)

// ResponseType is a set of response type values in one canonical spelling, so two of them are the same set exactly
// when they are equal strings. Values from outside pass through ParseResponseType first: "token code" and "code token"
// are one response type (RFC 6749 §3.1.1).
type ResponseType string

// The response types of RFC 6749 §3.1.1 and OAuth 2.0 Multiple Response Type Encoding Practices §3-§5.
const (
	ResponseTypeCode             ResponseType = "code"
	ResponseTypeIDToken          ResponseType = "id_token"
	ResponseTypeToken            ResponseType = "token"
	ResponseTypeNone             ResponseType = "none"
	ResponseTypeIDTokenToken     ResponseType = "id_token token"
	ResponseTypeCodeIDToken      ResponseType = "code id_token"
	ResponseTypeCodeToken        ResponseType = "code token"
	ResponseTypeCodeIDTokenToken ResponseType = "code id_token token"
)

// ParseResponseType reads response_type as the set it is. A missing value is invalid_request; an unknown or repeated
// word, or none beside another, is unsupported_response_type.
func ParseResponseType(s string) (ResponseType, error) {
	if s == "" {
		return "", Errorf(InvalidRequest, "response_type is missing")
	}
	words := strings.Split(s, " ")
	if len(words) > 3 { // no set has more members, and the string is the client's
		return "", Errorf(UnsupportedResponseType, "response_type has too many values")
	}
	slices.Sort(words) // the alphabet and the specifications agree on the order
	for i, w := range words {
		switch ResponseType(w) {
		case ResponseTypeCode, ResponseTypeIDToken, ResponseTypeToken:
		case ResponseTypeNone:
			// Multiple Response Type Encoding Practices §4: none stands alone.
			if len(words) > 1 {
				return "", Errorf(UnsupportedResponseType, "response_type none cannot be combined")
			}
		default:
			return "", Errorf(UnsupportedResponseType, "response_type %s is not supported", w)
		}
		if i > 0 && words[i-1] == w {
			return "", Errorf(UnsupportedResponseType, "response_type repeats %s", w)
		}
	}
	return ResponseType(strings.Join(words, " ")), nil
}

// Has reports whether the set contains the single value v.
func (t ResponseType) Has(v ResponseType) bool { return hasWord(string(t), string(v)) }

// DefaultMode is where the answer goes when no response_mode was asked for: the query, unless a token or an ID token
// is in it (Multiple Response Type Encoding Practices §5).
func (t ResponseType) DefaultMode() ResponseMode {
	if t.Has(ResponseTypeIDToken) || t.Has(ResponseTypeToken) {
		return ResponseModeFragment
	}
	return ResponseModeQuery
}

// hasWord reports whether word is one of the words of a list separated by single spaces.
func hasWord(list, word string) bool {
	if word == "" {
		return false
	}
	for w := range strings.SplitSeq(list, " ") {
		if w == word {
			return true
		}
	}
	return false
}
