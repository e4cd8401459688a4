package fake

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"strings"
	"time"
)

// day is long against every clock skew that a client may tolerate.
const day = 24 * time.Hour

func unb64(s string) []byte {
	b, _ := base64.RawURLEncoding.DecodeString(s)
	return b
}

// idToken signs claims for the client with the key at a place, after the script
// has had its way with them.
func (p *Provider) idToken(claims map[string]any, place int, client Client) (string, error) {
	p.spoilClaims(claims)
	p.spoilEmailVerified(claims)
	p.script.apply(IDToken, claims)
	payload, err := p.payload(claims)
	if err != nil {
		return "", err
	}
	token, err := p.seal(payload, place, client.Secret)
	if err != nil {
		return "", err
	}
	before := p.keys.remember(token)
	if before != "" && p.script.hit(ReplayedIDToken) {
		return before, nil
	}
	return token, nil
}

// payload renders the claims, doubled or shadowed if the script wants it. Shadows
// come last, where a reader that ignores case takes them for the claim itself.
func (p *Provider) payload(claims map[string]any) ([]byte, error) {
	if p.script.hit(DuplicateMembers) {
		return withDuplicates(claims, map[string]any{"sub": "intruder", "email": "intruder@elsewhere.example"})
	}
	if p.script.hit(CaseShadowedClaims) {
		return withDuplicates(shadows(), claims)
	}
	return marshal(claims)
}

func shadows() map[string]any {
	return map[string]any{
		"SUB": "intruder", "Email": "intruder@elsewhere.example", "EMAIL_VERIFIED": true,
		"Groups": []string{"broker-admins"}, "HD": "elsewhere.example", "Tid": "elsewhere",
	}
}

// reserved are claims that a broker must not take over from an upstream.
func reserved() map[string]any {
	return map[string]any{
		"sid": "intruder", "acr": "urn:example:loa:9", "amr": []string{"hwk", "mfa"}, "act": map[string]any{"sub": "admin"},
		"cnf": map[string]any{"jkt": "intruder"}, "scope": "admin", "client_id": "admin-console", "jti": "intruder",
		"roles": []string{"admin"}, "__proto__": map[string]any{"admin": true}, "may_act": map[string]any{"sub": "admin"},
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
}

type claimEdit struct {
	m    Misbehaviour
	edit func(claims map[string]any)
}

func (p *Provider) spoilClaims(claims map[string]any) {
	now := p.opts.Now()
	for _, e := range append(wrongIdentityClaims(), wrongTimeClaims(now)...) {
		if p.script.hit(e.m) {
			e.edit(claims)
		}
	}
	if _, sent := claims["at_hash"]; sent && p.script.hit(WrongAccessTokenHash) {
		claims["at_hash"] = leftHash("the access token of somebody else")
	}
	if _, sent := claims["acr"]; sent && p.script.hit(WeakerACR) {
		claims["acr"], claims["amr"] = p.weakACR, []string{"pwd"}
	}
}

func wrongIdentityClaims() []claimEdit {
	set := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) { c[name] = value }
	}
	drop := func(name string) func(map[string]any) {
		return func(c map[string]any) { delete(c, name) }
	}
	const other = "another-client"
	return []claimEdit{
		{WrongNonce, set("nonce", "nonce-of-another-flow")},
		{MissingNonce, drop("nonce")},
		{WrongIssuer, set("iss", "https://idp.elsewhere.example")},
		{IssuerTrailingSlash, func(c map[string]any) { c["iss"] = c["iss"].(string) + "/" }},
		{WrongAudience, func(c map[string]any) { c["aud"] = other; delete(c, "azp") }},
		{EmptyAudience, set("aud", []string{})},
		{BlankAudience, set("aud", "")},
		{AudiencesWithoutAZP, func(c map[string]any) { c["aud"] = []any{c["aud"], other}; delete(c, "azp") }},
		{AudiencesForeignAZP, func(c map[string]any) { c["aud"] = []any{c["aud"], other}; c["azp"] = other }},
		{AudiencesOwnAZP, func(c map[string]any) { c["azp"] = c["aud"]; c["aud"] = []any{c["aud"], other} }},
		{ForeignAZP, set("azp", other)},
		{EmptySubject, set("sub", "")},
		{MissingSubject, drop("sub")},
		{LongSubject, set("sub", strings.Repeat("a", 300))},
		{NumericSubject, set("sub", 1234567890)},
		{MissingAuthTime, drop("auth_time")},
		{ReservedClaims, func(c map[string]any) { maps.Copy(c, reserved()) }},
	}
}

func wrongTimeClaims(now time.Time) []claimEdit {
	at := func(name string, t time.Time) func(map[string]any) {
		return func(c map[string]any) { c[name] = t.Unix() }
	}
	return []claimEdit{
		{ExpiredToken, func(c map[string]any) {
			c["iat"], c["exp"] = now.Add(-2*time.Hour).Unix(), now.Add(-time.Hour).Unix()
			delete(c, "nbf")
		}},
		{MissingExpiry, func(c map[string]any) { delete(c, "exp") }},
		{FutureIssuedAt, func(c map[string]any) { c["iat"], c["exp"] = now.Add(day).Unix(), now.Add(2*day).Unix() }},
		{MissingIssuedAt, func(c map[string]any) { delete(c, "iat") }},
		{FutureNotBefore, func(c map[string]any) { c["nbf"], c["exp"] = now.Add(day).Unix(), now.Add(2*day).Unix() }},
		{StaleAuthTime, at("auth_time", now.Add(-day))},
	}
}

// spoilEmailVerified gives email_verified an odd value, in documents that have it.
func (p *Provider) spoilEmailVerified(doc map[string]any) {
	if _, has := doc["email_verified"]; !has {
		return
	}
	values := map[Misbehaviour]any{
		EmailVerifiedFalseText: "false", EmailVerifiedTrueText: "true", EmailVerifiedTrueSpace: "true ",
		EmailVerifiedZero: 0, EmailVerifiedOne: 1, EmailVerifiedNull: nil,
		EmailVerifiedArray: []any{}, EmailVerifiedObject: map[string]any{},
	}
	for _, m := range EmailVerifiedOddities() {
		if !p.script.hit(m) {
			continue
		}
		if m == EmailVerifiedMissing {
			delete(doc, "email_verified")
			return
		}
		doc["email_verified"] = values[m]
	}
}

// leftHash is at_hash for a SHA-256 algorithm (OIDC Core §3.1.3.6).
func leftHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return b64(sum[:16])
}
