package audit

import (
	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// The sets that label values come from.

func endpoints() []Endpoint {
	return []Endpoint{Authorize, Login, Callback, Consent, Token, UserInfo, Discovery, Logout, Introspection, Revocation, Device, Registration, Account, Admin}
}

func eventTypes() []broker.EventType {
	return []broker.EventType{
		broker.EventSignedIn, broker.EventAuthorized, broker.EventConsentGiven, broker.EventConsentWithdrawn,
		broker.EventCodeRedeemed, broker.EventCodeReplayed, broker.EventTokenRefreshed, broker.EventTokenReused,
		broker.EventGrantRevoked, broker.EventSignedOut, broker.EventSignedOutAll, broker.EventAccountDisabled,
		broker.EventAccountEnabled, broker.EventClientDisabled, broker.EventClientEnabled,
		broker.EventConnectorDisabled, broker.EventConnectorEnabled, broker.EventKeysReplaced, broker.EventUpstreamDenied,
		broker.EventTokenRevoked, broker.EventDeviceStarted, broker.EventDeviceApproved, broker.EventDeviceDenied,
		broker.EventDeviceRedeemed, broker.EventClientRegistered, broker.EventClientUpdated, broker.EventClientUnregistered,
	}
}

func codes() []oauth.Code {
	return []oauth.Code{
		oauth.InvalidRequest, oauth.UnauthorizedClient, oauth.AccessDenied, oauth.UnsupportedResponseType,
		oauth.InvalidScope, oauth.ServerError, oauth.TemporarilyUnavailable, oauth.InvalidClient, oauth.InvalidGrant,
		oauth.UnsupportedGrantType, oauth.InteractionRequired, oauth.LoginRequired, oauth.AccountSelectionRequired,
		oauth.ConsentRequired, oauth.InvalidRequestURI, oauth.InvalidRequestObject, oauth.RequestNotSupported,
		oauth.RequestURINotSupported, oauth.RegistrationNotSupported, oauth.UnmetAuthenticationRequirements,
		oauth.InvalidToken, oauth.InsufficientScope, oauth.AuthorizationPending, oauth.SlowDown, oauth.ExpiredToken,
		oauth.InvalidTarget, oauth.UnsupportedTokenType, oauth.InvalidDPoPProof, oauth.UseDPoPNonce,
		oauth.InvalidRedirectURI, oauth.InvalidClientMetadata, oauth.InvalidSoftwareStatement,
		oauth.UnapprovedSoftwareStatement,
	}
}
