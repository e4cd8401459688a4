package server_test

import (
	"encoding/json"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// oidfExpected is what an ID token is checked against.
type oidfExpected struct {
	issuer, clientID, alg string
	// nonce is the request's; empty when it had none.
	nonce             string
	accessToken, code string
	scopes            []string
	now               time.Time
}

// idToken checks an ID token (Core §2, §3.1.3.7) and returns its claims.
func (f *oidfFindings) idToken(raw string, keys map[string]oidfKey, want oidfExpected) map[string]any {
	c := f.signed("the ID token", raw, want.alg, keys)
	if c["iss"] != want.issuer {
		f.failf("iss is %v, want %s", c["iss"], want.issuer)
	}
	f.audience(c, want.clientID)
	now := want.now.Unix()
	if exp, ok := f.number(c, "exp"); !ok || exp <= now || exp > now+50*365*86400 {
		f.failf("exp is %v at %d", c["exp"], now)
	}
	if iat, ok := f.number(c, "iat"); !ok || iat < now-300 || iat > now+300 {
		f.failf("iat is %v at %d", c["iat"], now)
	}
	if nbf, ok := f.number(c, "nbf"); ok && nbf > now+300 {
		f.failf("nbf is %v at %d", c["nbf"], now)
	}
	if at, ok := f.number(c, "auth_time"); ok && (at > now || at < now-365*86400) {
		f.failf("auth_time is %v at %d", c["auth_time"], now)
	}
	if nonce, there := c["nonce"]; there != (want.nonce != "") || there && nonce != want.nonce {
		f.failf("nonce is %v, want %q", c["nonce"], want.nonce)
	}
	sub, _ := c["sub"].(string)
	if sub == "" || len(sub) > 255 || strings.ContainsFunc(sub, func(r rune) bool { return r < ' ' || r > '~' }) {
		f.failf("sub is %v", c["sub"])
	}
	for _, name := range []string{"acr", "sid", "jti", "azp"} {
		if v, there := c[name]; there && (v == "" || !oidfIsText(v)) {
			f.failf("%s is %v", name, v)
		}
	}
	if amr, there := c["amr"]; there && !oidfTexts(amr) {
		f.failf("amr is %v", amr)
	}
	if h, there := c["at_hash"]; there && h != oidfHalfHash(want.alg, want.accessToken) {
		f.failf("at_hash is %v", h)
	}
	if h, there := c["c_hash"]; there && h != oidfHalfHash(want.alg, want.code) {
		f.failf("c_hash is %v", h)
	}
	f.unexpected(c, want.scopes)
	f.standardClaims(c)
	return c
}

// audience is Core §3.1.3.7 steps 3 to 5.
func (f *oidfFindings) audience(c map[string]any, client string) {
	several, isArray := c["aud"].([]any)
	if !isArray && c["aud"] != client || isArray && !slices.Contains(several, any(client)) {
		f.failf("aud is %v, want %s", c["aud"], client)
	}
	azp, there := c["azp"]
	if there && azp != client || !there && len(several) > 1 {
		f.failf("azp is %v beside aud %v", azp, c["aud"])
	}
}

// number is a claim that is a JSON number in whole seconds.
func (f *oidfFindings) number(c map[string]any, name string) (int64, bool) {
	value, there := c[name]
	if !there {
		return 0, false
	}
	n, isNumber := value.(json.Number)
	seconds, err := n.Int64()
	if !isNumber || err != nil {
		f.failf("%s is %v, not a whole number", name, value)
	}
	return seconds, isNumber && err == nil
}

// oidfScopeClaims are the claims of the scopes (Core §5.4), and our own scope's.
func oidfScopeClaims(scope string) []string {
	switch scope {
	case "profile":
		return []string{"name", "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website",
			"gender", "birthdate", "zoneinfo", "locale", "updated_at", "preferred_username"}
	case "email":
		return []string{"email", "email_verified"}
	case "phone":
		return []string{"phone_number", "phone_number_verified"}
	case "address", "groups":
		return []string{scope}
	}
	return nil
}

// unexpected warns of claims nobody asked for.
func (f *oidfFindings) unexpected(c map[string]any, scopes []string) {
	allowed := []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "nbf", "jti", "sid", "s_hash", "txn"}
	for _, s := range scopes {
		allowed = append(allowed, oidfScopeClaims(s)...)
	}
	for name := range c {
		if !slices.Contains(allowed, name) {
			f.warnf("unexpected claim", "the ID token has the claim %s", name)
		}
	}
}

var oidfBirthdate = regexp.MustCompile(`^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$`)

// standardClaims checks the types of Core §5.1, in ID tokens and at userinfo.
func (f *oidfFindings) standardClaims(c map[string]any) {
	for _, name := range slices.Concat(oidfScopeClaims("profile"), oidfScopeClaims("email"), oidfScopeClaims("phone"), []string{"sub", "address"}) {
		value, there := c[name]
		if !there {
			continue
		}
		ok := false
		switch name {
		case "email_verified", "phone_number_verified":
			_, ok = value.(bool)
		case "updated_at":
			_, ok = value.(json.Number)
		case "address":
			members, isObject := value.(map[string]any)
			ok = isObject && len(members) > 0
			for _, v := range members {
				ok = ok && oidfIsText(v)
			}
		case "birthdate":
			text, _ := value.(string)
			ok = oidfBirthdate.MatchString(text)
		default:
			ok = oidfIsText(value)
		}
		if !ok {
			f.failf("the claim %s is %#v", name, value)
		}
	}
}

// oidfIsText: a string that says something.
func oidfIsText(v any) bool {
	s, ok := v.(string)
	return ok && strings.TrimSpace(s) != "" && s != "null"
}

// oidfTexts: an array of such, with something in it.
func oidfTexts(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) > 0 && !slices.ContainsFunc(list, func(e any) bool { return !oidfIsText(e) })
}

// entropy checks what nobody may guess: length times Shannon entropy per character
// exceeds the bits, and it is printable (RFC 6749 §10.10, appendix A).
func (f *oidfFindings) entropy(what, value string, bits float64) {
	counts := map[byte]float64{}
	for i := range len(value) {
		counts[value[i]]++
	}
	sum := 0.0
	for _, n := range counts {
		sum -= n * math.Log2(n/float64(len(value)))
	}
	if len(value) < 16 || sum <= bits {
		f.failf("%s has %d characters and %.0f bits, want more than %.0f", what, len(value), sum, bits)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		f.failf("%s is not printable ASCII", what)
	}
}

// description checks error_description and error_uri (RFC 6749 §4.1.2.1, §5.2).
func (f *oidfFindings) description(description, uri string) {
	if strings.ContainsAny(description, "\r\n\t") {
		f.warnf("line break", "error_description has a line break or a tab")
	}
	if strings.ContainsFunc(description, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		f.failf("error_description is %q", description)
	}
	if u, err := url.Parse(uri); uri != "" && (err != nil || !u.IsAbs()) {
		f.failf("error_uri is %q", uri)
	}
}

// refusal checks an error response from the authorization endpoint (RFC 6749
// §4.1.2.1, RFC 9207 §2, Core §3.1.2.6).
func (f *oidfFindings) refusal(q url.Values, state, issuer string, allowed ...string) {
	if !slices.Contains(allowed, q.Get("error")) {
		f.failf("error is %q, want one of %v", q.Get("error"), allowed)
	}
	f.description(q.Get("error_description"), q.Get("error_uri"))
	f.response(q, state, issuer)
	if q.Has("code") || q.Has("access_token") || q.Has("id_token") {
		f.failf("an error comes with a code or a token: %v", q)
	}
	for name := range q {
		if !slices.Contains([]string{"error", "error_description", "error_uri", "state", "session_state", "iss"}, name) {
			f.warnf("extra parameter", "an error comes with the parameter %s", name)
		}
	}
}

// response checks what every authorization response carries.
func (f *oidfFindings) response(q url.Values, state, issuer string) {
	if q.Get("state") != state {
		f.failf("state is %q, want %q", q.Get("state"), state)
	}
	// The suite checks iss where it is present. We promise it in the metadata (RFC 9207 §3).
	if q.Get("iss") != issuer {
		f.failf("iss is %q, want %q", q.Get("iss"), issuer)
	}
	for name, values := range q {
		if len(values) != 1 {
			f.failf("%s occurs %d times", name, len(values))
		}
	}
}
