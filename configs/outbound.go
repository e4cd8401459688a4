package configs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"

	"gatehouse/connectors"
)

// Outbound says where requests to addresses that a client controls may go, such as its logo_uri. Upstreams are the
// operator's choice and not concerned.
type Outbound struct {
	// AllowNetworks opens these besides public addresses.
	AllowNetworks []netip.Prefix `yaml:"allow_networks"`
	// CAFile is a PEM bundle trusted for them instead of the system's roots.
	CAFile string `yaml:"ca_file"`
}

// Validate refuses to open everything, which is what a request forgery needs.
func (o Outbound) Validate() []connectors.Problem {
	var f faults
	for i, p := range o.AllowNetworks {
		if isVast(p) {
			f.add(element("allow_networks", i), "opens every private network to what clients name: list those that are meant, 10.0.0.0/8 or smaller")
		}
	}
	return f
}

// OutboundTLS is whom requests to what clients name trust; nil for the system's roots.
func (c *Config) OutboundTLS() (*tls.Config, error) {
	if c.Outbound.CAFile == "" {
		return nil, nil
	}
	pem, err := readFile(c.Path(c.Outbound.CAFile), maxFile)
	if err != nil {
		return nil, fmt.Errorf("outbound.ca_file: %w", reason(err))
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("outbound.ca_file: %s holds no PEM certificate", c.Outbound.CAFile)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}
