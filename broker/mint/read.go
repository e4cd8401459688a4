package mint

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

// maxOwnToken bounds in bytes what is read as a token of ours. Groups are what makes them long.
const maxOwnToken = 32 << 10

// replicaSkew is what the clocks of two replicas may differ by. It is given to iat alone, never to exp.
const replicaSkew = 5 * time.Second

// AccessToken is what a verified access token of ours says. Whether its grant still lives the store knows, and has to
// be asked each time. The slices are shared and must not be changed.
type AccessToken struct {
	ID string // jti
	// Subject is sub as it stands, pairwise for a client that has a sector: see [Minter.Subject].
	Subject   string
	ClientID  string
	GrantID   string // empty in a client's own token
	SessionID string // sid as it stands, like Subject; empty when the grant has none
	// ClientEpoch is the client's when its own token, or one in exchange, was issued.
	ClientEpoch uint64
	// Exchanged says that the token was issued in exchange for one about a person: ClientID need not be the grant's.
	Exchanged bool
	// ExternalIssuer is the ID of the issuer that vouches for the workload that Subject is; empty for others.
	ExternalIssuer string
	// Actor is who acts for the subject, MayAct who may (RFC 8693 §4.1, §4.4).
	Actor    *Actor
	MayAct   string
	Scopes   oauth.Scopes
	Audience []string
	IssuedAt time.Time
	Expires  time.Time
	AuthTime time.Time
	ACR      string
	AMR      []string
}

// Denial is the one-time key that, once used, denies this one token until it expires (RFC 7009 §2.1).
func (t AccessToken) Denial() broker.Once {
	return broker.Once{Key: broker.DigestOf("denied access token\x00" + t.ID), Expires: t.Expires}
}

// ReadAccessToken verifies an access token of ours that is addressed to us: typ at+jwt, our issuer, our audience, not
// expired, signed by a key that is published now, or sealed with a secret that is configured. Any other JWT is refused,
// our own ID tokens included (RFC 9068 §4). The errors are those of package jose; to a client all of them are invalid_token.
func (m *Minter) ReadAccessToken(ctx context.Context, raw string, now time.Time) (AccessToken, error) {
	token, err := m.InspectAccessToken(ctx, raw, now)
	if err != nil {
		return AccessToken{}, err
	}
	forUs := func(a string) bool { return a == m.issuer || slices.Contains(m.audiences, a) }
	if token.GrantID == "" || !slices.ContainsFunc(token.Audience, forUs) {
		return AccessToken{}, ErrNotForUs
	}
	return token, nil
}

// ErrNotForUs: an access token of ours that is addressed to somebody else, or has nobody behind it.
var ErrNotForUs = errors.New("mint: the access token is for somebody else")

// ErrNotLive is what a token is that nobody has to be told more of: none of ours, expired, revoked, or one whose grant,
// client or account no longer stands for it. It is wrapped together with the reason, which is for the log.
var ErrNotLive = errors.New("not a live token")

// InspectAccessToken verifies an access token of ours in any of its forms, whoever it is addressed to and whether a
// person or a client is behind it: for introspection and revocation (RFC 7662, RFC 7009), which decide who may hear of
// it.
func (m *Minter) InspectAccessToken(ctx context.Context, raw string, now time.Time) (AccessToken, error) {
	if len(raw) > maxOwnToken {
		return AccessToken{}, jose.ErrMalformed
	}
	if sealed, form, ok := sealedOf(raw); ok {
		return m.readSealed(sealed, form, now)
	}
	digest := sha256.Sum256([]byte(raw))
	if known, ok := m.verified.find(digest); ok && m.ring.Accepts(known.keyID) {
		return known.token.at(now)
	}
	t, err := m.ring.VerifyOwn(ctx, raw, m.accessExpectation(now), false)
	if err != nil {
		return AccessToken{}, err
	}
	return m.admit(&t.Claims, now, digest, t.Header.KeyID)
}

// accessExpectation is what access tokens of ours are held to.
func (m *Minter) accessExpectation(now time.Time) jose.Expectation {
	return jose.Expectation{
		Types:       []string{accessTokenType},
		Issuer:      m.issuer,
		AnyAudience: true, // the callers compare it
		Require:     []string{"sub", "aud", "client_id", "jti", "iat"},
		Now:         now, Skew: replicaSkew,
		Limits: jose.Limits{Size: maxOwnToken},
	}
}

// admit reads authentic claims and remembers what they say.
func (m *Minter) admit(c *jose.Claims, now time.Time, digest [sha256.Size]byte, keyID string) (AccessToken, error) {
	token, err := accessTokenOf(c).at(now) // the skew above is for iat
	if err != nil {
		return AccessToken{}, err
	}
	var ok bool
	if token.Actor, token.MayAct, ok = actorsOf(c.Raw); !ok || !madeHere(&token, c.Has("client_epoch")) {
		return AccessToken{}, jose.ErrMalformed
	}
	m.verified.add(digest, remembered{token, keyID})
	return token, nil
}

// at returns the token, or [jose.ErrExpired] if it is over.
func (t AccessToken) at(now time.Time) (AccessToken, error) {
	if !now.Before(t.Expires) {
		return AccessToken{}, jose.ErrExpired
	}
	return t, nil
}

// madeHere: a person's, of a grant and perhaps in exchange, a client's own, or a workload's. Anything between has not
// been made here.
func madeHere(t *AccessToken, epoch bool) bool {
	t.Exchanged = epoch && t.GrantID != ""
	switch {
	case (t.GrantID == "") != t.AuthTime.IsZero():
		return false
	case t.GrantID != "":
		return t.ExternalIssuer == "" && (t.Exchanged || t.Actor == nil)
	case t.ExternalIssuer != "":
		return epoch && strings.HasPrefix(t.Subject, t.ExternalIssuer+":")
	}
	return epoch && t.Subject == t.ClientID && t.Actor == nil
}

// accessTokenOf reads claims whose types are certain: we wrote and linted them.
func accessTokenOf(c *jose.Claims) AccessToken {
	text := func(name string) string { s, _ := c.String(name); return s }
	token := AccessToken{
		ID: c.ID, Subject: c.Subject, ClientID: text("client_id"), GrantID: text("grant_id"), SessionID: text("sid"),
		Scopes: strings.Fields(text("scope")), Audience: c.Audience,
		IssuedAt: c.IssuedAt, Expires: c.Expiry, ACR: text("acr"), ExternalIssuer: text("external_issuer"),
	}
	token.AuthTime, _ = c.Time("auth_time")
	token.ClientEpoch, _ = strconv.ParseUint(string(c.Raw["client_epoch"]), 10, 64)
	token.AMR, _ = c.Strings("amr")
	return token
}

// Hint is what an id_token_hint says.
type Hint struct {
	// Subject is sub as it stands: see [Minter.Subject].
	Subject   string
	ClientID  string
	SessionID string // sid as it stands; empty when the token had none
}

// ReadIDTokenHint verifies an ID token of ours that a client sends back as id_token_hint (OpenID Connect Core §3.1.2.1,
// RP-Initiated Logout §2). It may have expired, and the key that signed it may have been withdrawn since, but not in an
// emergency. The caller compares ClientID with the client that sends it. One that was encrypted has to be sent back
// decrypted (Core §3.1.2.1): nothing is decrypted here, and a JWE is [jose.ErrEncrypted]. The errors are those of package
// jose.
func (m *Minter) ReadIDTokenHint(ctx context.Context, raw string, now time.Time) (Hint, error) {
	limits := jose.Limits{Size: maxOwnToken}
	u, err := jose.Peek(raw, limits)
	if err != nil {
		return Hint{}, err
	}
	// What has expired is judged as of the moment it was issued; that this is a token of ours comes out below.
	if !now.Before(u.Claims.Expiry) && !u.Claims.IssuedAt.IsZero() {
		now = u.Claims.IssuedAt
	}
	t, err := m.ring.VerifyOwn(ctx, raw, jose.Expectation{
		Types:       []string{idTokenType},
		Issuer:      m.issuer,
		AnyAudience: true, // whose it is, is what the caller wants to know
		Require:     []string{"sub", "aud", "iat", "auth_time"},
		Now:         now, Skew: replicaSkew,
		Limits: limits,
	}, true)
	if err != nil {
		return Hint{}, err
	}
	h := Hint{Subject: t.Claims.Subject, ClientID: t.Claims.AuthorizedParty}
	if h.ClientID == "" {
		h.ClientID = t.Claims.Audience[0]
	}
	h.SessionID, _ = t.Claims.String("sid")
	return h, nil
}
