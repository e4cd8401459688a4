package registration

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
)

func TestDR01OpenRegistrationIsNotTrust(t *testing.T) {
	t.Parallel()
	w := newWorld(t, closedPolicy())
	for name, headers := range map[string][]string{"no token": nil, "another token": bearer("something-else"), "a token in Basic": {"Authorization", "Basic " + initial}} {
		if wantRefused(t, w.do("POST", "/register", minimal, headers...), http.StatusUnauthorized, oauth.InvalidToken); t.Failed() {
			t.Fatal(name)
		}
	}
	wantRefused(t, w.do("POST", "/register?access_token="+initial, minimal), http.StatusBadRequest, oauth.InvalidRequest)
	w.register("", bearer(initial)...)
	w.register("", bearer(initial)...)
	exhausted := w.do("POST", "/register", minimal, bearer(initial)...)
	wantRefused(t, exhausted, http.StatusUnauthorized, oauth.InvalidToken)
	unknown := w.do("POST", "/register", minimal, bearer("something-else")...)
	if exhausted.body != unknown.body || exhausted.header.Get("WWW-Authenticate") != unknown.header.Get("WWW-Authenticate") {
		t.Errorf("%s tells a token that is used up from %s", exhausted.body, unknown.body)
	}
	if strings.Contains(w.log.String(), initial) {
		t.Error("the initial access token is in the log")
	}

	w = newWorld(t, closedPolicy())
	w.sleep(time.Hour)
	wantRefused(t, w.do("POST", "/register", minimal, bearer(initial)...), http.StatusUnauthorized, oauth.InvalidToken)

	w = newWorld(t, Policy{})
	wantRefused(t, w.do("POST", "/register", minimal), http.StatusUnauthorized, oauth.InvalidToken)

	// Whoever presents a token is held to it, also where none is needed.
	w = newWorld(t, openPolicy())
	wantRefused(t, w.do("POST", "/register", minimal, bearer(initial)...), http.StatusUnauthorized, oauth.InvalidToken)
}

func TestDR01OneOfTwentyGetsTheLastRegistration(t *testing.T) {
	t.Parallel()
	p := closedPolicy()
	p.Tokens[0].Limit = 1
	w := newWorld(t, p)
	var created, refused atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			switch got := w.do("POST", "/register", minimal, bearer(initial)...); got.status {
			case http.StatusCreated:
				created.Add(1)
			case http.StatusUnauthorized:
				refused.Add(1)
			default:
				t.Errorf("answered %d %s", got.status, got.body)
			}
		})
	}
	wg.Wait()
	if created.Load() != 1 || refused.Load() != 19 {
		t.Errorf("%d were registered and %d refused, want 1 and 19", created.Load(), refused.Load())
	}
}

// A registration that is refused takes nothing from the quota.
func TestDR01ARefusalCostsNoQuota(t *testing.T) {
	t.Parallel()
	p := closedPolicy()
	p.Tokens[0].Limit = 1
	w := newWorld(t, p)
	for range 3 {
		wantRefused(t, w.do("POST", "/register", `{}`, bearer(initial)...), http.StatusBadRequest, oauth.InvalidRedirectURI)
	}
	w.register("", bearer(initial)...)
}

func TestDR02PrivilegedMetadata(t *testing.T) {
	t.Parallel()
	p := openPolicy()
	p.Connectors = []string{"corp"}
	w := newWorld(t, p)
	// A forged software statement that claims as much as the members themselves.
	const forged = `"software_statement":"eyJhbGciOiJub25lIn0.eyJza2lwX2NvbnNlbnQiOnRydWUsInNjb3BlIjoiYWRtaW4ifQ."`
	privileged := `,"scope":"openid admin","skip_consent":true,"first_party":true,"connectors":["google"],"allowed_connectors":["google"],"allow":{"groups":["staff"]},
		"lifetimes":{"access_token":"8760h"},"may_act":"wiki","token_exchange":{"people":true},"audience":["https://api.example.com"],"require_pkce":false,"web_origins":["https://evil.example"],
		"client_secrets":["chosen"],"id":"wiki","Registered":false,"registered":false,` + forged
	made := w.register(`{"redirect_uris":["https://app.example.org/cb"],"client_id":"wiki","client_secret":"chosen","client_id_issued_at":1` + privileged + `}`)
	check := func(made reply) {
		t.Helper()
		client := w.client(made)
		if client.ID == "wiki" || client.SkipConsent || !client.Registered || client.PKCEOptional || client.MayAct != "" || len(client.Audience) > 0 ||
			client.Scopes.String() != "openid" || len(client.Connectors) != 1 || client.Connectors[0] != "corp" || len(client.Allow.Groups) > 0 ||
			client.Lifetimes != (broker.Lifetimes{}) || client.Exchange.People || client.Exchange.Actors || client.Exchange.Impersonate {
			t.Errorf("client %+v", client)
		}
		if made.text("scope") != "openid" || made.json["skip_consent"] != nil || made.json["software_statement"] != nil || made.json["connectors"] != nil || made.json["web_origins"] != nil {
			t.Errorf("answered %s", made.body)
		}
	}
	check(made)
	if made.text("client_secret") == "chosen" || made.json["client_id_issued_at"] == float64(1) {
		t.Errorf("answered %s", made.body)
	}
	// The update is judged like the registration.
	updated := w.manage("PUT", made, replacement(made, privileged))
	check(updated)
	for name, document := range map[string]string{
		"token exchange":       `,"grant_types":["authorization_code","urn:ietf:params:oauth:grant-type:token-exchange"]`,
		"jwt-bearer":           `,"grant_types":["urn:ietf:params:oauth:grant-type:jwt-bearer"]`,
		"a scope beyond all":   `,"scope":"admin"`,
		"a type swap":          `,"application_type":"native","redirect_uris":["com.example.app:/cb"]`,
		"a loopback redirect":  `,"application_type":"native","redirect_uris":["http://127.0.0.1/cb"]`,
		"a public machine":     `,"grant_types":["client_credentials"],"token_endpoint_auth_method":"none"`,
		"a device":             `,"grant_types":["urn:ietf:params:oauth:grant-type:device_code"]`,
		"a grant nobody knows": `,"grant_types":["admin"]`,
		"a wildcard redirect":  `,"redirect_uris":["https://*.example.org/cb"]`,
		"somebody else's sub":  `,"subject_type":"pairwise","sector_identifier_uri":"https://victim.example/sector.json"`,
	} {
		document, _ = strings.CutPrefix(document, ",")
		if !strings.Contains(document, "redirect_uris") {
			document += `,"redirect_uris":["https://app.example.org/cb"]`
		}
		for _, got := range []reply{w.do("POST", "/register", "{"+document+"}"), w.manage("PUT", made, `{"client_id":"`+made.text("client_id")+`",`+document+"}")} {
			if got.status != http.StatusBadRequest {
				t.Errorf("%s: answered %d %s", name, got.status, got.body)
			}
		}
	}
	check(updated)
}

// The grants that are an operator's to give are refused even if the policy names them.
func TestDR02NoPolicyGivesTokenExchange(t *testing.T) {
	t.Parallel()
	p := openPolicy()
	p.GrantTypes = append(p.GrantTypes, oauth.GrantTypeTokenExchange, oauth.GrantTypeJWTBearer)
	w := newWorld(t, p)
	for _, g := range []oauth.GrantType{oauth.GrantTypeTokenExchange, oauth.GrantTypeJWTBearer} {
		got := w.do("POST", "/register", `{"redirect_uris":["https://app.example.org/cb"],"grant_types":["authorization_code","`+string(g)+`"]}`)
		wantRefused(t, got, http.StatusBadRequest, oauth.InvalidClientMetadata)
	}
}

func TestDR03RegistrationAccessTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	a, b, gone := w.register(""), w.register(""), w.register("")
	w.manage("DELETE", gone, "")
	path := "/register/" + a.text("client_id")
	token := a.text("registration_access_token")
	count := &counting{Registrations: w.store}
	w.endpoint.Registrations = count
	want := w.do("GET", path, "", bearer("something-else")...)
	wantRefused(t, want, http.StatusUnauthorized, oauth.InvalidToken)
	if !strings.Contains(want.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
		t.Errorf("challenge %q", want.header.Get("WWW-Authenticate"))
	}
	for _, row := range []struct{ name, path, authorization string }{
		{"the token of another client", path, "Bearer " + b.text("registration_access_token")},
		{"a deleted client", "/register/" + gone.text("client_id"), "Bearer " + gone.text("registration_access_token")},
		{"an unknown client", "/register/" + newID(), "Bearer " + token},
		{"a configured client", "/register/configured", "Bearer " + token},
		{"an ID that nobody could have", "/register/" + strings.Repeat("x", 4000), "Bearer " + token},
		{"an ID with a line break", "/register/a%0d%0ab", "Bearer " + token},
		{"the client's secret", path, "Bearer " + a.text("client_secret")},
		{"an empty header", path, ""},
		{"a scheme alone", path, "Bearer"},
		{"a scheme and a space", path, "Bearer "},
		{"another scheme", path, "Basic " + token},
		{"no scheme", path, token},
		{"characters that no token has", path, "Bearer \x01\"é"},
		{"two tokens", path, "Bearer " + token + ", Bearer " + token},
		{"a token with more", path, "Bearer " + token + " x"},
		{"a token of 20 KiB", path, "Bearer " + strings.Repeat("a", 20<<10)},
	} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			got := w.do(method, row.path, "", "Authorization", row.authorization)
			wantRefused(t, got, http.StatusUnauthorized, oauth.InvalidToken)
			if got.body != want.body || got.header.Get("WWW-Authenticate") != want.header.Get("WWW-Authenticate") {
				t.Errorf("%s: %s, %s %v differs from %s", row.name, method, got.body, got.header, want.body)
			}
		}
	}
	if n := count.reads.Load(); n != 1+3*4 {
		t.Errorf("%d reads of the store: it is asked for what cannot be there", n)
	}
	none := w.do("GET", path, "")
	wantRefused(t, none, http.StatusUnauthorized, oauth.InvalidToken)
	if challenge := none.header.Get("WWW-Authenticate"); challenge != `Bearer realm="`+issuer+`"` { // RFC 6750 §3.1
		t.Errorf("challenge %q", challenge)
	}
	if got := w.manage("GET", a, ""); got.status != http.StatusOK {
		t.Errorf("after all that the owner gets %d %s", got.status, got.body)
	}
	if strings.Contains(w.log.String(), token) || strings.Contains(w.log.String(), a.text("client_secret")) {
		t.Error("a secret is in the log")
	}
}

func TestDR04NamesAndPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	for name, member := range map[string]string{
		"a direction override":        `"client_name":"gpj\u202eeliF"`,
		"an isolate":                  `"client_name":"\u2066x\u2069"`,
		"a control character":         `"client_name":"a\u0007"`,
		"a line break":                `"client_name":"Notes\nYour session has expired"`,
		"an invisible space":          `"client_name":"No\u200btes"`,
		"10 KiB":                      `"client_name":"` + strings.Repeat("a", 10<<10) + `"`,
		"a direction in a contact":    `"contacts":["a@example.org","\u202eb@example.org"]`,
		"control in software_id":      `"software_id":"\u0001"`,
		"control in software_version": `"software_version":"1\u001b[2J"`,
		"control in an acr":           `"default_acr_values":["\u202e"]`,
		"a logo in itself":            `"logo_uri":"data:image/svg+xml,<svg onload=alert(1)>"`,
		"a logo in the clear":         `"logo_uri":"http://app.example.org/logo.svg"`,
		"a logo on this machine":      `"logo_uri":"http://localhost/logo.png"`,
		"a script":                    `"tos_uri":"javascript:alert(1)"`,
		"a script as policy":          `"policy_uri":"javascript://app.example.org/%0aalert(1)"`,
		"a page of no length":         `"client_uri":"https://app.example.org/` + strings.Repeat("a", 3000) + `"`,
		"a sign-in in the clear":      `"initiate_login_uri":"http://app.example.org/login"`,
		"1001 contacts":               `"contacts":["a"` + strings.Repeat(`,"a"`, 1000) + `]`,
	} {
		got := w.do("POST", "/register", `{"redirect_uris":["https://app.example.org/cb"],`+member+`}`)
		wantRefused(t, got, http.StatusBadRequest, oauth.InvalidClientMetadata)
		key, _, _ := strings.Cut(strings.TrimPrefix(member, `"`), `"`)
		if !strings.Contains(got.text("error_description"), key) {
			t.Errorf("%s: %s does not name %s", name, got.body, key)
		}
	}
	made := w.register(`{"redirect_uris":["https://app.example.org/cb"],"client_name":"<svg onload=alert(1)> Ünïcode 😀","logo_uri":"https://app.example.org/logo.png",
		"policy_uri":"https://app.example.org/privacy","tos_uri":"https://app.example.org/terms"}`)
	if strings.Contains(made.body, "<svg") || made.text("client_name") != "<svg onload=alert(1)> Ünïcode 😀" {
		t.Errorf("answered %s", made.body)
	}
	if len(w.fetched) > 0 {
		t.Errorf("fetched %v: a logo is not fetched when it is registered", w.fetched)
	}
}

func TestDR05RegistrationFlood(t *testing.T) {
	t.Parallel()
	p := closedPolicy()
	p.Tokens[0].Limit = 0
	p.Unused = 48 * time.Hour
	w := newWorld(t, p)
	w.endpoint.PerAddress = &httpx.Limiter{Rate: rate.Every(time.Minute), Burst: 5, Now: w.clock}
	w.endpoint.PerToken = &httpx.Limiter{Rate: rate.Every(time.Minute), Burst: 3, Now: w.clock}
	var last reply
	for range 3 {
		last = w.register("", bearer(initial)...)
	}
	got := w.do("POST", "/register", minimal, bearer(initial)...)
	wantRefused(t, got, http.StatusTooManyRequests, oauth.TemporarilyUnavailable)
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After for the token")
	}
	w.endpoint.PerToken = nil
	w.register("", bearer(initial)...)
	wantRefused(t, w.do("POST", "/register", minimal, bearer(initial)...), http.StatusTooManyRequests, oauth.TemporarilyUnavailable)
	wantRefused(t, w.manage("GET", last, ""), http.StatusTooManyRequests, oauth.TemporarilyUnavailable)

	// What nobody uses is gone after a while.
	w.sleep(48 * time.Hour)
	wantRefused(t, w.manage("GET", last, ""), http.StatusUnauthorized, oauth.InvalidToken)
	if _, err := w.clients.Client(t.Context(), last.text("client_id")); err == nil {
		t.Error("a client that nobody has used is still there")
	}
}

func TestDR06SectorIdentifierURI(t *testing.T) {
	t.Parallel()
	const sector = "https://sector.example.org/redirects.json"
	const document = `{"redirect_uris":["https://app.example.org/cb","https://two.example.org/cb"],"subject_type":"pairwise","sector_identifier_uri":"` + sector + `"}`
	w := newWorld(t, openPolicy())
	// Two hosts have no sector in common unless somebody says so.
	wantRefused(t, w.do("POST", "/register", strings.Replace(document, `,"sector_identifier_uri":"`+sector+`"`, "", 1)), http.StatusBadRequest, oauth.InvalidClientMetadata)
	unreachable := w.do("POST", "/register", document)
	wantRefused(t, unreachable, http.StatusBadRequest, oauth.InvalidClientMetadata)
	for name, listed := range map[string]string{
		"one is missing":         `["https://app.example.org/cb"]`,
		"none is there":          `[]`,
		"another path":           `["https://app.example.org/cb","https://two.example.org/cb/"]`,
		"an entry is a number":   `["https://app.example.org/cb","https://two.example.org/cb",7]`,
		"an entry is null":       `["https://app.example.org/cb","https://two.example.org/cb",null]`,
		"an object":              `{"redirect_uris":["https://app.example.org/cb","https://two.example.org/cb"]}`,
		"null":                   `null`,
		"a page":                 `<!doctype html>`,
		"the document and more":  `["https://app.example.org/cb","https://two.example.org/cb"] []`,
		"nothing":                ``,
		"a list within the list": `[["https://app.example.org/cb","https://two.example.org/cb"]]`,
	} {
		w.documents[sector] = listed
		// SF-03: the answer does not say what was found.
		if got := w.do("POST", "/register", document); got.status != unreachable.status || got.body != unreachable.body {
			t.Errorf("%s: %d %s differs from %s", name, got.status, got.body, unreachable.body)
		}
	}
	if strings.Contains(unreachable.body, "10.0.0.7") || strings.Contains(unreachable.body, "refused") {
		t.Errorf("the answer tells of the network: %s", unreachable.body)
	}
	w.documents[sector] = `["https://two.example.org/cb","https://app.example.org/cb","https://more.example.org/cb"]`
	made := w.register(document)
	// An update has to be listed as well.
	got := w.manage("PUT", made, `{"client_id":"`+made.text("client_id")+`",`+strings.TrimPrefix(strings.Replace(document, "two.example.org/cb", "two.example.org/new", 1), "{"))
	wantRefused(t, got, http.StatusBadRequest, oauth.InvalidClientMetadata)
	w.documents[sector] = `["https://app.example.org/cb","https://two.example.org/new"]`
	if got := w.manage("PUT", made, `{"client_id":"`+made.text("client_id")+`",`+strings.TrimPrefix(strings.Replace(document, "two.example.org/cb", "two.example.org/new", 1), "{")); got.status != http.StatusOK {
		t.Errorf("answered %d %s", got.status, got.body)
	}
}

// SF-01: what cannot be fetched safely is not registered, and nothing but the sector
// document is fetched. The addresses themselves are package outbound's to refuse.
func TestSF01OnlyTheSectorDocumentIsFetched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	for _, uri := range []string{"http://169.254.169.254/", "file:///etc/passwd", "gopher://127.0.0.1/", "unix:/run/docker.sock", "//app.example.org/x", "https://user:pass@app.example.org/"} {
		for _, member := range []string{`"jwks_uri":"` + uri + `"`, `"request_uris":["` + uri + `"],"jwks_uri":"https://app.example.org/jwks"`,
			`"sector_identifier_uri":"` + uri + `"`, `"logo_uri":"` + uri + `"`} {
			got := w.do("POST", "/register", `{"redirect_uris":["https://app.example.org/cb"],`+member+`}`)
			if wantRefused(t, got, http.StatusBadRequest, oauth.InvalidClientMetadata); t.Failed() {
				t.Fatal(member)
			}
		}
	}
	w.register(`{"redirect_uris":["https://app.example.org/cb"],"jwks_uri":"https://app.example.org/jwks","request_uris":["https://app.example.org/request"],
		"logo_uri":"https://app.example.org/logo.png"}`)
	for _, address := range w.fetched {
		if address != "https://user:pass@app.example.org/" {
			t.Errorf("fetched %s", address)
		}
	}
}
