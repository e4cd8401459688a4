package oauth

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// errorBody is the JSON answer of RFC 6749 §5.2.
type errorBody struct {
	Error       Code   `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// Uncached keeps an answer out of caches, old ones too (RFC 6749 §5.1).
func Uncached(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
}

// WriteJSON answers with err as the JSON of RFC 6749 §5.2, uncached. An err that holds no *Error becomes server_error
// without detail. The causes are not logged here: the caller does that, once.
func WriteJSON(w http.ResponseWriter, err error) {
	e := From(err)
	if e == nil || e.Code == "" {
		e = &Error{Code: ServerError}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	Uncached(h) // an error may tell whether a code or token was live
	if e.Challenge != "" {
		h.Set("WWW-Authenticate", headerText(e.Challenge))
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(wholeSeconds(e.RetryAfter), 10))
	}
	status := e.Status()
	if status == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodPost) // RFC 9110 §15.5.6
	}
	// Marshalling two strings cannot fail. A Description that was not made by Errorf is brought into the set here.
	body, _ := json.Marshal(errorBody{Error: e.Code, Description: describe(e.Description)})
	w.WriteHeader(status)
	// The client hung up if this fails; there is nobody left to tell.
	_, _ = w.Write(append(body, '\n'))
}

// BasicChallenge is the WWW-Authenticate value for a client that tried HTTP Basic and failed (RFC 6749 §5.2,
// RFC 7617 §2).
func BasicChallenge(realm string) string {
	return `Basic realm="` + describe(realm) + `", charset="UTF-8"`
}

// BearerChallenge is the WWW-Authenticate value of RFC 6750 §3. A nil err is for a request that carried no token at
// all: it must not be told an error code (§3.1).
func BearerChallenge(err *Error, realm string) string {
	s := `Bearer realm="` + describe(realm) + `"`
	if err == nil {
		return s
	}
	s += `, error="` + describe(string(err.Code)) + `"`
	if err.Description != "" {
		s += `, error_description="` + describe(err.Description) + `"`
	}
	return s
}

// wholeSeconds rounds up: a client that comes back a fraction too early is refused again.
func wholeSeconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}

// headerText replaces whatever could end a header line or is not ASCII.
func headerText(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < 0x20 || c > 0x7e {
			b[i] = '?'
		}
	}
	return string(b)
}
