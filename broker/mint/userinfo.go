package mint

import (
	"context"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/policy"
)

// userInfoType is the typ of a signed userinfo answer. It has no registered one; a name of its own keeps it apart from
// ID tokens, at us and at whoever looks (RFC 8725 §3.11).
const userInfoType = "userinfo+jwt"

// UserInfo returns the userinfo answer about a subject as a JWT for the client, signed with its own algorithm (OpenID
// Connect Core §5.3.2). It has no exp: it is an answer and not a token.
func (m *Minter) UserInfo(ctx context.Context, client *broker.Client, subject string, c policy.Claims, now time.Time) (string, error) {
	claims := newPayload()
	claims.text("iss", m.issuer)
	claims.text("sub", subject)
	claims.text("aud", client.ID)
	claims.time("iat", now)
	appendClaims(&claims, c)
	return m.sign(client.UserInfoAlg, userInfoType, claims.done(), intent{subject: subject, clientID: client.ID})
}
