package broker

import (
	"time"

	"gatehouse/broker/oauth"
)

// AuthorizationRequest is a client's request at /authorize after every check
// (OpenID Connect Core §3.1.2.1). It travels sealed in the browser's flow cookie
// and is never stored. Member names are short because the cookie is small.
type AuthorizationRequest struct {
	ClientID     string             `json:"c"`
	RedirectURI  string             `json:"u"`
	URISent      bool               `json:"us,omitempty"`
	ResponseType oauth.ResponseType `json:"rt,omitempty"`
	ResponseMode oauth.ResponseMode `json:"rm,omitempty"`
	Scopes       oauth.Scopes       `json:"s,omitempty"`
	Resources    []string           `json:"rs,omitempty"`
	Claims       ClaimsRequest      `json:"cl,omitzero"`
	State        string             `json:"st,omitempty"`
	Nonce        string             `json:"n,omitempty"`
	Challenge    string             `json:"cc,omitempty"`
	Prompt       oauth.Prompt       `json:"p,omitempty"`
	MaxAge       time.Duration      `json:"ma,omitempty"`
	HasMaxAge    bool               `json:"hm,omitempty"`
	ACRValues    []string           `json:"acr,omitempty"`
	LoginHint    string             `json:"lh,omitempty"`
	// HintSubject is the sub of a verified id_token_hint.
	HintSubject string `json:"hs,omitempty"`
	// EssentialACR: one of ACRValues is demanded, whatever the connector knows of
	// them (OpenID Connect Core §5.5.1.1).
	EssentialACR bool   `json:"ea,omitempty"`
	UILocales    string `json:"ul,omitempty"`
	// Connector is the idp_hint: the connector to go to without asking.
	Connector string `json:"i,omitempty"`
}
