package registration

import (
	"encoding/json"
	"net/http"

	"gatehouse/broker"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// answer is the client information response (RFC 7591 §3.2.1, RFC 7592 §3): all that
// is registered, with what was filled in or left out.
type answer struct {
	ClientID string `json:"client_id"`
	IssuedAt int64  `json:"client_id_issued_at"`
	// Secret and SecretExpires are there when the secret has just been made. It is kept
	// as a digest and cannot be shown again.
	Secret        string `json:"client_secret,omitempty"`
	SecretExpires *int64 `json:"client_secret_expires_at,omitempty"`
	AccessToken   string `json:"registration_access_token"`
	URI           string `json:"registration_client_uri"`
	metadata.Client
}

// write answers with the registration. token is its access token as the client knows
// it, secret one that has just been made or empty.
func (e *Endpoint) write(w http.ResponseWriter, status int, r *broker.Registration, token, secret string) error {
	a := answer{ClientID: r.ClientID, IssuedAt: r.CreatedAt.Unix(), Secret: secret, AccessToken: token, URI: e.Issuer + "/register/" + r.ClientID}
	if secret != "" {
		a.SecretExpires = new(int64) // 0: it does not expire, RFC 7591 §3.2.1
	}
	if err := json.Unmarshal(r.Metadata, &a.Client); err != nil {
		return err
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	oauth.Uncached(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// If this fails the client has gone.
	_, _ = w.Write(append(body, '\n'))
	return nil
}
