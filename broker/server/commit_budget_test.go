package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// DESIGN §3, for devices and for clients that register themselves: what each costs in
// durable commits.
func TestBudgetOfCommitsOfDevicesAndRegistrations(t *testing.T) {
	t.Parallel()
	b := livingRoom(t, func(o *brokertest.Options) { o.Config += "registration: {open: true}\n" })
	spent := func(what string, want uint64, do func()) {
		t.Helper()
		before := b.Store.Commits()
		do()
		if n := b.Store.Commits() - before; n != want {
			t.Errorf("%s cost %d commits, want %d", what, n, want)
		}
	}
	browser := b.Browser(t)
	var tv waiting
	var page brokertest.Page
	spent("a device's request", 1, func() { tv = begin(t, b, brokertest.CLI) })
	spent("a device that asks too early", 0, func() {
		if a := tv.poll(); a.Error() != "authorization_pending" {
			t.Errorf("%d %v", a.Status, a.Body)
		}
	})
	spent("a wrong code", 0, func() { browser.Post(b.Issuer+"/device", map[string][]string{"user_code": {"BCDF-GHJK"}}) })
	spent("the sign-in of whoever types the code", 1, func() { page = tv.enter(browser) })
	spent("the decision", 1, func() { tv.decide(browser, page, "allow") })
	spent("the device's tokens", 1, func() {
		if a := tv.poll(); a.Status != 200 {
			t.Errorf("%d %v", a.Status, a.Body)
		}
	})
	spent("a second presentation", 0, func() { tv.poll() })

	var registered map[string]any
	spent("a registration", 1, func() {
		registered = register(t, http.MethodPost, b.Issuer+"/register", "", `{"redirect_uris":["https://app.example/cb"]}`)
	})
	uri, _ := registered["registration_client_uri"].(string)
	token, _ := registered["registration_access_token"].(string)
	spent("a refused registration", 0, func() { register(t, http.MethodPost, b.Issuer+"/register", "", `{"redirect_uris":["x"]}`) })
	spent("reading a registration", 0, func() { register(t, http.MethodGet, uri, token, "") })
	spent("deleting a registration", 1, func() { register(t, http.MethodDelete, uri, token, "") })
}

// register sends a request to the registration endpoint.
func register(t *testing.T, method, address, token, body string) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Fatalf("%s %s: %d %s", method, address, response.StatusCode, raw)
		}
	}
	return out
}
