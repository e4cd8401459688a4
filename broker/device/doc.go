// Package device lets things without a browser or keyboard have a person sign in
// elsewhere (RFC 8628):
//
//	POST /device_authorization  a client asks for a device code and a user code
//	GET  /device                the page to type the user code on
//	POST /device                finds what it is of, and goes on to sign in
//	GET  /device/confirm        the page that asks about the device
//	POST /device/confirm        the answer
//
// The device polls /token meanwhile, which is package token's.
//
// The law: nobody is answered for. Whoever is signed in, whatever they have agreed to
// before, and though the code came within a link, they are shown which client it is
// and how far that is known, where it was started and what code the device has to
// show; the form is posted from our own page and counts for the account it was
// rendered for; and a decision is final (RFC 8628 §5.4, ATTACKS DV-02, DV-06).
// Nothing that a device holds is ever in a URL, on a page or in the log (DV-05).
package device
