package metadata

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/jose"
)

// encrypted is what may be encrypted for the client: the beginning of its two members,
// and their values.
type encrypted struct{ what, alg, enc string }

func (c *Client) encrypted() []encrypted {
	return []encrypted{
		{"id_token", c.IDTokenKeyAlg, c.IDTokenEnc},
		{"userinfo", c.UserInfoKeyAlg, c.UserInfoEnc},
		{"introspection", c.IntrospectKeyAlg, c.IntrospectionEnc},
	}
}

// keyAlgorithms are those that the client needs a key for.
func (c *Client) keyAlgorithms() []string {
	var out []string
	for _, e := range c.encrypted() {
		if e.alg != "" && !slices.Contains(out, e.alg) {
			out = append(out, e.alg)
		}
	}
	return out
}

// CheckEncryption judges the pair of members what_encrypted_response_alg and
// what_encrypted_response_enc (OpenID Connect Registration §2, RFC 9701 §6). Whether
// there is a key for them, [CheckKeySet] knows.
func CheckEncryption(what, alg, enc string) []Problem {
	var p problems
	algMember, encMember := what+"_encrypted_response_alg", what+"_encrypted_response_enc"
	if alg != "" && !jose.KeyAlgorithm(alg).Known() {
		p.add(algMember, "must be one of %s", listed(jose.KeyAlgorithms()))
	}
	switch {
	case enc == "":
	case alg == "":
		p.add(encMember, "needs %s beside it: nothing is encrypted without", algMember)
	case !jose.ContentEncryption(enc).Known():
		p.add(encMember, "must be one of %s", listed(jose.ContentEncryptions()))
	}
	return p
}

// Encryption converts a pair that [CheckEncryption] finds no fault with.
func Encryption(alg, enc string) broker.Encryption {
	if alg == "" {
		return broker.Encryption{}
	}
	return broker.Encryption{Alg: alg, Enc: defaultEnc(alg, enc)}
}

// defaultEnc: A128CBC-HS256 is what an absent enc means beside an alg (OpenID Connect
// Registration §2).
func defaultEnc(alg, enc string) string {
	if alg == "" {
		return enc
	}
	return cmp.Or(enc, string(jose.A128CBCHS256))
}

func listed[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, one := range list {
		out[i] = string(one)
	}
	return strings.Join(out, ", ")
}

// validateEncryption: without a userinfo_signed_response_alg encrypted userinfo is a
// JWE of the plain claims, not a nested JWT (OpenID Connect Core §5.3.2); the other two
// are always signed.
func (c *Client) validateEncryption(p *problems) {
	for _, e := range c.encrypted() {
		*p = append(*p, CheckEncryption(e.what, e.alg, e.enc)...)
	}
}

// keysFor says what a key set lacks, for [CheckKeySet].
func keysFor(set *jose.KeySet, algs []string) error {
	for _, alg := range algs {
		one := jose.KeyAlgorithm(alg)
		if !one.Known() {
			continue // which has been said
		}
		if _, err := set.Recipient(one); err != nil {
			return fmt.Errorf("holds no key that something can be encrypted to with %s", alg)
		}
	}
	return nil
}
