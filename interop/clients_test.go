package interop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// ada is what every application must learn of her.
func ada() map[string]any {
	return map[string]any{"email": "ada@corp.example", "userinfo": "ada@corp.example", "groups": []any{"corp:staff", "corp:admins"}, "refreshed": true}
}

func (w *world) node(t *testing.T) string {
	t.Helper()
	return w.install(t, "node", "npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
}

func (w *world) openidClient(t *testing.T, apps map[string]app) {
	script := filepath.Join(w.node(t), "openid_client.mjs")
	for _, c := range []struct{ name, app, auth, alg, issuer string }{
		{"a confidential client on plain HTTP", "node", "basic", "RS256", w.Plain},
		{"a confidential client over TLS, its secret in the form", "node-post", "post", "ES256", w.TLS},
		{"a public client over TLS", "node-public", "none", "EdDSA", w.TLS},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := apps[c.app]
			start(t, append(w.environment(a, c.issuer), "AUTH="+c.auth, "ALG="+c.alg), "listening", "node", script)
			b := w.open(t)
			if p := b.get(a.base + "/silently"); p.body != "login_required" {
				t.Errorf("before anybody has signed in, prompt=none is answered with %d %s", p.status, p.body)
			}
			o := readOutcome(t, b.get(a.base+"/login"))
			o.want(t, ada())
			o.want(t, map[string]any{
				"refreshedSubject": true, "narrowedScope": "openid email", "spentRefreshToken": "invalid_grant", "familyAfterwards": "invalid_grant",
				"spentCode": "invalid_grant", "otherUserinfo": "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED", "userinfoAfterwards": "OAUTH_WWW_AUTHENTICATE_CHALLENGE",
			})
			again := readOutcome(t, b.get(a.base+"/silently"))
			again.want(t, map[string]any{"sub": o["sub"]})
			readOutcome(t, b.get(a.base+"/stolen")).want(t, map[string]any{"refused": "invalid_grant"})
		})
	}
	t.Run("a client that registers itself, over TLS", func(t *testing.T) { w.registered(t, app{id: "registered"}) })
	t.Run("a device, over TLS", func(t *testing.T) { w.device(t, apps["node-device"]) })
}

// registered is an application that has registered itself, and does all that others
// do; then it looks after its registration.
func (w *world) registered(t *testing.T, a app) {
	script := filepath.Join(w.node(t), "openid_client.mjs")
	a.port = freePort(t)
	a.base = "http://127.0.0.1:" + a.port
	start(t, append(w.environment(a, w.TLS), "AUTH=registered", "ALG=ES256", "INITIAL_ACCESS_TOKEN="+initialAccessToken), "listening", "node", script)
	b := w.open(t)
	readOutcome(t, b.get(a.base+"/login")).want(t, ada())
	if b.decided != 1 {
		t.Errorf("consent was asked for %d times", b.decided)
	}
	readOutcome(t, b.get(a.base+"/registration")).want(t, map[string]any{"strangers": "OAUTH_WWW_AUTHENTICATE_CHALLENGE", "withoutAToken": "OAUTH_WWW_AUTHENTICATE_CHALLENGE",
		"read": "Registered", "changed": "Renamed", "deleted": http.StatusNoContent, "readAfterwards": http.StatusUnauthorized, "clientAfterwards": "invalid_client"})
}

// device shows a code, which somebody enters elsewhere.
func (w *world) device(t *testing.T, a app) {
	start(t, w.environment(a, w.TLS), "listening", "node", filepath.Join(w.node(t), "device.mjs"))
	w.connect(t, a, "spentDeviceCode")
	b, d := w.open(t), w.open(t)
	b.decision = "deny"
	shown := readOutcome(t, d.get(a.base+"/begin"))
	if p := b.get(fmt.Sprint(shown["verification_uri_complete"])); p.status != http.StatusOK || b.decided != 1 {
		t.Errorf("no is answered with %d %s", p.status, p.body)
	}
	readOutcome(t, d.get(a.base+"/refused")).want(t, map[string]any{"refused": "access_denied"})
	readOutcome(t, d.get(a.base+"/hurried")).want(t, map[string]any{"first": "authorization_pending", "second": "slow_down"})
}

// connect has somebody allow a device, which then has all that it asked for. spent is
// the member that says how the device code fares a second time.
func (w *world) connect(t *testing.T, a app, spent string) {
	t.Helper()
	b, d := w.open(t), w.open(t)
	shown := readOutcome(t, d.get(a.base+"/begin"))
	if shown["verification_uri"] != w.TLS+"/device" || fmt.Sprint(shown["interval"]) != "5" {
		t.Errorf("the device is told %v", shown)
	}
	if p := b.get(fmt.Sprint(shown["verification_uri_complete"])); p.status != http.StatusOK || b.decided != 1 {
		t.Fatalf("the code leads to %d %s (asked %d times)", p.status, p.body, b.decided)
	}
	o := readOutcome(t, d.get(a.base+"/outcome"))
	o.want(t, ada())
	o.want(t, map[string]any{spent: "invalid_grant"})
}

func (w *world) express(t *testing.T, apps map[string]app) {
	a := apps["express"]
	start(t, w.environment(a, w.TLS), "listening", "node", filepath.Join(w.node(t), "express.mjs"))
	refuser := w.open(t)
	refuser.decision = "deny"
	if p := refuser.get(a.base + "/"); p.status != http.StatusBadRequest || !strings.Contains(p.body, "access_denied") || refuser.decided != 1 {
		t.Errorf("without consent the application gets %d %s (asked %d times)", p.status, p.body, refuser.decided)
	}
	b := w.open(t)
	readOutcome(t, b.get(a.base+"/")).want(t, ada())
	if b.decided != 1 {
		t.Errorf("consent was asked for %d times", b.decided)
	}
}

func (w *world) authlib(t *testing.T, apps map[string]app) {
	dir := w.install(t, "python", "python3", "-m", "venv", "venv")
	python := filepath.Join(dir, "venv", "bin", "python")
	w.execute(t, dir, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", "requirements.txt")
	a := apps["flask"]
	start(t, w.environment(a, w.TLS), "listening", python, filepath.Join(dir, "flask_app.py"))
	o := readOutcome(t, w.open(t).get(a.base+"/login"))
	o.want(t, ada())
	o.want(t, map[string]any{"here": true, "elsewhere": "InvalidTokenError", "with_id_token": "InvalidTokenError",
		"stranger": "invalid_client", "spent_refresh_token": "invalid_grant"})
	w.connect(t, a, "spent_device_code")
}

// apache protects a file with mod_auth_openidc.
func (w *world) apache(t *testing.T, apps map[string]app) {
	a := apps["apache"]
	dir := filepath.Join(w.dir, "apache")
	for _, sub := range []string{"htdocs/staff", "htdocs/strangers"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, sub, "index.html"), []byte("let in to "+sub), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config, err := os.ReadFile(filepath.Join("apache", "httpd.conf"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "httpd.conf")
	if err := os.WriteFile(path, config, 0o644); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"-d", dir, "-f", path, "-D", "FOREGROUND"}
	if os.Getuid() == 0 {
		arguments = append(arguments, "-D", "ROOT")
	}
	start(t, append(w.environment(a, w.TLS), "DIR="+w.dir), "resuming normal operations", "/usr/sbin/apache2", arguments...)

	b := w.open(t)
	if p := b.get(a.base + "/staff/"); p.status != http.StatusOK || p.body != "let in to htdocs/staff" {
		t.Fatalf("a member of staff gets %d %s", p.status, p.body)
	}
	if p := b.get(a.base + "/strangers/"); p.status == http.StatusOK {
		t.Errorf("somebody who is not in the group gets %d %s", p.status, p.body)
	}
	before := b.info(a)
	back := url.QueryEscape(a.base + "/staff/")
	if p := b.get(a.base + "/callback?refresh=" + back + "&access_token=" + url.QueryEscape(before.AccessToken)); strings.Contains(p.url.RawQuery, "error") || p.status != http.StatusOK {
		t.Errorf("the refresh ends at %s with %d %s", p.url, p.status, p.body)
	}
	after := b.info(a)
	if before.UserInfo.Email != "ada@corp.example" || before.IDToken.Subject == "" || before.IDToken.Subject != after.IDToken.Subject {
		t.Errorf("Apache knows %+v, after a refresh %+v", before, after)
	}
	if after.AccessToken == before.AccessToken || after.RefreshToken == before.RefreshToken || after.RefreshToken == "" {
		t.Errorf("Apache had the tokens %+v, and after a refresh has %+v", before, after)
	}
}

// info is what mod_auth_openidc tells of a session.
type info struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      struct {
		Subject string `json:"sub"`
	} `json:"id_token"`
	UserInfo struct {
		Email string `json:"email"`
	} `json:"userinfo"`
}

func (b *browser) info(a app) info {
	b.t.Helper()
	var i info
	p := b.get(a.base + "/callback?info=json")
	if err := json.Unmarshal([]byte(p.body), &i); err != nil {
		b.t.Fatalf("session information: %s %s: %v", strconv.Itoa(p.status), p.body, err)
	}
	return i
}
