package mint

import (
	"context"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
)

// idTokenType is the typ of an ID token. OpenID Connect leaves it open; saying it keeps ID tokens apart from the rest.
const idTokenType = "JWT"

// IDTokenParams say what an ID token is about.
type IDTokenParams struct {
	Client *broker.Client
	Grant  *broker.Grant
	// Scopes decide which claims of the profile are in the token.
	Scopes  oauth.Scopes
	Profile broker.Profile
	// Nonce of the authorization request; empty when none was sent. One must not be invented (Core §3.1.3.7 step 11).
	Nonce string
	// AccessToken and Code are what is issued along with the ID token, to be bound to it; empty where there is none.
	AccessToken string
	Code        string
	// Audience are further audiences besides the client.
	Audience []string
	Now      time.Time
}

// IDToken returns an ID token (OpenID Connect Core §2). auth_time is always in it; the claims that the scopes grant are
// too, as at userinfo, because many applications read nothing else, unless the client asked for minimal ID tokens. Claims
// that the authorization request named for it are in it in any case (§5.5).
func (m *Minter) IDToken(ctx context.Context, p IDTokenParams) (string, error) {
	if err := within(p.Client, p.Grant, p.Scopes); err != nil {
		return "", err
	}
	alg := or(p.Client.IDTokenAlg, m.idTokenAlg)
	accessTokenHash, err := halfHash(alg, p.AccessToken) // Core §3.1.3.6
	if err != nil {
		return "", err
	}
	codeHash, err := halfHash(alg, p.Code) // Core §3.3.2.11
	if err != nil {
		return "", err
	}
	about := m.about(p.Client, p.Grant.AccountID)
	claims := newPayload()
	claims.text("iss", m.issuer)
	claims.text("sub", about.subject)
	claims.audience(append([]string{p.Client.ID}, p.Audience...))
	claims.time("exp", p.Now.Add(or(p.Client.Lifetimes.IDToken, m.lifetimes.IDToken)))
	claims.time("iat", p.Now)
	claims.time("auth_time", p.Grant.AuthTime)
	claims.text("nonce", p.Nonce)
	claims.text("acr", p.Grant.ACR)
	claims.texts("amr", p.Grant.AMR)
	if len(p.Audience) > 0 { // Core §2: with one audience, which is the client, azp says nothing
		claims.text("azp", p.Client.ID)
	}
	claims.text("sid", m.subjects.Session(p.Client, p.Grant.SessionID))
	claims.text("at_hash", accessTokenHash)
	claims.text("c_hash", codeHash)
	granting := p.Scopes
	if p.Client.MinimalIDToken {
		granting = nil
	}
	appendClaims(&claims, policy.ClaimsFor(granting, p.Profile, p.Grant.Claims.IDToken...)) // Core §5.5
	return m.nested(ctx, p.Client, p.Client.IDTokenEncryption, draft{alg: alg, typ: idTokenType, claims: claims.done(), intent: about})
}

// RefreshIDToken returns the ID token of a refresh (OpenID Connect Core §12.2): the same sub, aud and auth_time, the
// iat of now and no nonce, whatever p says.
func (m *Minter) RefreshIDToken(ctx context.Context, p IDTokenParams) (string, error) {
	p.Nonce, p.Code = "", ""
	return m.IDToken(ctx, p)
}

func halfHash(alg, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	return jose.HalfHash(jose.Algorithm(alg), value)
}

// appendClaims writes the claims in the order of OpenID Connect Core §5.1.
func appendClaims(p *payload, c policy.Claims) {
	p.text("name", c.Name)
	p.text("given_name", c.GivenName)
	p.text("family_name", c.FamilyName)
	p.text("preferred_username", c.PreferredUsername)
	p.text("picture", c.Picture)
	p.text("locale", c.Locale)
	p.text("email", c.Email)
	p.flag("email_verified", c.EmailVerified)
	p.texts("groups", c.Groups)
}
