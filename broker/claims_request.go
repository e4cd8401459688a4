package broker

// ClaimsRequest names the claims that a client asked for by themselves, besides
// those of scopes (OpenID Connect Core §5.5), by where it wants them.
type ClaimsRequest struct {
	IDToken  []string `json:"i,omitempty"`
	UserInfo []string `json:"u,omitempty"`
}

// IsZero reports whether none was asked for.
func (c ClaimsRequest) IsZero() bool { return len(c.IDToken) == 0 && len(c.UserInfo) == 0 }
