package audit

import (
	"context"
	"log/slog"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// Recorder passes on what happened to the log and the metrics. A nil Metrics counts nothing. It is safe for concurrent
// use.
type Recorder struct {
	Log     *slog.Logger
	Metrics *Metrics
}

// Refusal is a request that was refused and changed nothing. Every text in it may come from a stranger.
type Refusal struct {
	// Endpoint is where: one of the constants of this package.
	Endpoint Endpoint
	// Code is the OAuth error code sent, or empty where a page was shown.
	Code oauth.Code
	// Reason is why, for the operator. It has to be free of secrets; what looks like one is masked all the same.
	Reason error
	// The rest is what is known about the caller; empty is left out.
	RequestID string
	Address   string
	AccountID string
	ClientID  string
	Connector string
	SessionID string
	GrantID   string
}

// CodeOf is the code under which an error is counted: none for a fault that is only that the caller has hung up.
func CodeOf(ctx context.Context, err error) oauth.Code {
	code := oauth.From(err).Code
	if code == oauth.ServerError && ctx.Err() != nil {
		return ""
	}
	return code
}

// Endpoint names the part of the broker that refused something.
type Endpoint string

// The endpoints there are. Any other is counted as "other".
const (
	Authorize Endpoint = "authorize"
	Login     Endpoint = "login"
	Callback  Endpoint = "callback"
	Consent   Endpoint = "consent"
	Token     Endpoint = "token"
	UserInfo  Endpoint = "userinfo"
	Discovery Endpoint = "discovery"
	Logout    Endpoint = "logout"
	// Introspection and Revocation are /introspect and /revoke.
	Introspection Endpoint = "introspection"
	Revocation    Endpoint = "revocation"
	// Device are /device_authorization and /device.
	Device       Endpoint = "device"
	Registration Endpoint = "registration"
	Account      Endpoint = "account"
	Admin        Endpoint = "admin"
)

// Committed records an event that a store verb has written.
func (r *Recorder) Committed(ctx context.Context, e broker.Event) {
	r.Metrics.committed(e)
	level := slog.LevelInfo
	switch e.Type {
	case broker.EventCodeReplayed, broker.EventTokenReused:
		level = slog.LevelWarn // somebody else may have the secret (RFC 9700 §4.14.2)
	}
	if !r.Log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 9)
	attrs = appendText(attrs, "event", string(e.Type))
	attrs = appendWho(attrs, who{e.RequestID, e.Address, e.AccountID, e.ClientID, e.Connector, e.SessionID, e.GrantID})
	attrs = appendText(attrs, "detail", e.Detail)
	r.Log.LogAttrs(ctx, level, "committed", attrs...)
}

// Refused records a refusal. A server_error is logged as an error: it is our fault, not the caller's.
func (r *Recorder) Refused(ctx context.Context, f Refusal) {
	r.Metrics.refused(f)
	level := slog.LevelInfo
	switch f.Code {
	case oauth.ServerError:
		level = slog.LevelError
	case oauth.AuthorizationPending, oauth.SlowDown:
		// What every device hears every few seconds (RFC 8628 §3.5).
		level = slog.LevelDebug
	}
	if !r.Log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 10)
	attrs = appendText(attrs, "endpoint", string(f.Endpoint))
	attrs = appendText(attrs, "code", string(f.Code))
	if f.Reason != nil {
		attrs = append(attrs, slog.String("reason", Text(f.Reason.Error())))
	}
	attrs = appendWho(attrs, who{f.RequestID, f.Address, f.AccountID, f.ClientID, f.Connector, f.SessionID, f.GrantID})
	r.Log.LogAttrs(ctx, level, "refused", attrs...)
}

// who is what events and refusals have in common.
type who struct{ requestID, address, accountID, clientID, connector, sessionID, grantID string }

func appendWho(attrs []slog.Attr, w who) []slog.Attr {
	attrs = appendText(attrs, "request_id", w.requestID)
	attrs = appendText(attrs, "address", w.address)
	attrs = appendText(attrs, "account_id", w.accountID)
	attrs = appendText(attrs, "client_id", w.clientID)
	attrs = appendText(attrs, "connector", w.connector)
	attrs = appendText(attrs, "sid", w.sessionID)
	return appendText(attrs, "grant_id", w.grantID)
}

func appendText(attrs []slog.Attr, key, value string) []slog.Attr {
	if value == "" {
		return attrs
	}
	return append(attrs, slog.String(key, Identifier(value)))
}
