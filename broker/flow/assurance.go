package flow

import (
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// Levels of assurance. This file is the only place that judges whether somebody
// authenticated as a client demands; connectors translate and report (ATTACKS
// UP-27).
//
// A request lists levels. They are a demand when the client says so (an essential
// acr, Core §5.5.1.1) or when the operator has given one of them a meaning at a
// connector the client's people may come from; otherwise acr_values are a
// preference, and what nobody knows is ignored (Core §3.1.2.1).

// demanded lists the levels of which the client wants one; none for no demand.
func (s Situation) demanded(usable []connectors.Description) []string {
	r := s.Flow.Request
	known := func(level string) bool {
		return slices.ContainsFunc(usable, func(d connectors.Description) bool { return slices.Contains(d.Levels, level) })
	}
	if r.EssentialACR || slices.ContainsFunc(r.ACRValues, known) {
		return r.ACRValues
	}
	return nil
}

// provable reports whether somebody who signs in through the connector can meet
// the demand at all.
func provable(d connectors.Description, demanded []string) bool {
	if len(demanded) == 0 {
		return true
	}
	if len(d.Levels) == 0 {
		return !d.NoACR
	}
	return slices.ContainsFunc(demanded, func(level string) bool { return slices.Contains(d.Levels, level) })
}

// reported is the level that the client is told of somebody who proved one at the
// connector, and false when that does not meet the demand. A level is met by
// those above it in the connector's table; the client is then told the one it
// listed, because an acr it did not list would not do (Core §5.5.1.1: "MUST
// return an acr Claim Value that matches one of the requested values").
func reported(d connectors.Description, proven string, demanded []string) (string, bool) {
	if len(demanded) == 0 {
		return proven, true
	}
	if len(d.Levels) == 0 {
		return proven, slices.Contains(demanded, proven)
	}
	// What a table of before called a level, and this one does not, proves nothing.
	at := slices.Index(d.Levels, proven)
	if at < 0 {
		return "", false
	}
	if slices.Contains(demanded, proven) {
		return proven, true
	}
	for _, level := range demanded {
		if slices.Contains(d.Levels[at:], level) {
			return level, true
		}
	}
	return "", false
}

// assured judges the sign-in under consideration.
func (s Situation) assured(usable []connectors.Description) (acr string, met bool) {
	in := s.State.Session.SignIn(s.Connector)
	d := usable[slices.IndexFunc(usable, func(d connectors.Description) bool { return d.ID == s.Connector })]
	return reported(d, in.ACR, s.demanded(usable))
}

// better reports whether the one sign-in of a session serves the request better
// than the other: it meets the demand, or both do alike and it is later.
func better(one, other *broker.SignIn, oneMet, otherMet bool) bool {
	if other == nil || oneMet != otherMet {
		return other == nil || oneMet
	}
	return one.AuthTime.After(other.AuthTime)
}

// unmet is for the client alone to act on: only it knows whether less will do
// (OpenID Connect Core Unmet Authentication Requirements 1.0 §2).
func unmet(description string) Step {
	return fail(oauth.Errorf(oauth.UnmetAuthenticationRequirements, "%s", description))
}
