package fake

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// authorize is the authorization endpoint: the page, the choice made on it, and
// the answers that need no page.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request, realm string) {
	// A choice must come from the page itself, not from a form elsewhere.
	chosen := r.Method == http.MethodPost && (r.PostForm.Has(personField) || r.PostForm.Has(cancelField))
	if chosen && http.NewCrossOriginProtection().Check(r) != nil {
		http.Error(w, "the choice was not made on this page", http.StatusForbidden)
		return
	}
	req, no := p.open(r, realm)
	switch {
	case no != nil:
		p.turnDown(w, r, req, no)
	case chosen && r.PostForm.Has(cancelField):
		p.turnDown(w, r, req, p.vendor.refuse(signInCancelled, req, ""))
	case chosen:
		p.choose(w, r, req, r.PostForm.Get(personField))
	case req.prompts("none"):
		p.silently(w, r, req)
	default:
		p.ask(w, r, req)
	}
}

// choose completes the request for the person picked on the page. Whoever was
// signed in already and need not prove it again keeps the time they did.
func (p *Provider) choose(w http.ResponseWriter, r *http.Request, req *request, id string) {
	person, ok := p.cast.find(id)
	if !ok {
		http.Error(w, "there is no such person", http.StatusBadRequest)
		return
	}
	if !p.admitted(w, r, req, person) {
		return
	}
	if s, current, ok := p.signedIn(r); ok && current.ID == id && !req.reauthenticates(s, p.opts.Now()) {
		p.complete(w, r, req, person, s.authTime)
		return
	}
	p.complete(w, r, req, person, p.signIn(w, r, person))
}

// silently answers prompt=none: with the session, or not at all.
func (p *Provider) silently(w http.ResponseWriter, r *http.Request, req *request) {
	s, person, ok := p.signedIn(r)
	switch {
	case !ok || req.reauthenticates(s, p.opts.Now()):
		p.turnDown(w, r, req, p.vendor.refuse(signInRequired, req, ""))
	case !p.vendor.consented(req, person):
		p.turnDown(w, r, req, p.vendor.refuse(consentRequired, req, ""))
	case p.admitted(w, r, req, person):
		p.complete(w, r, req, person, s.authTime)
	}
}

// admitted answers itself if the person may not pass. Where that is a page, the
// person is signed out and may choose another account.
func (p *Provider) admitted(w http.ResponseWriter, r *http.Request, req *request, person Person) bool {
	no := p.vendor.admit(req, person)
	if p.cast.isDisabled(person.ID) {
		no = p.vendor.refuse(accountSuspended, req, person.Name)
	}
	if no == nil {
		return true
	}
	if no.status != 0 {
		p.signOut(w, r)
		no.retry = p.at(r.URL.Path) + "?" + req.params.Encode()
	}
	p.turnDown(w, r, req, no)
	return false
}

// ask shows the page, unless a session or the test's wish makes it needless.
func (p *Provider) ask(w http.ResponseWriter, r *http.Request, req *request) {
	if id := p.automatic(r, req); id != "" {
		p.choose(w, r, req, id)
		return
	}
	s, person, signedIn := p.signedIn(r)
	hinted, hasHint := p.cast.named(req.hint())
	if signedIn && !req.asks() && !req.reauthenticates(s, p.opts.Now()) &&
		(!hasHint || hinted.ID == person.ID) && p.vendor.consented(req, person) {
		if p.admitted(w, r, req, person) {
			p.complete(w, r, req, person, s.authTime)
		}
		return
	}
	page := signInPage{
		Action: p.at(r.URL.Path), Fields: fields(req.params), Client: req.client.title(), Host: hostOf(req.redirectURI),
		Again: signedIn && req.reauthenticates(s, p.opts.Now()), Consent: req.prompts("consent"),
	}
	for _, one := range p.cast.all() {
		row := p.row(one)
		switch {
		case signedIn && one.ID == person.ID:
			page.Current = append(page.Current, row)
		case hasHint && one.ID == hinted.ID:
			page.People = append([]personRow{row}, page.People...)
		default:
			page.People = append(page.People, row)
		}
	}
	p.pages.signIn(w, page)
}

// hint is the login_hint, which GitHub calls login.
func (r *request) hint() string {
	if hint := r.params.Get("login_hint"); hint != "" {
		return hint
	}
	return r.params.Get("login")
}

// automatic is who signs in without a page.
func (p *Provider) automatic(r *http.Request, req *request) string {
	if p.opts.AutoApprove != nil {
		if id := p.opts.AutoApprove(r); id != "" {
			return id
		}
	}
	if id := p.sessions.automatic(); id != "" {
		return id
	}
	if p.opts.TrustLoginHint {
		if person, ok := p.cast.named(req.hint()); ok {
			return person.ID
		}
	}
	return ""
}

// complete sends the browser back with a code.
func (p *Provider) complete(w http.ResponseWriter, r *http.Request, req *request, person Person, authTime time.Time) {
	g := req.grant(person, authTime)
	response := url.Values{"code": {p.vendor.grantCode(req, g)}}
	p.vendor.decorate(req, person, response)
	p.respond(w, r, req, req.redirectURI, response)
}

func (p *Provider) turnDown(w http.ResponseWriter, r *http.Request, req *request, no *refusal) {
	if no.status != 0 {
		p.pages.problem(w, problemPage{Status: no.status, Code: no.code, Detail: no.description, Retry: no.retry})
		return
	}
	response := url.Values{"error": {no.code}}
	for name, value := range map[string]string{"error_description": no.description, "error_uri": no.uri} {
		if value != "" {
			response.Set(name, value)
		}
	}
	for name, values := range no.extra {
		response[name] = values
	}
	to := req.redirectURI
	if no.to != "" {
		to = no.to
	}
	p.respond(w, r, req, to, response)
}

// respond delivers a response by the request's mode, with state, and iss where
// the vendor has it (RFC 9207).
func (p *Provider) respond(w http.ResponseWriter, r *http.Request, req *request, to string, response url.Values) {
	if state := req.params.Get("state"); state != "" {
		response.Set("state", state)
	}
	if iss := p.vendor.issuer(req); iss != "" {
		response.Set("iss", iss)
	}
	p.spoilResponse(response)
	switch req.mode {
	case "form_post":
		p.pages.formPost(w, formPostPage{Action: to, Fields: fields(response), Client: req.client.title()})
	case "fragment":
		http.Redirect(w, r, to+"#"+response.Encode(), http.StatusSeeOther)
	default:
		separator := "?"
		if strings.Contains(to, "?") {
			separator = "&"
		}
		http.Redirect(w, r, to+separator+response.Encode(), http.StatusSeeOther)
	}
}

func (p *Provider) spoilResponse(response url.Values) {
	const otherIssuer = "https://idp.elsewhere.example"
	switch {
	case p.script.hit(ResponseWrongIssuer):
		response.Set("iss", otherIssuer)
	case p.script.hit(ResponseMissingIssuer):
		response.Del("iss")
	case p.script.hit(ResponseTwoIssuers):
		response["iss"] = append(response["iss"], otherIssuer)
	case p.script.hit(ResponseWrongState):
		response.Set("state", "state-of-another-flow")
	case p.script.hit(ResponseMissingState):
		response.Del("state")
	case p.script.hit(ResponseErrorAndCode):
		response.Set("error", "access_denied")
	case p.script.hit(ResponseHostileError):
		response.Del("code")
		response.Set("error", `<img src=x onerror=alert(1)>`)
		response.Set("error_description", "\r\nSet-Cookie: intruder=1\r\n\r\n<script>alert(1)</script>"+strings.Repeat("A", 100<<10))
	}
}

func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return uri
	}
	return u.Host
}
