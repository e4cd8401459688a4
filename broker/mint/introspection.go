package mint

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse/broker"
)

// introspectionType is the typ of RFC 9701 §5: nobody takes an answer about a token for the token.
const introspectionType = "token-introspection+jwt"

// Introspection returns an introspection answer as a JWT for the client that asked (RFC 9701 §5): signed, and then
// encrypted if the client wants it. answer is the JSON object of RFC 7662 §2.2. It has no sub and no exp, which the
// specification advises against.
func (m *Minter) Introspection(ctx context.Context, client *broker.Client, answer json.RawMessage, now time.Time) (string, error) {
	claims := newPayload()
	claims.text("iss", m.issuer)
	claims.text("aud", client.ID)
	claims.time("iat", now)
	claims.name("token_introspection")
	claims = append(claims, answer...)
	return m.nested(ctx, client, client.IntrospectionEncryption,
		draft{alg: or(client.IntrospectionAlg, m.introspectionAlg), typ: introspectionType, claims: claims.done(), intent: intent{clientID: client.ID}})
}
