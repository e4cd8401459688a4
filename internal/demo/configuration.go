package demo

import (
	"crypto/rand"
	_ "embed"
	"strings"
)

//go:embed demo.yaml
var configTemplate string

// upstreamClientID is how the broker presents itself to the emulated vendors.
const upstreamClientID = "gatehouse-demo"

// configuration is what the broker's file is made of.
type configuration struct {
	Issuer, Listen string
	// App is the address of the sample applications.
	App string
	// Vendors are the addresses of the emulated vendors by connector ID.
	Vendors map[string]string
	// Secrets are the client secrets by connector ID and client ID.
	Secrets map[string]string
	Tenant  string
	// PayrollGroups are those whose members Payroll admits.
	PayrollGroups []string
}

// newConfiguration puts together what follows from the open ports.
func newConfiguration(p *ports, vendors []*vendor) configuration {
	c := configuration{
		Issuer: "http://" + p.broker.Addr().String(), Listen: p.broker.Addr().String(), App: "http://" + p.app.Addr().String(),
		Vendors: map[string]string{}, Tenant: entraTenant(), PayrollGroups: payrollGroups(),
	}
	names := []string{wikiID, payrollID}
	for _, v := range vendors {
		c.Vendors[v.ID] = "http://" + p.vendors[v.ID].Addr().String()
		names = append(names, v.ID)
	}
	c.Secrets = newSecrets(names...)
	return c
}

// newSecrets makes a secret for each name, for this run alone.
func newSecrets(names ...string) map[string]string {
	secrets := make(map[string]string, len(names))
	for _, name := range names {
		secrets[name] = rand.Text()
	}
	return secrets
}

// file is the text of the configuration file.
func (c configuration) file() string { return c.render(func(s string) string { return s }) }

// shown is the same text without the secrets, to be looked at.
func (c configuration) shown() string {
	return c.render(func(string) string { return "…  # made when the demo starts" })
}

func (c configuration) render(secret func(string) string) string {
	pairs := []string{
		"@issuer@", c.Issuer, "@listen@", c.Listen, "@app@", c.App, "@client@", upstreamClientID,
		"@tenant@", c.Tenant, "@payroll_groups@", `["` + strings.Join(c.PayrollGroups, `", "`) + `"]`,
	}
	for id, address := range c.Vendors {
		pairs = append(pairs, "@"+id+"@", address)
	}
	for name, value := range c.Secrets {
		pairs = append(pairs, "@"+name+"_secret@", secret(value))
	}
	return strings.NewReplacer(pairs...).Replace(configTemplate)
}
