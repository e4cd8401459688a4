package fake

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// answer is a whole HTTP answer with a JSON body.
type answer struct {
	status int
	header http.Header
	body   any
}

// oauthError is the error shape of RFC 6749 §5.2, which GitHub shares.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
	URI         string `json:"error_uri,omitempty"`
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	body, err := marshal(a.body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	// RFC 6749 §5.1 demands it of token answers; a vendor's key set says otherwise itself.
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body)
}

// marshal is json.Marshal without the escaping for HTML, which no vendor does.
func marshal(v any) ([]byte, error) {
	if raw, ok := v.([]byte); ok {
		return raw, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// document writes doc after the edits registered for e, as JSON with status 200.
func (p *Provider) document(w http.ResponseWriter, e Endpoint, doc map[string]any) {
	p.script.apply(e, doc)
	answer{status: http.StatusOK, body: doc}.write(w)
}

// withDuplicates renders doc with members named twice, the false ones first:
// parsers differ in which they believe (RFC 8259 §4).
func withDuplicates(doc map[string]any, first map[string]any) ([]byte, error) {
	lie, err := marshal(first)
	if err != nil {
		return nil, err
	}
	truth, err := marshal(doc)
	if err != nil {
		return nil, err
	}
	return append(append(bytes.TrimSuffix(lie, []byte("}")), ','), truth[1:]...), nil
}
