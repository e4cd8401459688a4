package mint

import (
	"crypto/sha256"
	"strings"
	"time"

	"gatehouse/broker/jose"
)

// An opaque access token is the claims of a JWT one, sealed instead of signed. The forms are authenticated with them,
// so that the reference within an encrypted access token is no token by itself, and no token is such a reference.
const (
	accessPrefix = "ga_"

	opaqueForm    = "token"
	referenceForm = "reference in an encrypted token"
	// referenceMember is the private header member of an encrypted access token that has the reference.
	referenceMember = "ref"
)

// sealAccess is [Minter.sign] for opaque access tokens: what the linter refuses is not sealed.
func (m *Minter) sealAccess(claims []byte, i intent) (string, error) {
	if err := m.linter.check(accessTokenType, claims, i); err != nil {
		return "", err
	}
	return accessPrefix + m.opaque.SealString(claims, []byte(opaqueForm)), nil
}

// sealedOf finds what is sealed in a token: in an opaque one, or in the header of an encrypted one. The rest of an
// encrypted one is for the resource server, whose decryption vouches for it; no key of ours opens it, and nothing here
// is decided by it.
func sealedOf(raw string) (sealed, form string, ok bool) {
	if sealed, ok := strings.CutPrefix(raw, accessPrefix); ok {
		return sealed, opaqueForm, true
	}
	if strings.Count(raw, ".") != jweDots {
		return "", "", false
	}
	e, err := jose.ReadEnvelope(raw, jose.Limits{Size: maxOwnToken})
	if err != nil || e.Type != accessTokenType || e.ContentType != nestedContent || len(e.Private) != 1 {
		return "", "", false
	}
	sealed, ok = e.Private[referenceMember]
	return sealed, referenceForm, ok
}

// jweDots are those of a compact JWE (RFC 7516 §7.1); a JWS has two.
const jweDots = 4

// readSealed opens claims and reads them as those of a JWT are read.
func (m *Minter) readSealed(sealed, form string, now time.Time) (AccessToken, error) {
	digest := sha256.Sum256([]byte(form + "\x00" + sealed))
	if known, ok := m.verified.find(digest); ok {
		return known.token.at(now)
	}
	claims, err := m.opaque.OpenString(sealed, []byte(form))
	if err != nil {
		return AccessToken{}, jose.ErrMalformed
	}
	read, err := jose.ReadClaims(claims, m.accessExpectation(now))
	if err != nil {
		return AccessToken{}, err
	}
	return m.admit(read, now, digest, "")
}
