package configs

import (
	"net/netip"

	"gatehouse/connectors"
)

// Outbound says where requests to addresses that a client controls may go, such as its logo_uri. Upstreams are the
// operator's choice and not concerned.
type Outbound struct {
	// AllowNetworks opens these besides public addresses.
	AllowNetworks []netip.Prefix `yaml:"allow_networks"`
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
