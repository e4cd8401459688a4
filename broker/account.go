package broker

import "time"

// Account is a person as the applications behind the broker know them. Its ID
// is the sub of public tokens and never changes hands.
type Account struct {
	ID    string
	Epoch uint64
	// Disabled refuses every issuance, whatever the grant (invariant I6).
	Disabled  bool
	CreatedAt time.Time
	// Identities are the digests of the linked identity keys.
	Identities []Digest
}

// Consent is what an account has allowed a client. It covers later requests
// for the same scopes or fewer.
type Consent struct {
	AccountID string
	ClientID  string
	Scopes    []string
	GivenAt   time.Time
}

// Covers reports whether every one of the scopes has been allowed.
func (c *Consent) Covers(scopes []string) bool {
	if c == nil {
		return false
	}
	allowed := make(map[string]bool, len(c.Scopes))
	for _, s := range c.Scopes {
		allowed[s] = true
	}
	for _, s := range scopes {
		if !allowed[s] {
			return false
		}
	}
	return true
}

// Switch is the store's word on something that the configuration or a
// registration defines: its epoch, and whether an administrator has turned it
// off. No record means epoch zero and on.
type Switch struct {
	Epoch    uint64
	Disabled bool
}

// SwitchKind says what a Switch belongs to.
type SwitchKind string

// What can be switched off besides accounts.
const (
	ClientSwitch    SwitchKind = "client"
	ConnectorSwitch SwitchKind = "connector"
)
