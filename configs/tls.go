package configs

import (
	"net/netip"
	"net/url"
	"strings"

	"gatehouse/connectors"
)

// TLS is where the certificate of the listener comes from: two files, or an ACME authority. Neither means plain HTTP.
type TLS struct {
	// CertFile is a PEM file with the certificate and the chain behind it; KeyFile is the PEM file with its private key.
	// Both are read again when they change.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	ACME     *ACME  `yaml:"acme"`
}

// ACME is an account at a certificate authority that speaks RFC 8555. The host of the issuer is the name it certifies,
// by TLS-ALPN-01 (RFC 8737) on the listener itself, which therefore has to be reached on port 443.
type ACME struct {
	// Email is told to the authority, which may write to it about the certificate.
	Email string `yaml:"email"`
	// DirectoryURL is the authority; Let's Encrypt when empty.
	DirectoryURL string `yaml:"directory_url"`
	// CacheDir keeps account key and certificates; acme beside the database when empty.
	CacheDir string `yaml:"cache_dir"`
}

// Enabled reports whether the listener speaks TLS.
func (t TLS) Enabled() bool { return t.CertFile != "" || t.KeyFile != "" || t.ACME != nil }

// Validate checks that there is one source, and all of it.
func (t TLS) Validate() []connectors.Problem {
	var f faults
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		f.add("key_file", "required beside cert_file: the private key of the certificate")
	case t.CertFile == "" && t.KeyFile != "":
		f.add("cert_file", "required beside key_file: the certificate and its chain")
	}
	if t.ACME == nil {
		return f
	}
	if t.CertFile != "" || t.KeyFile != "" {
		f.add("acme", "cannot be combined with cert_file and key_file: remove one of the two")
	}
	if local, domain, ok := strings.Cut(t.ACME.Email, "@"); !ok || local == "" || !isHostName(domain) {
		f.add("acme.email", "required: an address at which the certificate authority can reach you")
	}
	if u := t.ACME.DirectoryURL; u != "" {
		if problem := connectors.CheckBaseURL(u); problem != "" {
			f.add("acme.directory_url", "%s", problem)
		}
	}
	return f
}

// isPublicName reports whether the issuer's host is a name that a certificate authority could certify.
func isPublicName(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	host := u.Hostname()
	_, err = netip.ParseAddr(host)
	return err != nil && strings.Contains(host, ".")
}
