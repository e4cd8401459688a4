package broker

import "time"

// SignIn is one upstream authentication a session remembers, at most one per
// connector.
type SignIn struct {
	Connector      string
	ConnectorEpoch uint64
	Identity       Digest
	IdentityEpoch  uint64
	// At is when the callback arrived, AuthTime when the person authenticated:
	// the upstream's signed auth_time, else At. Silent reuse changes neither.
	At       time.Time
	AuthTime time.Time
	ACR      string
	AMR      []string
}

// Session is a browser's single sign-on session. Its ID is the public sid of
// tokens; the cookie holds the ID and a secret, and only the secret's digest is
// kept.
type Session struct {
	ID           string
	Secret       Digest
	AccountID    string
	AccountEpoch uint64
	Epoch        uint64
	SignIns      []SignIn
	// Clients are the client IDs that received tokens, in order of first use:
	// who must hear of a logout.
	Clients   []string
	CreatedAt time.Time
	// UsedAt moves with every issuance; IdleUntil is UsedAt plus the idle
	// lifetime; Expires is the end whatever happens.
	UsedAt    time.Time
	IdleUntil time.Time
	Expires   time.Time
	// Ended is a tombstone: signed out. It stays until Forget so that grants
	// bound to the session stay dead.
	Ended  bool
	Forget time.Time
}

// Live reports whether the session still signs its browser in.
func (s *Session) Live(now time.Time) bool {
	return s != nil && !s.Ended && now.Before(s.Expires) && now.Before(s.IdleUntil)
}

// SignIn returns the session's sign-in through a connector, or nil.
func (s *Session) SignIn(connector string) *SignIn {
	for i := range s.SignIns {
		if s.SignIns[i].Connector == connector {
			return &s.SignIns[i]
		}
	}
	return nil
}

// SessionRef is what a browser's cookie proves: a session and knowledge of its
// secret. The zero value refers to nothing.
type SessionRef struct {
	ID     string
	Secret Digest
}

// IsZero reports whether the browser presented no session.
func (r SessionRef) IsZero() bool { return r.ID == "" }
