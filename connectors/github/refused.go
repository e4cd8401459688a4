package github

import "gatehouse/connectors"

// refusal is what an error code of GitHub means here.
type refusal struct {
	kind connectors.Kind
	// says is GitHub's own text for it ("Troubleshooting authorization request errors",
	// "Troubleshooting OAuth app access token request errors"), so that people find it
	// again; fix is what to do.
	says, fix string
}

// refusals are the codes that are known. The text that came with a code is not
// passed on: it is whatever the browser or the server brought.
func refusals(code string) (refusal, bool) {
	r, ok := map[string]refusal{
		"access_denied": {connectors.Declined, "The user has denied your application access.", "the person did not authorize the application"},
		"application_suspended": {connectors.Operator, "Your application has been suspended. Contact support@github.com.",
			"GitHub has suspended the app: ask its support"},
		"bad_verification_code": {connectors.Broken, "The code passed is incorrect or expired.",
			"it was used before, is older than ten minutes, or belongs to another sign-in; the person signs in again"},
		"incorrect_client_credentials": {connectors.Operator, "The client_id and/or client_secret passed are incorrect.",
			"check client_id and client_secret against the app's page, whether the secret was deleted there, and base_url"},
		"redirect_uri_mismatch": {connectors.Operator, "The redirect_uri MUST match the registered callback URL for this application.",
			"set the app's callback URL at GitHub to this connector's"},
		"unverified_user_email": {connectors.Declined, "The user must have a verified primary email.",
			"the person verifies their primary e-mail address at GitHub (Settings, Emails) and signs in again"},
		"bad_refresh_token": {connectors.Gone, "The refresh token passed is incorrect or expired.",
			"it was used, six months old, or the person revoked the app; the person signs in again"},
		"unsupported_grant_type": {connectors.Operator, "The grant type is not supported.", "check base_url: it has to be a GitHub"},
		// The words of RFC 6749, which GitHub does not use; something in between may.
		"invalid_grant":           {connectors.Broken, "", "the code was not accepted: it was used before, has expired, or belongs to another sign-in"},
		"invalid_client":          {connectors.Operator, "", "GitHub does not accept client_id and client_secret: check both, and base_url"},
		"server_error":            {connectors.Transient, "", "GitHub reports a fault of its own"},
		"temporarily_unavailable": {connectors.Transient, "", "GitHub reports a fault of its own"},
	}[code]
	return r, ok
}

// refused turns an error code of the authorization or token endpoint into our
// error. redirectURI is the callback of the sign-in, if it is one.
func refused(code, redirectURI string) *connectors.Error {
	e := &connectors.Error{Kind: connectors.Broken, Code: connectors.SafeCode(code), Hint: "GitHub answered with an error we do not know"}
	r, known := refusals(code)
	if !known {
		return e
	}
	e.Kind, e.Hint = r.kind, r.fix
	if r.says != "" {
		e.Hint = "GitHub says: " + r.says + " That is: " + r.fix
	}
	switch code {
	case "redirect_uri_mismatch":
		if redirectURI != "" {
			e.Hint += ", " + redirectURI
		}
	case "incorrect_client_credentials", "invalid_client":
		// The client is looked at before anything that it presents.
		e.Err, e.Unspent = connectors.ErrClientRefused, true
	case "application_suspended":
		e.Unspent = true
	}
	return e
}

func broken(hint string) *connectors.Error {
	return &connectors.Error{Kind: connectors.Broken, Hint: hint}
}
