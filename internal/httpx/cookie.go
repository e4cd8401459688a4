package httpx

import (
	"crypto/sha256"
	"encoding/hex"
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
