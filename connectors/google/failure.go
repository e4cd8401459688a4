package google

import (
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// classify knows Google's error codes and says the fix in the words of its
// consoles. Descriptions are never looked at: Google rewords them.
//
// Of these most are pages of Google's own that never come back to us, above all
// redirect_uri_mismatch, admin_policy_enforced, org_internal, disallowed_useragent,
// deleted_client and, for an application in testing, access_denied: whoever looks
// for a mistake reads the code off that page ("Using OAuth 2.0 for Web Server
// Applications", authorization errors).
func classify(f oidc.Failure) *connectors.Error {
	for _, known := range codes() {
		if f.Code == known.code {
			return &connectors.Error{Kind: known.kind, Hint: known.hint}
		}
	}
	return nil
}

type code struct {
	code string
	kind connectors.Kind
	hint string
}

func codes() []code {
	return []code{
		{"redirect_uri_mismatch", connectors.Operator, "add this connector's callback URL, byte for byte, to Authorized redirect URIs (Google Cloud console > Google Auth Platform > Clients)"},
		{"invalid_client", connectors.Operator, "client_id or client_secret is wrong, or the secret was disabled (Google Cloud console > Google Auth Platform > Clients)"},
		{"deleted_client", connectors.Operator, "the OAuth client was deleted: restore it within 30 days, or make a new one (Google Cloud console > Google Auth Platform > Clients)"},
		{"disabled_client", connectors.Operator, "Google has disabled the OAuth client: see the e-mail to the project's owners"},
		{"admin_policy_enforced", connectors.Operator, "the Workspace administrator blocks this application: have it trusted (Google Admin console > Security > Access and data control > API controls > Manage third-party app access)"},
		{"org_internal", connectors.NotAllowed, "the application's audience is Internal, and the person is of another organisation (Google Auth Platform > Audience)"},
		{"disallowed_useragent", connectors.Declined, "Google refuses embedded browsers: open the application in the system's browser"},
		{"access_denied", connectors.Declined, "the person cancelled, or an administrator restricts the application; while it is in testing, only its test users are let in (Google Auth Platform > Audience > Test users)"},
		{"restricted_client", connectors.Operator, "the application may not ask for one of the scopes: check Data Access in the Google Auth Platform"},
	}
}
