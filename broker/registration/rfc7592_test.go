package registration

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/oauth"
)

// RFC 7592 §2.1, §3.
func TestARegistrationIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	made := w.register(`{"client_name":"Notes","redirect_uris":["https://app.example.org/cb"],"initiate_login_uri":"https://app.example.org/login"}`)
	got := w.manage("GET", made, "")
	if got.status != http.StatusOK || got.header.Get("Cache-Control") != "no-store" || got.header.Get("Pragma") != "no-cache" {
		t.Fatalf("answered %d %v %s", got.status, got.header, got.body)
	}
	if got.json["client_secret"] != nil || got.json["client_secret_expires_at"] != nil {
		t.Errorf("a secret is shown twice: %s", got.body)
	}
	delete(made.json, "client_secret")
	delete(made.json, "client_secret_expires_at")
	before, _ := json.Marshal(made.json)
	after, _ := json.Marshal(got.json)
	if string(before) != string(after) {
		t.Errorf("read %s, want what was registered, token included: %s", after, before)
	}
}

// replacement is an update of what has been registered.
func replacement(made reply, members string) string {
	return `{"client_id":"` + made.text("client_id") + `","redirect_uris":["https://app.example.org/new"]` + members + `}`
}

// RFC 7592 §2.2: what is not in the document is gone.
func TestAnUpdateReplacesEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	made := w.register(`{"client_name":"Notes","redirect_uris":["https://app.example.org/cb"],"contacts":["ops@example.org"],"scope":"openid email"}`)
	before := w.client(made)
	got := w.manage("PUT", made, replacement(made, `,"client_secret":"`+made.text("client_secret")+`","client_uri":"https://app.example.org"`))
	if got.status != http.StatusOK {
		t.Fatalf("answered %d %s", got.status, got.body)
	}
	if got.json["client_name"] != nil || got.json["contacts"] != nil || got.text("client_uri") != "https://app.example.org" ||
		got.text("scope") != "openid profile email offline_access" || got.json["client_secret"] != nil {
		t.Errorf("answered %s", got.body)
	}
	if got.text("registration_access_token") != made.text("registration_access_token") || got.json["client_id_issued_at"] != made.json["client_id_issued_at"] {
		t.Errorf("answered %s for %s", got.body, made.body)
	}
	after := w.client(made)
	if after.RedirectURIs[0] != "https://app.example.org/new" || len(after.RedirectURIs) != 1 || after.Name == "Notes" {
		t.Errorf("client %+v", after)
	}
	if after.Secrets[0] != before.Secrets[0] {
		t.Error("the secret changed without need")
	}
	if read := w.manage("GET", made, ""); read.body != got.body {
		t.Errorf("read %s, want %s", read.body, got.body)
	}
}

// RFC 7592 §2.2.
func TestWhatAnUpdateMustNotSay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	made, other := w.register(""), w.register("")
	public := w.register(`{"redirect_uris":["https://app.example.org/cb"],"token_endpoint_auth_method":"none"}`)
	for _, row := range []struct {
		name, document string
		of             reply
	}{
		{"no client_id", minimal, made},
		{"the client_id of another", replacement(other, ""), made},
		{"a client_id that is none", strings.Replace(replacement(made, ""), `"client_id":"`+made.text("client_id")+`"`, `"client_id":7`, 1), made},
		{"a client_id in another case besides", replacement(other, `,"Client_ID":"`+made.text("client_id")+`"`), made},
		{"another secret", replacement(made, `,"client_secret":"of-my-own-choice-of-my-own-choice-of-my-own"`), made},
		{"the secret of another", replacement(made, `,"client_secret":"`+other.text("client_secret")+`"`), made},
		{"an empty secret", replacement(made, `,"client_secret":""`), made},
		{"a secret that is no string", replacement(made, `,"client_secret":{}`), made},
		{"a secret where there is none", replacement(public, `,"client_secret":"x"`), public},
		{"the access token", replacement(made, `,"registration_access_token":"`+made.text("registration_access_token")+`"`), made},
		{"the URI", replacement(made, `,"registration_client_uri":"`+made.text("registration_client_uri")+`"`), made},
		{"the expiry of the secret", replacement(made, `,"client_secret_expires_at":0`), made},
		{"the moment of issue", replacement(made, `,"client_id_issued_at":1`), made},
		{"a redirect URI with a fragment", strings.Replace(replacement(made, ""), "/new", "/new#x", 1), made},
		{"no redirect URI", `{"client_id":"` + made.text("client_id") + `"}`, made},
	} {
		before := w.manage("GET", row.of, "").body
		code := oauth.InvalidClientMetadata
		if strings.Contains(row.name, "redirect") {
			code = oauth.InvalidRedirectURI
		}
		got := w.manage("PUT", row.of, row.document)
		wantRefused(t, got, http.StatusBadRequest, code)
		if after := w.manage("GET", row.of, "").body; after != before || t.Failed() {
			t.Fatalf("%s: %s, and the registration is %s", row.name, got.body, after)
		}
	}
	for _, null := range []string{"registration_access_token", "client_secret", "client_id_issued_at"} {
		if got := w.manage("PUT", made, replacement(made, `,"`+null+`":null`)); got.status != http.StatusOK {
			t.Errorf("%s null, which is absent: %s", null, got.body)
		}
	}
}

// RFC 7592 §2.2: a new secret is made, and shown once, where the method needs one.
func TestAChangeOfMethod(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	made := w.register("")
	secrets := clientauth.NewSecrets()
	secret := made.text("client_secret")
	for _, step := range []struct {
		method string
		issued bool
	}{
		{"client_secret_post", false},
		{"client_secret_jwt", true},
		{"client_secret_jwt", false},
		{"client_secret_basic", false},
		{"none", false},
		{"client_secret_post", true},
		{"private_key_jwt", false},
		{"client_secret_jwt", true},
	} {
		got := w.manage("PUT", made, replacement(made, `,"token_endpoint_auth_method":"`+step.method+`",`+keys))
		if got.status != http.StatusOK || (got.text("client_secret") != "") != step.issued || (got.json["client_secret_expires_at"] != nil) != step.issued {
			t.Fatalf("%s: %d %s", step.method, got.status, got.body)
		}
		if step.issued && got.text("client_secret") == secret {
			t.Fatalf("%s: the old secret came back", step.method)
		} else if step.issued {
			secret = got.text("client_secret")
		}
		client := w.client(made)
		plain, signs := len(client.Secrets) == 1, len(client.MACSecrets) == 1
		if plain && !secrets.Verify(t.Context(), client.Secrets[0], secret) || signs && string(client.MACSecrets[0]) != secret {
			t.Errorf("%s: another secret than the last one that was shown", step.method)
		}
		if plain != (step.method == "client_secret_post" || step.method == "client_secret_basic") || signs != (step.method == "client_secret_jwt") {
			t.Errorf("%s: authenticates by the secret %t, by signing with it %t", step.method, plain, signs)
		}
	}
}

// RFC 7592 §2.3.
func TestARegistrationIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	made := w.register("")
	w.client(made)
	got := w.manage("DELETE", made, "")
	if got.status != http.StatusNoContent || got.body != "" || got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("answered %d %v %s", got.status, got.header, got.body)
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		wantRefused(t, w.manage(method, made, replacement(made, "")), http.StatusUnauthorized, oauth.InvalidToken)
	}
	if _, err := w.clients.Client(t.Context(), made.text("client_id")); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("the client is still found: %v", err)
	}
}

// RFC 7592 §2, RFC 9110 §15.5.6.
func TestOtherMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	made := w.register("")
	for _, row := range []struct{ method, path, allow string }{
		{"GET", "/register", "POST"}, {"PUT", "/register", "POST"}, {"DELETE", "/register", "POST"},
		{"POST", "/register/" + made.text("client_id"), "DELETE, GET, HEAD, PUT"}, {"PATCH", "/register/" + made.text("client_id"), "DELETE, GET, HEAD, PUT"},
	} {
		got := w.do(row.method, row.path, "", bearer(made.text("registration_access_token"))...)
		if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != row.allow {
			t.Errorf("%s %s: %d, Allow %q", row.method, row.path, got.status, got.header.Get("Allow"))
		}
	}
}

// Two updates at once: each is whole, and the later one stays.
func TestConcurrentUpdates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	made := w.register("")
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if got := w.manage("PUT", made, replacement(made, `,"client_name":"Notes"`)); got.status != http.StatusOK {
				t.Errorf("answered %d %s", got.status, got.body)
			}
		})
	}
	wg.Wait()
	if client := w.client(made); client.Name != "Notes" {
		t.Errorf("client %+v", client)
	}
}
