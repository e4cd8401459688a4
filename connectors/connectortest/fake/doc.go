// Package fake emulates the identity providers people already have: Google,
// Entra ID, Okta, GitHub and a generic OpenID Provider, each behaving like the
// vendor, quirks and errors included, and each able to misbehave on demand.
//
// It serves two readers. Tests put a fake behind a connector and script it:
// Misbehave for one of the known attacks and failures, Edit and Replace for
// anything else, Requests and Calls to assert what the connector sent or did not
// send. The demo shows a fake's sign-in page to a person in a real browser, who
// picks one of the sample people of the vendor's cast.
//
// A fake is an http.Handler and does no I/O of its own; everything it knows lives
// in memory, bounded. It must learn its public address with SetURL before the
// first request. Its clock is Options.Now; its tokens come from crypto/rand.
//
// The package does not import testing and imports nothing of the broker, so that
// a mistake made there cannot hide behind the same mistake made here. Shapes and
// rules follow the vendors' documentation; where the human-readable wording of an
// error is not documented it is a plausible one, and no test may match on it.
package fake
