package demo

import (
	"net/http"
	"time"

	"gatehouse/connectors/connectortest/fake"
)

// vendor is an emulated upstream provider.
type vendor struct {
	// ID is the connector's; Type its type in the configuration.
	ID, Type, Name string
	// Shows says what this vendor is there to show.
	Shows string
	// Address is listened on if it is free.
	Address string
	emulate func(fake.Options) emulation
	running emulation
}

// emulation is what every fake can do.
type emulation interface {
	http.Handler
	SetURL(base string)
	SessionURL() string
	People() []fake.Person
}

func vendors() []*vendor {
	return []*vendor{
		{
			ID: "google", Type: "google", Name: "Google", Address: "127.0.0.1:5561",
			Shows:   "Admits members of the Workspace domain example.com, by Google's signed word (hd) and not by the address. Sends no groups.",
			emulate: func(o fake.Options) emulation { return fake.NewGoogle(o) },
		},
		{
			ID: "entra", Type: "azuread", Name: "Entra ID", Address: "127.0.0.1:5562",
			Shows:   "Admits one tenant, whatever a token says besides. An address counts as verified only where Entra ID gives evidence (xms_edov). More groups than fit a token are asked of Microsoft Graph.",
			emulate: func(o fake.Options) emulation { return fake.NewEntra(o) },
		},
		{
			ID: "okta", Type: "okta", Name: "Okta", Address: "127.0.0.1:5563",
			Shows:   "A custom authorization server that sends groups. People need to be assigned to the application.",
			emulate: func(o fake.Options) emulation { return fake.NewOkta(o) },
		},
		{
			ID: "github", Type: "github", Name: "GitHub", Address: "127.0.0.1:5564",
			Shows:   "Not OpenID Connect at all: the broker asks GitHub's API. Admits active members of the organisation acme; teams become groups.",
			emulate: func(o fake.Options) emulation { return fake.NewGitHub(o) },
		},
	}
}

// start makes the vendor and registers the broker there.
func (v *vendor) start(now func() time.Time, c configuration) http.Handler {
	v.running = v.emulate(fake.Options{Now: now, Clients: []fake.Client{{
		ID: upstreamClientID, Secret: c.Secrets[v.ID], Name: "Gatehouse demo", RedirectURIs: []string{c.Issuer + "/callback/" + v.ID},
	}}})
	v.running.SetURL(c.Vendors[v.ID])
	return v.running
}

// entraTenant is the tenant that the connector is for.
func entraTenant() string { return fake.EntraTenants()[0].ID }

// payrollGroups are the groups that Payroll admits, under the broker's names for them.
func payrollGroups() []string { return []string{"okta:Engineering", "github:acme:platform"} }

// views is what the guide shows of the vendors.
func views(vendors []*vendor) []vendorView {
	var out []vendorView
	for _, v := range vendors {
		view := vendorView{ID: v.ID, Name: v.Name, Mark: "mark-" + v.Type, Shows: v.Shows, SessionURL: v.running.SessionURL()}
		for _, p := range v.running.People() {
			row := personRow{Name: p.Name, Account: p.Email, Note: p.Note}
			if p.GitHub.Login != "" {
				row.Account = "@" + p.GitHub.Login
			}
			if row.Name == "" {
				row.Name, row.Account = row.Account, ""
			}
			view.People = append(view.People, row)
		}
		out = append(out, view)
	}
	return out
}
