package azuread

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// connector is oidc.Provider with the directories that people may choose between.
type connector struct {
	*oidc.Provider
	directory directory
	choices   []connectors.Choice
}

// choices are the named directories, if there is something to choose.
func (c *Config) choices() []connectors.Choice {
	var out []connectors.Choice
	for _, t := range c.AllowedTenants {
		if t.Name != "" {
			out = append(out, connectors.Choice{Key: t.ID, Name: t.Name})
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// Describe implements connectors.Connector.
func (c *connector) Describe() connectors.Description {
	d := c.Provider.Describe()
	d.Choices = slices.Clone(c.choices)
	return d
}

// AuthorizationURL implements connectors.Connector.
func (c *connector) AuthorizationURL(ctx context.Context, l connectors.Login) (string, error) {
	if err := c.known(l.Choice); err != nil {
		return "", err
	}
	address, err := c.Provider.AuthorizationURL(ctx, l)
	if err == nil && l.Choice != "" && !strings.HasPrefix(address, c.directory.authority+"/"+l.Choice+"/") {
		return "", broken("the discovery document names no authorization endpoint for the directory that was chosen")
	}
	return address, err
}

// Identify implements connectors.Connector.
func (c *connector) Identify(ctx context.Context, callback url.Values, l connectors.Login) (broker.Identity, connectors.Upstream, error) {
	if err := c.known(l.Choice); err != nil {
		return broker.Identity{}, connectors.Upstream{}, err
	}
	id, up, err := c.Provider.Identify(ctx, callback, l)
	return id, up, withCallback(err, l.RedirectURI)
}

// Refresh implements connectors.Refresher.
func (c *connector) Refresh(ctx context.Context, prior broker.Identity, u connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	if u.Choice != "" && !c.directory.allowed[u.Choice] {
		return broker.Identity{}, connectors.Upstream{}, c.directory.notAllowed(u.Choice)
	}
	return c.Provider.Refresh(ctx, prior, u)
}

// known refuses a choice that was not offered: it becomes part of an address, and
// only the configuration says which addresses there are.
func (c *connector) known(choice string) error {
	offered := func(o connectors.Choice) bool { return o.Key == choice }
	if choice == "" || slices.ContainsFunc(c.choices, offered) {
		return nil
	}
	return broken("the directory that was chosen is not one of those the connector offers")
}

// withCallback adds the address to register where Entra does not know it.
func withCallback(err error, address string) error {
	var e *connectors.Error
	if errors.As(err, &e) && slices.Contains([]string{"AADSTS50011", "AADSTS500113"}, e.Code) && connectors.IsText(address) {
		e.Hint += ": " + address
	}
	return err
}

// endpoint is Quirks.Endpoint: each directory has endpoints of its own beside the
// shared ones, which differ in one segment. That of a directory which is not allowed
// is not asked, and neither is anything for a choice where the document names an
// address elsewhere.
func (d directory) endpoint(shared string) func(address, choice string) string {
	prefix := d.authority + "/" + shared + "/"
	return func(address, choice string) string {
		if choice == "" {
			return address
		}
		own := d.authority + "/" + choice + "/"
		rest, ok := strings.CutPrefix(address, prefix)
		switch {
		case !d.allowed[choice]:
			return ""
		case ok:
			return own + rest
		case strings.HasPrefix(address, own): // a stand-in for Entra with one directory
			return address
		}
		return ""
	}
}

// chosen is Quirks.Admit: at the endpoint of one directory nobody else's tokens are
// issued.
func (d directory) chosen(c *oidc.Claims, l connectors.Login) error {
	if tenant, _ := c.ID.String("tid"); l.Choice != "" && tenant != l.Choice {
		return broken("the ID token is of another directory than the one that was chosen")
	}
	return nil
}
