package registration

import (
	"context"
	"slices"

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
