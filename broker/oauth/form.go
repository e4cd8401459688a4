package oauth

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// ParseForm reads the body of a POST of type application/x-www-form-urlencoded, at most maxBytes of it, under the
// rules of ParseQuery, repeated parameters included. The URL's query is not looked at: parameters of the token
// endpoint come in the body only (RFC 6749 §3.2, §2.3.1).
//
// Another method is answered 405, too long a body 413, and every other fault, another content type among them, 400.
func ParseForm(w http.ResponseWriter, r *http.Request, maxBytes int64) (Params, error) {
	if r.Method != http.MethodPost {
		return Params{}, Errorf(InvalidRequest, "the request must be a POST").withStatus(http.StatusMethodNotAllowed)
	}
	if !isFormType(r.Header.Values("Content-Type")) {
		return Params{}, Errorf(InvalidRequest, "Content-Type must be application/x-www-form-urlencoded")
	}
	if r.Body == nil { // a request made by hand; the server always sets one
		return Params{}, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBytes))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return Params{}, Errorf(InvalidRequest, "the request is longer than %d bytes", maxBytes).
			withStatus(http.StatusRequestEntityTooLarge)
	}
	if err != nil {
		return Params{}, Errorf(InvalidRequest, "the request could not be read").Because(err)
	}
	return ParseQuery(string(body))
}

// isFormType reports whether the one Content-Type is that of a form. Its parameters are ignored: the type has none
// (some libraries send a charset), and the bytes have to be UTF-8 whatever they say.
func isFormType(values []string) bool {
	if len(values) != 1 {
		return false
	}
	mediaType, _, err := mime.ParseMediaType(values[0])
	return err == nil && mediaType == "application/x-www-form-urlencoded"
}

// SecretsInQuery reports whether rawQuery names a credential or a token. Such a request to /token and its like is
// refused even where the body is complete: what stands in a URL stands in logs (RFC 6749 §2.3.1). It reads as leniently
// as any server in front of us might, and reports true for a name that it cannot read.
func SecretsInQuery(rawQuery string) bool {
	isSeparator := func(r rune) bool { return r == '&' || r == ';' }
	for pair := range strings.FieldsFuncSeq(rawQuery, isSeparator) {
		name, _, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || isSecretName(strings.ToLower(strings.TrimSpace(name))) {
			return true
		}
	}
	return false
}

// isSecretName reports whether a parameter of this name holds something that must not be seen.
func isSecretName(name string) bool {
	switch name {
	case "client_secret", "client_assertion", "code", "code_verifier", "device_code", "user_code",
		"token", "access_token", "refresh_token", "id_token", "subject_token", "actor_token", "logout_token",
		"assertion", "password", "username":
		return true
	default:
		return false
	}
}
