package demo

// meanings explains header parameters and claims, in the order to show them.
func meanings() []member {
	return []member{
		{Name: "typ", Meaning: "what kind of token this is; at+jwt is an access token (RFC 9068)"},
		{Name: "alg", Meaning: "how it is signed"},
		{Name: "kid", Meaning: "which of the broker's published keys signed it"},
		{Name: "iss", Meaning: "who issued it: the broker, not the upstream provider"},
		{Name: "sub", Meaning: "who the person is, for ever; derived from connector, issuer and subject, never from an e-mail address"},
		{Name: "aud", Meaning: "whom it is for; anybody else must refuse it"},
		{Name: "azp", Meaning: "the client that asked for it"},
		{Name: "client_id", Meaning: "the client that it was issued to"},
		{Name: "exp", Meaning: "until when it is good"},
		{Name: "iat", Meaning: "when it was issued"},
		{Name: "nbf", Meaning: "from when it is good"},
		{Name: "auth_time", Meaning: "when the person really signed in; single sign-on does not renew it"},
		{Name: "nonce", Meaning: "ties the token to this browser's request"},
		{Name: "at_hash", Meaning: "ties the ID token to its access token"},
		{Name: "c_hash", Meaning: "ties the ID token to its code"},
		{Name: "acr", Meaning: "how strong the sign-in was"},
		{Name: "amr", Meaning: "how the person proved who they are"},
		{Name: "sid", Meaning: "the session at the broker, for signing out everywhere"},
		{Name: "jti", Meaning: "the token's own number"},
		{Name: "grant_id", Meaning: "what the person allowed; revoking it ends every token made under it"},
		{Name: "scope", Meaning: "what it may be used for"},
		{Name: "name", Meaning: "the full name, for showing"},
		{Name: "given_name", Meaning: "the first name"},
		{Name: "family_name", Meaning: "the last name"},
		{Name: "preferred_username", Meaning: "for showing only: user names change hands"},
		{Name: "picture", Meaning: "the address of a picture"},
		{Name: "locale", Meaning: "the person's language"},
		{Name: "updated_at", Meaning: "when the profile last changed"},
		{Name: "email", Meaning: "an address; good for writing to, not for recognising somebody"},
		{Name: "email_verified", Meaning: "true only where the upstream gave evidence"},
		{Name: "groups", Meaning: "with the connector's name in front, so that no upstream can claim another's"},
	}
}

// explainError says what an authorization or token error means (RFC 6749
// §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6).
func explainError(code string) string {
	switch code {
	case "access_denied":
		return "You, the upstream provider, or this application's own rules said no. The application learns that, and nothing else about you."
	case "login_required":
		return "The application asked not to show anything (prompt=none), or for proof of a fresh sign-in, and that was not possible."
	case "consent_required":
		return "The application asked not to show anything (prompt=none), but you have not allowed it to use your account yet."
	case "interaction_required", "account_selection_required":
		return "The application asked not to show anything (prompt=none), but the broker needed to ask you something."
	case "invalid_grant":
		return "The code or refresh token is spent, expired or revoked. A spent refresh token that turns up again revokes everything that came of it: somebody may have stolen it."
	case "invalid_client":
		return "The application could not prove to the broker which application it is."
	case "temporarily_unavailable", "server_error":
		return "Something failed that may work in a moment. The broker's log says more."
	case "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope":
		return "The broker does not accept the application's request as it was sent."
	}
	return ""
}
