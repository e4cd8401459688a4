package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/connectors/okta"
)

// opened connectors, in the order of the configuration.
type openedConnector struct {
	section   connectors.Config
	connector connectors.Connector
}

// summarizeConnectors prints what to register at each upstream, what it will be asked for, and what expires when.
func summarizeConnectors(w io.Writer, config *configs.Config, all []openedConnector, now time.Time) {
	fmt.Fprintf(w, "\nCONNECTOR\tTYPE\tREDIRECT URI TO REGISTER THERE\n")
	for _, one := range all {
		base := one.section.Base()
		fmt.Fprintf(w, "%s\t%s\t%s/callback/%s\n", base.ID, base.Type, config.Issuer, base.ID)
	}
	fmt.Fprintf(w, "\nCONNECTOR\tSCOPES IT ASKS FOR\tASKS AGAIN\tREGISTER AT\n")
	for _, one := range all {
		base := one.section.Base()
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", base.ID, askedScopes(one), rechecks(base), adviceOf(base.Type).register)
	}
	rows := expirations(all, now)
	if len(rows) > 0 {
		fmt.Fprintf(w, "\nCONNECTOR\tCREDENTIAL\tEXPIRY\n%s", strings.Join(rows, ""))
	}
}

func askedScopes(one openedConnector) string {
	scoper, ok := one.connector.(connectors.Scoper)
	if !ok {
		return "-"
	}
	out := cmp.Or(strings.Join(scoper.Scopes(), " "), "none: what the registration permits")
	if c, is := one.section.(*okta.Config); is && len(c.Scopes) == 0 && c.GroupsFrom != "api" {
		out += " (and groups, where the server has it)"
	}
	return out
}

func rechecks(base *connectors.Common) string {
	if every := base.Recheck().Interval; every > 0 {
		return "every " + every.String()
	}
	return "never"
}

// expirations lists what is known to end.
func expirations(all []openedConnector, now time.Time) []string {
	var rows []string
	for _, one := range all {
		expirer, ok := one.connector.(connectors.Expirer)
		if !ok {
			continue
		}
		for _, e := range expirer.Expirations() {
			rows = append(rows, fmt.Sprintf("%s\t%s\t%s\n", one.section.Base().ID, e.What, expiryLine(e.At, now)))
		}
	}
	return rows
}

// soon are those that a careful operator wants to be told of now.
func soon(all []openedConnector, now time.Time) []string {
	var out []string
	for _, one := range all {
		expirer, ok := one.connector.(connectors.Expirer)
		if !ok {
			continue
		}
		for _, e := range expirer.Expirations() {
			if e.At.Sub(now) <= 30*24*time.Hour {
				out = append(out, fmt.Sprintf("connector %s: %s %s", one.section.Base().ID, e.What, expiryLine(e.At, now)))
			}
		}
	}
	return out
}
