// Package session is the browser's side of single sign-on: a gorilla/sessions
// store whose cookie holds an opaque ID and a secret, and whose record is in the
// broker's Store.
//
// The law: Save writes the cookie only. The record is written by the commit of
// the sign-in itself, so that a session exists exactly when the login does. A
// cookie that is malformed, or that comes twice, is no session and no error: the
// person is simply not signed in. A sibling host can plant a second cookie of the
// same name on plain HTTP; guessing which one is ours would be guessing whose
// session it is.
package session
