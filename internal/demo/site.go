package demo

import (
	"net/http"
	"time"
)

// The clients, as the configuration names them.
const (
	wikiID    = "wiki"
	payrollID = "payroll"
)

// newSite makes the two applications at an address such as
// http://127.0.0.1:5555, for the broker with this issuer.
func newSite(address, issuer string, secrets [2]string, p *pages, now func() time.Time) *site {
	// No proxy: everything is on this machine.
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	return &site{
		pages: p,
		guide: &guide{Issuer: issuer, Discovery: issuer + "/.well-known/openid-configuration", Wiki: "/", Payroll: "/second/"},
		wiki: &application{
			Name: "Wiki", Purpose: "The first sample application. It admits everybody whom a provider vouches for, asks for your consent, and shows the tokens it gets.",
			Base: address + "/", Issuer: issuer, ClientID: wikiID, ClientSecret: secrets[0], HTTP: client, Log: p.log, Now: now,
		},
		payroll: &application{
			Name: "Payroll", Purpose: "The second sample application. It does not ask for consent, and the broker lets members of some groups in only.", Admits: payrollGroups(),
			Base: address + "/second/", Issuer: issuer, ClientID: payrollID, ClientSecret: secrets[1], HTTP: client, Log: p.log, Now: now,
		},
	}
}
