package jose

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// maxNumericDate is the last second of the year 9999. What is later is a mistake or an attempt to overflow (JW-06).
const maxNumericDate = 253402300799

// Claims are the claims of a token. Those a check relies on are typed, and one of a wrong type makes the whole token
// unreadable: absent and unreadable are not the same, because absence often relaxes a check (nonce, azp, at_hash). The
// others are in Raw and are read by [Claims.String] and its like, where a wrong type counts as absence.
type Claims struct {
	Issuer          string    // iss
	Subject         string    // sub
	Audience        []string  // aud, whether it was a string or an array
	AuthorizedParty string    // azp
	Expiry          time.Time // exp; zero when absent
	NotBefore       time.Time // nbf; zero when absent
	IssuedAt        time.Time // iat; zero when absent
	ID              string    // jti
	Nonce           string    // nonce
	AccessTokenHash string    // at_hash
	CodeHash        string    // c_hash
	// Raw has every claim, the typed ones too. The values share memory with the payload.
	Raw map[string]json.RawMessage

	payload []byte
}

// readClaims reads the payload of a token: strict JSON, an object, and the typed claims of their types.
func readClaims(payload []byte) (Claims, error) {
	members, err := scanObject(payload, claimShape)
	if err != nil {
		return Claims{}, fmt.Errorf("payload: %w", err)
	}
	c := Claims{Raw: make(map[string]json.RawMessage, len(members)), payload: payload}
	for _, m := range members {
		c.Raw[m.name] = m.raw
		if err := c.typed(m); err != nil {
			return Claims{}, err
		}
	}
	return c, nil
}

func (c *Claims) typed(m member) (err error) {
	switch m.name {
	case "iss":
		c.Issuer, err = claimString(m)
	case "sub":
		c.Subject, err = claimString(m)
	case "azp":
		c.AuthorizedParty, err = claimString(m)
	case "jti":
		c.ID, err = claimString(m)
	case "nonce":
		c.Nonce, err = claimString(m)
	case "at_hash":
		c.AccessTokenHash, err = claimString(m)
	case "c_hash":
		c.CodeHash, err = claimString(m)
	case "aud":
		c.Audience, err = claimAudience(m)
	case "exp":
		c.Expiry, err = claimTime(m)
	case "nbf":
		c.NotBefore, err = claimTime(m)
	case "iat":
		c.IssuedAt, err = claimTime(m)
	}
	return err
}

func claimString(m member) (string, error) {
	s, ok := decodeString(m.raw)
	if !ok || s == "" {
		return "", claimErrorf(m.name, "is not a non-empty string")
	}
	return s, nil
}

// claimAudience is RFC 7519 §4.1.3: one string or an array of them. An empty one names nobody (JW-07).
func claimAudience(m member) ([]string, error) {
	aud, ok := decodeStrings(m.raw)
	if !ok || len(aud) == 0 {
		return nil, claimErrorf(m.name, "is neither a string nor a non-empty array of strings")
	}
	for _, a := range aud {
		if a == "" {
			return nil, claimErrorf(m.name, "holds an empty string")
		}
	}
	return aud, nil
}

func claimTime(m member) (time.Time, error) {
	t, ok := numericDate(m.raw)
	if !ok {
		return time.Time{}, claimErrorf(m.name, "is not a number of seconds between 1970 and 9999")
	}
	return t, nil
}

// numericDate is RFC 7519 §2: seconds since 1970, which may have a fraction.
func numericDate(raw []byte) (time.Time, bool) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		if n < 0 || n > maxNumericDate {
			return time.Time{}, false
		}
		return time.Unix(n, 0).UTC(), true
	}
	// raw is JSON, so that ParseFloat meets none of the other spellings it knows (Inf, NaN, hexadecimal).
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f < 0 || f > maxNumericDate {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(f)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}

// String returns a claim that is a string; false when it is absent or anything else.
func (c *Claims) String(name string) (string, bool) { return decodeString(c.Raw[name]) }

// Bool says whether a claim is the JSON value true. "true", 1 and everything else are not (UP-02).
func (c *Claims) Bool(name string) bool { return string(c.Raw[name]) == "true" }

// Strings returns a claim that is an array of strings, or a single string as a list of one, as some vendors send a group
// list with one entry; false when it is absent or anything else, an array with another type in it included.
func (c *Claims) Strings(name string) ([]string, bool) { return decodeStrings(c.Raw[name]) }

// Time returns a claim that is a NumericDate, such as auth_time; false when it is absent or anything else.
func (c *Claims) Time(name string) (time.Time, bool) { return numericDate(c.Raw[name]) }

// Has says whether the claim is there, of whatever type; null is there.
func (c *Claims) Has(name string) bool {
	_, ok := c.Raw[name]
	return ok
}

// Decode decodes all claims into v as [StrictUnmarshal] does: names that v knows must be spelled exactly.
func (c *Claims) Decode(v any) error { return StrictUnmarshal(c.payload, v) }

// HasAudience says whether aud holds exactly this value.
func (c *Claims) HasAudience(audience string) bool {
	for _, a := range c.Audience {
		if a == audience {
			return true
		}
	}
	return false
}

// ReadClaims reads claims that something else than a signature vouches for, such as a seal of our own, and holds them to
// the expectation. Its Algorithms and Types play no part. Whose claims they are the caller has made sure of.
func ReadClaims(payload []byte, e Expectation) (*Claims, error) {
	if err := e.complete(); err != nil {
		return nil, err
	}
	if size := e.Limits.size(); len(payload) > size {
		return nil, fmt.Errorf("%w: claims of %d bytes, at most %d are read", ErrMalformed, len(payload), size)
	}
	c, err := readClaims(payload)
	if err != nil {
		return nil, err
	}
	if err := e.check(&c); err != nil {
		return nil, err
	}
	return &c, nil
}
