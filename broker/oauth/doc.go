// Package oauth is the protocol vocabulary of an OAuth 2 authorization server and OpenID Provider: the words that
// appear on the wire, how they are parsed, and how they are refused.
//
// It knows no client, no store and no clock. Everything here is a pure function over what a request carried, so that
// each endpoint asks the same question in the same way:
//
//   - Error and Code: what a program is told (RFC 6749 §5.2), kept apart from why, which is for the log alone.
//   - Params: a form or query in which a repeated parameter is a fault, never a choice (RFC 6749 §3.1, §3.2).
//   - Scopes, Prompt, ResponseType, ResponseMode, GrantType, AuthMethod: closed vocabularies with one spelling each.
//   - MatchRedirectURI, ValidateRedirectURI, AppendQuery: a URI is compared byte for byte, vetted when it is
//     registered, and never rewritten when it is answered (RFC 9700 §2.1).
//   - VerifyPKCE, BasicCredentials, BearerToken: what a client proves with.
//
// The law of the package: what is malformed is refused and not repaired, since a second reader may repair it
// differently. All refusals are *Error, so an endpoint may pass them on as they are.
//
// It imports the standard library only.
package oauth
