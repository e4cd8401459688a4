package jose

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

const (
	// DefaultSize is how long a token may be where [Limits] does not say: 64 KiB.
	DefaultSize = 64 << 10
	// maxHeader bounds the decoded header: a certificate chain fits, a payload in disguise does not.
	maxHeader = 16 << 10
	// maxKeyID bounds a kid. It is an opaque name, looked up and logged.
	maxKeyID = 1 << 10
)

// Limits bounds what is read. The zero value stands for the defaults.
type Limits struct {
	Size int // bytes of the whole token, [DefaultSize] when 0
}

func (l Limits) size() int {
	if l.Size <= 0 {
		return DefaultSize
	}
	return l.Size
}

// Header is the protected header of a JWS.
type Header struct {
	Algorithm Algorithm // one this package implements; whether it is welcome is for [Expectation] to say
	KeyID     string    // "" when absent
	// Type is typ as RFC 7515 §4.1.9 compares it: in lower case, without "application/". "" when absent.
	Type string
	// Raw has all members. A key in it (jwk, x5c …) is the sender's word: a DPoP proof is bound to its jwk, and nothing
	// else may use one.
	Raw map[string]json.RawMessage
}

// Unverified is a token whose form is sound and whose signature nobody has checked: fit for finding out whose key to
// ask for, and for nothing else.
type Unverified struct {
	Header  Header
	Claims  Claims
	Payload []byte // the JSON text of the claims

	raw       string
	signature []byte
}

// headerShape and claimShape know the registered names that a decision hangs on somewhere in this program.
var (
	headerShape = shapeOf("alg", "kid", "typ", "cty", "crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256",
		"epk", "apu", "apv", "iv", "tag", "p2s", "p2c", "nonce", "url", "ppt", "iss", "sub", "aud", "client_id", "trust_chain")
	claimShape = shapeOf("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp", "nonce", "auth_time", "acr", "amr", "at_hash", "c_hash",
		"s_hash", "sid", "events", "cnf", "act", "may_act", "scope", "client_id", "typ", "sub_id", "sub_jwk", "toe", "txn",
		"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "email",
		"email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified", "address", "updated_at",
		"groups", "roles", "entitlements", "authorization_details", "htm", "htu", "ath", "request", "request_uri", "response_type",
		"response_mode", "redirect_uri", "state", "code_challenge", "code_challenge_method", "prompt", "max_age", "id_token_hint",
		"login_hint", "acr_values", "claims", "resource", "hd", "tid", "oid", "xms_edov", "upn", "idp", "ver", "_claim_names", "_claim_sources")
)

// Peek reads a compact JWS without verifying it. The form is checked in full: size before anything is split, exactly
// three parts, canonical base64url, strict JSON objects for header and payload, an algorithm that exists and is not
// "none", no header member that changes the reading (crit, b64, zip, enc), and claims of the right types. A token
// that would fail [Verify] for its form whatever the expectation fails here already.
func Peek(raw string, l Limits) (*Unverified, error) {
	if size := l.size(); len(raw) > size {
		return nil, fmt.Errorf("%w: token of %d bytes, at most %d are read", ErrMalformed, len(raw), size)
	}
	head, rest, _ := strings.Cut(raw, ".")
	body, sig, ok := strings.Cut(rest, ".")
	if strings.Count(sig, ".") == 2 {
		return nil, ErrEncrypted
	}
	if !ok { // any other number of dots is no base64url and fails with the signature
		return nil, fmt.Errorf("%w: not three parts with dots between (RFC 7515 §7.1)", ErrMalformed)
	}
	if len(head) > base64.RawURLEncoding.EncodedLen(maxHeader) {
		return nil, fmt.Errorf("%w: header of more than %d bytes", ErrMalformed, maxHeader)
	}
	u := &Unverified{raw: raw}
	header, err := decodeBase64(head, "header")
	if err != nil {
		return nil, err
	}
	if u.Payload, err = decodeBase64(body, "payload"); err != nil {
		return nil, err
	}
	if u.signature, err = decodeBase64(sig, "signature"); err != nil {
		return nil, err
	}
	if u.Header, err = readHeader(header); err != nil {
		return nil, err
	}
	if u.Claims, err = readClaims(u.Payload); err != nil {
		return nil, err
	}
	return u, nil
}

// decodeBase64 decodes RFC 7515 §2's base64url in its one canonical spelling. encoding/base64 skips CR and LF even when
// strict, and with them one token would have many spellings.
func decodeBase64(s, what string) ([]byte, error) {
	if strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0 {
		return nil, fmt.Errorf("%w: line break in the base64url of the %s", ErrMalformed, what)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not canonical base64url without padding", ErrMalformed, what)
	}
	return b, nil
}

func readHeader(data []byte) (Header, error) {
	members, err := scanObject(data, headerShape)
	if err != nil {
		return Header{}, fmt.Errorf("header: %w", err)
	}
	h := Header{Raw: rawMap(members)}
	// None of these extensions is understood here, and each changes what the rest means: an unknown crit must be refused
	// (RFC 7515 §4.1.11), b64 the signed bytes (RFC 7797), zip the payload, enc that this is no JWS at all.
	for _, name := range [...]string{"crit", "b64", "zip", "enc"} {
		if _, ok := h.Raw[name]; ok {
			return Header{}, fmt.Errorf("%w: %s is not supported", ErrHeader, name)
		}
	}
	alg, _, err := h.text("alg")
	if err != nil {
		return Header{}, err
	}
	if h.Algorithm = Algorithm(alg); !h.Algorithm.Known() {
		return Header{}, fmt.Errorf("%w: alg is missing, none or unknown", ErrAlgorithm)
	}
	if h.KeyID, _, err = h.text("kid"); err != nil {
		return Header{}, err
	}
	if len(h.KeyID) > maxKeyID || hasControl(h.KeyID) {
		return Header{}, fmt.Errorf("%w: kid is too long or has control characters", ErrHeader)
	}
	typ, _, err := h.text("typ")
	if err != nil {
		return Header{}, err
	}
	h.Type = normalType(typ)
	return h, nil
}

// text returns a header member that has to be a string if it is there.
func (h Header) text(name string) (value string, present bool, err error) {
	raw, present := h.Raw[name]
	if !present {
		return "", false, nil
	}
	value, ok := decodeString(raw)
	if !ok {
		return "", true, fmt.Errorf("%w: %s is not a string", ErrHeader, name)
	}
	return value, true, nil
}

// normalType strips "application/", which is implied when there is no other slash, and the case (RFC 7515 §4.1.9,
// RFC 2045 §5.1).
func normalType(typ string) string {
	typ = strings.ToLower(typ)
	if short, ok := strings.CutPrefix(typ, "application/"); ok && !strings.Contains(short, "/") {
		return short
	}
	return typ
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}
