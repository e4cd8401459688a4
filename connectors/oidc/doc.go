// Package oidc is the connector to any OpenID Provider, and the base that the
// google, okta and azuread connectors put their quirks on.
//
// Its law:
//
//   - Authorization code flow with PKCE S256, always. Discovery is not asked
//     whether the provider has PKCE: several that enforce it do not say so.
//   - Every document and token enters through broker/jose. go-oidc and x/oauth2
//     read it as well, but only what the strict door has let through.
//   - Who signed in is what the signed ID token says. Userinfo adds what the token
//     lacks, after its sub has been compared; it never overrides anything signed.
//   - Discovery and keys are cached, refreshed about hourly by one request at a
//     time, and the last good ones are kept when a refresh fails. An unknown key ID
//     fetches the keys anew at most once per cool-down, whoever asks.
//   - What cannot be read is a failed sign-in, never a smaller answer; for groups the
//     configuration may say otherwise.
//   - Where re-check is on, the refresh token is presented once, with what the client
//     authenticates with: a secret out of several, or an assertion (RFC 7523). The
//     answer may change everything about a person but who it is.
//
// Nothing is fetched before the first sign-in.
package oidc
