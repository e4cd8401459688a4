package fake

import (
	"net/http"
	"time"
)

// Misbehave makes the fake misbehave until Behave.
func (p *Provider) Misbehave(m ...Misbehaviour) { p.script.set(always, m) }

// MisbehaveOnce makes the fake misbehave the next time there is occasion to, and
// not after. What shows in two documents (email_verified in ID token and userinfo)
// then shows in the first alone.
func (p *Provider) MisbehaveOnce(m ...Misbehaviour) { p.script.set(1, m) }

// Behave ends the named misbehaviours; without names all of them, and every Edit
// and Replace too.
func (p *Provider) Behave(m ...Misbehaviour) { p.script.behave(m) }

// Edit changes a JSON document before it is sent, or claims before they are signed
// (IDToken), until Behave. The function may run on several goroutines.
func (p *Provider) Edit(e Endpoint, change func(doc map[string]any)) { p.script.edit(e, change) }

// Replace lets h serve a path (below the base URL) until Behave, or until it is
// replaced by nil.
func (p *Provider) Replace(path string, h http.Handler) { p.script.replace(path, h) }

// SetDelay changes Options.Delay.
func (p *Provider) SetDelay(d time.Duration) { p.script.setDelay(d) }

// SetElsewhere changes Options.Elsewhere.
func (p *Provider) SetElsewhere(base string) { p.script.setElsewhere(base) }

// Requests returns the newest requests received, oldest first, at most 2000.
func (p *Provider) Requests() []Recorded { return p.record.all() }

// Count is the number of requests received for a path below the base URL.
func (p *Provider) Count(path string) int { return p.record.count(path) }

// Calls is the number of requests received at an endpoint.
func (p *Provider) Calls(e Endpoint) int { return p.record.callsOf(e) }

// Forget empties the record and its counts.
func (p *Provider) Forget() { p.record.forget() }

// RotateKeys makes a new key sign and publishes it beside the old ones.
func (p *Provider) RotateKeys() { p.keys.rotate(true) }

// RotateKeysUnpublished makes a new key sign that the key set lacks until
// PublishKeys, as happens at Okta for a moment.
func (p *Provider) RotateKeysUnpublished() { p.keys.rotate(false) }

// PublishKeys adds the key that signs to the key set.
func (p *Provider) PublishKeys() { p.keys.publish() }

// People returns the cast as it is now.
func (p *Provider) People() []Person { return p.cast.all() }

// Person returns one of the cast; the zero Person if there is none of this ID.
func (p *Provider) Person(id string) Person {
	person, _ := p.cast.find(id)
	return person
}

// Add lets another person join the cast.
func (p *Provider) Add(person Person) { p.cast.add(person) }

// Update changes a person: a rename, another e-mail, groups gained or lost. It
// shows in whatever is answered next and reports whether there is such a person.
func (p *Provider) Update(id string, change func(*Person)) bool { return p.cast.update(id, change) }

// Disable suspends a person's account: no sign-in, no refresh, no API call.
func (p *Provider) Disable(id string) { p.cast.setDisabled(id, true) }

// Enable undoes Disable. Tokens that were not presented meanwhile work again.
func (p *Provider) Enable(id string) { p.cast.setDisabled(id, false) }

// UpdateClient changes a registration, such as its secrets. It reports whether there
// is such a client.
func (p *Provider) UpdateClient(id string, change func(*Client)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.clients {
		if p.clients[i].ID == id {
			change(&p.clients[i])
			return true
		}
	}
	return false
}

// RevokeTokens ends everything ever granted to a person, and their sessions, as a
// password reset or an administrator's "sign out everywhere" does.
func (p *Provider) RevokeTokens(id string) {
	p.ledger.revokeGrants(func(g *grant) bool { return g.person == id })
	p.sessions.endOf(id)
}

// SignInAs names the person who is taken to sign in from now on without seeing
// the page; empty shows the page again.
func (p *Provider) SignInAs(id string) { p.sessions.signInAs(id) }

// EndSessions signs everybody out of the vendor.
func (p *Provider) EndSessions() { p.sessions.endOf("") }
