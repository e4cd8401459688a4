// Package clientauth authenticates clients wherever they speak to us directly:
// at the token endpoint and its siblings (RFC 6749 §2.3).
//
// A client authenticates with the method it is registered for and no other, so
// that nothing weaker can be substituted. A failure says invalid_client and
// nothing about why: an unknown client, a wrong secret and a wrong method look
// alike.
//
// [Reception] is what those endpoints do before anything else and how they refuse:
// limits, form, authentication, the refusal's line in the log.
//
// Secrets from the configuration are held as a keyed digest, secrets made by us
// as their SHA-256; hashes somebody else made (bcrypt, argon2id) are verified
// once and then remembered as a keyed digest, because they are slow by design
// and this is asked for every request.
package clientauth
