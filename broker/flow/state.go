package flow

import (
	"encoding/json"

	"gatehouse/broker/seal"
)

// UpstreamState is what the state parameter towards an upstream says, sealed: to
// which flow the answer belongs, and for which client, so that a stale,
// evicted or bookmarked answer still ends on a page that leads back to the
// application.
type UpstreamState struct {
	Flow      string `json:"f"`
	Connector string `json:"c"`
	Nonce     string `json:"n"`
	ClientID  string `json:"a"`
}

// States seals and opens upstream states.
type States struct{ box *seal.Box }

// NewStates returns the states of one broker.
func NewStates(keys *seal.Keyring) *States { return &States{box: keys.Box("upstream state")} }

// Seal returns the value of the state parameter. It is base64url, which every
// upstream accepts (Okta takes no other punctuation).
func (s *States) Seal(u UpstreamState) string {
	// The members are strings: encoding cannot fail.
	plain, _ := json.Marshal(u)
	return s.box.SealString(plain, nil)
}

// Open reads a state that came back. ErrNoFlow when it is not ours.
func (s *States) Open(state string) (UpstreamState, error) {
	var u UpstreamState
	if len(state) > 4096 {
		return u, ErrNoFlow
	}
	plain, err := s.box.OpenString(state, nil)
	if err != nil || json.Unmarshal(plain, &u) != nil {
		return u, ErrNoFlow
	}
	return u, nil
}
