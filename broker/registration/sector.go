package registration

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker/jose"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// checkSector fetches a sector_identifier_uri and looks for every redirect URI in it:
// only whoever speaks for the host can have its client join the host's sector (OpenID
// Connect Registration §5, Core §8.1). Whether nobody answered or something else was
// there is not told: a client must not learn what the broker can reach (SF-03).
func (e *Endpoint) checkSector(ctx context.Context, m *metadata.Client) error {
	if m.SectorURI == "" {
		return nil
	}
	refused := oauth.Errorf(oauth.InvalidClientMetadata, "sector_identifier_uri has to be a JSON array of strings with every one of redirect_uris")
	body, err := e.Fetch(ctx, m.SectorURI, "application/json")
	if err != nil {
		return refused.Because(err)
	}
	var entries []*string // null is no string
	if err := jose.StrictUnmarshal(body, &entries); err != nil || slices.Contains(entries, nil) {
		return refused.Because(err)
	}
	for _, uri := range m.RedirectURIs {
		if !slices.ContainsFunc(entries, func(listed *string) bool { return *listed == uri }) {
			return refused
		}
	}
	return nil
}

// checkPairwise has a client prove that the sector is its own: by it people are known
// there. That its answers go to the sector's host proves it, unless it is answered
// elsewhere too. A device is, wherever it stands, so the client has to sign with keys
// of that host (as OpenID Connect CIBA §4 has it, where nobody is redirected either),
// and so is whatever listens on the machine of a person.
func checkPairwise(m *metadata.Client) (problems []metadata.Problem) {
	client, err := m.Broker()
	if err != nil || client.Sector == "" {
		return nil
	}
	for i, uri := range m.RedirectURIs {
		if !strings.HasPrefix(uri, "https://") {
			problems = append(problems, metadata.Problem{Member: element("redirect_uris", i), Message: "must be https with pairwise subjects: nobody owns another"})
		}
	}
	keys, err := url.Parse(client.JWKSURI)
	signs := err == nil && client.AuthMethod == oauth.AuthMethodPrivateKeyJWT && strings.EqualFold(keys.Hostname(), client.Sector)
	if client.AllowsGrantType(oauth.GrantTypeDeviceCode) && !signs {
		problems = append(problems, metadata.Problem{Member: "subject_type",
			Message: "pairwise needs private_key_jwt and a jwks_uri on the host of the sector, for a client with the device grant"})
	}
	return problems
}
