package audit

import (
	"bytes"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// recorder writes log lines without a time into the buffer.
func recorder(level slog.Level) (*Recorder, *bytes.Buffer) {
	var b bytes.Buffer
	h := slog.NewTextHandler(&b, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}})
	return &Recorder{Log: slog.New(h)}, &b
}

func event() broker.Event {
	return broker.Event{
		Type: broker.EventCodeRedeemed, At: time.Unix(1, 0), RequestID: "req1", Address: "192.0.2.1", AccountID: "acc1", ClientID: "wiki",
		Connector: "corp", SessionID: "sid1", GrantID: "g1", Detail: "first",
	}
}

func TestCommittedLines(t *testing.T) {
	t.Parallel()
	reused := event()
	reused.Type = broker.EventTokenReused
	tests := []struct {
		name string
		e    broker.Event
		want string
	}{
		{"every identifier has its attribute", event(),
			`level=INFO msg=committed event=code_redeemed request_id=req1 address=192.0.2.1 account_id=acc1 client_id=wiki connector=corp sid=sid1 grant_id=g1 detail=first`},
		{"what is empty is left out", broker.Event{Type: broker.EventKeysReplaced}, `level=INFO msg=committed event=keys_replaced`},
		{"a reused token is a warning", reused,
			`level=WARN msg=committed event=refresh_token_reused request_id=req1 address=192.0.2.1 account_id=acc1 client_id=wiki connector=corp sid=sid1 grant_id=g1 detail=first`},
		{"a replayed code is a warning", broker.Event{Type: broker.EventCodeReplayed}, `level=WARN msg=committed event=code_replayed`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, log := recorder(slog.LevelInfo)
			r.Committed(t.Context(), tt.e)
			if got := strings.TrimSuffix(log.String(), "\n"); got != tt.want {
				t.Errorf("logged\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestRefusedLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		f    Refusal
		want string
	}{
		{"every attribute", Refusal{
			Endpoint: Token, Code: oauth.InvalidGrant, Reason: errors.New("code was issued to another client"), RequestID: "req1",
			Address: "192.0.2.1", AccountID: "acc1", ClientID: "wiki", Connector: "corp", SessionID: "sid1", GrantID: "g1",
		}, `level=INFO msg=refused endpoint=token code=invalid_grant reason="code was issued to another client" request_id=req1 address=192.0.2.1 account_id=acc1 client_id=wiki connector=corp sid=sid1 grant_id=g1`},
		{"a page has no code", Refusal{Endpoint: Callback}, `level=INFO msg=refused endpoint=callback`},
		{"a device that waits is no news", Refusal{Endpoint: Token, Code: oauth.AuthorizationPending}, ``},
		{"nor is one that is hasty", Refusal{Endpoint: Token, Code: oauth.SlowDown}, ``},
		{"our own fault is an error", Refusal{Endpoint: Token, Code: oauth.ServerError, Reason: broker.ErrReadOnly},
			`level=ERROR msg=refused endpoint=token code=server_error reason="store is read-only after a failed write"`},
		// LG-02
		{"line breaks and escapes do not leave the value", Refusal{Endpoint: Authorize, ClientID: "x\r\nlevel=INFO msg=committed \x1b[31m\u202e"},
			`level=INFO msg=refused endpoint=authorize client_id="x??level=INFO msg=committed ?[31m?"`},
		{"invalid UTF-8 does not either", Refusal{Endpoint: Authorize, ClientID: "x\xff\xc3"}, `level=INFO msg=refused endpoint=authorize client_id=x??`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, log := recorder(slog.LevelInfo)
			r.Refused(t.Context(), tt.f)
			if got := strings.TrimSuffix(log.String(), "\n"); got != tt.want {
				t.Errorf("logged\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestHugeValuesMakeShortLines(t *testing.T) {
	t.Parallel()
	r, log := recorder(slog.LevelInfo)
	huge := strings.Repeat("\u00e4", 1<<19)
	var f Refusal
	v := reflect.ValueOf(&f).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String {
			v.Field(i).SetString(huge)
		}
	}
	f.Reason = errors.New(huge)
	r.Refused(t.Context(), f)
	if log.Len() == 0 || log.Len() > 3<<10 {
		t.Errorf("a line of %d bytes", log.Len())
	}
}

func TestNothingIsFormattedBelowTheLevel(t *testing.T) {
	t.Parallel()
	r, log := recorder(slog.LevelError)
	r.Committed(t.Context(), event())
	r.Refused(t.Context(), Refusal{Endpoint: Token, Code: oauth.InvalidGrant})
	if log.Len() != 0 {
		t.Errorf("logged %s", log)
	}
}
