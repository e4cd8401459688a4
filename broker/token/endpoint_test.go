package token

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/oauth"
)

// registered is the one client there is, whatever its ID.
type registered broker.Client

func (c *registered) Client(context.Context, string) (*broker.Client, error) {
	return (*broker.Client)(c), nil
}

// grant counts what it is asked to redeem.
type grant struct {
	kind     oauth.GrantType
	redeemed int
	err      error
}

func (g *grant) GrantType() oauth.GrantType { return g.kind }
func (g *grant) Redeem(context.Context, Request) (Tokens, error) {
	g.redeemed++
	return Tokens{AccessToken: "token"}, g.err
}

// pipeline is an endpoint with one grant, for a client that may use it.
func pipeline(g *grant) (*Endpoint, *broker.Client) {
	client := &broker.Client{ID: "cli", AuthMethod: oauth.AuthMethodNone, GrantTypes: []oauth.GrantType{g.kind}}
	log := slog.New(slog.DiscardHandler)
	return &Endpoint{
		Reception: &clientauth.Reception{Callers: &clientauth.Authenticator{Clients: (*registered)(client)}, Audit: &audit.Recorder{Log: log}, Log: log, Now: time.Now},
		Grants:    map[oauth.GrantType]GrantHandler{g.kind: g},
	}, client
}

// ask answers the status and the error code and description.
func ask(t *testing.T, e *Endpoint, kind oauth.GrantType) (status int, code, description string) {
	t.Helper()
	mux := http.NewServeMux()
	e.Mount(mux)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/token", strings.NewReader(url.Values{"grant_type": {string(kind)}, "client_id": {"cli"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	var body struct {
		Error       string
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	return w.Code, body.Error, body.Description
}

// Who has been given tokens is told, and nobody else: what is refused uses nothing.
func TestAClientIsUsedWhenItIsAnswered(t *testing.T) {
	t.Parallel()
	g := &grant{kind: oauth.GrantTypeClientCredentials}
	e, client := pipeline(g)
	if status, _, _ := ask(t, e, g.kind); status != 200 {
		t.Fatalf("with nobody to tell: %d", status)
	}
	var used []string
	e.Used = func(_ context.Context, c *broker.Client) { used = append(used, c.ID) }
	if status, _, _ := ask(t, e, g.kind); status != 200 || len(used) != 1 || used[0] != client.ID {
		t.Errorf("%d, used %v", status, used)
	}
	g.err = oauth.Errorf(oauth.InvalidGrant, "no")
	if status, _, _ := ask(t, e, g.kind); status != 400 || len(used) != 1 {
		t.Errorf("refused: %d, used %v", status, used)
	}
	if status, _, _ := ask(t, e, "other"); status != 400 || len(used) != 1 {
		t.Errorf("another grant: %d, used %v", status, used)
	}
}

// I12: nothing is spent for an ID token that could not be encrypted.
func TestTheKeysOfAClientAreAtHandBeforeAnythingIsSpent(t *testing.T) {
	t.Parallel()
	encrypted := broker.Encryption{Alg: "RSA-OAEP-256", Enc: "A256GCM"}
	for _, row := range []struct {
		kind       oauth.GrantType
		encryption broker.Encryption
		asked      bool
	}{
		{oauth.GrantTypeAuthorizationCode, encrypted, true},
		{oauth.GrantTypeRefreshToken, encrypted, true},
		{oauth.GrantTypeDeviceCode, encrypted, true},
		{oauth.GrantTypeClientCredentials, encrypted, false},
		{oauth.GrantTypeTokenExchange, encrypted, false},
		{oauth.GrantTypeJWTBearer, encrypted, false},
		{oauth.GrantTypeAuthorizationCode, broker.Encryption{}, false},
	} {
		g := &grant{kind: row.kind}
		e, client := pipeline(g)
		client.IDTokenEncryption = row.encryption
		var keys error
		asked := 0
		e.Ready = func(_ context.Context, c *broker.Client) error {
			if c != client {
				t.Errorf("%s: asked about %v", row.kind, c)
			}
			asked++
			return keys
		}
		if status, _, _ := ask(t, e, row.kind); status != 200 || g.redeemed != 1 || (asked == 1) != row.asked {
			t.Errorf("%s %v: %d, asked %d times", row.kind, row.encryption, status, asked)
		}
		keys = errors.New("no keys: dial tcp 10.0.0.1")
		status, code, description := ask(t, e, row.kind)
		if !row.asked {
			if status != 200 || g.redeemed != 2 {
				t.Errorf("%s %v without keys: %d", row.kind, row.encryption, status)
			}
			continue
		}
		if status != 503 || code != "temporarily_unavailable" || strings.Contains(description, "10.0.0.1") || g.redeemed != 1 {
			t.Errorf("%s without keys: %d %s %q, redeemed %d times", row.kind, status, code, description, g.redeemed)
		}
	}
}

// RFC 9700 §2.4: there is no password grant, and who asks is told what there is.
func TestThePasswordGrantIsRefusedWithAnAlternative(t *testing.T) {
	t.Parallel()
	g := &grant{kind: "password"} // not even if somebody registered it
	e, _ := pipeline(g)
	status, code, description := ask(t, e, "password")
	if status != 400 || code != "unsupported_grant_type" || !strings.Contains(description, "authorization code") || !strings.Contains(description, "device") || g.redeemed != 0 {
		t.Errorf("%d %s %q", status, code, description)
	}
}
