package oauth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// Limits of what an Authorization header may carry, in bytes.
const (
	maxBasic  = 8 << 10
	maxBearer = 16 << 10
)

// BasicCredentials returns the client ID and secret of an Authorization header with the scheme Basic, each
// form-urldecoded (RFC 6749 §2.3.1). tried reports whether the client meant to authenticate this way, also when err is
// not nil; without it the request has no such header and is to be judged by other means.
//
// A second Authorization header, base64 that is not the one encoding of its bytes, a missing colon, bad
// percent-encoding, text that is not UTF-8 and an empty client ID are invalid_request: nothing is repaired or guessed.
// The secret may be empty, and must then never authenticate anybody.
func BasicCredentials(r *http.Request) (id, secret string, tried bool, err error) {
	encoded, tried, err := authorization(r, "Basic")
	if !tried || err != nil {
		return "", "", tried, err
	}
	raw, ok := decodeBasic(encoded)
	if !ok {
		return "", "", true, Errorf(InvalidRequest, "the Authorization header is not canonical base64")
	}
	rawID, rawSecret, ok := strings.Cut(raw, ":")
	if !ok {
		return "", "", true, Errorf(InvalidRequest, "the Authorization header has no colon between client and secret")
	}
	id, err = url.QueryUnescape(rawID)
	if err == nil {
		secret, err = url.QueryUnescape(rawSecret)
	}
	switch {
	case err != nil: // not kept as the cause: it quotes the secret
		return "", "", true, Errorf(InvalidRequest, "the Authorization header has bad percent-encoding; "+
			"client ID and secret have to be form-urlencoded")
	case id == "":
		return "", "", true, Errorf(InvalidRequest, "the Authorization header names no client")
	case !isText(id) || !isText(secret):
		return "", "", true, Errorf(InvalidRequest, "the Authorization header is not text in UTF-8")
	}
	return id, secret, true, nil
}

// decodeBasic decodes padded base64 of at most maxBasic bytes. The decoder skips line breaks and, unless it is strict,
// stray bits, so what it read is encoded again and compared.
func decodeBasic(encoded string) (string, bool) {
	if len(encoded) > maxBasic {
		return "", false
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != encoded {
		return "", false
	}
	return string(raw), true
}

// BearerToken returns the token of an Authorization header with the scheme Bearer (RFC 6750 §2.1). tried reports
// whether there is one, also when err is not nil. A token in the form or query is not looked for. A second header or an
// empty token is invalid_request; a token that is not a b64token or is longer than 16 KiB is invalid_token.
func BearerToken(r *http.Request) (token string, tried bool, err error) {
	token, tried, err = authorization(r, "Bearer")
	if !tried || err != nil {
		return "", tried, err
	}
	if len(token) > maxBearer || !isB64Token(token) {
		return "", true, Errorf(InvalidToken, "the access token is malformed")
	}
	return token, true, nil
}

// authorization returns what follows scheme in the one Authorization header. Schemes are case-insensitive (RFC 9110
// §11.1).
func authorization(r *http.Request, scheme string) (credentials string, tried bool, err error) {
	values := r.Header.Values("Authorization")
	for _, v := range values {
		s, c, _ := strings.Cut(v, " ")
		if equalASCIIFold(s, scheme) {
			credentials, tried = strings.TrimLeft(c, " "), true
		}
	}
	switch {
	case len(values) > 1: // RFC 9110 §11.6.2 knows one; a proxy and we might each take another
		return "", tried, Errorf(InvalidRequest, "more than one Authorization header")
	case tried && credentials == "":
		return "", true, Errorf(InvalidRequest, "the Authorization header is empty")
	}
	return credentials, tried, nil
}

// equalASCIIFold compares without regard to case in ASCII alone: strings.EqualFold knows letters beyond it that fold
// into ASCII ones.
func equalASCIIFold(s, t string) bool {
	return len(s) == len(t) && strings.EqualFold(s, t)
}

// isB64Token reports whether s is 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" (RFC 6750 §2.1).
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && !strings.ContainsRune("-._~+/", rune(c)) {
			return false
		}
	}
	return s != ""
}
