package registration

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"gatehouse/broker/jose"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// maxBody bounds a registration document, in bytes.
const maxBody = 64 << 10

// document is the body of a registration or an update.
type document struct {
	Metadata metadata.Client
	About    about
}

// about are the members that are not metadata but what the broker has said of the
// client (RFC 7592 §2.2, §3). They mean nothing in a registration.
type about struct {
	ClientID      json.RawMessage `json:"client_id"`
	ClientSecret  json.RawMessage `json:"client_secret"`
	AccessToken   json.RawMessage `json:"registration_access_token"`
	URI           json.RawMessage `json:"registration_client_uri"`
	SecretExpires json.RawMessage `json:"client_secret_expires_at"`
	IssuedAt      json.RawMessage `json:"client_id_issued_at"`
}

// readDocument reads the body of a request: a JSON object (RFC 7591 §3.1).
func readDocument(w http.ResponseWriter, r *http.Request) (document, error) {
	types := r.Header.Values("Content-Type")
	kind := ""
	if len(types) == 1 {
		kind, _, _ = mime.ParseMediaType(types[0])
	}
	if kind != "application/json" {
		return document{}, oauth.Errorf(oauth.InvalidRequest, "Content-Type must be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return document{}, oauth.Errorf(oauth.InvalidRequest, "the document is longer than %d bytes", maxBody)
	}
	if err != nil {
		return document{}, oauth.Errorf(oauth.InvalidRequest, "the document could not be read").Because(err)
	}
	return parse(body)
}

// parse reads a document under the law of package jose: what two readers could take
// for two documents is refused. Members nobody knows are ignored (RFC 7591 §2), among
// them those with a language tag (§2.2): pages show the name without one.
func parse(body []byte) (d document, err error) {
	if d.Metadata, err = metadata.Decode(body); err == nil {
		err = jose.StrictUnmarshal(body, &d.About)
	}
	if err != nil {
		// The reason holds names of members and no value.
		_, reason, _ := strings.Cut(err.Error(), jose.ErrMalformed.Error()+": ")
		return document{}, oauth.Errorf(oauth.InvalidClientMetadata, "the document is refused: %s", reason).Because(err)
	}
	withoutEmpty(&d.Metadata)
	return d, nil
}

// withoutEmpty makes absent what is null or empty: to RFC 7592 §2.2 they are the same,
// and an empty list that counted as one might be read as "all".
func withoutEmpty(m *metadata.Client) {
	for _, list := range []*[]string{&m.RedirectURIs, &m.GrantTypes, &m.ResponseTypes, &m.ResponseModes, &m.Contacts,
		&m.RequestURIs, &m.DefaultACRValues, &m.PostLogout, &m.WebOrigins} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	if m.Scope != nil && strings.Trim(*m.Scope, " ") == "" {
		m.Scope = nil
	}
}

// absent reports whether a member is not there or null.
func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// text is the JSON string of a member.
func text(raw json.RawMessage) (s string, ok bool) {
	if absent(raw) || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}
