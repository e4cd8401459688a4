package flow

import (
	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// InitiateURL is where the client has a sign-in begin on somebody else's initiative
// (OpenID Connect Core §4): its initiate_login_uri with who we are and, if one is
// known, whom to expect. Empty for a client that has none.
func InitiateURL(client *broker.Client, issuer, loginHint string) string {
	if client.InitiateLoginURI == "" {
		return ""
	}
	return oauth.AppendQuery(client.InitiateLoginURI, oauth.Field{Name: "iss", Value: issuer}, oauth.Field{Name: "login_hint", Value: loginHint})
}
