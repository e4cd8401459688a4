package flow

import (
	"net/url"

	"gatehouse/broker"
)

// LogoURL is where package logo serves the client's logo, empty when it names none.
// Whether one can be had is not known here: a page never waits for a logo.
func (d *Desk) LogoURL(client *broker.Client) string {
	if client.LogoURI == "" {
		return ""
	}
	return d.Issuer + "/logo/" + url.PathEscape(client.ID)
}
