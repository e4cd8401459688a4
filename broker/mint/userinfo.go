package mint

import (
	"context"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/jose"
	"gatehouse/broker/policy"
)

// userInfoType is the typ of a signed userinfo answer. It has no registered one; a name of its own keeps it apart from
// ID tokens, at us and at whoever looks (RFC 8725 §3.11).
const userInfoType = "userinfo+jwt"

// UserInfo returns the userinfo answer for a client that wants it signed, encrypted or both: a JWT, in which case the
// encryption is around the signature (OpenID Connect Core §5.3.2). subject is the sub of the access token as it stands.
// It has no exp: it is an answer and not a token.
func (m *Minter) UserInfo(ctx context.Context, client *broker.Client, subject string, c policy.Claims, now time.Time) (string, error) {
	claims := newPayload()
	claims.text("iss", m.issuer)
	claims.text("sub", subject)
	claims.text("aud", client.ID)
	claims.time("iat", now)
	appendClaims(&claims, c)
	d := draft{alg: client.UserInfoAlg, typ: userInfoType, claims: claims.done(), intent: intent{subject: subject, clientID: client.ID}}
	if d.alg != "" || client.UserInfoEncryption.IsZero() {
		return m.nested(ctx, client, client.UserInfoEncryption, d)
	}
	to, err := m.recipient(ctx, clientkeys.OwnerOf(client), client.UserInfoEncryption)
	if err != nil {
		return "", err
	}
	if err := m.linter.check(d.typ, d.claims, d.intent); err != nil {
		return "", err
	}
	// The claims themselves and no JWS, so that there is no cty (RFC 7519 §5.2).
	return to.Encrypt(jose.ContentEncryption(client.UserInfoEncryption.Enc), d.claims, jose.Envelope{Type: d.typ})
}
