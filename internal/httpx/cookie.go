package httpx

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// CookieName is the name of the issuer's cookie of a kind. The digest keeps two
// brokers on one host apart: loopback ports share cookies. The __Host- prefix
// has the browser enforce Secure, Path=/ and no Domain (RFC 6265bis §4.1.3.2).
func CookieName(issuer, kind string) string {
	sum := sha256.Sum256([]byte(issuer))
	name := "gatehouse-" + kind + "-" + hex.EncodeToString(sum[:4])
	if strings.HasPrefix(issuer, "https://") {
		return "__Host-" + name
	}
	return name
}

// OnlyCookie returns the value of the cookie of that name, and false unless the
// browser sent exactly one. A second one counts though its value cannot be read:
// who can set cookies for a parent domain must not choose which is looked at.
func OnlyCookie(r *http.Request, name string) (string, bool) {
	sent := 0
	for _, line := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			if n, _, _ := strings.Cut(pair, "="); strings.TrimSpace(n) == name {
				sent++
			}
		}
	}
	found := r.CookiesNamed(name)
	if sent != 1 || len(found) != 1 {
		return "", false
	}
	return found[0].Value, true
}
