package metadata

import (
	"errors"
	"net/url"
	"strings"

	"gatehouse/broker/oauth"
)

func (c *Client) pairwise() bool {
	return oauth.SubjectType(c.SubjectType) == oauth.SubjectTypePairwise
}

func (c *Client) validateSubject(p *problems) {
	switch oauth.SubjectType(c.SubjectType) {
	case "", oauth.SubjectTypePublic, oauth.SubjectTypePairwise:
	default:
		p.add("subject_type", "must be public or pairwise")
	}
	if c.SectorURI != "" && !isHTTPS(c.SectorURI) {
		p.add("sector_identifier_uri", "must be an https URL")
	} else if _, err := c.sector(); err != nil {
		p.add("sector_identifier_uri", "%s", err)
	}
}

// sector is the sector identifier of a client with pairwise subjects, a host in lower
// case (OpenID Connect Core §8.1); empty for one with public ones.
func (c *Client) sector() (string, error) {
	if !c.pairwise() {
		return "", nil
	}
	if c.SectorURI != "" {
		return host(c.SectorURI), nil
	}
	if len(c.RedirectURIs) == 0 {
		// OpenID Connect CIBA §4 has jwks_uri stand in where answers go to no redirect URI.
		if sector := host(c.JWKSURI); sector != "" {
			return sector, nil
		}
		return "", errors.New("required for pairwise subjects of a client that has neither redirect_uris nor a jwks_uri: their host would be its sector")
	}
	sector := host(c.RedirectURIs[0])
	for _, uri := range c.RedirectURIs {
		if other := host(uri); other == "" || other != sector {
			return "", errors.New("required for pairwise subjects unless all redirect_uris have one host (OpenID Connect Core section 8.1)")
		}
	}
	return sector, nil
}

// host is the host of a URI in lower case, without a port; empty if it has none.
func host(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
