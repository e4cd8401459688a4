package broker

import "time"

// EventType names something that happened and that an auditor asks about.
type EventType string

// Every event the store keeps. Refusals of anonymous callers are not among
// them: those go to the log and the metrics only.
const (
	EventSignedIn          EventType = "signed_in"
	EventAuthorized        EventType = "authorized"
	EventConsentGiven      EventType = "consent_given"
	EventConsentWithdrawn  EventType = "consent_withdrawn"
	EventCodeRedeemed      EventType = "code_redeemed"
	EventCodeReplayed      EventType = "code_replayed"
	EventTokenRefreshed    EventType = "token_refreshed"
	EventTokenReused       EventType = "refresh_token_reused"
	EventGrantRevoked      EventType = "grant_revoked"
	EventSignedOut         EventType = "signed_out"
	EventSignedOutAll      EventType = "signed_out_everywhere"
	EventAccountDisabled   EventType = "account_disabled"
	EventAccountEnabled    EventType = "account_enabled"
	EventClientDisabled    EventType = "client_disabled"
	EventClientEnabled     EventType = "client_enabled"
	EventConnectorDisabled EventType = "connector_disabled"
	EventConnectorEnabled  EventType = "connector_enabled"
	EventKeysReplaced      EventType = "keys_replaced"
	// EventTokenRevoked: a single access token was denied until it expires.
	EventTokenRevoked EventType = "access_token_revoked"
	// A device asked for a code, a person said yes or no, and it fetched its tokens.
	EventDeviceStarted  EventType = "device_started"
	EventDeviceApproved EventType = "device_approved"
	EventDeviceDenied   EventType = "device_denied"
	EventDeviceRedeemed EventType = "device_redeemed"
	// Clients that register themselves.
	EventClientRegistered   EventType = "client_registered"
	EventClientUpdated      EventType = "client_updated"
	EventClientUnregistered EventType = "client_unregistered"
	// EventUpstreamDenied: asked again, an upstream no longer vouched for a person.
	EventUpstreamDenied EventType = "upstream_denied"
)

// Event is an audit record, written in the commit of the fact it records. The
// verb fills in the identifiers that only it knows. It holds no secret and no
// free text from outside.
type Event struct {
	Type      EventType
	At        time.Time
	RequestID string
	Address   string
	AccountID string
	ClientID  string
	Connector string
	SessionID string
	GrantID   string
	// Detail is a short fixed word that tells apart events of one type.
	Detail string
}
